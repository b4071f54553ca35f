package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.when;

import io.metashard.ObjectIds;
import io.metashard.lake.TableDefinition;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * One row per run and stage that ended, well or not, and one per command that began.
 *
 * <p>A command writes a row in state {@link #RUNNING} under its own name before its first stage. A
 * command that was killed leaves it with no later row of the same {@link #ATTEMPT} and name; the
 * stages that it finished have rows of that attempt.
 */
final class RunsTable {
  static final String RUN_ID = "run_id";
  static final String STAGE = "stage";
  static final String STATE = "state";
  static final String STARTED_AT = "started_at";
  static final String SECONDS = "seconds";
  static final String ROWS_IN = "rows_in";
  static final String ROWS_OUT = "rows_out";
  static final String BYTES_IN = "bytes_in";
  static final String BYTES_OUT = "bytes_out";

  /** JSON: table name to Delta version when the stage began. */
  static final String INPUT_VERSIONS = "input_versions";

  /** The configuration, one key a line, secrets redacted. */
  static final String CONFIGURATION = "configuration";

  static final String CODE_VERSION = "code_version";
  static final String PLANNED_AT = "planned_at";
  static final String FINGERPRINT = "fingerprint";
  static final String REASON = "reason";

  /** JSON of what the stage printed. */
  static final String FIGURES = "figures";

  /** Null in rows of state {@code running}. */
  static final String ENDED_AT = "ended_at";

  /** Id of the process' work on this run: a retry has the same run id and another attempt. */
  static final String ATTEMPT = "attempt";

  /** What Spark calls the application: where its logs and its history are found. */
  static final String APPLICATION_ID = "application_id";

  static final String SPARK_VERSION = "spark_version";

  /** State of the row that is written when a command begins. */
  static final String RUNNING = "running";

  /** Rows of a stage that was done. */
  static Column done(String stage) {
    return col(STAGE).equalTo(stage).and(col(STATE).equalTo(StageReport.DONE));
  }

  /** Moment of planning of the newest run that has listed the source roots; empty: of none. */
  static Optional<Instant> lastListing(JobContext context) {
    Row newest =
        context
            .lake()
            .read(TABLE)
            .where(
                col(STAGE)
                    .equalTo("catalogue")
                    .and(col(STATE).isin(StageReport.DONE, StageReport.UNCHANGED)))
            .agg(max(col(PLANNED_AT)))
            .first();
    return newest.isNullAt(0) ? Optional.empty() : Optional.of(newest.getTimestamp(0).toInstant());
  }

  /** Commands that write to tables of the lake, or to the map. */
  private static final Object[] WRITERS = {
    "nightly",
    "ingest",
    "catalogue",
    "aggregate",
    "score",
    "tune",
    "forecast",
    "plan",
    "reshard",
    "rollback",
    "repair",
    "recover-map",
    "forget"
  };

  /** A command that was killed and never run again counts as at work for as long. */
  private static final Duration SILENT = Duration.ofDays(1);

  /** The command, of another run, that is at work on the lake, in words; empty: none is. */
  static Optional<String> underWay(JobContext context, Instant now) {
    Dataset<Row> rows = context.lake().read(TABLE).where(col(RUN_ID).notEqual(context.runId()));
    Column running = col(STATE).equalTo(RUNNING);
    String began = "began";
    String ended = "ended";
    String heard = "heard";
    Dataset<Row> commands =
        rows.where(col(STAGE).isin(WRITERS))
            .groupBy(col(RUN_ID), col(STAGE))
            .agg(
                max(when(running, col(STARTED_AT))).as(began),
                max(when(not(running), col(STARTED_AT))).as(ended))
            .where(col(began).isNotNull().and(col(ended).isNull().or(col(ended).lt(col(began)))));
    Dataset<Row> lastHeard =
        rows.groupBy(col(RUN_ID)).agg(max(coalesce(col(ENDED_AT), col(STARTED_AT))).as(heard));
    return commands
        .join(lastHeard, new String[] {RUN_ID})
        .where(col(heard).gt(lit(Timestamp.from(now.minus(SILENT)))))
        .orderBy(col(began).desc(), col(RUN_ID))
        .select(STAGE, RUN_ID, began)
        .limit(1)
        .collectAsList()
        .stream()
        .findFirst()
        .map(
            row ->
                "%s (run %s) is at work since %s"
                    .formatted(
                        row.getString(0),
                        ObjectIds.printable(row.getString(1)),
                        row.getTimestamp(2).toInstant()));
  }

  static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(STAGE, DataTypes.StringType, false)
          .add(STATE, DataTypes.StringType, false)
          .add(STARTED_AT, DataTypes.TimestampType, false)
          .add(SECONDS, DataTypes.DoubleType, false)
          .add(ROWS_IN, DataTypes.LongType, false)
          .add(ROWS_OUT, DataTypes.LongType, false)
          .add(BYTES_IN, DataTypes.LongType, false)
          .add(BYTES_OUT, DataTypes.LongType, false)
          .add(INPUT_VERSIONS, DataTypes.StringType, false)
          .add(CONFIGURATION, DataTypes.StringType, false)
          .add(CODE_VERSION, DataTypes.StringType, false)
          .add(PLANNED_AT, DataTypes.TimestampType, false)
          .add(FINGERPRINT, DataTypes.StringType, false)
          .add(REASON, DataTypes.StringType, false)
          .add(FIGURES, DataTypes.StringType, false)
          // Later than the others: null in older rows.
          .add(ENDED_AT, DataTypes.TimestampType, true)
          .add(ATTEMPT, DataTypes.StringType, true)
          .add(APPLICATION_ID, DataTypes.StringType, true)
          .add(SPARK_VERSION, DataTypes.StringType, true);

  static final TableDefinition TABLE = new TableDefinition("runs", SCHEMA, List.of());

  private RunsTable() {}
}
