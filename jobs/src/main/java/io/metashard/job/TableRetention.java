package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.aggregate.AggregateOptions;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.DemandDays;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.RejectedObjects;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.forecast.ForecastMonitor;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.Forecasts;
import io.metashard.forecast.MonitorOptions;
import io.metashard.forecast.Tuning;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.logs.IngestedFiles;
import io.metashard.logs.Requests;
import io.metashard.logs.RequestsRejected;
import io.metashard.shardmap.ShardMapTable;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.DataTypes;

/**
 * Which rows of a table are old enough to go.
 *
 * @param table the table
 * @param day column of type date or timestamp that says of when a row is
 * @param key in the configuration: days that rows are kept
 */
record TableRetention(TableDefinition table, String day, String key) {
  /** Tables whose rows go with time. */
  private static final List<TableRetention> ALL =
      List.of(
          new TableRetention(Requests.TABLE, Requests.DATE, "tables.requests.retention-days"),
          new TableRetention(
              RequestsRejected.TABLE,
              RequestsRejected.DATE,
              "tables.requests-rejected.retention-days"),
          new TableRetention(
              RejectedObjects.TABLE, RejectedObjects.AT, "tables.objects-rejected.retention-days"),
          new TableRetention(Demand.TABLE, Demand.DATE, "tables.demand.retention-days"),
          // A day without its row would be taken for one that was never counted.
          new TableRetention(DemandDays.TABLE, DemandDays.DATE, "tables.demand.retention-days"),
          new TableRetention(Forecasts.TABLE, Forecasts.RUN_DATE, "tables.forecast.retention-days"),
          new TableRetention(
              ForecastQuality.TABLE,
              ForecastQuality.RUN_DATE,
              "tables.forecast-quality.retention-days"),
          new TableRetention(Plans.TABLE, Plans.PLAN_DATE, "tables.plans.retention-days"),
          new TableRetention(PlannedDrops.TABLE, Plans.PLAN_DATE, "tables.plans.retention-days"),
          new TableRetention(
              NightScores.TABLE, NightScores.HORIZON_START, "tables.night-scores.retention-days"),
          new TableRetention(
              ForecastMonitor.TABLE,
              ForecastMonitor.HORIZON_START,
              "tables.forecast-monitor.retention-days"),
          new TableRetention(
              Simulations.TABLE, Simulations.HORIZON_START, "tables.simulations.retention-days"),
          new TableRetention(
              VerifyFindings.TABLE,
              VerifyFindings.FOUND_AT,
              "tables.verify-findings.retention-days"),
          new TableRetention(RunsTable.TABLE, RunsTable.PLANNED_AT, "tables.runs.retention-days"));

  /**
   * Tables whose rows stay, since they say what is, not what was: one row a log file (a forgotten
   * one would be taken twice), a setting in force, an object, a location, a block; and two that are
   * on record for ever, sources that were deleted and objects that were forgotten.
   */
  private static final List<TableDefinition> KEPT =
      List.of(
          IngestedFiles.TABLE,
          Tuning.TABLE,
          Objects.TABLE,
          LocationsTable.TABLE,
          SourceDeletions.TABLE,
          Forgotten.TABLE,
          ShardMapTable.TABLE,
          ShardMapTable.SHADOW);

  static List<TableRetention> all() {
    return ALL;
  }

  static List<TableDefinition> kept() {
    return KEPT;
  }

  /**
   * Whether commits add files to a table and leave those that are there, night after night, in
   * folders that are days or none. Maps and the catalogue are written anew, bucket by bucket or
   * whole; plans have a folder for each run.
   */
  static boolean isAppendedTo(TableDefinition table) {
    return !List.of(
            Objects.TABLE,
            LocationsTable.TABLE,
            ShardMapTable.TABLE,
            ShardMapTable.SHADOW,
            Plans.TABLE,
            PlannedDrops.TABLE)
        .contains(table);
  }

  /** Whether there may be rows that go: by what the table's log says, without reading it. */
  boolean mayHaveExpired(Lake lake, Settings settings, Instant asOf) {
    return lake.mayHaveBefore(table, day, from(settings, asOf));
  }

  private Instant from(Settings settings, Instant asOf) {
    return asOf.truncatedTo(ChronoUnit.DAYS).minus(Duration.ofDays(settings.integer(key)));
  }

  /** Rows that go, as of a moment. */
  Column expired(Settings settings, Instant asOf) {
    Instant from = from(settings, asOf);
    boolean isDate = table.schema().apply(day).dataType().sameType(DataTypes.DateType);
    Column first = lit(Timestamp.from(from));
    return col(day).lt(isDate ? first.cast(DataTypes.DateType) : first);
  }

  /**
   * Refuses retentions that would take away what nights read.
   *
   * @throws SettingsException naming the key, what needs it, and the least that will do
   */
  static void requireEnough(Settings settings) {
    MonitorOptions monitor = MonitorOptions.from(settings);
    Duration horizon = settings.duration("forecast.horizon");
    Duration history = settings.duration("forecast.history");
    // Learned from as of past moments, a horizon apart; and the night that is scored.
    Duration looksBack = history.plus(horizon.multipliedBy(2L + settings.integer("tuner.origins")));
    long nights = Math.max(monitor.nights(), monitor.degradedNights());
    Map<String, Long> least = new LinkedHashMap<>();
    least.put("requests", AggregateOptions.from(settings).reopenDays() + days(horizon) + 2L);
    least.put("demand", days(looksBack) + 1);
    least.put("forecast", days(horizon) + 7);
    least.put("plans", 7L);
    least.put("forecast-monitor", nights + days(horizon) + 7);
    least.put("night-scores", days(horizon) + 7);
    least.put("runs", Math.max(settings.integer("tuner.after-nights"), 30L) + 7);
    Map<String, String> needs =
        Map.of(
            "demand", "forecast.history, forecast.horizon and tuner.origins",
            "requests", "aggregate.reopen-days and forecast.horizon",
            "forecast-monitor", "monitor.nights, monitor.degraded-nights and forecast.horizon",
            "runs", "tuner.after-nights");
    for (String key : ALL.stream().map(TableRetention::key).distinct().toList()) {
      String name = key.split("\\.")[1];
      long days = settings.integer(key);
      long enough = least.getOrDefault(name, 1L);
      if (days < enough || days > 36_500) {
        throw new SettingsException(
            "Cannot vacuum with %s = %d: it must be %d to 36500%s"
                .formatted(
                    key,
                    days,
                    enough,
                    needs.containsKey(name)
                        ? ", since nights read as far back by " + needs.get(name)
                        : ""));
      }
    }
  }

  /** Whole days, rounded up. */
  private static long days(Duration duration) {
    return (duration.toSeconds() + 86_399) / 86_400;
  }
}
