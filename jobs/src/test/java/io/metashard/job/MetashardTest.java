package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import io.metashard.job.InThisJvm.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The command line: exit codes, messages, results. None of these needs Spark. */
class MetashardTest {
  private final Path folder = SharedSpark.tempFolder("cli");

  private static Ended run(String... arguments) {
    return InThisJvm.metashard(arguments);
  }

  private String config(String text) throws IOException {
    Path file = Files.createTempFile(folder, "metashard", ".conf");
    Files.writeString(file, "lake.root = \"%s\"%n%s".formatted(folder.resolve("lake"), text));
    return file.toString();
  }

  @Test
  void generatesInputOrABackTestAndNotBothAtOnce() {
    String trace = folder.resolve("trace").toString();
    Ended both = run("generate", "--out", folder.toString(), "--backtest", trace);
    assertThat(both.exitCode()).isEqualTo(2);
    assertThat(both.err()).contains("--backtest=FOLDER are mutually exclusive");

    Ended made =
        run("generate", "--workload", "sample", "--days", "28", "--json", "--backtest", trace);
    assertThat(made.exitCode()).as(made.err()).isZero();
    assertThat(made.out()).contains("\"test_days\":14");
    assertThat(folder.resolve("trace")).isDirectoryContaining("glob:**/backtest.json");
    assertThat(folder.resolve("trace/objects")).doesNotExist();
  }

  @Test
  void helpListsEveryCommand() {
    Ended ended = run("help");
    assertThat(ended.exitCode()).isZero();
    List<String> commands =
        List.of(
            "nightly",
            "generate",
            "ingest",
            "catalogue",
            "aggregate",
            "score",
            "tune",
            "forecast",
            "plan",
            "reshard",
            "ls",
            "cat",
            "export",
            "verify",
            "repair",
            "vacuum",
            "rollback",
            "delete-sources",
            "forget",
            "recover-map",
            "report",
            "backtest",
            "simulate",
            "probe",
            "config",
            "check",
            "bench",
            "completion",
            "help");
    for (String command : commands) {
      assertThat(ended.out()).contains("\n  " + command);
    }
  }

  @Test
  void whatCannotBeExplainedIsRefusedBeforeSparkStarts() throws IOException {
    // An option after --explain is no object id.
    Ended none = run("plan", "--explain", "--explain-limit", "0", "--config", config(""));
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.err()).contains("Cannot use --explain-limit 0: it must be 1 to 10000");
    Ended odd = run("plan", "--explain=" + "x".repeat(1025), "--config", config(""));
    assertThat(odd.exitCode()).isEqualTo(2);
    assertThat(odd.err()).contains("Cannot explain object xxx", "object-id-too-long");
  }

  @Test
  void aBackTestOfWhatIsNoMomentIsRefusedBeforeSparkStarts() throws IOException {
    String config = config("");
    Path list = folder.resolve("origins.json");
    Files.writeString(list, "[\"2026-01-02T00:00:00Z\", \"noon\"]");
    Ended listed = backTest(config, "--origins-file", list.toString());
    assertThat(listed.exitCode()).isEqualTo(2);
    assertThat(listed.err()).contains("Cannot back-test from noon: it is no moment");
    Files.writeString(list, "{");
    Ended broken = backTest(config, "--origins-file", list.toString());
    assertThat(broken.exitCode()).isEqualTo(2);
    assertThat(broken.err()).contains("it is no JSON list of texts");
    Ended model = backTest(config, "--origins", "2026-01-02T00:00:00Z", "--model", "oracle");
    assertThat(model.exitCode()).isEqualTo(2);
    assertThat(model.err()).contains("forecast.model");
  }

  @Test
  void aRollBackToWhatCanBeNoSwitchIsRefusedBeforeSparkStarts() throws IOException {
    for (String to : List.of("", "-1", "0' or 1=1 --", "../x", "a\u001b[31m")) {
      Ended ended = run("rollback", "--config", config(""), "--to=" + to);
      assertThat(ended.exitCode()).as(to).isEqualTo(2);
      assertThat(ended.err())
          .as(to)
          .contains("Cannot roll back to ", "name a switch of the map by its number")
          .doesNotContain("\u001b");
    }
  }

  @Test
  void aTuningThatCannotBeIsRefusedBeforeSparkStarts() throws IOException {
    Ended hostile = run("tune", "--config", config(""), "--undo", "'; DROP TABLE x --");
    assertThat(hostile.exitCode()).isEqualTo(2);
    assertThat(hostile.err()).contains("Cannot undo run '; DROP TABLE x --: a run id is 1 to 100");
    Ended both = run("tune", "--config", config(""), "--undo", "--history");
    assertThat(both.exitCode()).isEqualTo(2);
    assertThat(both.err()).contains("mutually exclusive");
    Ended few = run("tune", "--config", config("tuner.origins = 1"));
    assertThat(few.exitCode()).isEqualTo(2);
    assertThat(few.err()).contains("Cannot tune with tuner.origins = 1: it must be 3 to 20");
    Ended window = run("tune", "--config", config("forecast.parameters.window = 0s"));
    assertThat(window.exitCode()).isEqualTo(2);
    assertThat(window.err()).contains("set forecast.parameters.window, or auto");
  }

  private static Ended backTest(String config, String... more) {
    return run(
        Stream.concat(
                Stream.of("backtest", "--config", config, "--demand", "d", "--out", "o"),
                Stream.of(more))
            .toArray(String[]::new));
  }

  @Test
  void anUnknownKeyIsExitCode2AndNamesTheNearestOne() throws IOException {
    Ended ended = run("config", "--config", config("plan.survife = 1"));
    assertThat(ended.exitCode()).isEqualTo(2);
    assertThat(ended.err())
        .contains("unknown key plan.survife; the nearest known one is plan.survive")
        .doesNotContain("\tat ");
  }

  @Test
  void anUnknownCommandOrOptionIsExitCode2() throws IOException {
    assertThat(run("nihgtly").exitCode()).isEqualTo(2);
    assertThat(run("ls", "--confg", "x").exitCode()).isEqualTo(2);
    assertThat(run("ls", "--config", config(""), "--at", "yesterday").err())
        .contains("Cannot use yesterday: write --at as 2026-01-22T00:00:00Z");
  }

  @Test
  void aDryRunOfACommandThatKnowsNoneIsExitCode2() throws IOException {
    Ended ended = run("ingest", "--config", config(""), "--dry-run");
    assertThat(ended.exitCode()).isEqualTo(2);
    assertThat(ended.err())
        .contains(
            "Cannot use --dry-run with ingest: only export, forget, nightly, plan, recover-map, repair, rollback and vacuum know it");
  }

  @Test
  void aMissingConfigurationIsExitCode2() {
    Ended ended = run("ls", "--config", folder.resolve("none.conf").toString());
    assertThat(ended.exitCode()).isEqualTo(2);
    assertThat(ended.err()).contains("Cannot read configuration");
  }

  @Test
  void aConfigurationThatIsNotTextIsExitCode2() throws IOException {
    Path file = folder.resolve("binary.conf");
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    Ended ended = run("ls", "--config", file.toString());
    assertThat(ended.exitCode()).isEqualTo(2);
    assertThat(ended.err()).contains("it is not UTF-8 text");
  }

  @Test
  void aLakeWithoutAMapHasNoObjects() throws IOException {
    Ended ended = run("ls", "--config", config(""), "--json");
    assertThat(ended.exitCode()).isZero();
    JsonNode json = new ObjectMapper().readTree(ended.out());
    assertThat(json.get("objects").asLong()).isZero();
    assertThat(json.get("exit_code").asInt()).isZero();
  }

  @Test
  void anObjectThatIsNowhereIsExitCode2AndItsIdIsEscaped() throws IOException {
    Ended ended = run("cat", "--config", config(""), "evil\u001b[31m\nid");
    assertThat(ended.exitCode()).isEqualTo(2);
    assertThat(ended.err())
        .contains("Cannot read object evil\\u001b[31m\\u000aid")
        .doesNotContain("\u001b");
  }

  @Test
  void badRangesAreExitCode2() throws IOException {
    String config = config("");
    for (String range : List.of("5-2", "-5", "a-b", "1-99999999999999999999", "")) {
      Ended ended = run("cat", "--config", config, "--range=" + range, "x");
      assertThat(ended.exitCode()).as(range).isEqualTo(2);
      assertThat(ended.err()).as(range).contains("Cannot use --range");
    }
  }

  @Test
  void severalObjectsAreOnlyDigested() throws IOException {
    String config = config("");
    for (List<String> which : List.of(List.of("a", "b"), List.of("--all"))) {
      List<String> arguments = new ArrayList<>(List.of("cat", "--config", config));
      arguments.addAll(which);
      Ended ended = run(arguments.toArray(String[]::new));
      assertThat(ended.exitCode()).as("%s", which).isEqualTo(2);
      assertThat(ended.err())
          .as("%s", which)
          .contains("Cannot write several objects one after the other: use --sha256");
    }
  }

  @Test
  void theResultFileIsWrittenOnFailureToo() throws IOException {
    Path result = folder.resolve("results/of/run.json");
    Ended ended =
        run("cat", "--config", config(""), "--result", result.toString(), "no-such-object");
    assertThat(ended.exitCode()).isEqualTo(2);
    JsonNode json = new ObjectMapper().readTree(Files.readString(result));
    assertThat(json.get("exit_code").asInt()).isEqualTo(2);
    assertThat(json.get("error").asText()).contains("Cannot read object no-such-object");
    assertThat(json.get("run_id").asText()).startsWith("cat-");
  }

  @Test
  void theSameCommandMomentAndConfigurationHaveTheSameRunId() throws IOException {
    String config = config("");
    JsonNode first = runId(config, "2026-01-22T00:00:00Z");
    assertThat(runId(config, "2026-01-22T00:00:00Z")).isEqualTo(first);
    assertThat(runId(config, "2026-01-23T00:00:00Z")).isNotEqualTo(first);
    assertThat(runId(config("plan.survive = 1"), "2026-01-22T00:00:00Z")).isNotEqualTo(first);
  }

  @Test
  void checkAnswersWithAnExitCodeAndOneLineEach() throws IOException {
    Ended bad = run("check", "--config", config("objects.roots = [\"%s/none\"]".formatted(folder)));
    assertThat(bad.exitCode()).isEqualTo(2);
    assertThat(bad.out())
        .containsPattern("(?m)^fail  source root0 +there is nothing at .*; correct its uri$")
        .contains("A night cannot run here: 1 to mend");
    Ended good = run("check", "--config", config(""), "--json");
    assertThat(good.exitCode()).isZero();
    JsonNode json = new ObjectMapper().readTree(good.out());
    assertThat(json.get("failed").asInt()).isZero();
    assertThat(json.get("checks").size()).isGreaterThan(6);
    assertThat(json.get("checks").get(0).get("state").asText()).isIn("ok", "warn");
  }

  @Test
  void configShowsSizesAndDurationsAsOneWritesThem() throws IOException {
    String config = config("segments.max-bytes = 67108864\nforecast.horizon = 172800000");
    assertThat(run("config", "--config", config).out())
        .contains("segments.max-bytes = 64 MiB\n")
        .contains("forecast.horizon = 48h\n")
        .contains("forecast.history = 35d\n")
        .contains("ingest.settle = 6h\n")
        .contains("reshard.max-bytes-per-run = 1 TiB\n")
        .contains("plan.storage-budget = 1.5\n");
  }

  @Test
  void noCommandColoursItsOutputOffATerminal() throws IOException {
    for (String[] line :
        new String[][] {{"help"}, {"help", "nightly"}, {"check", "--config", config("")}}) {
      assertThat(run(line).out()).doesNotContain("\u001b");
    }
  }

  private static JsonNode runId(String config, String at) throws IOException {
    return new ObjectMapper()
        .readTree(run("ls", "--config", config, "--at", at, "--json").out())
        .get("run_id");
  }

  @Test
  void secretsArePrintedNowhere() throws IOException {
    String config =
        config(
            "hadoop { \"fs.s3a.secret.key\" = PLANTED1 }\nobjects.roots = [\"s3a://me:PLANTED2@b/p\"]");
    for (String command : List.of("config", "ls")) {
      Ended ended = run(command, "--config", config, "--json");
      assertThat(ended.out() + ended.err()).doesNotContain("PLANTED");
    }
  }
}
