package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;

import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.Objects;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;

/**
 * The reads that demand counts: those of whole objects, once each, and ranged ones, one a segment.
 *
 * @param kept requested segments, with what was requested of each
 * @param segments the same, without the plan that led to them: they are used several times in what
 *     is worked out of them, and Spark analyses a plan anew wherever it is used
 */
record RequestedReads(Dataset<Row> kept, Dataset<Row> segments) implements AutoCloseable {
  static final String OBJECT_ID = Demand.OBJECT_ID;
  static final String SEGMENT = Demand.SEGMENT;
  static final String REQUESTS = ReadTimeTask.REQUESTS;

  /** Column: of each of them, on average. */
  static final String BYTES = "read_bytes";

  private static final String WHOLE = Demand.WHOLE_REQUESTS;
  private static final String LENGTH = "segment_length";

  /** Ranged reads that are fewer than this share of all are what rounding leaves of none. */
  private static final double NO_SHARE = 1e-6;

  /**
   * Counts them.
   *
   * @param demand as {@link Demand#SCHEMA}
   * @param objects {@link Objects#OBJECT_ID}, and the bytes and segmentation to count in
   */
  static RequestedReads of(Dataset<Row> demand, Dataset<Row> objects) {
    Column from = col(SEGMENT).cast(DataTypes.LongType).multiply(col(Objects.SEGMENT_BYTES));
    Dataset<Row> kept =
        Rebinned.toCurrent(demand, objects)
            .groupBy(col(OBJECT_ID), col(SEGMENT))
            .agg(
                sum(col(Demand.REQUESTS)).as(REQUESTS),
                sum(col(WHOLE)).as(WHOLE),
                sum(col(Demand.BYTES)).cast(DataTypes.DoubleType).as(BYTES))
            .where(col(REQUESTS).gt(0))
            .join(
                objects.select(Objects.OBJECT_ID, Objects.OBJECT_BYTES, Objects.SEGMENT_BYTES),
                OBJECT_ID)
            .select(
                col(OBJECT_ID),
                col(SEGMENT),
                col(REQUESTS),
                least(col(WHOLE), col(REQUESTS)).as(WHOLE),
                col(BYTES),
                col(Objects.OBJECT_BYTES),
                greatest(
                        lit(0L),
                        least(col(Objects.SEGMENT_BYTES), col(Objects.OBJECT_BYTES).minus(from)))
                    .as(LENGTH))
            .persist(StorageLevel.MEMORY_AND_DISK());
    return new RequestedReads(
        kept, kept.sparkSession().createDataFrame(kept.javaRDD(), kept.schema()));
  }

  /** Ids, {@link #SEGMENT}, {@link #REQUESTS} and {@link #BYTES} of reads of parts. */
  Dataset<Row> ranged() {
    Column ranged = col(REQUESTS).minus(col(WHOLE));
    Column bytes = col(BYTES).minus(col(WHOLE).multiply(col(LENGTH))).divide(ranged);
    return segments
        .where(ranged.gt(col(REQUESTS).multiply(NO_SHARE)))
        .select(
            col(OBJECT_ID),
            col(SEGMENT),
            ranged.as(REQUESTS),
            greatest(lit(0.0), least(bytes, col(Objects.OBJECT_BYTES))).as(BYTES));
  }

  /**
   * One row per object that is read whole: id, {@link #REQUESTS} and {@link #BYTES}. A whole read
   * counts in every segment, so the segment of the most says how many there are.
   */
  Dataset<Row> whole() {
    return segments
        .groupBy(col(OBJECT_ID))
        .agg(
            max(col(WHOLE)).as(REQUESTS),
            max(col(Objects.OBJECT_BYTES)).cast(DataTypes.DoubleType).as(BYTES))
        .where(col(REQUESTS).gt(0));
  }

  /** Both, as one request each: ids, {@link #REQUESTS} and {@link #BYTES}. */
  Dataset<Row> ofSources() {
    Column[] columns = {col(OBJECT_ID), col(REQUESTS), col(BYTES)};
    return ranged().select(columns).unionByName(whole().select(columns));
  }

  @Override
  public void close() {
    kept.unpersist();
  }
}
