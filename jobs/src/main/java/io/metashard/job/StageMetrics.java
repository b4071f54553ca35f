package io.metashard.job;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.metrics.source.Source;

/**
 * What stages did and what the lake holds, as Spark metrics: any sink that Spark knows (Prometheus,
 * Graphite, StatsD, CSV, JMX) can have them.
 *
 * <p>Names are made of our own words only, and there are as many as there are stages: never an
 * object, a path, a run id or a reason. All values are numbers; what is not known yet is NaN.
 */
final class StageMetrics implements Source {
  static final String SOURCE = "metashard";

  /** Stages whose metrics are there from the start, so that a dashboard finds all of them. */
  private static final List<String> STAGES =
      List.of(
          "ingest",
          "catalogue",
          "aggregate",
          "score",
          "tune",
          "forecast",
          "plan",
          "reshard",
          "verify");

  /** Stages are called by our own constants; a name of any other form gets no metrics. */
  private static final String STAGE_NAME = "[a-z][a-z0-9-]{0,30}";

  /** Figures of a stage's report that are metrics: names of our own, few, and numbers. */
  private static final Map<String, List<String>> FIGURES =
      Map.of(
          "ingest", List.of("files", "lines", "requests", "rejected", "outside"),
          "catalogue", List.of("objects", "bytes", "new", "changed", "missing", "rejected"),
          "aggregate", List.of("days", "range_unknown_percent", "closed_days_grew"),
          "score",
              List.of(
                  Monitor.VERDICT_CODE,
                  Monitor.CALIBRATION_ERROR,
                  Monitor.BRIER_SKILL,
                  Monitor.COVERAGE,
                  Monitor.DRIFT_RATIO),
          "forecast", List.of("expected_requests", "segments"),
          "plan",
              List.of(
                  "objects_planned",
                  "objects_pending_after",
                  "objects_stale_after",
                  "logical_bytes_planned",
                  "physical_bytes_planned",
                  "storage_ratio_after"),
          "reshard",
              List.of("objects_encoded", "meta_shards", "blocks", "source_bytes", "written_bytes"),
          "verify", List.of("meta_shards", "blocks", "stored_bytes", "findings"));

  /** What became of a stage, as a number. */
  enum State {
    FAILED(-1),
    NEVER_RUN(0),
    RUNNING(1),
    DONE(2),
    UNCHANGED(3),
    STOPPED(4);

    private final int code;

    State(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }

    private static State of(StageReport report) {
      return switch (report.state()) {
        case StageReport.DONE -> DONE;
        case StageReport.UNCHANGED -> UNCHANGED;
        case StageReport.STOPPED -> STOPPED;
        default -> FAILED;
      };
    }
  }

  /** One number that a stage sets and a sink reads. */
  private static final class Value implements Gauge<Double> {
    private volatile double number;

    Value(double number) {
      this.number = number;
    }

    void set(double value) {
      number = value;
    }

    @Override
    public Double getValue() {
      return number;
    }
  }

  private final MetricRegistry registry = new MetricRegistry();
  private final Map<String, OfStage> stages = new LinkedHashMap<>();
  private final Map<String, Value> lake = new LinkedHashMap<>();

  StageMetrics() {
    STAGES.forEach(this::stage);
    for (String name : LakeFigures.METRICS) {
      lake.put(name, registered("lake." + name, Double.NaN));
    }
  }

  private Value registered(String name, double value) {
    return registry.register(name, new Value(value));
  }

  /** The metrics of one stage. */
  private final class OfStage {
    private final Value state;
    private final Value startedAt;
    private final Value lastSuccessAt;
    private final Value seconds;
    private final Value rowsIn;
    private final Value rowsOut;
    private final Value bytesIn;
    private final Value bytesOut;
    private final Map<String, Value> figures = new LinkedHashMap<>();
    private final Timer duration;
    private final Map<State, Counter> ended = new LinkedHashMap<>();

    OfStage(String stage) {
      String prefix = "stage." + stage + ".";
      state = registered(prefix + "state", State.NEVER_RUN.code());
      startedAt = registered(prefix + "started_timestamp_seconds", Double.NaN);
      lastSuccessAt = registered(prefix + "last_success_timestamp_seconds", Double.NaN);
      seconds = registered(prefix + "seconds", Double.NaN);
      rowsIn = registered(prefix + "rows_in", Double.NaN);
      rowsOut = registered(prefix + "rows_out", Double.NaN);
      bytesIn = registered(prefix + "bytes_in", Double.NaN);
      bytesOut = registered(prefix + "bytes_out", Double.NaN);
      for (String figure : FIGURES.getOrDefault(stage, List.of())) {
        figures.put(figure, registered(prefix + figure, Double.NaN));
      }
      duration = registry.timer(prefix + "duration");
      for (State end : List.of(State.DONE, State.UNCHANGED, State.FAILED, State.STOPPED)) {
        ended.put(
            end,
            registry.counter(prefix + "runs." + end.name().toLowerCase(java.util.Locale.ROOT)));
      }
    }
  }

  private synchronized OfStage stage(String name) {
    return name.matches(STAGE_NAME) ? stages.computeIfAbsent(name, OfStage::new) : null;
  }

  /** Hands the metrics to the session's sinks; it takes them away again when it stops. */
  void register(SparkContext spark) {
    spark.env().metricsSystem().registerSource(this);
  }

  void began(String name, Instant at) {
    OfStage stage = stage(name);
    if (stage != null) {
      stage.state.set(State.RUNNING.code());
      stage.startedAt.set(at.getEpochSecond());
    }
  }

  void ended(StageReport report, double seconds, Instant at) {
    OfStage stage = stage(report.stage());
    if (stage == null) {
      return;
    }
    State state = State.of(report);
    stage.state.set(state.code());
    stage.seconds.set(seconds);
    stage.rowsIn.set(report.rowsIn());
    stage.rowsOut.set(report.rowsOut());
    stage.bytesIn.set(report.bytesIn());
    stage.bytesOut.set(report.bytesOut());
    stage.figures.forEach(
        (name, value) ->
            value.set(
                report.figures().get(name) instanceof Number number
                    ? number.doubleValue()
                    : Double.NaN));
    stage.duration.update(Duration.ofNanos((long) (seconds * 1e9)));
    stage.ended.get(state).inc();
    if (state == State.DONE || state == State.UNCHANGED) {
      stage.lastSuccessAt.set(at.getEpochSecond());
    }
  }

  /** What the runs table knows of earlier processes: when each stage last ended well. */
  void succeededBefore(Map<String, Instant> lastSuccess) {
    lastSuccess.forEach(
        (name, at) -> {
          OfStage stage = stage(name);
          if (stage != null && Double.isNaN(stage.lastSuccessAt.getValue())) {
            stage.lastSuccessAt.set(at.getEpochSecond());
          }
        });
  }

  /** What the lake holds now. */
  void lake(LakeFigures figures) {
    Map<String, Object> values = figures.values();
    lake.forEach(
        (name, value) ->
            value.set(
                values.get(name) instanceof Number number
                    ? number.doubleValue()
                    : LakeFigures.ABSENT_IS_ZERO.contains(name) ? 0 : Double.NaN));
  }

  @Override
  public String sourceName() {
    return SOURCE;
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }
}
