package io.metashard.job;

import com.typesafe.config.ConfigUtil;
import io.metashard.aggregate.Demand;
import io.metashard.bench.Meter;
import io.metashard.bench.SegmentsWorkload;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One step of {@code bench forecast}, in the JVM that {@link BenchJvm} starts for it. */
@Command(
    name = "forecast-run",
    hidden = true,
    description = "One step of bench forecast, which runs it in a JVM of its own.")
final class BenchForecastRun implements Callable<Integer> {
  /** What is done. */
  enum Step {
    /** Make the lake of a size. */
    MAKE,
    /** Forecast from it, and measure. */
    FORECAST,
    /** Forecast from the origins of a trace, and measure. */
    BACKTEST
  }

  /** The day after the last one of demand; nothing depends on which it is. */
  static final LocalDate END = LocalDate.parse("2026-03-02");

  @Option(names = "--step", required = true)
  private Step step;

  @Option(names = "--lake", required = true)
  private String lake;

  @Option(names = "--result", required = true)
  private Path result;

  @Option(names = "--segments")
  private long segments;

  @Option(names = "--days")
  private int days;

  @Option(names = "--seed")
  private long seed;

  @Option(names = "--trace")
  private Path trace;

  @Option(names = "--horizon")
  private int horizon;

  @Option(names = "--out")
  private String out;

  @Option(names = "--set")
  private List<String> set = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    List<String> more = new ArrayList<>(set);
    BenchTrace read = trace == null ? null : BenchTrace.read(trace);
    if (read != null) {
      more.add("forecast.bucket=%ds".formatted(read.bucketSeconds()));
      more.add("forecast.horizon=%ds".formatted(read.bucketSeconds() * horizon));
    }
    Settings settings =
        Settings.parse("bench", "lake.root = " + ConfigUtil.quoteString(lake), more);
    SparkSession spark = Sessions.open(settings, "bench forecast");
    try {
      JobContext context =
          context(
              spark, JobContext.qualified(lake, HadoopSettings.configuration(settings)), settings);
      Map<String, Object> told =
          switch (step) {
            case MAKE -> make(context, new SegmentsWorkload(segments, days, END, seed));
            case FORECAST -> forecast(context);
            case BACKTEST -> backtest(context, read, horizon, out);
          };
      Files.writeString(result, Figures.json(told));
    } finally {
      spark.stop();
    }
    return 0;
  }

  static JobContext context(SparkSession spark, String lake, Settings settings) {
    Instant at = END.atStartOfDay(ZoneOffset.UTC).toInstant();
    return new JobContext(spark, new Lake(spark, lake), settings, at, "bench-" + UUID.randomUUID());
  }

  /** Writes catalogue and demand of a size into a new lake. */
  static Map<String, Object> make(JobContext context, SegmentsWorkload workload) {
    context.lake().overwrite(Objects.TABLE, workload.objects(context.spark()), Lake.Commit.PLAIN);
    context.lake().overwrite(Demand.TABLE, workload.demand(context.spark()), Lake.Commit.PLAIN);
    return Map.of("objects", workload.objectCount());
  }

  /** The forecast stage of a night, measured. */
  static Map<String, Object> forecast(JobContext context) {
    Meter meter = Meter.start(context.spark().sparkContext());
    StageReport report = new ForecastJob(context).run();
    return BenchFigures.told(report, meter.stop());
  }

  /** A back-test from the origins of a trace, measured. */
  static Map<String, Object> backtest(
      JobContext context, BenchTrace trace, int horizon, String out) {
    Meter meter = Meter.start(context.spark().sparkContext());
    StageReport report =
        new BacktestJob(
                context,
                new BacktestJob.Request(
                    trace.demand(), trace.objects(), trace.origins(horizon), out))
            .run();
    return BenchFigures.told(report, meter.stop());
  }
}
