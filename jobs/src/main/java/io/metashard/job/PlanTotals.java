package io.metashard.job;

import static org.apache.spark.sql.functions.ceil;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Amounts;
import io.metashard.Location;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.Forecasts;
import io.metashard.plan.Durability;
import io.metashard.simulate.Move;
import io.metashard.simulate.Prices;
import io.metashard.simulate.SimulateOptions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;

/**
 * The lake before and after a plan is carried out: how the requests forecast would be read, what is
 * stored, how safe it is, and what it costs.
 *
 * @param pricesAt by location, where its tier has prices of its own
 * @param sourceBytes of all present objects
 * @param horizon that requests are forecast for
 */
record PlanTotals(
    MapTotals before,
    MapTotals after,
    Move move,
    Prices prices,
    Map<String, Prices> pricesAt,
    long sourceBytes,
    Duration horizon) {
  private static final double DAYS_PER_MONTH = 30;

  /** Name of the column of what is true before. */
  private static final String BEFORE = "before";

  private static final String AFTER = "after";

  /**
   * Works them out. Of the requests forecast, the share of whole reads counts once an object; each
   * other one is taken as a read of all of its segment.
   */
  static PlanTotals of(JobContext context, PlanJob.Planned planned, Prices prices) {
    Duration horizon = horizon(context, planned.forecast());
    SimulateOptions options = SimulateOptions.from(context.settings());
    Tiers tiers = Tiers.from(context.settings());
    Map<String, Prices> pricesAt = new TreeMap<>();
    for (Location location : planned.locations()) {
      pricesAt.put(location.name(), tiers.prices(location.tier(), prices));
    }
    Durability durability = Durability.from(context.settings());
    Dataset<Row> demand =
        asDemand(planned.forecast(), planned.objects()).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Dataset<Row> map = planned.map();
      Dataset<Row> then =
          ShadowJob.mapAfter(
              context, map, planned.blocks(), planned.drops(), planned.mapSequence());
      LayoutScore served = score(demand, planned, then, tiers, horizon, options);
      // What is in no map is read from sources: the score says that of any map.
      LayoutScore serves =
          map.isEmpty() ? served : score(demand, planned, map, tiers, horizon, options);
      return new PlanTotals(
          MapTotals.of(planned.objects(), map, serves, durability),
          MapTotals.of(planned.objects(), then, served, durability),
          planned.move(),
          prices,
          pricesAt,
          planned
              .objects()
              .agg(coalesce(sum(col(Objects.OBJECT_BYTES)), lit(0L)))
              .first()
              .getLong(0),
          horizon);
    } finally {
      demand.unpersist();
    }
  }

  private static LayoutScore score(
      Dataset<Row> demand,
      PlanJob.Planned planned,
      Dataset<Row> map,
      Tiers tiers,
      Duration horizon,
      SimulateOptions options) {
    return LayoutScore.of(
        demand,
        planned.objects(),
        map,
        planned.locations(),
        tiers.of(planned.locations()),
        horizon,
        options);
  }

  private static Duration horizon(JobContext context, Dataset<Row> forecast) {
    List<Row> first =
        forecast
            .select(col(Forecasts.HORIZON_START), col(Forecasts.HORIZON_END))
            .limit(1)
            .collectAsList();
    return first.isEmpty()
        ? context.settings().duration("forecast.horizon")
        : Duration.between(
            first.get(0).getTimestamp(0).toInstant(), first.get(0).getTimestamp(1).toInstant());
  }

  /** A forecast as if it had come true. */
  private static Dataset<Row> asDemand(Dataset<Row> forecast, Dataset<Row> objects) {
    Dataset<Row> known =
        forecast
            .where(col(Forecasts.EXPECTED_REQUESTS).gt(0))
            .join(
                objects.select(Objects.OBJECT_ID, Objects.OBJECT_BYTES, Objects.SEGMENT_BYTES),
                new String[] {Forecasts.OBJECT_ID, Forecasts.SEGMENT_BYTES});
    return known
        .withColumn(Demand.DATE, col(Forecasts.RUN_DATE))
        .withColumn(Demand.BUCKET_START, col(Forecasts.HORIZON_START))
        .withColumn(Demand.REQUESTS, col(Forecasts.EXPECTED_REQUESTS))
        .withColumn(
            Demand.WHOLE_REQUESTS,
            col(Forecasts.EXPECTED_REQUESTS)
                .multiply(coalesce(col(Forecasts.WHOLE_SHARE), lit(0.0))))
        .withColumn(
            Demand.BYTES,
            ceil(col(Forecasts.EXPECTED_REQUESTS)
                    .multiply(
                        greatest(
                            lit(0L),
                            least(
                                col(Forecasts.SEGMENT_BYTES),
                                col(Objects.OBJECT_BYTES)
                                    .minus(
                                        col(Forecasts.SEGMENT)
                                            .cast(DataTypes.LongType)
                                            .multiply(col(Forecasts.SEGMENT_BYTES)))))))
                .cast(DataTypes.LongType))
        .select(
            java.util.Arrays.stream(Demand.SCHEMA.fieldNames())
                .map(name -> col(name))
                .toArray(org.apache.spark.sql.Column[]::new));
  }

  /** Costs in the currency of the prices. */
  private record Costs(
      double today,
      double originalsKept,
      double originalsDeleted,
      double move,
      double paybackDays) {}

  private Costs costs() {
    double today = perMonth(before, sourceBytes);
    double deleted = perMonth(after, sourceBytes - after.replacedSourceBytes());
    double once = move.cost(prices);
    return new Costs(
        today, perMonth(after, sourceBytes), deleted, once, paybackDays(once, today - deleted));
  }

  private double perMonth(MapTotals map, long originals) {
    double horizons = DAYS_PER_MONTH * 86_400 / Math.max(1, horizon.toSeconds());
    double cost =
        prices.storagePerMonth(map.statistics().storedBytes() + originals)
            + prices.reads(map.blockReads() * horizons);
    for (Map.Entry<String, Prices> at : pricesAt.entrySet()) {
      long bytes = map.bytesAt().getOrDefault(at.getKey(), 0L);
      double reads =
          map.isEmpty() ? 0 : map.reading().readsAt().getOrDefault(at.getKey(), 0.0) * horizons;
      // Nothing, to the last bit, where the prices are those of all.
      cost += at.getValue().storagePerMonth(bytes) - prices.storagePerMonth(bytes);
      cost += at.getValue().reads(reads) - prices.reads(reads);
    }
    return cost;
  }

  /** Days until what is saved is what was paid; infinite where nothing is saved. */
  static double paybackDays(double once, double savedPerMonth) {
    return once == 0 && savedPerMonth >= 0
        ? 0
        : savedPerMonth > 0 ? once / savedPerMonth * DAYS_PER_MONTH : Double.POSITIVE_INFINITY;
  }

  /** Figures by name, each before and after. */
  private Map<String, Object[]> figures() {
    Map<String, Object[]> figures = new LinkedHashMap<>();
    for (String model : List.of(NightScores.OBJECT_STORE, NightScores.DISK)) {
      String suffix = "_" + model.replace('-', '_');
      LayoutScore.Time was = before.time(before.layout(), model);
      LayoutScore.Time will = after.time(after.layout(), model);
      put(figures, "read_mean_millis" + suffix, was.meanMillis(), will.meanMillis());
      put(figures, "read_p99_millis" + suffix, was.p99Millis(), will.p99Millis());
    }
    put(figures, "requests_to_stores", before.blockReads(), after.blockReads());
    put(
        figures,
        "load_imbalance",
        before.isEmpty() ? Double.NaN : before.reading().loadImbalance(),
        after.isEmpty() ? Double.NaN : after.reading().loadImbalance());
    put(figures, "objects_in_map", before.statistics().objects(), after.statistics().objects());
    put(
        figures,
        "stored_bytes",
        before.statistics().storedBytes(),
        after.statistics().storedBytes());
    put(
        figures,
        "storage_ratio",
        before.statistics().storageRatio(),
        after.statistics().storageRatio());
    put(figures, "failures_survived", survives(before), survives(after));
    put(figures, "nines", before.nines(), after.nines());
    put(
        figures,
        "meta_shards_lost_per_year",
        before.isEmpty() ? Double.NaN : before.lostPerYear(),
        after.isEmpty() ? Double.NaN : after.lostPerYear());
    return figures;
  }

  private static Object survives(MapTotals map) {
    return map.isEmpty() ? Double.NaN : map.statistics().survives();
  }

  private static void put(Map<String, Object[]> figures, String name, Object before, Object after) {
    figures.put(name, new Object[] {before, after});
  }

  /** What the plan moves, and where prices are set what that costs. */
  private Map<String, Object> moving() {
    Map<String, Object> moving = new LinkedHashMap<>();
    moving.put("bytes_read", move.sourceBytes());
    moving.put("bytes_written", move.writtenBytes());
    moving.put("read_requests", move.sourceReads() + move.storedReads());
    moving.put("write_requests", move.writes());
    if (prices.areSet()) {
      Costs costs = costs();
      moving.put("currency", prices.currency());
      moving.put("cost_per_month_today", costs.today());
      moving.put("cost_per_month_originals_kept", costs.originalsKept());
      moving.put("cost_per_month_originals_deleted", costs.originalsDeleted());
      moving.put("cost_of_move", costs.move());
      moving.put("payback_days", costs.paybackDays());
    }
    return moving;
  }

  /** For programs. */
  Map<String, Object> values() {
    Map<String, Object> was = new LinkedHashMap<>();
    Map<String, Object> will = new LinkedHashMap<>();
    figures()
        .forEach(
            (name, pair) -> {
              was.put(name, pair[0]);
              will.put(name, pair[1]);
            });
    Map<String, Object> values = new LinkedHashMap<>();
    values.put(BEFORE, was);
    values.put(AFTER, will);
    values.put("move", moving());
    return values;
  }

  /** For people. */
  String text() {
    TextTable table = new TextTable("what", before.isEmpty() ? "before (sources)" : BEFORE, AFTER);
    figures().forEach((name, pair) -> table.add(name, shown(name, pair[0]), shown(name, pair[1])));
    TextTable moves = new TextTable("the move", "");
    moving().forEach((name, value) -> moves.add(name, shown(name, value)));
    return table.render() + "\n" + moves.render();
  }

  private static String shown(String name, Object value) {
    if (value instanceof Long bytes && name.contains("bytes")) {
      return Amounts.bytes(bytes);
    }
    if (value instanceof Double number) {
      if (name.equals("payback_days") && number.isInfinite()) {
        return "never";
      }
      return name.equals("nines") && number > 0
          ? String.format(Locale.ROOT, "%.1f", Math.floor(number * 10) / 10)
          : Amounts.number(number);
    }
    return value instanceof Long count ? Amounts.count(count) : String.valueOf(value);
  }
}
