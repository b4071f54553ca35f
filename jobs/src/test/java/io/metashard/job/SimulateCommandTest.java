package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What the planner's layouts are worth, by simulation: the same figures in every run. */
class SimulateCommandTest {
  private static String output(String... more) {
    List<String> arguments = new ArrayList<>(List.of("simulate"));
    arguments.addAll(List.of(more));
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      assertThat(Metashard.run(arguments.toArray(String[]::new))).isZero();
    } finally {
      System.setOut(before);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private static Map<String, JsonNode> simulated(String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.add("--json");
    Map<String, JsonNode> lines = new TreeMap<>();
    for (String line : output(arguments.toArray(String[]::new)).lines().toList()) {
      JsonNode one = new ObjectMapper().readTree(line);
      lines.put(one.get("layout").asText(), one);
    }
    return lines;
  }

  private static double ratio(Map<String, JsonNode> lines, String figure, String to) {
    return lines.get("planned").get(figure).asDouble() / lines.get(to).get(figure).asDouble();
  }

  @Test
  void inEcCachesSettingReadsAreFasterAndLoadIsEvenAtNoMoreStorage() throws IOException {
    Map<String, JsonNode> lines =
        simulated("--synthetic=ec-cache", "--model=disk", "--layouts=source,planned,ec-cache");
    assertThat(ratio(lines, "p99_millis", "ec-cache")).isLessThanOrEqualTo(0.7);
    assertThat(ratio(lines, "storage_ratio", "ec-cache")).isLessThanOrEqualTo(1);
    assertThat(lines.get("planned").get("imbalance").asDouble()).isLessThanOrEqualTo(0.05);
    assertThat(lines.get("source").get("storage_ratio").asDouble()).isEqualTo(1);
    assertThat(lines.get("source").get("moved_bytes").asLong()).isZero();
  }

  @Test
  void mixedSizesAndAForecastThatIsOffAreReadFaster() throws IOException {
    String[] mixed = {"--synthetic=mixed", "--model=disk", "--layouts=planned,ec-cache"};
    Map<String, JsonNode> busy = simulated(mixed);
    assertThat(ratio(busy, "p99_millis", "ec-cache")).isLessThanOrEqualTo(0.45);
    assertThat(ratio(busy, "storage_ratio", "ec-cache")).isLessThanOrEqualTo(1);
    Map<String, JsonNode> calm = simulated(mixed[0], mixed[1], mixed[2], "--load=0.35");
    assertThat(ratio(calm, "p99_millis", "ec-cache")).isLessThanOrEqualTo(0.75);
    assertThat(ratio(calm, "storage_ratio", "ec-cache")).isLessThanOrEqualTo(1);
  }

  @Test
  void smallObjectsAreNotCutAndNoCodedLayoutIsFaster() throws IOException {
    Map<String, JsonNode> lines =
        simulated(
            "--synthetic=small",
            "--model=disk",
            "--reads=10000",
            "--layouts=source,planned,rs-6-3,ec-cache,sp-cache");
    for (String other : List.of("source", "rs-6-3", "ec-cache", "sp-cache")) {
      assertThat(ratio(lines, "p99_millis", other)).as(other).isLessThan(0.1);
    }
    assertThat(lines).hasSize(5);
  }

  @Test
  void theSameQuestionHasTheSameAnswerAndTheDumpSaysWhatWasSimulated() throws IOException {
    Path dump = SharedSpark.tempFolder("simulate").resolve("dump");
    String[] question = {
      "--synthetic=small", "--model=object-store", "--reads=500", "--layouts=source,planned"
    };
    String first = output(question);
    String[] dumped = java.util.Arrays.copyOf(question, question.length + 1);
    dumped[question.length] = "--dump=" + dump;
    assertThat(output(dumped)).isEqualTo(first);
    assertThat(first.lines().filter(line -> line.startsWith("object-store"))).hasSize(2);
    assertThat(Files.readAllLines(dump.resolve("objects.csv"))).hasSize(501);
    assertThat(Files.readAllLines(dump.resolve("object-store-reads.csv"))).hasSize(501);
    assertThat(Files.readAllLines(dump.resolve("object-store-source.csv"))).hasSize(501);
    assertThat(Files.readAllLines(dump.resolve("object-store-planned.csv")))
        .hasSizeGreaterThan(501);
    assertThat(Metashard.run(prepended("simulate", dumped))).isEqualTo(2);
  }

  private static String[] prepended(String command, String[] arguments) {
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(List.of(arguments));
    return all.toArray(String[]::new);
  }

  @Test
  void aPlanThatIsNoBetterThanTheObjectsSaysSoFirst() {
    SimulateCommand.Line source = line("source", 10);
    assertThat(SimulateCommand.text(List.of(source, line("planned", 12))))
        .startsWith("The plan is no better than the objects as they are (disk)");
    assertThat(SimulateCommand.text(List.of(source, line("planned", 9)))).startsWith("model");
  }

  private static SimulateCommand.Line line(String layout, double p99) {
    return new SimulateCommand.Line(
        "disk", layout, new io.metashard.simulate.Replay(1, 1, 1, p99, 0, 0.1, 1, 100), 0);
  }

  @Test
  void wrongUseIsExitCode2() {
    String[][] wrong = {
      {},
      {"--synthetic=huge"},
      {"--synthetic=small", "--layouts=raid"},
      {"--synthetic=small", "--model=tape"},
      {"--synthetic=small", "--load=2"},
      {"--synthetic=small", "--reads=0"},
      {"--synthetic=small", "--set=plan.survive=40"},
      {"--synthetic=small", "--set=plan.polizy=balanced"},
    };
    for (String[] arguments : wrong) {
      assertThat(Metashard.run(prepended("simulate", arguments)))
          .as(String.join(" ", arguments))
          .isEqualTo(2);
    }
  }
}
