package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max;

import io.metashard.config.Settings;
import io.metashard.lake.TableDefinition;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs stages one by one, times them, keeps a row of {@code runs} for each, failed ones too, and
 * tells {@link StageMetrics}.
 */
final class StageRunner {
  private static final Logger LOG = LoggerFactory.getLogger(StageRunner.class);

  private final JobContext context;
  private final ProgressBar progress;
  private final StageMetrics metrics;
  private final StopSignal stop;
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private final Map<String, StageReport> reports = new LinkedHashMap<>();
  private String current = "";

  StageRunner(JobContext context, ProgressBar progress) {
    this(context, progress, new StageMetrics(), StopSignal.NONE);
  }

  StageRunner(JobContext context, ProgressBar progress, StageMetrics metrics, StopSignal stop) {
    this.context = context;
    this.progress = progress;
    this.metrics = metrics;
    this.stop = stop;
  }

  /** A runner for another run of the same process. */
  StageRunner forRun(JobContext other) {
    return new StageRunner(other, progress, metrics, stop);
  }

  /**
   * Runs a part of the stage that is under way as a stage of a run of its own, and goes on with
   * that stage: who switches the map by itself stands in {@code runs} by itself.
   */
  StageReport step(
      JobContext step, String stage, List<TableDefinition> inputs, Supplier<StageReport> body) {
    try {
      return forRun(step).run(stage, inputs, body);
    } finally {
      LogContext.stage(context.spark().sparkContext(), current);
      context.spark().sparkContext().setJobDescription(current);
    }
  }

  /**
   * Runs a command, which runs stages: writes down that it began, and how it ended if none of its
   * stages bears its name.
   */
  <T> T command(String name, Body<T> body) throws IOException {
    stop.goOn();
    long startedNanos = System.nanoTime();
    Instant startedAt = Instant.now();
    progress.stage(name);
    metrics.succeededBefore(lastSuccess());
    record(
        new StageReport(name, RunsTable.RUNNING, "", "", 0, 0, 0, 0, Map.of()),
        startedAt,
        null,
        0,
        Map.of());
    try {
      T result = body.run();
      if (!reports.containsKey(name)) {
        record(
            new StageReport(name, StageReport.DONE, "", "", 0, 0, 0, 0, Map.of()),
            startedAt,
            Instant.now(),
            secondsSince(startedNanos),
            Map.of());
      }
      return result;
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      if (!current.equals(name)) {
        recordFailure(name, e, startedAt, secondsSince(startedNanos), Map.of());
      }
      throw e;
    }
  }

  /** What a command does. */
  interface Body<T> {
    T run() throws IOException;
  }

  /** Runs a stage; {@code inputs} are the tables whose versions are written down. */
  StageReport run(String stage, List<TableDefinition> inputs, Supplier<StageReport> body) {
    stop.goOn();
    Instant startedAt = Instant.now();
    long startedNanos = System.nanoTime();
    Map<String, Object> versions = new LinkedHashMap<>();
    for (TableDefinition input : inputs) {
      context.lake().version(input).ifPresent(v -> versions.put(input.name(), v));
    }
    current = stage;
    progress.stage(stage);
    LogContext.stage(context.spark().sparkContext(), stage);
    metrics.began(stage, startedAt);
    LOG.info("{}: begins", stage);
    context.spark().sparkContext().setJobDescription(stage);
    try {
      StageReport report = body.get();
      double took = secondsSince(startedNanos);
      seconds.put(stage, took);
      reports.put(stage, report);
      LOG.info(
          "{}: {} in {}{}",
          stage,
          report.state(),
          Figures.duration(took),
          report.reason().isEmpty() ? "" : " (" + report.reason() + ")");
      Instant endedAt = Instant.now();
      metrics.ended(report, took, endedAt);
      record(report, startedAt, endedAt, took, versions);
      return report;
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      recordFailure(stage, e, startedAt, secondsSince(startedNanos), versions);
      throw e;
    } finally {
      // What comes after is not of this stage.
      context.spark().sparkContext().setJobDescription(null);
    }
  }

  /** What the lake holds now, for the metrics. */
  void lake(LakeFigures figures) {
    metrics.lake(figures);
  }

  private static double secondsSince(long startedNanos) {
    return (System.nanoTime() - startedNanos) / 1e9;
  }

  private void recordFailure(
      String stage,
      Exception failure,
      Instant startedAt,
      double took,
      Map<String, Object> versions) {
    // From here on Spark may work again: what a signal stopped is written down, too.
    stop.acknowledge();
    StageReport failed =
        new StageReport(
            stage,
            stop.asked().isPresent() ? StageReport.STOPPED : StageReport.FAILED,
            stop.asked()
                .map(signal -> "stopped by " + signal.text())
                .orElseGet(() -> Failures.message(failure)),
            "",
            0,
            0,
            0,
            0,
            Map.of());
    Instant endedAt = Instant.now();
    metrics.ended(failed, took, endedAt);
    try {
      record(failed, startedAt, endedAt, took, versions);
    } catch (Exception second) {
      LOG.warn("Cannot write the failure to the runs table: {}", Failures.message(second));
    }
  }

  /** When each stage last ended well, of whatever run: as many rows as there are stages. */
  private Map<String, Instant> lastSuccess() {
    Map<String, Instant> found = new LinkedHashMap<>();
    for (Row row :
        context
            .lake()
            .read(RunsTable.TABLE)
            .where(col(RunsTable.STATE).isin(StageReport.DONE, StageReport.UNCHANGED))
            .groupBy(col(RunsTable.STAGE))
            .agg(max(coalesce(col(RunsTable.ENDED_AT), col(RunsTable.STARTED_AT))))
            .collectAsList()) {
      found.put(row.getString(0), row.getTimestamp(1).toInstant());
    }
    return found;
  }

  private void record(
      StageReport report,
      Instant startedAt,
      Instant endedAt,
      double took,
      Map<String, Object> versions) {
    context
        .lake()
        .append(
            RunsTable.TABLE,
            RowFactory.create(
                context.runId(),
                report.stage(),
                report.state(),
                Timestamp.from(startedAt),
                took,
                report.rowsIn(),
                report.rowsOut(),
                report.bytesIn(),
                report.bytesOut(),
                Figures.json(versions),
                context.settings().redacted(),
                Version.text(),
                Timestamp.from(context.at()),
                report.fingerprint(),
                Settings.withoutUserInfo(report.reason()),
                Figures.json(report.figures()),
                endedAt == null ? null : Timestamp.from(endedAt),
                context.attempt(),
                context.spark().sparkContext().applicationId(),
                context.spark().version()));
  }

  Map<String, Double> seconds() {
    return seconds;
  }

  Map<String, StageReport> reports() {
    return reports;
  }
}
