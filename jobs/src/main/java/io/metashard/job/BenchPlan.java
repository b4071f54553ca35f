package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.metashard.Amounts;
import io.metashard.bench.PlanWorkload;
import io.metashard.bench.ScaleTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how the plan grows with size. */
@Command(
    name = "plan",
    description = {
      "Measure the plan stage of a first night: how time and memory grow with the number of segments.",
      "Each run is a JVM of its own; prints a table in Markdown. Needs neither a configuration nor a lake."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class BenchPlan implements Callable<Integer> {
  private static final String RUN = "plan-run";
  private static final int SLOWEST_QUERIES = 15;

  /** A night without a limit plans everything, which is the most there can be to do. */
  private static final String NO_LIMIT = "reshard.max-bytes-per-run=4 EiB";

  @Option(
      names = "--segments",
      paramLabel = "N",
      split = ",",
      description = "sizes to measure (default: 100000,300000,1000000)")
  private List<Long> segments = List.of(100_000L, 300_000L, 1_000_000L);

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description =
          "runs of each size, in turn: the table has the median of their times and the most of their memory (default: 3)")
  private int repeat = 3;

  @Option(names = "--seed", description = "of the objects and their forecast (default: 1)")
  private long seed = 1;

  @Option(
      names = "--queries",
      description = "also print which queries of the largest size took most")
  private boolean queries;

  @Mixin private BenchOptions common;

  @Override
  public Integer call() throws IOException {
    BenchJvm jvm = common.jvm();
    BenchOptions.requireAtLeastOne("--repeat", repeat);
    for (long size : segments) {
      try {
        new PlanWorkload(size, BenchForecastRun.END, seed); // refuses what cannot be made
      } catch (IllegalArgumentException e) {
        throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
      }
    }
    common.set.add(0, NO_LIMIT);
    Map<Long, List<JsonNode>> told =
        new BenchSizes(jvm, RUN, segments, repeat)
            .run(
                (size, lake) ->
                    common.step(
                        BenchPlanRun.Step.MAKE, lake, "--segments=" + size, "--seed=" + seed),
                lake -> common.step(BenchPlanRun.Step.PLAN, lake));
    if (common.json) {
      LakeCommand.out().println(Figures.json(Map.of("sizes", told)));
    } else {
      LakeCommand.out().print(text(table(told)));
    }
    return 0;
  }

  /** What the runs of all sizes told. */
  static ScaleTable table(Map<Long, List<JsonNode>> told) {
    List<ScaleTable.Size> sizes = new ArrayList<>();
    told.forEach(
        (size, runs) ->
            sizes.add(
                new ScaleTable.Size(
                    size,
                    runs.get(0).at("/figures/blocks_planned").asLong(),
                    "%.3f".formatted(runs.get(0).at("/figures/storage_ratio_after").asDouble()),
                    runs.stream().map(BenchFigures::usage).toList())));
    return new ScaleTable("blocks", sizes);
  }

  private String text(ScaleTable table) {
    StringBuilder text = new StringBuilder();
    text.append(
        "Plan of a first night over %d locations: median time of %d %s, each in a JVM of its own with a heap of %s on %d cores.%n"
            .formatted(
                BenchPlanRun.LOCATIONS,
                repeat,
                repeat == 1 ? "run" : "runs",
                common.heap,
                common.cores));
    text.append(
        "CPU time: of all cores, compiling and collecting included. Heap: in use right after a collection, at most. Process: resident, at most. Seed %d; physical bytes per byte, by size: %s.%n%n"
            .formatted(
                seed,
                String.join(", ", table.sizes().stream().map(ScaleTable.Size::how).toList())));
    text.append(table.markdown());
    if (queries) {
      text.append("%n%s".formatted(table.queries(SLOWEST_QUERIES)));
    }
    text.append(
        "%nCPU time grew %s than the number of segments (within %s).%n"
            .formatted(
                table.linearInCpuTime() ? "no faster" : "FASTER",
                Amounts.percent(ScaleTable.NOISE)));
    return text.toString();
  }
}
