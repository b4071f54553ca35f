package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Benchmarks as a user runs them, small; what they find is not judged here. */
class BenchIT {
  /** Of tables of hundreds of rows: compiling code for them takes longer than they do. */
  private static final List<String> NO_COMPILING =
      List.of(
          "--set=spark.\"spark.sql.codegen.wholeStage\"=false",
          "--set=spark.\"spark.sql.codegen.factoryMode\"=NO_CODEGEN");

  private static Commands.Ended bench(String... arguments)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("bench"));
    words.addAll(List.of(arguments));
    words.addAll(NO_COMPILING);
    return Commands.require(Commands.metashard(words.toArray(String[]::new)));
  }

  @Test
  void benchForecastPrintsATableOfItsSizes() throws IOException, InterruptedException {
    Commands.Ended ended =
        bench(
            "forecast",
            "--segments=500",
            "--days=5",
            "--repeat=1",
            "--heap=1g",
            "--queries",
            "--set=forecast.backtest-origins=0");
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
    Commands.Ended sizes = bench("plan", "--segments=500", "--repeat=1", "--heap=1g");
    assertThat(sizes.stdout())
        .contains("each in a JVM of its own with a heap of 1g on 2 cores")
        .containsPattern("\\| 500 \\| [0-9,]+ \\| .* \\| 1\\.0 x \\|")
        .contains("CPU time grew no faster than the number of segments");
    Commands.Ended optimum = bench("plan", "--optimum", "--kinds=2", "--seeds=1");
    assertThat(optimum.stdout()).contains("of 2 kinds of objects").contains("| all |  | 6 | ");
  }

  @Test
  void benchWeekRunsNightsInALakeOfItsOwnAndReadsEachOfThemBack()
      throws IOException, InterruptedException {
    Path log = LakeUnderTest.sampleLog("bench-week-log", 4);
    // Its lake and locations are not to be used.
    LakeUnderTest configured =
        LakeUnderTest.ofSample("bench-week", log, 2, LakeUnderTest.SMALL_TABLES);
    Path work = configured.root().resolveSibling("work");
    Commands.Ended ended =
        bench(
            "week",
            "--config=" + configured.config(),
            "--requests=" + log,
            "--from=2026-01-19",
            "--nights=2",
            "--set=plan.full=true", // or the second would have nothing to move
            "--set=forecast.backtest-origins=0",
            "--set=forecast.model=total-share",
            "--work=" + work);
    assertThat(ended.stdout())
        .contains("2 nights from 2026-01-19 over 8 locations")
        .containsPattern("\\| 2026-01-19 \\| 5 \\| [1-9].* \\| 1 \\| 5 of 5 \\|")
        .containsPattern("\\| 2026-01-20 \\| 5 \\| [1-9].* \\| 2 \\| 5 of 5 \\|")
        .contains("All read back right: 10 objects, ", ", over 2 versions of the map");
    assertThat(configured.root()).doesNotExist();
    try (Stream<Path> left = Files.list(work)) {
      assertThat(left).isEmpty();
    }
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
