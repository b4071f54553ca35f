package io.metashard.job;

import io.metashard.Location;
import io.metashard.bench.Meter;
import io.metashard.bench.PlanWorkload;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import io.metashard.plan.BucketCount;
import io.metashard.shardmap.ShardMapTable;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One step of {@code bench plan}, in the JVM that {@link BenchJvm} starts for it. */
@Command(
    name = "plan-run",
    hidden = true,
    description = "One step of bench plan, which runs it in a JVM of its own.")
final class BenchPlanRun extends BenchRun {
  /** What is done. */
  enum Step {
    /** Make the lake of a size. */
    MAKE,
    /** Plan its first night, and measure. */
    PLAN
  }

  /** Each in a domain of its own. */
  static final int LOCATIONS = 20;

  private static final String FORECAST_RUN = "bench-forecast";

  @Option(names = "--step", required = true)
  private Step step;

  BenchPlanRun() {
    super("bench plan");
  }

  @Override
  Map<String, Object> told(JobContext context) {
    return switch (step) {
      case MAKE -> make(context, new PlanWorkload(segments(), END, seed()));
      case PLAN -> plan(context);
    };
  }

  /** Writes catalogue and forecast of a size into a new lake. */
  static Map<String, Object> make(JobContext context, PlanWorkload workload) {
    context.lake().overwrite(Objects.TABLE, workload.objects(context.spark()), Lake.Commit.PLAIN);
    context
        .lake()
        .overwrite(
            Forecasts.TABLE, workload.forecast(context.spark(), FORECAST_RUN), Lake.Commit.PLAIN);
    return Map.of("objects", workload.objectCount());
  }

  /** The plan stage of a first night, measured: nothing is stored yet. */
  static Map<String, Object> plan(JobContext context) {
    // As a new map gets them; counting is the work of the stage before.
    long segments = context.lake().read(Forecasts.TABLE).count();
    Meter meter = Meter.start(context.spark().sparkContext());
    StageReport report =
        new PlanJob(
                context,
                locations(),
                0,
                context.lake().read(ShardMapTable.TABLE),
                BucketCount.forSegments(segments))
            .run();
    return BenchFigures.told(report, meter.stop());
  }

  private static List<Location> locations() {
    return IntStream.range(0, LOCATIONS)
        .mapToObj("location-%02d"::formatted)
        .map(
            name ->
                new Location(
                    name, "bench:/" + name, name, "standard", Long.MAX_VALUE, Location.ACTIVE))
        .toList();
  }
}
