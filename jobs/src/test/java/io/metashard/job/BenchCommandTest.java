package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Wrong use is told before anything is made or started. */
class BenchCommandTest {
  private final Path folder = SharedSpark.tempFolder("bench-command");

  private int run(String benchmark, String... more) {
    String[] arguments = new String[more.length + 3];
    arguments[0] = "bench";
    arguments[1] = benchmark;
    arguments[2] = "--work=" + folder.resolve("work");
    System.arraycopy(more, 0, arguments, 3, more.length);
    return Metashard.run(arguments);
  }

  @Test
  void wrongUseIsExitCode2AndMakesNothing() throws IOException {
    String[][] wrong = {
      {"--segments=0"},
      {"--segments=many"},
      {"--days=0"},
      {"--repeat=0"},
      {"--cores=0"},
      {"--heap=much"},
      {"--set=forecast.bukket=1h"},
      {"--peers", "--segments=10"},
      {"--trace=" + folder},
      {"--peers", "--trace=" + folder.resolve("none")},
      {"--peers", "--trace=" + folder, "--top=0"},
    };
    for (String[] arguments : wrong) {
      assertThat(run("forecast", arguments)).as(String.join(" ", arguments)).isEqualTo(2);
    }
    String[][] wrongPlans = {
      {"--segments=0"},
      {"--repeat=0"},
      {"--set=plan.polizy=balanced"},
      {"--optimum", "--segments=10"},
      {"--optimum", "--kinds=8"},
      {"--optimum", "--seeds=0"},
      {"--kinds=3"},
    };
    for (String[] arguments : wrongPlans) {
      assertThat(run("plan", arguments)).as(String.join(" ", arguments)).isEqualTo(2);
    }
    String[][] wrongWeeks = {
      {},
      {"--requests=logs"},
      {"--from=2026-01-18"},
      {"--requests=logs", "--from=yesterday"},
      {"--requests=logs", "--from=2026-01-18", "--nights=0"},
      {"--requests=logs", "--from=2026-01-18", "--locations=0"},
      {"--requests=logs", "--from=2026-01-18", "--date=2026-01-18"},
      {"--requests=logs", "--from=2026-01-18", "--force"},
      {"--requests=logs", "--from=2026-01-18", "--dry-run"},
      {"--requests=logs", "--from=2026-01-18", "--set=plan.polizy=balanced"},
    };
    Path config = folder.resolve("week.conf");
    Files.writeString(config, "objects.roots = [\"%s\"]".formatted(folder.resolve("objects")));
    for (String[] arguments : wrongWeeks) {
      String[] all = Arrays.copyOf(arguments, arguments.length + 1);
      all[arguments.length] = "--config=" + config;
      assertThat(run("week", all)).as(String.join(" ", arguments)).isEqualTo(2);
    }
    try (Stream<Path> made = Files.list(folder.resolve("work"))) {
      assertThat(made.filter(path -> path.getFileName().toString().startsWith("week"))).isEmpty();
    }
    assertThat(Metashard.run("bench")).isEqualTo(2);
    assertThat(folder.resolve("work/venv-peers")).doesNotExist();
  }

  @Test
  void aTraceTellsItsOriginsAndWhatItLacks() throws IOException {
    assertThatThrownBy(() -> BenchTrace.read(folder))
        .hasMessageContaining("it has no backtest.json and demand.parquet; correct --trace");
    Files.writeString(folder.resolve("demand.parquet"), "");
    Path plan = folder.resolve("backtest.json");
    Files.writeString(plan, "{}");
    assertThatThrownBy(() -> BenchTrace.read(folder))
        .hasMessageContaining("has no bucket_seconds and origins");
    Files.writeString(
        plan,
        """
        {"bucket_seconds": 3600, "origins": {"24": ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]}}""");
    BenchTrace trace = BenchTrace.read(folder);
    assertThat(trace.bucketSeconds()).isEqualTo(3600);
    assertThat(trace.origins(24))
        .containsExactly(
            Instant.parse("2026-01-02T00:00:00Z"), Instant.parse("2026-01-03T00:00:00Z"));
    assertThat(trace.objects()).isNull();
    assertThat(
            BenchForecast.text(
                trace,
                24,
                20,
                2,
                new ObjectMapper()
                    .readTree(
                        """
                        {"origins": 2, "segments": 5122, "methods": [
                          {"method": "Metashard", "deviance": 1.5, "interval": [1.0, 1.0], "wape": 0.4,
                           "log_loss": 4.5, "capture": 0.9, "seconds": 60, "cpu_seconds": 100},
                          {"method": "seasonal-naive", "deviance": 3.0, "interval": [1.8, 2.2], "wape": 0.6,
                           "log_loss": 5.5, "capture": 0.7, "seconds": null, "cpu_seconds": null}]}""")))
        .contains("2 origins, 5,122 segments, 24 buckets of 1h ahead")
        .contains("95 % bootstrap")
        .containsPattern("seasonal-naive *\\| 3\\.0");
    assertThatThrownBy(() -> trace.origins(1))
        .hasMessageContaining("has origins for [24]; correct --horizon");
  }

  @Test
  void theScriptAndItsRequirementsAreInTheJarAndPinned() throws IOException {
    assertThat(BenchPython.resource(BenchPython.SCRIPT)).contains("--self-check");
    assertThat(BenchPython.resource(BenchPython.REQUIREMENTS).lines())
        .allMatch(line -> line.startsWith("#") || line.matches("[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*"))
        .anyMatch(line -> line.startsWith("prophet=="))
        .anyMatch(line -> line.startsWith("statsforecast=="))
        .anyMatch(line -> line.startsWith("lightgbm=="));
  }
}
