package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.spark.sql.RowFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs stages one by one, times them, and keeps a row of {@code runs} for each, failed ones too.
 */
final class StageRunner {
  private static final Logger LOG = LoggerFactory.getLogger(StageRunner.class);

  private final JobContext context;
  private final ProgressBar progress;
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private final Map<String, StageReport> reports = new LinkedHashMap<>();

  StageRunner(JobContext context, ProgressBar progress) {
    this.context = context;
    this.progress = progress;
  }

  /** Runs a stage; {@code inputs} are the tables whose versions are written down. */
  StageReport run(String stage, List<TableDefinition> inputs, Supplier<StageReport> body) {
    Instant startedAt = Instant.now();
    long startedNanos = System.nanoTime();
    Map<String, Object> versions = new LinkedHashMap<>();
    for (TableDefinition input : inputs) {
      context.lake().version(input).ifPresent(v -> versions.put(input.name(), v));
    }
    progress.stage(stage);
    LOG.info("{}: begins", stage);
    context.spark().sparkContext().setJobDescription(stage);
    try {
      StageReport report = body.get();
      double took = (System.nanoTime() - startedNanos) / 1e9;
      seconds.put(stage, took);
      reports.put(stage, report);
      LOG.info(
          "{}: {} in {} s{}",
          stage,
          report.state(),
          "%.1f".formatted(took),
          report.reason().isEmpty() ? "" : " (" + report.reason() + ")");
      record(report, startedAt, took, versions);
      return report;
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      double took = (System.nanoTime() - startedNanos) / 1e9;
      StageReport failed =
          new StageReport(stage, StageReport.FAILED, Failures.message(e), "", 0, 0, 0, 0, Map.of());
      try {
        record(failed, startedAt, took, versions);
      } catch (Exception second) {
        LOG.warn("Cannot write the failure to the runs table: {}", Failures.message(second));
      }
      throw e;
    }
  }

  private void record(
      StageReport report, Instant startedAt, double took, Map<String, Object> versions) {
    context
        .lake()
        .append(
            RunsTable.TABLE,
            context
                .spark()
                .createDataFrame(
                    List.of(
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
                            Figures.json(report.figures()))),
                    RunsTable.SCHEMA)
                .coalesce(1),
            Lake.Commit.PLAIN);
  }

  Map<String, Double> seconds() {
    return seconds;
  }

  Map<String, StageReport> reports() {
    return reports;
  }
}
