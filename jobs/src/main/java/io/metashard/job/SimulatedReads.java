package io.metashard.job;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import io.metashard.LocationModel;
import io.metashard.encode.PlannedBlocks;
import io.metashard.plan.PlannedBlock;
import io.metashard.simulate.Baselines;
import io.metashard.simulate.Fetch;
import io.metashard.simulate.LayoutRule;
import io.metashard.simulate.ObjectLayout;
import io.metashard.simulate.PlacedBlock;
import io.metashard.simulate.Replay;
import io.metashard.simulate.SimulatedObject;
import io.metashard.simulate.Simulation;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.CoGroupFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Reads of a log, replayed through layouts that fit into no memory.
 *
 * <p>What a read asks for is worked out object by object, with the blocks of one object's
 * meta-shards in memory; then one task serves all reads in the order of their time, and remembers
 * nothing but how long each location is busy.
 *
 * @param rows as {@link #READS}
 * @param speeds of the locations, one each, in times of the model
 * @param extra blocks asked for beyond what is needed
 * @param seed of where objects lie that no layout holds, and of which requests are slow
 */
record SimulatedReads(Dataset<Row> rows, List<Double> speeds, int extra, long seed) {
  SimulatedReads {
    speeds = List.copyOf(speeds);
  }

  /** How many there are. */
  int locations() {
    return speeds.size();
  }

  static final String AT = "at_millis";
  static final String OBJECT_ID = PlannedBlocks.OBJECT_ID;
  static final String FROM = "range_from";
  static final String TO = "range_to";

  static final StructType READS =
      new StructType()
          .add(AT, DataTypes.DoubleType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(FROM, DataTypes.LongType, false)
          .add(TO, DataTypes.LongType, false);

  /** Column of blocks: whose read they are looked at for. */
  private static final String READER = "reader";

  /** Column of blocks: number of the location. */
  static final String SITE = "site";

  static final String LIVE = "live";

  /** What blocks must have. */
  static final StructType BLOCKS =
      new StructType()
          .add(OBJECT_ID, DataTypes.StringType, true)
          .add(LIVE, DataTypes.BooleanType, false)
          .add(PlannedBlocks.OBJECT_OFFSET, DataTypes.LongType, false)
          .add(PlannedBlocks.LENGTH, DataTypes.LongType, false)
          .add(PlannedBlocks.META_SHARD_ID, DataTypes.StringType, false)
          .add(PlannedBlocks.K, DataTypes.IntegerType, false)
          .add(PlannedBlocks.BLOCK_INDEX, DataTypes.IntegerType, false)
          .add(SITE, DataTypes.IntegerType, false);

  static final String BYTES = PlannedBlocks.OBJECT_BYTES;
  static final String EXPECTED = PlannedBlocks.EXPECTED_REQUESTS;

  private static final String NEEDED = "needed";
  private static final String ASKED = "asked";
  private static final String SITES = "sites";
  private static final String SITE_BYTES = "site_bytes";
  private static final String FETCHES = "fetches";

  private static final StructType FETCH =
      new StructType()
          .add(NEEDED, DataTypes.IntegerType, false)
          .add(ASKED, DataTypes.IntegerType, false)
          .add(SITES, DataTypes.createArrayType(DataTypes.IntegerType, false), false)
          .add(SITE_BYTES, DataTypes.createArrayType(DataTypes.LongType, false), false);

  private static final StructType ASKED_FOR =
      READS.add(FETCHES, DataTypes.createArrayType(FETCH, false), false);

  private static final StructType TIMES =
      new StructType()
          .add(Simulations.MEAN_MILLIS, DataTypes.DoubleType, false)
          .add(Simulations.P50_MILLIS, DataTypes.DoubleType, false)
          .add(Simulations.P95_MILLIS, DataTypes.DoubleType, false)
          .add(Simulations.P99_MILLIS, DataTypes.DoubleType, false)
          .add(Simulations.IMBALANCE, DataTypes.DoubleType, false)
          .add(Simulations.BUSY_SHARE, DataTypes.DoubleType, false)
          .add(Simulations.READS, DataTypes.LongType, false);

  /**
   * Through a layout of blocks; what it does not hold is read from its source, at one location.
   *
   * @param blocks as {@link #BLOCKS}, all of every meta-shard
   */
  Replay throughBlocks(Dataset<Row> blocks, LocationModel model, double storageRatio) {
    Dataset<Row> requested = rows.select(col(OBJECT_ID)).distinct();
    Dataset<Row> shards =
        blocks
            .where(col(OBJECT_ID).isNotNull().and(col(LIVE)))
            .join(requested, OBJECT_ID)
            .select(col(OBJECT_ID).as(READER), col(PlannedBlocks.META_SHARD_ID))
            .distinct();
    Dataset<Row> side =
        shards.join(
            // Dead bytes are of no object that is read.
            blocks.withColumn(
                OBJECT_ID,
                when(col(OBJECT_ID).isNotNull().and(col(LIVE).equalTo(false)), lit(""))
                    .otherwise(col(OBJECT_ID))),
            PlannedBlocks.META_SHARD_ID);
    return replay(side, READER, new OfBlocks(), model, storageRatio);
  }

  /**
   * Through a layout that is a rule.
   *
   * @param objects {@link #OBJECT_ID}, {@link #BYTES} and {@link #EXPECTED} of all
   */
  Replay throughRule(
      Dataset<Row> objects, LayoutRule rule, LocationModel model, double storageRatio) {
    return replay(objects, OBJECT_ID, new OfRule(rule, locations(), seed), model, storageRatio);
  }

  private Replay replay(
      Dataset<Row> side, String key, LayoutOf layout, LocationModel model, double storageRatio) {
    Row times =
        rows.groupByKey(new Key(OBJECT_ID), Encoders.STRING())
            .cogroup(
                side.groupByKey(new Key(key), Encoders.STRING()),
                new ToFetches(layout, locations(), extra, seed),
                Encoders.row(ASKED_FOR))
            .repartition(1)
            .sortWithinPartitions(col(AT), col(OBJECT_ID), col(FROM), col(TO))
            .mapPartitions(new Serve(model, speeds, seed), Encoders.row(TIMES))
            .first();
    return new Replay(
        times.getDouble(0),
        times.getDouble(1),
        times.getDouble(2),
        times.getDouble(3),
        times.getDouble(4),
        times.getDouble(5),
        storageRatio,
        times.getLong(6));
  }

  /** The layout of one object. */
  private interface LayoutOf extends Serializable {
    /**
     * @param side what is known of the object
     */
    List<PlacedBlock> blocks(String objectId, Iterator<Row> side);
  }

  private record OfBlocks() implements LayoutOf {
    @Override
    public List<PlacedBlock> blocks(String objectId, Iterator<Row> side) {
      List<PlacedBlock> blocks = new ArrayList<>();
      while (side.hasNext()) {
        Row row = side.next();
        String shard = row.getAs(PlannedBlocks.META_SHARD_ID);
        blocks.add(
            new PlacedBlock(
                row.getAs(OBJECT_ID),
                row.<Long>getAs(PlannedBlocks.OBJECT_OFFSET),
                row.<Long>getAs(PlannedBlocks.LENGTH),
                shard,
                PlannedBlock.bundle(shard),
                row.<Integer>getAs(PlannedBlocks.K),
                row.<Integer>getAs(PlannedBlocks.BLOCK_INDEX),
                row.<Integer>getAs(SITE)));
      }
      return blocks;
    }
  }

  private record OfRule(LayoutRule rule, int locations, long seed) implements LayoutOf {
    @Override
    public List<PlacedBlock> blocks(String objectId, Iterator<Row> side) {
      List<PlacedBlock> blocks = new ArrayList<>();
      side.forEachRemaining(
          row -> blocks.addAll(Baselines.blocks(object(row), rule, locations, seed)));
      return blocks;
    }
  }

  static SimulatedObject object(Row row) {
    return new SimulatedObject(
        row.getAs(OBJECT_ID), row.<Long>getAs(BYTES), row.<Double>getAs(EXPECTED));
  }

  /** The value of a column of text. */
  record Key(String column) implements MapFunction<Row, String> {
    @Override
    public String call(Row row) {
      return row.getAs(column);
    }
  }

  /** From the reads of an object, and what is known of its layout, to what is asked for. */
  private record ToFetches(LayoutOf layout, int locations, int extra, long seed)
      implements CoGroupFunction<String, Row, Row, Row> {
    /** Ranges of an object that are remembered: the same are asked for again and again. */
    private static final int REMEMBERED = 256;

    @Override
    public Iterator<Row> call(String objectId, Iterator<Row> reads, Iterator<Row> side) {
      if (!reads.hasNext()) {
        return List.<Row>of().iterator();
      }
      List<PlacedBlock> blocks = layout.blocks(objectId, side);
      ObjectLayout held = ObjectLayout.of(objectId, blocks);
      boolean hasBlocks = blocks.stream().anyMatch(block -> objectId.equals(block.objectId()));
      // The layout may be of a former version, which was shorter.
      long heldBytes = hasBlocks ? held.bytes() : -1;
      Map<List<Long>, Row[]> known =
          new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<List<Long>, Row[]> eldest) {
              return size() > REMEMBERED;
            }
          };
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return reads.hasNext();
        }

        @Override
        public Row next() {
          Row read = reads.next();
          long from = read.<Long>getAs(FROM);
          long to = read.<Long>getAs(TO);
          Row[] fetches =
              known.computeIfAbsent(
                  List.of(from, to),
                  range ->
                      rows(
                          to <= heldBytes
                              ? held.fetches(from, to, extra)
                              : fromSource(objectId, from, to)));
          return RowFactory.create(read.<Double>getAs(AT), objectId, from, to, fetches);
        }
      };
    }

    private List<Fetch> fromSource(String objectId, long from, long to) {
      int at = Baselines.sourceOf(objectId, locations, seed);
      return List.of(new Fetch(1, 1, List.of(new Fetch.Choice(at, to - from))));
    }

    private static Row[] rows(List<Fetch> fetches) {
      return fetches.stream()
          .map(
              fetch ->
                  RowFactory.create(
                      fetch.needed(),
                      fetch.asked(),
                      fetch.choices().stream().map(Fetch.Choice::location).toArray(Integer[]::new),
                      fetch.choices().stream().map(Fetch.Choice::bytes).toArray(Long[]::new)))
          .toArray(Row[]::new);
    }
  }

  /** Serves all reads; they come in the order of their time. */
  private record Serve(LocationModel model, List<Double> speeds, long seed)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> reads) {
      Simulation simulation = new Simulation(model, speeds, seed);
      while (reads.hasNext()) {
        Row read = reads.next();
        List<Fetch> fetches = new ArrayList<>();
        for (Row fetch : read.<Row>getList(read.fieldIndex(FETCHES))) {
          List<Integer> sites = fetch.getList(fetch.fieldIndex(SITES));
          List<Long> bytes = fetch.getList(fetch.fieldIndex(SITE_BYTES));
          List<Fetch.Choice> choices = new ArrayList<>();
          for (int i = 0; i < sites.size(); i++) {
            choices.add(new Fetch.Choice(sites.get(i), bytes.get(i)));
          }
          fetches.add(
              new Fetch(fetch.<Integer>getAs(NEEDED), fetch.<Integer>getAs(ASKED), choices));
        }
        simulation.read(read.<Double>getAs(AT), fetches);
      }
      var times = simulation.times();
      return List.of(
              RowFactory.create(
                  times.mean(),
                  times.percentile(0.5),
                  times.percentile(0.95),
                  times.percentile(0.99),
                  simulation.imbalance(),
                  simulation.busyShare(),
                  times.count()))
          .iterator();
    }
  }

  /** Blocks with the numbers of their locations in place of the names. */
  static Dataset<Row> numbered(Dataset<Row> blocks, List<String> names) {
    List<Row> numbers = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      numbers.add(RowFactory.create(names.get(i), i));
    }
    Dataset<Row> sites =
        blocks
            .sparkSession()
            .createDataFrame(
                numbers,
                new StructType()
                    .add(PlannedBlocks.LOCATION, DataTypes.StringType, false)
                    .add(SITE, DataTypes.IntegerType, false));
    return blocks
        .join(broadcast(sites), PlannedBlocks.LOCATION)
        .select(
            java.util.Arrays.stream(BLOCKS.fieldNames())
                .map(name -> col(name))
                .toArray(org.apache.spark.sql.Column[]::new));
  }
}
