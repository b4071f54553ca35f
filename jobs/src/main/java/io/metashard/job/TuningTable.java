package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.Tunable;
import io.metashard.forecast.Tuning;
import io.metashard.forecast.TuningLog;
import io.metashard.lake.Lake;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Reads and writes {@code tuning}, and tells what it says of the forecast. */
final class TuningTable {
  /** How far back trials are looked at; changes count however old they are. */
  private static final Duration TRIALS_SINCE = Duration.ofDays(400);

  private final JobContext context;

  TuningTable(JobContext context) {
    this.context = context;
  }

  /** All that counts, of which there are some rows a week. */
  TuningLog log() {
    if (!context.lake().exists(Tuning.TABLE)) {
      return TuningLog.EMPTY;
    }
    Column changes =
        col(Tuning.ACTION)
            .isin(
                TuningLog.Action.APPLIED.word(),
                TuningLog.Action.REVERTED.word(),
                TuningLog.Action.UNDONE.word());
    Timestamp since = Timestamp.from(context.at().minus(TRIALS_SINCE));
    List<TuningLog.Entry> entries = new ArrayList<>();
    context
        .lake()
        .read(Tuning.TABLE)
        .where(changes.or(col(Tuning.PLANNED_AT).geq(lit(since))))
        .select(
            Tuning.RUN_ID,
            Tuning.PLANNED_AT,
            Tuning.PARAMETER,
            Tuning.FROM_VALUE,
            Tuning.TO_VALUE,
            Tuning.ACTION,
            Tuning.UNDONE_RUN_ID,
            Tuning.AT)
        .collectAsList()
        .forEach(row -> entry(row).ifPresent(entries::add));
    return new TuningLog(entries);
  }

  /** Empty for what a later version wrote and this one does not know. */
  private static Optional<TuningLog.Entry> entry(Row row) {
    Optional<Tunable> parameter = Tunable.of(row.getString(2));
    Optional<TuningLog.Action> action = TuningLog.Action.of(row.getString(5));
    return parameter.isEmpty() || action.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new TuningLog.Entry(
                row.getString(0),
                row.getTimestamp(1).toInstant(),
                parameter.get(),
                row.getDouble(3),
                row.getDouble(4),
                action.get(),
                row.isNullAt(6) ? "" : row.getString(6),
                row.getTimestamp(7).toInstant()));
  }

  /** What this run's forecast is made with. */
  ForecastOptions inForce(ForecastOptions configured) {
    return log().inForce(configured, context.at());
  }

  /**
   * What differs from the usual, for people: {@code recent-half-life 48h}; empty if nothing does.
   */
  static String changed(ForecastOptions configured, ForecastOptions inForce) {
    return inForce.parameters().values().entrySet().stream()
        .filter(value -> value.getValue() != configured.parameters().value(value.getKey()))
        .map(value -> value.getKey().word() + " " + value.getKey().text(value.getValue()))
        .collect(Collectors.joining(", "));
  }

  /**
   * One row to write.
   *
   * @param reason in words and figures
   */
  record Line(TuningLog.Entry entry, Measured measured, String reason) {}

  /** What was measured; NaN for what was not. */
  record Measured(double before, double after, double gain, int origins, int wins) {
    static final Measured NOTHING = new Measured(Double.NaN, Double.NaN, Double.NaN, 0, 0);
  }

  /** Replaces what this run wrote before, in one commit. */
  void write(List<Line> lines) {
    List<Row> rows = new ArrayList<>();
    for (Line line : lines) {
      TuningLog.Entry entry = line.entry();
      rows.add(
          RowFactory.create(
              runDate(),
              entry.runId(),
              Timestamp.from(entry.plannedAt()),
              entry.parameter().word(),
              entry.parameter().unit().word(),
              entry.from(),
              entry.to(),
              finite(line.measured().before()),
              finite(line.measured().after()),
              finite(line.measured().gain()),
              line.measured().origins(),
              line.measured().wins(),
              entry.action().word(),
              line.reason(),
              entry.undoneRunId().isEmpty() ? null : entry.undoneRunId(),
              Timestamp.from(entry.at())));
    }
    Dataset<Row> written = context.spark().createDataFrame(rows, Tuning.TABLE.schema()).coalesce(1);
    // Of letters that need no escape, as TuneJob checks.
    String own = "%s = '%s'".formatted(Tuning.RUN_ID, context.runId());
    context.lake().replaceWhere(Tuning.TABLE, written, own, Lake.Commit.PLAIN);
  }

  private Date runDate() {
    return Date.valueOf(context.at().atZone(ZoneOffset.UTC).toLocalDate());
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  /** A new entry of this run, written now. */
  TuningLog.Entry entry(
      Tunable parameter, double from, double to, TuningLog.Action action, Instant now) {
    return new TuningLog.Entry(context.runId(), context.at(), parameter, from, to, action, "", now);
  }

  /** The newest rows, the newest first. */
  List<Row> newest(int most) {
    return newest(context.lake().read(Tuning.TABLE), most);
  }

  /** The newest rows of runs planned until a moment, the newest first. */
  List<Row> newest(int most, Instant until) {
    return newest(
        context
            .lake()
            .read(Tuning.TABLE)
            .where(col(Tuning.PLANNED_AT).leq(lit(Timestamp.from(until)))),
        most);
  }

  private static List<Row> newest(Dataset<Row> rows, int most) {
    return rows.orderBy(
            col(Tuning.PLANNED_AT).desc(),
            col(Tuning.AT).desc(),
            col(Tuning.RUN_ID),
            col(Tuning.PARAMETER))
        .limit(most)
        .collectAsList();
  }

  /** A value of a row, for people. */
  static String text(Row row, String column) {
    double value = row.<Double>getAs(column);
    return Tunable.of(row.getAs(Tuning.PARAMETER))
        .map(parameter -> parameter.text(value))
        .orElse(Double.toString(value));
  }
}
