package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.when;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.report.NightReport;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What the table {@code runs} says of a night: its stages, and what else went wrong or right. */
final class ReportRuns {
  /** Stages that a night is made of: a run that has one of them is a night. */
  private static final Object[] OF_A_NIGHT = {
    "nightly", "ingest", "catalogue", "aggregate", "forecast", "score", "plan", "reshard"
  };

  private static final String NIGHTLY = "nightly";
  private static final String REPORT = "report";
  private static final String VERIFY = "verify";
  private static final int NAMED_IN_MESSAGES = 5;
  private static final int MOST_ROWS_OF_A_RUN = 2000;
  private static final int MOST_FAILURES = 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final JobContext context;
  private final Dataset<Row> runs;

  /**
   * @param runs as {@link RunsTable#SCHEMA}; read several times
   */
  ReportRuns(JobContext context, Dataset<Row> runs) {
    this.context = context;
    this.runs = runs.where(col(RunsTable.STAGE).notEqual(REPORT));
  }

  /**
   * A night that was run.
   *
   * @param figures of its stages by stage and name, as they were printed
   */
  record Chosen(
      String runId,
      Instant plannedAt,
      String codeVersion,
      String sparkVersion,
      boolean newest,
      List<NightReport.Stage> stages,
      Map<String, JsonNode> figures) {
    JsonNode figure(String stage, String name) {
      return figures.getOrDefault(stage, JSON.missingNode()).path(name);
    }

    Optional<NightReport.Stage> stage(String name) {
      return stages.stream().filter(stage -> stage.name().equals(name)).findFirst();
    }
  }

  /**
   * The night to report on.
   *
   * @param runId the one wanted; empty for the newest
   * @param plannedAt of the newest one planned then; empty for the newest of all
   * @throws MetashardException of exit code 2 if there is none; the message names the newest ones
   */
  Chosen choose(Optional<String> runId, Optional<Instant> plannedAt) {
    String latest = "latest";
    Dataset<Row> nights =
        runs.where(col(RunsTable.STAGE).isin(OF_A_NIGHT))
            .groupBy(col(RunsTable.RUN_ID))
            .agg(
                max(col(RunsTable.STARTED_AT)).as(latest),
                max(col(RunsTable.PLANNED_AT)).as(RunsTable.PLANNED_AT));
    List<String> newest =
        ids(nights.orderBy(col(latest).desc(), col(RunsTable.RUN_ID)).limit(NAMED_IN_MESSAGES));
    if (newest.isEmpty()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot report on %s: no night was run there; run nightly first"
              .formatted(Settings.withoutUserInfo(context.lake().root())));
    }
    List<String> found = newest;
    if (runId.isPresent()) {
      found = ids(nights.where(col(RunsTable.RUN_ID).equalTo(runId.get())));
    } else if (plannedAt.isPresent()) {
      found =
          ids(
              nights
                  .where(col(RunsTable.PLANNED_AT).equalTo(lit(Timestamp.from(plannedAt.get()))))
                  .orderBy(col(latest).desc(), col(RunsTable.RUN_ID))
                  .limit(1));
    }
    if (found.isEmpty()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot report on %s: the lake knows no such night; the newest are %s"
              .formatted(
                  runId
                      .map(id -> "run " + ObjectIds.printable(id))
                      .orElseGet(() -> "a run planned at " + plannedAt.orElseThrow()),
                  newest.stream().map(ObjectIds::printable).collect(Collectors.joining(", "))));
    }
    return chosen(found.get(0), found.get(0).equals(newest.get(0)));
  }

  private static List<String> ids(Dataset<Row> nights) {
    return nights.select(col(RunsTable.RUN_ID)).collectAsList().stream()
        .map(row -> row.getString(0))
        .toList();
  }

  private Chosen chosen(String runId, boolean newest) {
    List<Row> rows =
        runs.where(col(RunsTable.RUN_ID).equalTo(runId))
            .orderBy(col(RunsTable.STARTED_AT).desc())
            .limit(MOST_ROWS_OF_A_RUN)
            .collectAsList();
    Row last = rows.get(0);
    Map<String, List<Row>> ended = new LinkedHashMap<>();
    for (Row row : rows) {
      String stage = row.getAs(RunsTable.STAGE);
      String state = row.getAs(RunsTable.STATE);
      boolean itself = stage.equals(NIGHTLY) && !isFailure(state);
      if (!state.equals(RunsTable.RUNNING) && !itself) {
        ended.computeIfAbsent(stage, key -> new ArrayList<>()).add(row);
      }
    }
    Map<String, JsonNode> figures = new LinkedHashMap<>();
    List<Row> best = new ArrayList<>();
    ended.forEach(
        (stage, tries) -> {
          // A retry skips what was done: what was done says more than that.
          Row row =
              tries.stream()
                  .filter(one -> one.getAs(RunsTable.STATE).equals(StageReport.DONE))
                  .findFirst()
                  .orElse(tries.get(0));
          best.add(row);
          figures.put(stage, json(row.getAs(RunsTable.FIGURES)));
        });
    best.sort(Comparator.comparing(row -> row.<Timestamp>getAs(RunsTable.STARTED_AT)));
    return new Chosen(
        runId,
        last.<Timestamp>getAs(RunsTable.PLANNED_AT).toInstant(),
        last.getAs(RunsTable.CODE_VERSION),
        last.getAs(RunsTable.SPARK_VERSION) == null
            ? "of a version not written down"
            : last.getAs(RunsTable.SPARK_VERSION),
        newest,
        best.stream()
            .map(row -> stage(row, ended.get(row.<String>getAs(RunsTable.STAGE)).size()))
            .toList(),
        figures);
  }

  private static NightReport.Stage stage(Row row, int attempts) {
    return new NightReport.Stage(
        row.getAs(RunsTable.STAGE),
        row.getAs(RunsTable.STATE),
        attempts,
        row.<Double>getAs(RunsTable.SECONDS),
        row.<Long>getAs(RunsTable.ROWS_IN),
        row.<Long>getAs(RunsTable.ROWS_OUT),
        row.<Long>getAs(RunsTable.BYTES_IN),
        row.<Long>getAs(RunsTable.BYTES_OUT),
        row.getAs(RunsTable.REASON));
  }

  private static boolean isFailure(String state) {
    return state.equals(StageReport.FAILED) || state.equals(StageReport.STOPPED);
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot read figures of the table runs: %s is no JSON"
              .formatted(ObjectIds.printable(text, 80)),
          e);
    }
  }

  /** Stages that failed or were stopped, of runs planned from {@code from} on; newest first. */
  List<NightReport.Failure> failures(Instant from) {
    String wellAt = "well_at";
    Column well =
        when(
            col(RunsTable.STATE).isin(StageReport.DONE, StageReport.UNCHANGED),
            col(RunsTable.STARTED_AT));
    Dataset<Row> lastWell =
        since(from).groupBy(col(RunsTable.RUN_ID), col(RunsTable.STAGE)).agg(max(well).as(wellAt));
    return since(from)
        .where(col(RunsTable.STATE).isin(StageReport.FAILED, StageReport.STOPPED))
        // A night that failed has its failed stage as a row of its own.
        .where(col(RunsTable.STAGE).notEqual(NIGHTLY))
        .join(lastWell, new String[] {RunsTable.RUN_ID, RunsTable.STAGE})
        .orderBy(col(RunsTable.STARTED_AT).desc(), col(RunsTable.STAGE))
        .limit(MOST_FAILURES)
        .collectAsList()
        .stream()
        .map(
            row -> {
              Timestamp at = row.getAs(RunsTable.STARTED_AT);
              Timestamp mended = row.getAs(wellAt);
              return new NightReport.Failure(
                  row.getAs(RunsTable.RUN_ID),
                  row.getAs(RunsTable.STAGE),
                  row.getAs(RunsTable.STATE),
                  at.toInstant(),
                  row.<Timestamp>getAs(RunsTable.PLANNED_AT).toInstant(),
                  row.getAs(RunsTable.REASON),
                  mended != null && mended.after(at));
            })
        .toList();
  }

  /** Commands that began and have no end, this process' own left out. */
  long unfinished(Instant from) {
    Dataset<Row> ended =
        since(from)
            .where(col(RunsTable.STATE).notEqual(RunsTable.RUNNING))
            .select(col(RunsTable.ATTEMPT), col(RunsTable.STAGE));
    return since(from)
        .where(
            col(RunsTable.STATE)
                .equalTo(RunsTable.RUNNING)
                .and(
                    col(RunsTable.APPLICATION_ID)
                        .notEqual(context.spark().sparkContext().applicationId())))
        .join(ended, new String[] {RunsTable.ATTEMPT, RunsTable.STAGE}, "left_anti")
        .count();
  }

  private Dataset<Row> since(Instant from) {
    return runs.where(col(RunsTable.PLANNED_AT).geq(lit(Timestamp.from(from))));
  }

  /** The newest {@code verify} that came to its end; null if there was none. */
  NightReport.Check check() {
    List<Row> newest =
        runs.where(RunsTable.done(VERIFY))
            .orderBy(col(RunsTable.STARTED_AT).desc())
            .limit(1)
            .select(
                col(RunsTable.RUN_ID),
                coalesce(col(RunsTable.ENDED_AT), col(RunsTable.STARTED_AT)),
                col(RunsTable.FIGURES))
            .collectAsList();
    if (newest.isEmpty()) {
      return null;
    }
    JsonNode figures = json(newest.get(0).getString(2));
    return new NightReport.Check(
        newest.get(0).getString(0),
        newest.get(0).getTimestamp(1).toInstant(),
        figures.path("sample_percent").asDouble(Double.NaN),
        figures.path("findings").asLong());
  }
}
