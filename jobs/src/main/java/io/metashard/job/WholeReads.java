package io.metashard.job;

import static org.apache.spark.sql.functions.arrays_zip;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.size;

import io.metashard.LocationModel;
import io.metashard.plan.PlannedBlock;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.Fetch;
import io.metashard.simulate.ObjectLayout;
import io.metashard.simulate.PartClass;
import io.metashard.simulate.PlacedBlock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.CoGroupFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Reads of whole objects, each as what a reader asks the locations of its blocks for.
 *
 * <p>That is worked out object by object, with the blocks of one object in memory.
 *
 * @param rows one an object
 */
record WholeReads(Dataset<Row> rows) {
  private static final String REQUESTS = RequestedReads.REQUESTS;
  private static final String FETCHES = "fetches";
  private static final String FETCH = "fetch";
  private static final String SITES = "sites";
  private static final String SITE_BYTES = "site_bytes";

  private static final StructType ASKED_FOR =
      new StructType()
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(
              FETCHES,
              DataTypes.createArrayType(
                  new StructType()
                      .add(ReadTimeTask.NEEDED, DataTypes.IntegerType, false)
                      .add(ReadTimeTask.ASKED, DataTypes.IntegerType, false)
                      .add(SITES, DataTypes.createArrayType(DataTypes.StringType, false), false)
                      .add(SITE_BYTES, DataTypes.createArrayType(DataTypes.LongType, false), false),
                  false),
              false);

  /** Column of blocks: whose read they are looked at for. */
  private static final String READER = "reader";

  private static final String[] BLOCK = {
    ShardMapTable.OBJECT_ID,
    ShardMapTable.OBJECT_OFFSET,
    ShardMapTable.LENGTH,
    ShardMapTable.META_SHARD_ID,
    ShardMapTable.K,
    ShardMapTable.BLOCK_INDEX,
    ShardMapTable.LOCATION
  };

  /**
   * Works out what is asked for.
   *
   * @param whole ids, and {@link RequestedReads#REQUESTS} of each
   * @param map as {@link ShardMapTable#SCHEMA}
   * @param live its rows that are served; all of every object in {@code whole}
   * @param extra blocks asked for beyond what is needed, at most
   */
  static WholeReads of(Dataset<Row> whole, Dataset<Row> map, Dataset<Row> live, int extra) {
    Dataset<Row> own =
        columns(live, BLOCK)
            .join(whole.select(RequestedReads.OBJECT_ID), RequestedReads.OBJECT_ID)
            .withColumn(READER, col(ShardMapTable.OBJECT_ID));
    // Blocks of nobody stand in only where all data of a meta-shard is read.
    String held = "held";
    Dataset<Row> all =
        own.groupBy(col(READER), col(ShardMapTable.META_SHARD_ID))
            .agg(count(lit(1)).as(held), max(col(ShardMapTable.K)).as(ShardMapTable.K))
            .where(col(held).geq(col(ShardMapTable.K)))
            .select(READER, ShardMapTable.META_SHARD_ID);
    Dataset<Row> parity =
        columns(map.where(col(ShardMapTable.OBJECT_ID).isNull()), BLOCK)
            .join(all, ShardMapTable.META_SHARD_ID);
    return new WholeReads(
        whole
            .groupByKey(new SimulatedReads.Key(RequestedReads.OBJECT_ID), Encoders.STRING())
            .cogroup(
                own.unionByName(parity)
                    .groupByKey(new SimulatedReads.Key(READER), Encoders.STRING()),
                new ToFetches(extra),
                Encoders.row(ASKED_FOR)));
  }

  private static Dataset<Row> columns(Dataset<Row> rows, String... names) {
    return rows.select(
        java.util.Arrays.stream(names).map(name -> col(name)).toArray(Column[]::new));
  }

  /** From the reads and the blocks of an object to what a read asks for. */
  private record ToFetches(int extra) implements CoGroupFunction<String, Row, Row, Row> {
    @Override
    public Iterator<Row> call(String objectId, Iterator<Row> reads, Iterator<Row> side) {
      if (!reads.hasNext() || !side.hasNext()) {
        return Collections.emptyIterator();
      }
      Map<String, Integer> numbers = new HashMap<>();
      List<String> names = new ArrayList<>();
      List<PlacedBlock> blocks = new ArrayList<>();
      while (side.hasNext()) {
        Row row = side.next();
        String name = row.getAs(ShardMapTable.LOCATION);
        int location = numbers.computeIfAbsent(name, n -> names.size());
        if (location == names.size()) {
          names.add(name);
        }
        blocks.add(block(row, location));
      }
      ObjectLayout layout = ObjectLayout.of(objectId, blocks);
      Row[] fetches =
          layout.fetches(0, layout.bytes(), extra).stream()
              .map(fetch -> row(fetch, names))
              .toArray(Row[]::new);
      double requests = reads.next().<Double>getAs(REQUESTS);
      return List.of(RowFactory.create(requests, fetches)).iterator();
    }

    private static PlacedBlock block(Row row, int location) {
      String shard = row.getAs(ShardMapTable.META_SHARD_ID);
      return new PlacedBlock(
          row.getAs(ShardMapTable.OBJECT_ID),
          row.<Long>getAs(ShardMapTable.OBJECT_OFFSET),
          row.<Long>getAs(ShardMapTable.LENGTH),
          shard,
          PlannedBlock.bundle(shard),
          row.<Integer>getAs(ShardMapTable.K),
          row.<Integer>getAs(ShardMapTable.BLOCK_INDEX),
          location);
    }

    private static Row row(Fetch fetch, List<String> names) {
      return RowFactory.create(
          fetch.needed(),
          fetch.asked(),
          fetch.choices().stream()
              .map(choice -> names.get(choice.location()))
              .toArray(String[]::new),
          fetch.choices().stream().map(Fetch.Choice::bytes).toArray(Long[]::new));
    }
  }

  /**
   * Requests to locations, some rows each: location, requests, and bytes of all of them. Where any
   * of several locations can be asked, all are asked alike often.
   */
  Dataset<Row> loads() {
    String site = "site";
    Column each =
        col(REQUESTS)
            .multiply(col(FETCH + "." + ReadTimeTask.ASKED))
            .divide(size(col(FETCH + "." + SITES)));
    return rows.select(col(REQUESTS), explode(col(FETCHES)).as(FETCH))
        .select(
            each.as(REQUESTS),
            explode(arrays_zip(col(FETCH + "." + SITES), col(FETCH + "." + SITE_BYTES))).as(site))
        .select(
            col(site + "." + SITES).as(ShardMapTable.LOCATION),
            col(REQUESTS),
            col(REQUESTS).multiply(col(site + "." + SITE_BYTES)).as(RequestedReads.BYTES));
  }

  /**
   * As kinds of reads.
   *
   * @param sites by location
   * @param model that tells slower parts of a read from quicker ones
   */
  Dataset<Row> kinds(String layout, Map<String, PartClass.Site> sites, LocationModel model) {
    return rows.map(
        new ToKind(layout, new HashMap<>(sites), model), Encoders.row(ReadTimeTask.KINDS));
  }

  /** From what a read asks for to its kind. */
  private record ToKind(String layout, Map<String, PartClass.Site> known, LocationModel model)
      implements MapFunction<Row, Row> {
    @Override
    public Row call(Row row) {
      Map<String, Integer> numbers = new HashMap<>();
      List<PartClass.Site> sites = new ArrayList<>();
      List<Fetch> fetches = new ArrayList<>();
      for (Row fetch : row.<Row>getList(row.fieldIndex(FETCHES))) {
        List<String> names = fetch.getList(fetch.fieldIndex(SITES));
        List<Long> bytes = fetch.getList(fetch.fieldIndex(SITE_BYTES));
        List<Fetch.Choice> choices = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
          int number = numbers.computeIfAbsent(names.get(i), n -> sites.size());
          if (number == sites.size()) {
            sites.add(known.get(names.get(i)));
          }
          choices.add(new Fetch.Choice(number, bytes.get(i)));
        }
        fetches.add(
            new Fetch(
                fetch.<Integer>getAs(ReadTimeTask.NEEDED),
                fetch.<Integer>getAs(ReadTimeTask.ASKED),
                choices));
      }
      double requests = row.<Double>getAs(REQUESTS);
      return RowFactory.create(
          layout,
          ReadTimeTask.rows(PartClass.of(fetches, sites, model)),
          requests,
          requests * PartClass.asked(fetches));
    }
  }
}
