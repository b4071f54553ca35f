package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** What is written down of runs: rows, metrics, and the run and stage of log lines. */
class StageRunnerSparkTest {
  private static final Instant AT = Instant.parse("2026-01-22T00:00:00Z");

  private final SparkSession spark = SharedSpark.session();
  private final Lake lake = new Lake(spark, SharedSpark.tempFolder("runs").toString());
  private final StageMetrics metrics = new StageMetrics();

  private StageRunner runner() {
    Settings settings =
        Settings.parse(
            "test", "hadoop { \"fs.s3a.secret.key\" = PLANTED }", List.of("lake.root=x"));
    return new StageRunner(
        new JobContext(spark, lake, settings, AT, "night-1"),
        ProgressBar.inLog(),
        metrics,
        StopSignal.NONE);
  }

  private static StageReport report(String stage, String state, Map<String, Object> figures) {
    return new StageReport(stage, state, "why", "print", 7, 5, 70, 50, figures);
  }

  private double gauge(String name) {
    return ((Gauge<?>) metrics.metricRegistry().getMetrics().get(name)).getValue()
            instanceof Number number
        ? number.doubleValue()
        : Double.NaN;
  }

  private long counter(String name) {
    return ((Counter) metrics.metricRegistry().getMetrics().get(name)).getCount();
  }

  @Test
  void everyRunLeavesItsRowsAndItsMetrics() throws IOException {
    lake.create(Objects.TABLE);
    StageRunner good = runner();
    good.command(
        "nightly",
        () -> {
          assertThat(states("running")).containsExactly("nightly");
          good.run(
              "ingest",
              List.of(Objects.TABLE),
              () -> report("ingest", StageReport.DONE, Map.of("rejected", 3L, "lines", 10L)));
          return good.run(
              "catalogue", List.of(), () -> report("catalogue", StageReport.UNCHANGED, Map.of()));
        });
    StageRunner bad = runner();
    assertThatThrownBy(
            () ->
                bad.command(
                    "plan",
                    () ->
                        bad.run(
                            "plan",
                            List.of(),
                            () -> {
                              throw new IllegalStateException(
                                  "s3a://me:PLANTED@bucket\n\u001b[31m");
                            })))
        .isInstanceOf(IllegalStateException.class);

    Map<String, Row> rows =
        lake.read(RunsTable.TABLE).collectAsList().stream()
            .collect(
                Collectors.toMap(
                    row -> row.getAs(RunsTable.STAGE) + " " + row.getAs(RunsTable.STATE),
                    row -> row,
                    (a, b) -> a,
                    LinkedHashMap::new));
    assertThat(rows.keySet())
        .containsExactlyInAnyOrder(
            "nightly running",
            "ingest done",
            "catalogue unchanged",
            "nightly done",
            "plan running",
            "plan failed");
    Row ingest = rows.get("ingest done");
    assertThat(ingest.<Long>getAs(RunsTable.ROWS_IN)).isEqualTo(7);
    assertThat(ingest.<Long>getAs(RunsTable.BYTES_OUT)).isEqualTo(50);
    assertThat(ingest.<String>getAs(RunsTable.INPUT_VERSIONS)).isEqualTo("{\"objects\":0}");
    assertThat(ingest.<String>getAs(RunsTable.CODE_VERSION)).isEqualTo(Version.text());
    assertThat(ingest.<String>getAs(RunsTable.SPARK_VERSION)).isEqualTo(spark.version());
    assertThat(ingest.<Object>getAs(RunsTable.ENDED_AT)).isNotNull();
    Row began = rows.get("nightly running");
    assertThat(began.<Object>getAs(RunsTable.ENDED_AT)).isNull();
    // Stages of one process' work share its attempt; another process has another.
    assertThat(ingest.<String>getAs(RunsTable.ATTEMPT))
        .isEqualTo(began.<String>getAs(RunsTable.ATTEMPT))
        .isNotEqualTo(rows.get("plan running").<String>getAs(RunsTable.ATTEMPT));
    assertThat(rows.get("plan failed").<String>getAs(RunsTable.REASON))
        .contains("s3a://(redacted)@bucket")
        .doesNotContain("\u001b");
    assertThat(rows.values().toString()).doesNotContain("PLANTED");

    assertThat(gauge("stage.ingest.state")).isEqualTo(StageMetrics.State.DONE.code());
    assertThat(gauge("stage.ingest.rows_in")).isEqualTo(7);
    assertThat(gauge("stage.ingest.rejected")).isEqualTo(3);
    assertThat(gauge("stage.ingest.files")).isNaN();
    assertThat(gauge("stage.ingest.last_success_timestamp_seconds")).isGreaterThan(1.7e9);
    assertThat(gauge("stage.catalogue.state")).isEqualTo(StageMetrics.State.UNCHANGED.code());
    assertThat(gauge("stage.plan.state")).isEqualTo(StageMetrics.State.FAILED.code());
    assertThat(gauge("stage.plan.last_success_timestamp_seconds")).isNaN();
    assertThat(counter("stage.plan.runs.failed")).isEqualTo(1);
    assertThat(counter("stage.ingest.runs.done")).isEqualTo(1);
    assertThat(gauge("stage.reshard.state")).isEqualTo(StageMetrics.State.NEVER_RUN.code());

    // A later process knows when each stage last ended well.
    StageMetrics later = new StageMetrics();
    StageRunner next =
        new StageRunner(
            new JobContext(spark, lake, Settings.defaults(), AT, "night-2"),
            ProgressBar.inLog(),
            later,
            StopSignal.NONE);
    next.command("verify", () -> null);
    assertThat(
            ((Gauge<?>)
                    later
                        .metricRegistry()
                        .getMetrics()
                        .get("stage.ingest.last_success_timestamp_seconds"))
                .getValue())
        .isEqualTo(gauge("stage.ingest.last_success_timestamp_seconds"));
  }

  private List<String> states(String state) {
    return lake
        .read(RunsTable.TABLE)
        .where(col(RunsTable.STATE).equalTo(state))
        .collectAsList()
        .stream()
        .map(row -> row.<String>getAs(RunsTable.STAGE))
        .toList();
  }

  @Test
  void sparkHasTheMetricsUnderNamesOfOurOwnOnly() {
    metrics.register(spark.sparkContext());
    try {
      assertThat(SparkEnv.get().metricsSystem().getSourcesByName(StageMetrics.SOURCE).size())
          .isEqualTo(1);
      Set<String> before = Set.copyOf(metrics.metricRegistry().getNames());
      metrics.began("evil\u001b[31m name", AT);
      metrics.ended(
          report("ingest", StageReport.DONE, Map.of("rejected_by_a_stranger", 1L)), 1, AT);
      assertThat(metrics.metricRegistry().getNames())
          .isEqualTo(new java.util.TreeSet<>(before))
          .allMatch(name -> name.matches("(stage|lake)\\.[a-z0-9_.]+"))
          .hasSizeLessThan(165);
      // A stage that nobody listed gets its metrics when it begins.
      metrics.began("vacuum", AT);
      assertThat(gauge("stage.vacuum.state")).isEqualTo(StageMetrics.State.RUNNING.code());
    } finally {
      SparkEnv.get().metricsSystem().removeSource(metrics);
    }
  }

  @Test
  void tasksKnowTheRunAndTheStageOfTheirLogLines() {
    LogContext.run("night-7");
    LogContext.run(spark.sparkContext(), "night-7");
    LogContext.stage(spark.sparkContext(), "reshard");
    try {
      List<String> seen =
          spark
              .range(0, 4, 1, 2)
              .map(
                  (MapFunction<Long, String>)
                      n -> MDC.get(LogContext.RUN_ID) + " " + MDC.get(LogContext.STAGE),
                  Encoders.STRING())
              .collectAsList();
      assertThat(seen).hasSize(4).containsOnly("night-7 reshard");
    } finally {
      spark.sparkContext().setLocalProperty(LogContext.RUN_ID, null);
      spark.sparkContext().setLocalProperty(LogContext.STAGE, null);
      LogContext.clear();
    }
  }
}
