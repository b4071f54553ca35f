package io.metashard.job;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log2;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.round;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.LocationModel;
import io.metashard.Tier;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.BlockReads;
import io.metashard.simulate.SimulateOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/**
 * How a layout would have served the requests that came, beside the objects as they are.
 *
 * <p>Requests are those that {@code demand} counts, one a segment; each reads as many bytes as
 * reads of its segment did on average. Segments that alike many bytes are read from, in the same
 * manner and from locations alike busy, are one kind of read: kinds are drawn, not segments.
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

  private static final String SLICES = "slices";
  private static final String SLICE_BYTES = "slice_bytes";
  private static final String SEGMENT_LENGTH = "segment_length";
  private static final String TWINS = "twins";
  private static final String FIRST_SHARD = "first_shard";
  private static final String LAST_SHARD = "last_shard";
  private static final String REQUESTS = ReadTimeTask.REQUESTS;
  private static final String BYTES = "read_bytes";
  private static final String BLOCK_BYTES = "block_read_bytes";
  private static final String NEEDED = ReadTimeTask.NEEDED;
  private static final String ASKED = ReadTimeTask.ASKED;

  /** Column: block reads of each data block of the segment. */
  private static final String DATA_READS = "data_reads";

  /** Column: block reads of each parity block of its meta-shard. */
  private static final String PARITY_READS = "parity_reads";

  private static final String BUSY_SHARE = "busy_share";

  private static final String COPIES_SLOWNESS = "copies_slowness";

  private static final String[] SEGMENT = {Demand.OBJECT_ID, Demand.SEGMENT};

  /** Reads of one segment, in blocks. */
  private static final StructType READS =
      new StructType()
          .add(Demand.OBJECT_ID, DataTypes.StringType, false)
          .add(Demand.SEGMENT, DataTypes.IntegerType, false)
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(NEEDED, DataTypes.IntegerType, false)
          .add(ASKED, DataTypes.IntegerType, false)
          .add(BLOCK_BYTES, DataTypes.LongType, false)
          .add(DATA_READS, DataTypes.DoubleType, false)
          .add(PARITY_READS, DataTypes.DoubleType, false);

  /** How busy the locations of a layout are as disks. */
  private record Busy(
      Map<String, Double> shares, Map<String, Double> reads, double meanMillis, double imbalance) {}

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
    Dataset<Row> segments = segments(live).persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> mapped = mappedObjects(segments);
    Dataset<Row> reads =
        requested(Rebinned.toCurrent(demand, mapped))
            .join(segments, SEGMENT)
            .map(new ToReads(options.extraReads()), Encoders.row(READS))
            .persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> fromSource =
        requested(Rebinned.toCurrent(demand, objects)).persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> kinds = null;
    try {
      Busy planned = busy(loads(map, live, reads), locations, tiers, span, options.disk());
      Busy source = sourceBusy(fromSource, locations, span, options.disk());
      Dataset<Row> unmapped =
          fromSource.join(
              mapped.select(Objects.OBJECT_ID), new String[] {Objects.OBJECT_ID}, "left_anti");
      kinds =
          plannedKinds(map, live, reads, planned, tiers)
              .unionByName(sourceKinds(NightScores.PLANNED, unmapped, source))
              .unionByName(sourceKinds(NightScores.SOURCE, fromSource, source))
              .groupBy(
                  ReadTimeTask.LAYOUT,
                  NEEDED,
                  ASKED,
                  ReadTimeTask.SIZE,
                  ReadTimeTask.BUSY,
                  ReadTimeTask.SLOWNESS)
              .agg(sum(col(REQUESTS)).as(REQUESTS))
              .persist(StorageLevel.MEMORY_AND_DISK());
      Map<String, Double> blockReads = new TreeMap<>();
      kinds
          .groupBy(ReadTimeTask.LAYOUT)
          .agg(sum(col(REQUESTS).multiply(col(ASKED))))
          .collectAsList()
          .forEach(row -> blockReads.put(row.getString(0), row.getDouble(1)));
      ReadTimeTask task =
          new ReadTimeTask(
              options,
              new HashMap<>(
                  Map.of(
                      NightScores.PLANNED,
                      planned.meanMillis() > 0 ? planned.meanMillis() : source.meanMillis(),
                      NightScores.SOURCE,
                      source.meanMillis())));
      return new LayoutScore(planned.imbalance(), blockReads, planned.reads(), times(kinds, task));
    } finally {
      if (kinds != null) {
        kinds.unpersist();
      }
      fromSource.unpersist();
      reads.unpersist();
      segments.unpersist();
    }
  }

  /** One row per segment that the map serves: its slices, and the code they are in. */
  private static Dataset<Row> segments(Dataset<Row> live) {
    return live.groupBy(
            col(ShardMapTable.OBJECT_ID),
            col(ShardMapTable.SEGMENT),
            col(ShardMapTable.OBJECT_OFFSET))
        .agg(
            max(col(ShardMapTable.LENGTH)).as(ShardMapTable.LENGTH),
            max(col(ShardMapTable.OBJECT_BYTES)).as(ShardMapTable.OBJECT_BYTES),
            max(col(ShardMapTable.K)).as(ShardMapTable.K),
            max(col(ShardMapTable.M)).as(ShardMapTable.M),
            count(lit(1)).as(TWINS),
            min(col(ShardMapTable.META_SHARD_ID)).as(FIRST_SHARD),
            max(col(ShardMapTable.META_SHARD_ID)).as(LAST_SHARD))
        .groupBy(SEGMENT[0], SEGMENT[1])
        .agg(
            count(lit(1)).as(SLICES),
            max(col(ShardMapTable.LENGTH)).as(SLICE_BYTES),
            sum(col(ShardMapTable.LENGTH)).as(SEGMENT_LENGTH),
            max(col(ShardMapTable.OBJECT_BYTES)).as(ShardMapTable.OBJECT_BYTES),
            max(col(ShardMapTable.K)).as(ShardMapTable.K),
            max(col(ShardMapTable.M)).as(ShardMapTable.M),
            max(col(TWINS)).as(TWINS),
            min(col(FIRST_SHARD)).as(FIRST_SHARD),
            max(col(LAST_SHARD)).as(LAST_SHARD));
  }

  /** The objects of the map in the segmentation that they were encoded in. */
  private static Dataset<Row> mappedObjects(Dataset<Row> segments) {
    return segments
        .groupBy(col(Objects.OBJECT_ID))
        .agg(
            max(col(ShardMapTable.OBJECT_BYTES)).as(Objects.OBJECT_BYTES),
            max(col(Demand.SEGMENT)).plus(1).as(Objects.SEGMENTS),
            greatest(max(col(SEGMENT_LENGTH)), lit(1L)).as(Objects.SEGMENT_BYTES));
  }

  private static Dataset<Row> requested(Dataset<Row> demand) {
    return demand
        .groupBy(SEGMENT[0], SEGMENT[1])
        .agg(
            sum(col(Demand.REQUESTS)).as(REQUESTS),
            sum(col(Demand.BYTES)).cast(DataTypes.DoubleType).as(BYTES))
        .where(col(REQUESTS).gt(0))
        .withColumn(BYTES, col(BYTES).divide(col(REQUESTS)));
  }

  /** From the requests of a segment, and its slices, to reads of blocks. */
  private record ToReads(int extraReads) implements MapFunction<Row, Row> {
    @Override
    public Row call(Row row) {
      double requests = row.<Double>getAs(REQUESTS);
      long bytes =
          Math.min((long) Math.ceil(row.<Double>getAs(BYTES)), row.<Long>getAs(SEGMENT_LENGTH));
      int slices = Math.toIntExact(row.<Long>getAs(SLICES));
      long twins = row.<Long>getAs(TWINS);
      int k = row.<Integer>getAs(ShardMapTable.K);
      int m = row.<Integer>getAs(ShardMapTable.M);
      boolean ownShard =
          slices > 1
              && slices == k
              && row.<String>getAs(FIRST_SHARD).equals(row.<String>getAs(LAST_SHARD));
      BlockReads reads =
          BlockReads.ofSlices(
              slices, row.<Long>getAs(SLICE_BYTES), bytes, ownShard ? m : 0, extraReads);
      double dataReads;
      double parityReads = 0;
      if (slices == 1 && k == 1) {
        // Any copy serves.
        dataReads = requests / twins / (1 + m);
        parityReads = dataReads;
      } else if (ownShard && reads.needed() == slices) {
        // Any k blocks serve.
        dataReads = requests * reads.asked() / (k + m);
        parityReads = dataReads;
        if (reads.asked() == reads.needed()) {
          dataReads = requests;
          parityReads = 0;
        }
      } else {
        dataReads = requests * reads.needed() / slices / twins;
      }
      return RowFactory.create(
          row.<String>getAs(Demand.OBJECT_ID),
          row.<Integer>getAs(Demand.SEGMENT),
          requests,
          reads.needed(),
          reads.asked(),
          reads.blockBytes(),
          dataReads,
          parityReads);
    }
  }

  /** One row per location: block reads and bytes read. */
  private static Dataset<Row> loads(Dataset<Row> map, Dataset<Row> live, Dataset<Row> reads) {
    Dataset<Row> data =
        live.select(
                ShardMapTable.OBJECT_ID,
                ShardMapTable.SEGMENT,
                ShardMapTable.META_SHARD_ID,
                ShardMapTable.LOCATION)
            .join(reads, SEGMENT);
    Dataset<Row> ofShards =
        data.where(col(PARITY_READS).gt(0))
            .groupBy(col(ShardMapTable.META_SHARD_ID))
            .agg(max(col(PARITY_READS)).as(DATA_READS), max(col(BLOCK_BYTES)).as(BLOCK_BYTES));
    Dataset<Row> parity =
        map.where(col(ShardMapTable.OBJECT_ID).isNull())
            .select(ShardMapTable.META_SHARD_ID, ShardMapTable.LOCATION)
            .join(ofShards, new String[] {ShardMapTable.META_SHARD_ID});
    Column[] columns = {col(ShardMapTable.LOCATION), col(DATA_READS), col(BLOCK_BYTES)};
    return data.select(columns)
        .unionByName(parity.select(columns))
        .groupBy(col(ShardMapTable.LOCATION))
        .agg(
            sum(col(DATA_READS)).as(REQUESTS),
            sum(col(DATA_READS).multiply(col(BLOCK_BYTES))).as(BYTES));
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
    Map<String, Double> shares = new TreeMap<>();
    double allReads = 0;
    double allMillis = 0;
    List<Row> rows = new ArrayList<>(loads.collectAsList()); // one a location
    rows.sort(java.util.Comparator.comparing((Row row) -> row.getString(0)));
    for (Row row : rows) {
      double millis = millis(disk, row.getDouble(1), row.getDouble(2));
      reads.computeIfPresent(row.getString(0), (name, none) -> row.getDouble(1));
      readsAt.put(row.getString(0), row.getDouble(1));
      shares.put(row.getString(0), millis * slowness(tiers, row.getString(0)) / span.toMillis());
      allReads += row.getDouble(1);
      allMillis += millis;
    }
    double mean = reads.values().stream().mapToDouble(r -> r).average().orElse(0);
    double most = reads.values().stream().mapToDouble(r -> r).max().orElse(0);
    return new Busy(
        shares,
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
        Map.of(NightScores.SOURCE, millis / span.toMillis() / disks),
        Map.of(),
        sums.getDouble(0) == 0 ? 0 : millis / sums.getDouble(0),
        Double.NaN);
  }

  /** Milliseconds that so many reads of so many bytes in all take, on average. */
  private static double millis(LocationModel.Disk disk, double reads, double bytes) {
    double ofNone = disk.meanMillis(0);
    return reads * ofNone + disk.meanMillis((long) bytes) - ofNone;
  }

  private static double slowness(Map<String, Tier> tiers, String location) {
    return 1 / tiers.getOrDefault(location, Tier.ONLY).speed();
  }

  /**
   * A read of several blocks takes as long as the one at the slowest tier; of copies all serve
   * alike many.
   */
  private static Dataset<Row> plannedKinds(
      Dataset<Row> map, Dataset<Row> live, Dataset<Row> reads, Busy busy, Map<String, Tier> tiers) {
    List<Row> shares = new ArrayList<>();
    busy.shares()
        .forEach(
            (name, share) -> shares.add(RowFactory.create(name, share, slowness(tiers, name))));
    Dataset<Row> byLocation =
        live.sparkSession()
            .createDataFrame(
                shares,
                new StructType()
                    .add(ShardMapTable.LOCATION, DataTypes.StringType, false)
                    .add(BUSY_SHARE, DataTypes.DoubleType, false)
                    .add(ReadTimeTask.SLOWNESS, DataTypes.DoubleType, false));
    Dataset<Row> blocks =
        live.select(
                ShardMapTable.OBJECT_ID,
                ShardMapTable.SEGMENT,
                ShardMapTable.META_SHARD_ID,
                ShardMapTable.LOCATION)
            .join(broadcast(byLocation), new String[] {ShardMapTable.LOCATION});
    if (!tiers.isEmpty()) {
      Dataset<Row> ofCopies =
          map.where(col(ShardMapTable.K).equalTo(1))
              .select(ShardMapTable.META_SHARD_ID, ShardMapTable.LOCATION)
              .join(broadcast(byLocation), new String[] {ShardMapTable.LOCATION})
              .groupBy(ShardMapTable.META_SHARD_ID)
              .agg(avg(col(ReadTimeTask.SLOWNESS)).as(COPIES_SLOWNESS));
      blocks =
          blocks
              .join(ofCopies, new String[] {ShardMapTable.META_SHARD_ID}, "left")
              .withColumn(
                  ReadTimeTask.SLOWNESS,
                  coalesce(col(COPIES_SLOWNESS), col(ReadTimeTask.SLOWNESS)));
    }
    Dataset<Row> ofSegments =
        blocks
            .groupBy(SEGMENT[0], SEGMENT[1])
            .agg(
                avg(col(BUSY_SHARE)).as(BUSY_SHARE),
                max(col(ReadTimeTask.SLOWNESS)).as(ReadTimeTask.SLOWNESS));
    return kinds(
        NightScores.PLANNED,
        reads.join(ofSegments, SEGMENT, "left"),
        col(NEEDED),
        col(ASKED),
        col(BLOCK_BYTES),
        coalesce(col(BUSY_SHARE), lit(0.0)),
        coalesce(col(ReadTimeTask.SLOWNESS), lit(1.0)));
  }

  private static Dataset<Row> sourceKinds(String layout, Dataset<Row> requested, Busy busy) {
    return kinds(
        layout,
        requested,
        lit(1),
        lit(1),
        col(BYTES),
        lit(busy.shares().get(NightScores.SOURCE)),
        lit(1.0));
  }

  private static Dataset<Row> kinds(
      String layout,
      Dataset<Row> reads,
      Column needed,
      Column asked,
      Column bytes,
      Column busyShare,
      Column slowness) {
    return reads.select(
        lit(layout).as(ReadTimeTask.LAYOUT),
        needed.as(NEEDED),
        asked.as(ASKED),
        round(log2(bytes.plus(1)).multiply(ReadTimeTask.SIZES_PER_OCTAVE))
            .cast(DataTypes.IntegerType)
            .as(ReadTimeTask.SIZE),
        round(least(busyShare, lit(1.0)).multiply(ReadTimeTask.BUSY_STEPS))
            .cast(DataTypes.IntegerType)
            .as(ReadTimeTask.BUSY),
        slowness.as(ReadTimeTask.SLOWNESS),
        col(REQUESTS).as(REQUESTS));
  }

  private static List<Time> times(Dataset<Row> kinds, ReadTimeTask task) {
    List<Row> bins =
        kinds
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
