package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.LocationModel;
import io.metashard.Tier;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.PartClass;
import io.metashard.simulate.SimulateOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/**
 * How a layout would have served the requests that came, beside the objects as they are.
 *
 * <p>A read of a whole object is one read, of all that a reader asks for to have it. Others are
 * those that {@code demand} counts, one a segment; each reads as many bytes as ranged reads of its
 * segment did on average. Reads that ask for alike many bytes, in the same manner and from
 * locations alike busy, are of one kind: kinds are drawn, not reads.
 *
 * @param loadImbalance (most - mean) / mean of the block reads of active locations; NaN without any
 * @param blockReads by layout: requests to locations and sources
 * @param readsAt of {@code blockReads} of the planned layout, by location
 * @param times by layout and model, mean and 99th percentile; empty without a request
 */
record LayoutScore(
    double loadImbalance,
    Map<String, Double> blockReads,
    Map<String, Double> readsAt,
    List<Time> times) {

  /** Milliseconds of a read. */
  record Time(String layout, String model, double meanMillis, double p99Millis) {}

  private static final String REQUESTS = RequestedReads.REQUESTS;
  private static final String BYTES = RequestedReads.BYTES;

  /**
   * How busy the locations of a layout are as disks.
   *
   * @param sites by location
   * @param reads by location
   * @param meanMillis of a request, not waiting
   */
  private record Busy(
      Map<String, PartClass.Site> sites,
      Map<String, Double> reads,
      double meanMillis,
      double imbalance) {}

  /** Scores the layout of a map, with all locations as fast as the model. */
  static LayoutScore of(
      Dataset<Row> demand,
      Dataset<Row> objects,
      Dataset<Row> map,
      List<Location> locations,
      Duration span,
      SimulateOptions options) {
    return of(demand, objects, map, locations, Map.of(), span, options);
  }

  /**
   * Scores the layout of a map.
   *
   * @param demand what was requested, as {@link Demand#SCHEMA}
   * @param objects as {@link Objects#SCHEMA}
   * @param map rows of the map, as {@link ShardMapTable#SCHEMA}
   * @param locations of which the active ones share the load
   * @param tiers by location; others are as fast as the model
   * @param span of the demand
   */
  static LayoutScore of(
      Dataset<Row> demand,
      Dataset<Row> objects,
      Dataset<Row> map,
      List<Location> locations,
      Map<String, Tier> tiers,
      Duration span,
      SimulateOptions options) {
    Dataset<Row> live = ShardMap.live(map);
    try (MappedSegments segments = MappedSegments.of(live);
        RequestedReads ofMap = RequestedReads.of(demand, segments.objects());
        RequestedReads ofSources = RequestedReads.of(demand, objects);
        LayoutReads reads = LayoutReads.of(ofMap, segments, map, live, options.extraReads())) {
      Busy planned = busy(reads.loads(), locations, tiers, span, options.disk());
      Dataset<Row> fromSource = ofSources.ofSources();
      Busy source = sourceBusy(fromSource, locations, span, options.disk());
      Dataset<Row> unmapped =
          fromSource.join(
              segments.rows().select(Objects.OBJECT_ID),
              new String[] {Objects.OBJECT_ID},
              "left_anti");
      ReadTimeTask task =
          new ReadTimeTask(
              options,
              new HashMap<>(
                  Map.of(
                      NightScores.PLANNED,
                      planned.meanMillis() > 0 ? planned.meanMillis() : source.meanMillis(),
                      NightScores.SOURCE,
                      source.meanMillis())));
      try (ReadKinds kinds =
          ReadKinds.of(
              reads
                  .kinds(NightScores.PLANNED, planned.sites(), options.disk())
                  .unionByName(sourceKinds(NightScores.PLANNED, unmapped, source))
                  .unionByName(sourceKinds(NightScores.SOURCE, fromSource, source)))) {
        return new LayoutScore(
            planned.imbalance(),
            kinds.blockReads(),
            planned.reads(),
            times(kinds.drawn(ReadKinds.MOST_DRAWN), task));
      }
    }
  }

  private static Busy busy(
      Dataset<Row> loads,
      List<Location> locations,
      Map<String, Tier> tiers,
      Duration span,
      LocationModel.Disk disk) {
    Map<String, Double> readsAt = new TreeMap<>();
    Map<String, Double> reads = new TreeMap<>();
    locations.stream()
        .filter(location -> location.state().equals(Location.ACTIVE))
        .forEach(location -> reads.put(location.name(), 0.0));
    Map<String, PartClass.Site> sites = new TreeMap<>();
    double allReads = 0;
    double allMillis = 0;
    List<Row> rows = new ArrayList<>(loads.collectAsList()); // one a location
    rows.sort(java.util.Comparator.comparing((Row row) -> row.getString(0)));
    for (Row row : rows) {
      double millis = millis(disk, row.getDouble(1), row.getDouble(2));
      reads.computeIfPresent(row.getString(0), (name, none) -> row.getDouble(1));
      readsAt.put(row.getString(0), row.getDouble(1));
      double slowness = 1 / tiers.getOrDefault(row.getString(0), Tier.ONLY).speed();
      sites.put(
          row.getString(0), new PartClass.Site(millis * slowness / span.toMillis(), slowness));
      allReads += row.getDouble(1);
      allMillis += millis;
    }
    double mean = reads.values().stream().mapToDouble(r -> r).average().orElse(0);
    double most = reads.values().stream().mapToDouble(r -> r).max().orElse(0);
    return new Busy(
        sites,
        readsAt,
        allReads == 0 ? 0 : allMillis / allReads,
        mean == 0 ? Double.NaN : (most - mean) / mean);
  }

  /** The objects as they are, taken as spread evenly over as many disks as there are locations. */
  private static Busy sourceBusy(
      Dataset<Row> reads, List<Location> locations, Duration span, LocationModel.Disk disk) {
    Row sums =
        reads
            .agg(
                coalesce(sum(col(REQUESTS)), lit(0.0)),
                coalesce(sum(col(REQUESTS).multiply(col(BYTES))), lit(0.0)))
            .first();
    double millis = millis(disk, sums.getDouble(0), sums.getDouble(1));
    long disks =
        Math.max(
            1,
            locations.stream()
                .filter(location -> location.state().equals(Location.ACTIVE))
                .count());
    return new Busy(
        Map.of(NightScores.SOURCE, new PartClass.Site(millis / span.toMillis() / disks, 1)),
        Map.of(),
        sums.getDouble(0) == 0 ? 0 : millis / sums.getDouble(0),
        Double.NaN);
  }

  /** Milliseconds that so many reads of so many bytes in all take, on average. */
  private static double millis(LocationModel.Disk disk, double reads, double bytes) {
    double ofNone = disk.meanMillis(0);
    return reads * ofNone + disk.meanMillis((long) bytes) - ofNone;
  }

  private static Dataset<Row> sourceKinds(String layout, Dataset<Row> requested, Busy busy) {
    return ReadTimeTask.kindsOfOnePart(
        layout,
        requested,
        lit(1),
        lit(1),
        col(BYTES),
        lit(busy.sites().get(NightScores.SOURCE).busyShare()),
        lit(1.0));
  }

  private static List<Time> times(Dataset<Row> kinds, ReadTimeTask task) {
    List<Row> bins =
        kinds
            // Few rows, but much to draw for each.
            .repartition(kinds.sparkSession().sparkContext().defaultParallelism())
            .flatMap(task, Encoders.row(ReadTimeTask.TIMES))
            .groupBy(ReadTimeTask.LAYOUT, ReadTimeTask.MODEL, ReadTimeTask.BIN)
            .agg(sum(col(REQUESTS)), sum(col(ReadTimeTask.MILLIS)))
            .collectAsList() // some hundred bins a layout and model
            .stream()
            .sorted(
                java.util.Comparator.comparing((Row row) -> row.getString(0))
                    .thenComparing(row -> row.getString(1))
                    .thenComparing(row -> row.getInt(2)))
            .toList();
    Map<List<String>, List<Row>> byLayoutAndModel = new java.util.LinkedHashMap<>();
    bins.forEach(
        row ->
            byLayoutAndModel
                .computeIfAbsent(
                    List.of(row.getString(0), row.getString(1)), key -> new ArrayList<>())
                .add(row));
    List<Time> times = new ArrayList<>();
    byLayoutAndModel.forEach(
        (key, rows) -> {
          double requests = rows.stream().mapToDouble(row -> row.getDouble(3)).sum();
          double millis = rows.stream().mapToDouble(row -> row.getDouble(4)).sum();
          double passed = 0;
          double p99 = Double.NaN;
          for (Row row : rows) {
            passed += row.getDouble(3);
            p99 = row.getDouble(4) / row.getDouble(3);
            if (passed >= 0.99 * requests * (1 - 1e-9)) {
              break;
            }
          }
          times.add(new Time(key.get(0), key.get(1), millis / requests, p99));
        });
    return times;
  }
}
