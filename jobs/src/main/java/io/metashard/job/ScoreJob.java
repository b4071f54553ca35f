package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.get_json_object;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.DemandDrift;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.ForecastScore;
import io.metashard.forecast.Forecasts;
import io.metashard.forecast.MonitorOptions;
import io.metashard.forecast.MonitorScore;
import io.metashard.forecast.Verdict;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.Prices;
import io.metashard.simulate.SimulateOptions;
import java.math.BigDecimal;
import java.math.MathContext;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.storage.StorageLevel;

/**
 * Holds the newest night whose horizon has passed against what was requested in it: {@code
 * night_scores}, and {@code forecast_monitor} with the verdict.
 *
 * <p>A night is scored once, by the demand and the map as they are when its horizon has passed, in
 * one commit a table, {@code night_scores} last. It must run before the night's own plan is carried
 * out: then the map is still the one that the scored night left.
 */
final class ScoreJob {
  static final String STAGE = "score";

  /** Nights looked at: a horizon of so many nights is still found. */
  private static final int MOST_NIGHTS = 400;

  private static final String PLANNED_WITH = "planned_with";

  private final JobContext context;
  private final NightlyJob.Mode mode;
  private final ShardMap map;
  private final List<Location> locations;
  private final SimulateOptions simulate;
  private final Prices prices;
  private final Tiers tiers;
  private final Monitor monitor;
  private final MonitorOptions watched;

  /** Spans of a horizon that the history holds. */
  private final ForecastOptions options;

  /**
   * @param map that nights of this mode plan from
   * @param locations all, of which the active ones share the load
   */
  ScoreJob(JobContext context, NightlyJob.Mode mode, ShardMap map, List<Location> locations) {
    this.context = context;
    this.mode = mode;
    this.map = map;
    this.locations = locations;
    this.simulate = SimulateOptions.from(context.settings());
    this.prices = Prices.from(context.settings());
    this.tiers = Tiers.from(context.settings());
    this.monitor = new Monitor(context, modeWord(mode));
    this.watched = MonitorOptions.from(context.settings());
    this.options = ForecastOptions.from(context.settings());
  }

  /**
   * A night to score.
   *
   * @param forecastRunId run whose forecast it planned with: its own, but for a night that found
   *     nothing new to forecast
   */
  record Night(String runId, String forecastRunId, Instant start, Instant end) {
    Duration horizon() {
      return Duration.between(start, end);
    }
  }

  StageReport run() {
    Lake lake = context.lake();
    // There from the first night on, so that whoever reads it finds it.
    lake.create(NightScores.TABLE);
    monitor.create();
    Dataset<Row> scores =
        lake.read(NightScores.TABLE).where(col(NightScores.MODE).equalTo(modeWord(mode)));
    if (!scores.where(col(NightScores.RUN_ID).equalTo(context.runId())).isEmpty()) {
      return unchanged("this run has scored already; a retry scores once");
    }
    Optional<Night> found = newestPassed();
    if (found.isEmpty()) {
      return unchanged("nothing to score yet: no night's horizon has passed");
    }
    Night night = found.get();
    List<Row> scored =
        scores
            .where(col(NightScores.SCORED_RUN_ID).equalTo(night.runId()))
            .select(NightScores.RUN_ID)
            .takeAsList(1);
    if (!scored.isEmpty()) {
      return unchanged(
          "nothing new to score: run %s scored night %s"
              .formatted(scored.get(0).getString(0), night.runId()));
    }
    return scored(night);
  }

  private StageReport scored(Night night) {
    Lake lake = context.lake();
    // One version of each table for all passes: another run may commit meanwhile.
    Dataset<Row> objects = lake.readPinned(Objects.TABLE);
    Dataset<Row> demand = lake.readPinned(Demand.TABLE);
    Dataset<Row> rows = lake.readPinned(map.table());
    Dataset<Row> came = within(demand, night.start(), night.end());
    List<Row> values = new ArrayList<>();
    Monitor.Findings findings = scoreForecast(night, demand, came, objects, values);
    scoreLayouts(night, came, objects, rows, values);
    // First: what says that this night is scored comes last.
    Verdict verdict = monitor.write(night, findings, watched);
    // Checked above: letters that need no escape.
    String own =
        "%s = '%s' AND %s = '%s'"
            .formatted(NightScores.RUN_ID, context.runId(), NightScores.MODE, modeWord(mode));
    lake.replaceWhere(
        NightScores.TABLE,
        context.spark().createDataFrame(values, NightScores.SCHEMA).coalesce(1),
        own,
        Lake.Commit.PLAIN);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("scored_run_id", night.runId());
    figures.put("horizon_start", night.start().toString());
    figures.put("horizon_end", night.end().toString());
    for (Row row : values) {
      String model = row.getString(6);
      figures.put(
          row.getString(5)
              + "_"
              + row.getString(7)
              + (model == null ? "" : "_" + model.replace('-', '_')),
          row.getDouble(8));
    }
    figures.putAll(Monitor.figures(verdict));
    figures.putAll(findings.figures());
    return new StageReport(
        STAGE,
        StageReport.DONE,
        "night %s, whose horizon has passed: the forecast is %s"
            .formatted(night.runId(), verdict.standing().word()),
        "",
        0,
        values.size(),
        0,
        0,
        figures);
  }

  private StageReport unchanged(String reason) {
    Map<String, Object> figures =
        monitor.newest().map(newest -> Monitor.figures(newest.verdict())).orElse(Map.of());
    return new StageReport(STAGE, StageReport.UNCHANGED, reason, "", 0, 0, 0, 0, figures);
  }

  /** What nights of a mode are called in tables. */
  static String modeWord(NightlyJob.Mode mode) {
    return mode == NightlyJob.Mode.SHADOW ? NightScores.SHADOW : NightScores.REAL;
  }

  /** The newest night of this mode that came to its end and whose horizon has passed. */
  private Optional<Night> newestPassed() {
    Dataset<Row> runs = context.lake().read(RunsTable.TABLE);
    Dataset<Row> ended =
        runs.where(
                col(RunsTable.STAGE)
                    .equalTo(NightlyJob.lastStage(mode))
                    .and(col(RunsTable.STATE).isin(StageReport.DONE, StageReport.UNCHANGED))
                    .and(col(RunsTable.FINGERPRINT).equalTo(ReshardJob.FINISHED))
                    .and(col(RunsTable.RUN_ID).notEqual(context.runId()))
                    .and(col(RunsTable.PLANNED_AT).lt(Timestamp.from(context.at()))))
            .groupBy(col(RunsTable.RUN_ID))
            .agg(
                max(col(RunsTable.PLANNED_AT)).as(RunsTable.PLANNED_AT),
                max(col(RunsTable.STARTED_AT)).as(RunsTable.STARTED_AT));
    Dataset<Row> plans =
        runs.where(RunsTable.done("plan"))
            .groupBy(col(RunsTable.RUN_ID))
            .agg(
                max_by(
                        get_json_object(col(RunsTable.FIGURES), "$." + PlanJob.FORECAST_RUN_ID),
                        col(RunsTable.STARTED_AT))
                    .as(PLANNED_WITH));
    List<Row> nights =
        ended
            .join(plans, new String[] {RunsTable.RUN_ID}, "left")
            .orderBy(
                col(RunsTable.PLANNED_AT).desc(),
                col(RunsTable.STARTED_AT).desc(),
                col(RunsTable.RUN_ID))
            .select(
                col(RunsTable.RUN_ID),
                // Plans of older versions did not say.
                coalesce(col(PLANNED_WITH), col(RunsTable.RUN_ID)).as(PLANNED_WITH))
            .limit(MOST_NIGHTS)
            .collectAsList();
    Map<String, Row> horizons = new HashMap<>();
    if (!nights.isEmpty()) {
      context
          .lake()
          .read(Forecasts.TABLE)
          .where(
              col(Forecasts.RUN_ID)
                  .isin(nights.stream().map(row -> row.getString(1)).distinct().toArray())
                  .and(Forecasts.ofMainHorizon()))
          .groupBy(col(Forecasts.RUN_ID))
          .agg(max(col(Forecasts.HORIZON_START)), max(col(Forecasts.HORIZON_END)))
          .collectAsList() // at most one a night
          .forEach(row -> horizons.put(row.getString(0), row));
    }
    for (Row night : nights) {
      Row horizon = horizons.get(night.getString(1));
      if (horizon != null && !horizon.getTimestamp(2).toInstant().isAfter(context.at())) {
        return Optional.of(
            new Night(
                night.getString(0),
                night.getString(1),
                horizon.getTimestamp(1).toInstant(),
                horizon.getTimestamp(2).toInstant()));
      }
    }
    return Optional.empty();
  }

  private static Dataset<Row> within(Dataset<Row> demand, Instant from, Instant to) {
    return demand.where(
        col(Demand.DATE)
            .between(
                lit(java.sql.Date.valueOf(from.atZone(ZoneOffset.UTC).toLocalDate())),
                lit(java.sql.Date.valueOf(to.atZone(ZoneOffset.UTC).toLocalDate())))
            .and(col(Demand.BUCKET_START).geq(Timestamp.from(from)))
            .and(col(Demand.BUCKET_START).lt(Timestamp.from(to))));
  }

  private Monitor.Findings scoreForecast(
      Night night, Dataset<Row> demand, Dataset<Row> came, Dataset<Row> objects, List<Row> values) {
    Dataset<Row> forecast =
        context
            .lake()
            .read(Forecasts.TABLE)
            .where(
                col(Forecasts.RUN_ID)
                    .equalTo(night.forecastRunId())
                    .and(col(Forecasts.HORIZON_START).equalTo(Timestamp.from(night.start())))
                    .and(Forecasts.ofMainHorizon()));
    // The segmentation that was forecast, which the catalogue may have left since.
    Dataset<Row> forecastObjects =
        forecast
            .groupBy(col(Forecasts.OBJECT_ID))
            .agg(
                max(col(Forecasts.SEGMENT)).plus(1).as(Objects.SEGMENTS),
                max(col(Forecasts.SEGMENT_BYTES)).as(Objects.SEGMENT_BYTES))
            .persist(StorageLevel.MEMORY_AND_DISK());
    int spans = spans(night);
    Dataset<Row> bySpan = bySpan(night, demand, objects, forecastObjects, spans);
    bySpan.persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> segments =
        forecast
            .join(bySpan, new String[] {Forecasts.OBJECT_ID, Forecasts.SEGMENT}, "left")
            .select(
                col(Forecasts.EXPECTED_REQUESTS).as(ForecastScore.EXPECTED),
                col(Forecasts.P_REQUESTED).as(MonitorScore.CHANCE),
                col(Forecasts.LOW_80).as(MonitorScore.LOW),
                col(Forecasts.HIGH_80).as(MonitorScore.HIGH),
                col(DemandDrift.requests(0)).as(ForecastScore.ACTUAL),
                col(DemandDrift.requests(1)).as(ForecastScore.BEFORE),
                col(DemandDrift.SPANS_REQUESTED))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      ForecastScore score = ForecastScore.of(segments);
      DemandDrift drift = DemandDrift.of(bySpan, spans);
      MonitorScore monitored = MonitorScore.of(segments, drift.spans());
      double unforecast =
          came.join(
                  forecastObjects.select(Objects.OBJECT_ID),
                  new String[] {Objects.OBJECT_ID},
                  "left_anti")
              .agg(coalesce(sum(col(Demand.REQUESTS)), lit(0.0)))
              .first()
              .getDouble(0);
      double actual = score.actual() + unforecast;
      Rows rows = new Rows(night, NightScores.FORECAST, values);
      rows.add(NightScores.REQUESTS_ACTUAL, actual, "requests");
      rows.add(NightScores.REQUESTS_FORECAST, score.expected(), "requests");
      rows.add(NightScores.REQUESTS_UNFORECAST, unforecast, "requests");
      errors(rows, score.forecast(), "", actual, unforecast);
      errors(rows, score.persistence(), NightScores.PERSISTENCE, actual, unforecast);
      return new Monitor.Findings(monitored, drift);
    } finally {
      segments.unpersist();
      bySpan.unpersist();
      forecastObjects.unpersist();
    }
  }

  /** How many spans before the night are looked at: no more than the forecast looks back at. */
  private int spans(Night night) {
    long held = options.history().toSeconds() / Math.max(1, night.horizon().toSeconds());
    return (int) Math.max(1, Math.min(watched.spans(), held));
  }

  /** Requests of the night's horizon and of the spans before it, also of what was not forecast. */
  private static Dataset<Row> bySpan(
      Night night,
      Dataset<Row> demand,
      Dataset<Row> objects,
      Dataset<Row> forecastObjects,
      int spans) {
    String bytes = "forecast_segment_bytes";
    String count = "forecast_segments";
    Dataset<Row> cut =
        objects
            .select(
                col(Objects.OBJECT_ID),
                col(Objects.OBJECT_BYTES),
                col(Objects.SEGMENTS),
                col(Objects.SEGMENT_BYTES))
            .join(
                forecastObjects.select(
                    col(Objects.OBJECT_ID),
                    col(Objects.SEGMENTS).as(count),
                    col(Objects.SEGMENT_BYTES).as(bytes)),
                new String[] {Objects.OBJECT_ID},
                "left")
            .select(
                col(Objects.OBJECT_ID),
                col(Objects.OBJECT_BYTES),
                coalesce(col(count), col(Objects.SEGMENTS)).as(Objects.SEGMENTS),
                coalesce(col(bytes), col(Objects.SEGMENT_BYTES)).as(Objects.SEGMENT_BYTES));
    Instant from = night.start().minus(night.horizon().multipliedBy(spans));
    return DemandDrift.bySpan(
        Rebinned.toCurrent(within(demand, from, night.end()), cut),
        night.start(),
        night.horizon(),
        spans);
  }

  private static void errors(
      Rows rows, ForecastScore.Errors errors, String suffix, double actual, double unforecast) {
    rows.add(NightScores.POISSON_DEVIANCE + suffix, errors.deviance(), "deviance");
    rows.add(NightScores.WAPE + suffix, (errors.absolute() + unforecast) / actual, "ratio");
    rows.add(NightScores.HOT_SHARE_FOUND_1 + suffix, errors.hottest1() / actual, "ratio");
    rows.add(NightScores.HOT_SHARE_FOUND_10 + suffix, errors.hottest10() / actual, "ratio");
  }

  private void scoreLayouts(
      Night night, Dataset<Row> came, Dataset<Row> objects, Dataset<Row> map, List<Row> values) {
    MapStatistics statistics = MapStatistics.of(map);
    Row moved = moved(night, map);
    LayoutScore layout =
        LayoutScore.of(
            came, objects, map, locations, tiers.of(locations), night.horizon(), simulate);
    Rows planned = new Rows(night, NightScores.PLANNED, values);
    planned.add(NightScores.MOVED_BYTES, moved.getLong(0), "bytes");
    planned.add(NightScores.OBJECTS_MOVED, moved.getLong(1), "objects");
    planned.add(NightScores.STORED_BYTES, statistics.storedBytes(), "bytes");
    planned.add(NightScores.LOGICAL_BYTES, statistics.logicalBytes(), "bytes");
    planned.add(NightScores.STORAGE_RATIO, statistics.storageRatio(), "ratio");
    planned.add(NightScores.OBJECTS_ENCODED, statistics.objects(), "objects");
    planned.add(NightScores.LOAD_IMBALANCE, layout.loadImbalance(), "ratio");
    Rows source = new Rows(night, NightScores.SOURCE, values);
    long sourceBytes =
        objects
            .where(col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT))
            .agg(coalesce(sum(col(Objects.OBJECT_BYTES)), lit(0L)))
            .first()
            .getLong(0);
    source.add(NightScores.LOGICAL_BYTES, sourceBytes, "bytes");
    for (LayoutScore.Time time : layout.times()) {
      Rows rows = time.layout().equals(NightScores.PLANNED) ? planned : source;
      rows.add(NightScores.READ_MEAN_MILLIS, time.model(), time.meanMillis(), "milliseconds");
      rows.add(NightScores.READ_P99_MILLIS, time.model(), time.p99Millis(), "milliseconds");
    }
    if (prices.areSet()) {
      money(planned, statistics.storedBytes(), layout.blockReads().get(NightScores.PLANNED));
      money(source, sourceBytes, layout.blockReads().get(NightScores.SOURCE));
    }
  }

  private void money(Rows rows, long bytes, Double reads) {
    rows.add(NightScores.COST_STORAGE_PER_MONTH, prices.storagePerMonth(bytes), prices.currency());
    rows.add(NightScores.COST_REQUESTS, prices.reads(reads == null ? 0 : reads), prices.currency());
  }

  /** Bytes and objects of the map that the night wrote, or would have. */
  private Row moved(Night night, Dataset<Row> map) {
    List<Row> plan =
        context
            .lake()
            .read(Plans.TABLE)
            .where(
                col(Plans.RUN_ID)
                    .equalTo(night.runId())
                    .and(
                        coalesce(col(Plans.MAP_TABLE), lit(ShardMapTable.TABLE.name()))
                            .equalTo(this.map.table().name())))
            .select(Plans.MAP_SEQUENCE)
            .takeAsList(1);
    Column own =
        plan.isEmpty()
            ? lit(false) // what stays where it is has no row
            : ShardMap.writtenBy(plan.get(0).getLong(0), night.runId());
    return map.where(own)
        .agg(
            coalesce(sum(ShardMapTable.physicalBytes()), lit(0L)),
            countDistinct(col(ShardMapTable.OBJECT_ID)))
        .first();
  }

  /** Adds rows of one layout; what has no value has no row. */
  private final class Rows {
    private final Night night;
    private final String layout;
    private final List<Row> rows;

    Rows(Night night, String layout, List<Row> rows) {
      this.night = night;
      this.layout = layout;
      this.rows = rows;
    }

    void add(String metric, double value, String unit) {
      add(metric, null, value, unit);
    }

    void add(String metric, String model, double value, String unit) {
      if (Double.isFinite(value)) {
        rows.add(
            RowFactory.create(
                context.runId(),
                night.runId(),
                modeWord(mode),
                Timestamp.from(night.start()),
                Timestamp.from(night.end()),
                layout,
                model,
                metric,
                // Sums of doubles depend on their order, which Spark does not promise.
                new BigDecimal(value).round(new MathContext(12)).doubleValue(),
                unit));
      }
    }
  }
}
