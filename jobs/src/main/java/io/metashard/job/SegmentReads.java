package io.metashard.job;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;

import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.BlockReads;
import io.metashard.simulate.PartClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Reads of segments, each as what a reader asks the locations of the segment's blocks for.
 *
 * @param rows one for the reads of a segment that are alike
 * @param map that they are served by, as {@link ShardMapTable#SCHEMA}
 * @param live its rows that are served
 */
record SegmentReads(Dataset<Row> rows, Dataset<Row> map, Dataset<Row> live) {
  private static final String REQUESTS = RequestedReads.REQUESTS;
  private static final String BYTES = RequestedReads.BYTES;
  private static final String BLOCK_BYTES = "block_read_bytes";
  private static final String NEEDED = ReadTimeTask.NEEDED;
  private static final String ASKED = ReadTimeTask.ASKED;

  /** Column: block reads of each data block of the segment. */
  private static final String DATA_READS = "data_reads";

  /** Column: block reads of each parity block of its meta-shard. */
  private static final String PARITY_READS = "parity_reads";

  private static final String BUSY_SHARE = "busy_share";
  private static final String SLOWNESS = ReadTimeTask.SLOWNESS;
  private static final String COPIES_SLOWNESS = "copies_slowness";
  private static final String[] SEGMENT = {RequestedReads.OBJECT_ID, RequestedReads.SEGMENT};

  /** Reads of one segment, in blocks. */
  private static final StructType READS =
      new StructType()
          .add(RequestedReads.OBJECT_ID, DataTypes.StringType, false)
          .add(RequestedReads.SEGMENT, DataTypes.IntegerType, false)
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(NEEDED, DataTypes.IntegerType, false)
          .add(ASKED, DataTypes.IntegerType, false)
          .add(BLOCK_BYTES, DataTypes.LongType, false)
          .add(DATA_READS, DataTypes.DoubleType, false)
          .add(PARITY_READS, DataTypes.DoubleType, false);

  /**
   * Works out what is asked for.
   *
   * @param requested ids, segments, requests and bytes of reads
   * @param mapped the segments that the map serves
   * @param extra blocks asked for beyond what is needed, at most
   */
  static SegmentReads of(
      Dataset<Row> requested,
      MappedSegments mapped,
      Dataset<Row> map,
      Dataset<Row> live,
      int extra) {
    return new SegmentReads(
        requested.join(mapped.rows(), SEGMENT).map(new ToReads(extra), Encoders.row(READS)),
        map,
        live);
  }

  /** From the requests of a segment, and its slices, to reads of blocks. */
  private record ToReads(int extraReads) implements MapFunction<Row, Row> {
    @Override
    public Row call(Row row) {
      double requests = row.<Double>getAs(REQUESTS);
      long bytes =
          Math.min(
              (long) Math.ceil(row.<Double>getAs(BYTES)),
              row.<Long>getAs(MappedSegments.SEGMENT_LENGTH));
      int slices = Math.toIntExact(row.<Long>getAs(MappedSegments.SLICES));
      long twins = row.<Long>getAs(MappedSegments.TWINS);
      int k = row.<Integer>getAs(ShardMapTable.K);
      int m = row.<Integer>getAs(ShardMapTable.M);
      boolean ownShard =
          slices > 1
              && slices == k
              && row.<String>getAs(MappedSegments.FIRST_SHARD)
                  .equals(row.<String>getAs(MappedSegments.LAST_SHARD));
      BlockReads reads =
          BlockReads.ofSlices(
              slices,
              row.<Long>getAs(MappedSegments.SLICE_BYTES),
              bytes,
              ownShard ? m : 0,
              extraReads);
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
          row.<String>getAs(RequestedReads.OBJECT_ID),
          row.<Integer>getAs(RequestedReads.SEGMENT),
          requests,
          reads.needed(),
          reads.asked(),
          reads.blockBytes(),
          dataReads,
          parityReads);
    }
  }

  /** Requests to locations, some rows each: location, requests, and bytes of all of them. */
  Dataset<Row> loads() {
    Dataset<Row> data =
        live.select(
                ShardMapTable.OBJECT_ID,
                ShardMapTable.SEGMENT,
                ShardMapTable.META_SHARD_ID,
                ShardMapTable.K,
                ShardMapTable.LOCATION)
            .join(rows, SEGMENT);
    // Each of the k data blocks of a meta-shard tells of all its parity blocks.
    Column ofParity = col(PARITY_READS).divide(col(ShardMapTable.K));
    Dataset<Row> ofShards =
        data.where(col(PARITY_READS).gt(0))
            .groupBy(col(ShardMapTable.META_SHARD_ID))
            .agg(sum(ofParity).as(REQUESTS), sum(ofParity.multiply(col(BLOCK_BYTES))).as(BYTES));
    Column[] columns = {col(ShardMapTable.LOCATION), col(REQUESTS), col(BYTES)};
    Dataset<Row> parity =
        map.where(col(ShardMapTable.OBJECT_ID).isNull())
            .select(ShardMapTable.META_SHARD_ID, ShardMapTable.LOCATION)
            .join(ofShards, new String[] {ShardMapTable.META_SHARD_ID})
            .select(columns);
    return data.select(
            col(ShardMapTable.LOCATION),
            col(DATA_READS).as(REQUESTS),
            col(DATA_READS).multiply(col(BLOCK_BYTES)).as(BYTES))
        .unionByName(parity);
  }

  /**
   * As kinds of reads. A read of several blocks takes as long as the one at the slowest tier; of
   * copies all serve alike many.
   *
   * @param sites by location
   */
  Dataset<Row> kinds(String layout, Map<String, PartClass.Site> sites) {
    List<Row> known = new ArrayList<>();
    sites.forEach(
        (name, site) -> known.add(RowFactory.create(name, site.busyShare(), site.slowness())));
    Dataset<Row> byLocation =
        live.sparkSession()
            .createDataFrame(
                known,
                new StructType()
                    .add(ShardMapTable.LOCATION, DataTypes.StringType, false)
                    .add(BUSY_SHARE, DataTypes.DoubleType, false)
                    .add(SLOWNESS, DataTypes.DoubleType, false));
    Dataset<Row> blocks =
        live.select(
                ShardMapTable.OBJECT_ID,
                ShardMapTable.SEGMENT,
                ShardMapTable.META_SHARD_ID,
                ShardMapTable.LOCATION)
            .join(broadcast(byLocation), new String[] {ShardMapTable.LOCATION});
    if (sites.values().stream().anyMatch(site -> site.slowness() != 1)) {
      Dataset<Row> ofCopies =
          map.where(col(ShardMapTable.K).equalTo(1))
              .select(ShardMapTable.META_SHARD_ID, ShardMapTable.LOCATION)
              .join(broadcast(byLocation), new String[] {ShardMapTable.LOCATION})
              .groupBy(ShardMapTable.META_SHARD_ID)
              .agg(avg(col(SLOWNESS)).as(COPIES_SLOWNESS));
      blocks =
          blocks
              .join(ofCopies, new String[] {ShardMapTable.META_SHARD_ID}, "left")
              .withColumn(SLOWNESS, coalesce(col(COPIES_SLOWNESS), col(SLOWNESS)));
    }
    Dataset<Row> ofSegments =
        blocks
            .groupBy(SEGMENT[0], SEGMENT[1])
            .agg(avg(col(BUSY_SHARE)).as(BUSY_SHARE), max(col(SLOWNESS)).as(SLOWNESS));
    return ReadTimeTask.kindsOfOnePart(
        layout,
        rows.join(ofSegments, SEGMENT, "left"),
        col(NEEDED),
        col(ASKED),
        col(BLOCK_BYTES),
        coalesce(col(BUSY_SHARE), lit(0.0)),
        coalesce(col(SLOWNESS), lit(1.0)));
  }
}
