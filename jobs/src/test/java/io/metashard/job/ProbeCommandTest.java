package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.LocationModel;
import io.metashard.SharedSpark;
import io.metashard.config.LocationModels;
import io.metashard.config.Settings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code metashard probe} as one types it, on folders. */
class ProbeCommandTest {
  private final Path folder = SharedSpark.tempFolder("probe");

  private record Ended(int exitCode, String out, String err) {}

  private Ended probe(String... more) throws IOException {
    Path file = folder.resolve("probe.conf");
    Files.writeString(
        file,
        """
        lake.root = "%1$s/lake"
        locations = [
          { name = a, uri = "%1$s/a" }
          { name = broken, uri = "%1$s/file/below" }
          { name = c, uri = "%1$s/c", state = draining }
          { name = s3, uri = "s3a://b/p" }
        ]
        hadoop { "fs.s3a.secret.key" = PLANTED, "fs.s3a.access.key" = PLANTED, "fs.s3a.endpoint" = "http://127.0.0.1:1", "fs.s3a.endpoint.region" = nowhere }
        """
            .formatted(folder));
    Files.writeString(folder.resolve("file"), "no folder");
    List<String> arguments = new ArrayList<>(List.of("probe", "--config", file.toString()));
    arguments.addAll(List.of(more));
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream newOut = new ByteArrayOutputStream();
    ByteArrayOutputStream newErr = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(newOut, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(newErr, true, StandardCharsets.UTF_8));
      int exitCode = Metashard.run(arguments.toArray(String[]::new));
      return new Ended(
          exitCode,
          newOut.toString(StandardCharsets.UTF_8),
          newErr.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  private static List<JsonNode> lines(Ended ended) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : ended.out().lines().toList()) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  @Test
  void whatItPrintsIsAConfiguration() throws IOException {
    Ended ended = probe("--max-requests", "80", "--write", "--location=a", "--location=c");
    assertThat(ended.exitCode()).as(ended.err()).isZero();
    assertThat(ended.out())
        .containsPattern("(?m)^a +\\d\\d +")
        .containsPattern("(?m)^c +\\d\\d +")
        .contains("# Medians of locations measured: 2.");
    String settings = ended.out().substring(ended.out().indexOf("simulate {"));
    Settings parsed = Settings.parse("printed", settings, List.of());
    LocationModel.Disk disk = LocationModels.disk(parsed);
    LocationModel.ObjectStore store = LocationModels.objectStore(parsed);
    assertThat(disk.bytesPerSecond()).isGreaterThan(1e6).isEqualTo(store.bytesPerSecond());
    assertThat(disk.firstByteMillis()).isLessThan(100).isEqualTo(store.firstByteMillis());
    assertThat(store.requestsPerSecond()).isPositive();
    assertThat(settings)
        .as("every key of both models")
        .containsPattern("(?s)disk \\{.*request =.*bytes-per-second =.*slow-share =.*slow-factor =")
        .containsPattern("(?s)object-store \\{.*first-byte =.*requests-per-second =");
  }

  @Test
  void locationsThatCannotBeMeasuredHaveALineEachAndTheOthersAreMeasured() throws IOException {
    Ended ended = probe("--max-requests", "64", "--write", "--json");
    assertThat(ended.exitCode()).isEqualTo(1);
    List<JsonNode> lines = lines(ended);
    assertThat(lines)
        .extracting(line -> line.get("location").asText())
        .containsExactly("a", "broken", "c", "s3");
    for (JsonNode line : lines) {
      boolean works = List.of("a", "c").contains(line.get("location").asText());
      assertThat(line.has("error")).isEqualTo(!works);
      if (works) {
        assertThat(line.get("requests").asInt()).isBetween(32, 64);
        assertThat(line.get("first_byte_millis").asDouble()).isGreaterThanOrEqualTo(0);
        assertThat(line.get("reads").asInt()).isGreaterThanOrEqualTo(15);
      } else {
        assertThat(line.get("error").asText())
            .startsWith("Cannot measure location %s at ".formatted(line.get("location").asText()))
            .endsWith("; see whether it can be reached and read (metashard check)")
            .doesNotContain("\n");
      }
    }
    assertThat(ended.out() + ended.err()).doesNotContain("PLANTED", "\tat ");
    assertThat(folder.resolve("a")).doesNotExist();
  }

  @Test
  void wrongUseIsExitCode2AndSaysWhatIsRight() throws IOException {
    Ended few = probe("--max-requests", "63");
    assertThat(few.exitCode()).isEqualTo(2);
    assertThat(few.err()).contains("Cannot use --max-requests 63: it must be 64 to 1000000");
    Ended unknown = probe("--max-requests", "64", "--location", "b\u001b");
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.err())
        .contains(
            "Cannot measure location b\\u001b: the configuration has none of that name, only a, broken, c, s3");
    assertThat(probe().exitCode()).isEqualTo(2);
  }
}
