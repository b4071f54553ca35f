package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.metashard.Amounts;
import io.metashard.LocationModel;
import io.metashard.bench.OptimumTable;
import io.metashard.bench.PlanOptimum;
import io.metashard.bench.PlanWorkload;
import io.metashard.bench.ScaleTable;
import io.metashard.config.LocationModels;
import io.metashard.config.Settings;
import io.metashard.plan.PlanOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how the plan grows with size, or how far it is from the best. */
@Command(
    name = "plan",
    description = {
      "Measure the plan stage of a first night: how time and memory grow with the number of segments, or, with --optimum, how far plans are from the best.",
      "Each run over a size is a JVM of its own; prints a table in Markdown. Needs neither a configuration nor a lake."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class BenchPlan implements Callable<Integer> {
  private static final String RUN = "plan-run";

  /** A night without a limit plans everything, which is the most there can be to do. */
  private static final String NO_LIMIT = "reshard.max-bytes-per-run=4 EiB";

  /** Sizes, or the optimum. */
  static final class What {
    @ArgGroup(exclusive = false, heading = "%nHow it grows:%n")
    private Sizes sizes;

    @ArgGroup(exclusive = false, heading = "%nHow far it is from the best:%n")
    private Optimum optimum;
  }

  static final class Sizes extends BenchSizes.Asked {
    @Option(names = "--seed", description = "of the objects and their forecast (default: 1)")
    private long seed = 1;
  }

  static final class Optimum {
    @Option(
        names = "--optimum",
        required = true,
        description =
            "plan small lakes, and find the best choice of shapes by trying every one; --set says of what locations and budgets, --heap and --cores say nothing here")
    private boolean optimum;

    @Option(
        names = "--kinds",
        paramLabel = "N",
        description =
            "kinds of objects of a lake, 1 to 7; 15 times the time for each more (default: 5)")
    private int kinds = 5;

    @Option(
        names = "--seeds",
        paramLabel = "N",
        description = "lakes, each with both read models and three budgets (default: 10)")
    private int seeds = 10;
  }

  @ArgGroup(exclusive = true)
  private What what = new What();

  @Mixin private BenchOptions common;

  @Override
  public Integer call() throws IOException {
    if (what.optimum != null) {
      optimum(what.optimum);
    } else {
      sizes(what.sizes == null ? new Sizes() : what.sizes);
    }
    return 0;
  }

  private void sizes(Sizes sizes) throws IOException {
    BenchJvm jvm = common.jvm();
    sizes.check();
    for (long size : sizes.segments) {
      try {
        new PlanWorkload(size, BenchRun.END, sizes.seed); // refuses what cannot be made
      } catch (IllegalArgumentException e) {
        throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
      }
    }
    common.set.add(0, NO_LIMIT);
    Map<Long, List<JsonNode>> told =
        new BenchSizes(jvm, RUN, sizes)
            .run(
                (size, lake) ->
                    common.step(
                        BenchPlanRun.Step.MAKE, lake, "--segments=" + size, "--seed=" + sizes.seed),
                lake -> common.step(BenchPlanRun.Step.PLAN, lake));
    if (common.json) {
      LakeCommand.out().println(Figures.json(Map.of("sizes", told)));
    } else {
      LakeCommand.out().print(text(table(told), sizes));
    }
  }

  private void optimum(Optimum of) {
    BenchOptions.requireAtLeastOne("--seeds", of.seeds);
    Settings settings = Settings.parse("bench", "", common.set);
    PlanOptimum optimum;
    try {
      optimum = new PlanOptimum(PlanOptions.from(settings), of.kinds);
    } catch (IllegalArgumentException e) {
      throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
    }
    List<PlanOptimum.Found> found = new ArrayList<>();
    for (int seed = 1; seed <= of.seeds; seed++) {
      for (LocationModel model :
          List.of(LocationModels.disk(settings), LocationModels.objectStore(settings))) {
        found.addAll(optimum.of(seed, model));
      }
      BenchSizes.tell("lake %d of %d".formatted(seed, of.seeds));
    }
    if (common.json) {
      LakeCommand.out()
          .println(Figures.json(Map.of("plans", found.stream().map(BenchPlan::told).toList())));
    } else {
      LakeCommand.out().print(text(new OptimumTable(found), of));
    }
  }

  private static Map<String, Object> told(PlanOptimum.Found found) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("seed", found.seed());
    told.put("model", found.model());
    told.put("budget", found.budget());
    told.put("spent", found.spent());
    told.put("millis", found.millis());
    told.put("least_millis", found.leastMillis());
    told.put("least_of_all_millis", found.leastOfAllMillis());
    told.put("tried", found.tried());
    return told;
  }

  private static String text(OptimumTable table, Optimum of) {
    return """
        %d lakes of %d kinds of objects at %d locations; of each, every choice of a shape for each kind was tried: %s in all.
        Excess: by what part all reads together take longer than with the best choice within what the plan may spend; budgets
        are in times of what the plainest shapes take. Where blocks are placed is left out: locations are taken for evenly busy.

        %s
        %s plans are within %s of the best.
        """
        .formatted(
            of.seeds,
            of.kinds,
            PlanOptimum.LOCATIONS,
            Amounts.count(
                table.found().stream().mapToLong(PlanOptimum.Found::tried).sum()
                    / PlanOptimum.BUDGETS.size()),
            table.markdown(),
            table.isNear() ? "All" : "NOT all",
            Amounts.percent(OptimumTable.MOST_EXCESS));
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

  private String text(ScaleTable table, Sizes sizes) {
    StringBuilder text = new StringBuilder();
    text.append(
        "Plan of a first night over %d locations: median time of %d %s, each in a JVM of its own with a heap of %s on %d cores.%n"
            .formatted(
                BenchPlanRun.LOCATIONS,
                sizes.repeat,
                sizes.repeat == 1 ? "run" : "runs",
                common.heap,
                common.cores));
    text.append(
        "CPU time: of all cores, compiling and collecting included. Heap: in use right after a collection, at most. Process: resident, at most. Seed %d; physical bytes per byte, by size: %s.%n%n"
            .formatted(
                sizes.seed,
                String.join(", ", table.sizes().stream().map(ScaleTable.Size::how).toList())));
    text.append(table.markdown());
    if (sizes.queries) {
      text.append("%n%s".formatted(table.queries(BenchSizes.SLOWEST_QUERIES)));
    }
    text.append(
        "%nCPU time grew %s than the number of segments (within %s).%n"
            .formatted(
                table.linearInCpuTime() ? "no faster" : "FASTER",
                Amounts.percent(ScaleTable.NOISE)));
    return text.toString();
  }
}
