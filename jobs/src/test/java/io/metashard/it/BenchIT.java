package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Benchmarks as a user runs them, small; what they find is not judged here. */
class BenchIT {
  @Test
  void benchForecastPrintsATableOfItsSizes() throws IOException, InterruptedException {
    Commands.Ended ended =
        Commands.require(
            Commands.metashard(
                "bench",
                "forecast",
                "--segments=500",
                "--days=5",
                "--repeat=1",
                "--heap=1g",
                "--queries",
                "--set=forecast.backtest-origins=0"));
    assertThat(ended.stdout())
        .contains("each in a JVM of its own with a heap of 1g on 2 cores")
        .containsPattern("\\| 500 \\| [0-9,]+ \\| .* \\| 1\\.0 x \\|")
        .contains("grew no faster than the number of segments")
        .contains("Forecaster.java");
    assertThat(ended.stderr()).contains("500 segments, run 1 of 1: ");
  }

  @Test
  void benchPlanPrintsATableOfItsSizesAndItsDistanceFromTheOptimum()
      throws IOException, InterruptedException {
    Commands.Ended sizes =
        Commands.require(
            Commands.metashard("bench", "plan", "--segments=500", "--repeat=1", "--heap=1g"));
    assertThat(sizes.stdout())
        .contains("each in a JVM of its own with a heap of 1g on 2 cores")
        .containsPattern("\\| 500 \\| [0-9,]+ \\| .* \\| 1\\.0 x \\|")
        .contains("CPU time grew no faster than the number of segments");
    Commands.Ended optimum =
        Commands.require(
            Commands.metashard("bench", "plan", "--optimum", "--kinds=2", "--seeds=1"));
    assertThat(optimum.stdout()).contains("of 2 kinds of objects").contains("| all |  | 6 | ");
  }

  @Test
  void scoresOfPeersAgreeWithFiguresWorkedOutByHand() throws IOException, InterruptedException {
    Commands.Ended ended =
        Commands.run(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                Commands.JOBS
                    .resolve("src/main/resources/io/metashard/bench/forecast_peers.py")
                    .toString(),
                "--self-check"),
            Map.of());
    assertThat(Commands.require(ended).stdout()).isEqualTo("ok\n");
  }
}
