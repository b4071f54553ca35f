package io.metashard.job;

import com.typesafe.config.ConfigUtil;
import io.metashard.Location;
import io.metashard.bench.Meter;
import io.metashard.bench.PlanWorkload;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import io.metashard.plan.BucketCount;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One step of {@code bench plan}, in the JVM that {@link BenchJvm} starts for it. */
@Command(
    name = "plan-run",
    hidden = true,
    description = "One step of bench plan, which runs it in a JVM of its own.")
final class BenchPlanRun implements Callable<Integer> {
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

  @Option(names = "--lake", required = true)
  private String lake;

  @Option(names = "--result", required = true)
  private Path result;

  @Option(names = "--segments")
  private long segments;

  @Option(names = "--seed")
  private long seed;

  @Option(names = "--set")
  private List<String> set = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    Settings settings = Settings.parse("bench", "lake.root = " + ConfigUtil.quoteString(lake), set);
    SparkSession spark = Sessions.open(settings, "bench plan");
    try {
      JobContext context =
          BenchForecastRun.context(
              spark, JobContext.qualified(lake, HadoopSettings.configuration(settings)), settings);
      Map<String, Object> told =
          switch (step) {
            case MAKE -> make(context, new PlanWorkload(segments, BenchForecastRun.END, seed));
            case PLAN -> plan(context);
          };
      Files.writeString(result, Figures.json(told));
    } finally {
      spark.stop();
    }
    return 0;
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
