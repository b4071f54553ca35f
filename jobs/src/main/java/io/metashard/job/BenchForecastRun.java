package io.metashard.job;

import io.metashard.aggregate.Demand;
import io.metashard.bench.Meter;
import io.metashard.bench.SegmentsWorkload;
import io.metashard.catalogue.Objects;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One step of {@code bench forecast}, in the JVM that {@link BenchJvm} starts for it. */
@Command(
    name = "forecast-run",
    hidden = true,
    description = "One step of bench forecast, which runs it in a JVM of its own.")
final class BenchForecastRun extends BenchRun {
  /** What is done. */
  enum Step {
    /** Make the lake of a size. */
    MAKE,
    /** Forecast from it, and measure. */
    FORECAST,
    /** Forecast from the origins of a trace, and measure. */
    BACKTEST
  }

  @Option(names = "--step", required = true)
  private Step step;

  @Option(names = "--days")
  private int days;

  @Option(names = "--trace")
  private Path trace;

  @Option(names = "--horizon")
  private int horizon;

  @Option(names = "--out")
  private String out;

  private BenchTrace read; // with the settings that it needs

  BenchForecastRun() {
    super("bench forecast");
  }

  @Override
  List<String> overrides() throws IOException {
    if (trace == null) {
      return List.of();
    }
    read = BenchTrace.read(trace);
    return List.of(
        "forecast.bucket=%ds".formatted(read.bucketSeconds()),
        "forecast.horizon=%ds".formatted(read.bucketSeconds() * horizon));
  }

  @Override
  Map<String, Object> told(JobContext context) {
    return switch (step) {
      case MAKE -> make(context, new SegmentsWorkload(segments(), days, END, seed()));
      case FORECAST -> forecast(context);
      case BACKTEST -> backtest(context, read, horizon, out);
    };
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
