package io.metashard.aggregate;

import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.round;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.catalogue.Objects;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;

/** Demand counted in former segmentations, told in today's. */
public final class Rebinned {
  private static final String KNOWN_ID = "known_id";
  private static final String NOW_SEGMENTS = "now_segments";
  private static final String NOW_SEGMENT_BYTES = "now_segment_bytes";
  private static final String FROM = "from_byte";
  private static final String LENGTH = "former_length";
  private static final String NOW = "now_segment";
  private static final String NOW_FROM = "now_from_byte";
  private static final String NOW_LENGTH = "now_length";
  private static final String OVERLAP = "overlap";

  private Rebinned() {}

  /**
   * Demand in the segmentation that the catalogue has now.
   *
   * <p>Rows of the same segmentation pass as they are. Of others, requests that read a part, and
   * bytes, are spread over the segments now there by the share of the former segment's bytes that
   * lies in each: their sums stay. A whole read counts 1 in every segment, before and after: whole
   * requests are the mean of the former segments', weighted by overlap, so that they neither
   * multiply nor vanish. Demand of ids that the catalogue does not hold, and of bytes beyond the
   * end of an object that has shrunk, is dropped.
   *
   * @param demand as {@link Demand#SCHEMA}; all rows of an object and bucket in one segmentation
   * @param objects as {@link Objects#SCHEMA}
   * @return as {@link Demand#SCHEMA}
   */
  public static Dataset<Row> toCurrent(Dataset<Row> demand, Dataset<Row> objects) {
    Dataset<Row> known =
        demand.join(
            objects.select(
                col(Objects.OBJECT_ID).as(KNOWN_ID),
                col(Objects.OBJECT_BYTES),
                col(Objects.SEGMENTS).as(NOW_SEGMENTS),
                col(Objects.SEGMENT_BYTES).as(NOW_SEGMENT_BYTES)),
            col(Demand.OBJECT_ID).equalTo(col(KNOWN_ID)));
    Column same = col(Demand.SEGMENT_BYTES).equalTo(col(NOW_SEGMENT_BYTES));
    Dataset<Row> unchanged =
        known
            .where(same.and(col(Demand.SEGMENT).lt(col(NOW_SEGMENTS))))
            .select(Unplaced.demandColumns());
    return unchanged.unionByName(spread(known.where(not(same))));
  }

  private static Dataset<Row> spread(Dataset<Row> former) {
    Column objectBytes = col(Objects.OBJECT_BYTES);
    Column from = col(Demand.SEGMENT).cast(DataTypes.LongType).multiply(col(Demand.SEGMENT_BYTES));
    // What is left of the object counts: no end is computed that could exceed a long.
    Column length = least(col(Demand.SEGMENT_BYTES), objectBytes.minus(col(FROM)));
    Column nowFrom = col(NOW).cast(DataTypes.LongType).multiply(col(NOW_SEGMENT_BYTES));
    Column nowLength = least(col(NOW_SEGMENT_BYTES), objectBytes.minus(col(NOW_FROM)));
    Column overlap =
        least(col(FROM).plus(col(LENGTH)), col(NOW_FROM).plus(col(NOW_LENGTH)))
            .minus(greatest(col(FROM), col(NOW_FROM)));
    Column empty = objectBytes.equalTo(0L);
    Column part = when(empty, lit(1.0)).otherwise(col(OVERLAP).divide(col(LENGTH)));
    Column ofNow = when(empty, lit(1.0)).otherwise(col(OVERLAP).divide(col(NOW_LENGTH)));
    Column whole = col(Demand.WHOLE_REQUESTS);
    Column partial = col(Demand.REQUESTS).minus(whole);
    return former
        .withColumn(FROM, from)
        // An empty object has one segment; of its former ones, the first stands for it.
        .where(col(FROM).lt(objectBytes).or(empty.and(col(Demand.SEGMENT).equalTo(0))))
        .withColumn(LENGTH, length)
        .withColumn(
            NOW,
            explode(
                sequence(
                    segment(col(FROM)),
                    segment(greatest(col(FROM).plus(col(LENGTH)).minus(1L), lit(0L))))))
        .withColumn(NOW_FROM, nowFrom)
        .withColumn(NOW_LENGTH, nowLength)
        .withColumn(OVERLAP, overlap)
        .select(
            col(Demand.DATE),
            col(Demand.OBJECT_ID),
            col(NOW).as(Demand.SEGMENT),
            col(NOW_SEGMENT_BYTES).as(Demand.SEGMENT_BYTES),
            col(Demand.BUCKET_START),
            partial.multiply(part).plus(whole.multiply(ofNow)).as(Demand.REQUESTS),
            whole.multiply(ofNow).as(Demand.WHOLE_REQUESTS),
            col(Demand.BYTES).multiply(part).as(Demand.BYTES))
        .groupBy(
            col(Demand.DATE), col(Demand.OBJECT_ID), col(Demand.SEGMENT), col(Demand.BUCKET_START))
        .agg(
            max(col(Demand.SEGMENT_BYTES)).as(Demand.SEGMENT_BYTES),
            sum(col(Demand.REQUESTS)).as(Demand.REQUESTS),
            sum(col(Demand.WHOLE_REQUESTS)).as(Demand.WHOLE_REQUESTS),
            round(sum(col(Demand.BYTES))).cast(DataTypes.LongType).as(Demand.BYTES))
        .select(Unplaced.demandColumns());
  }

  private static Column segment(Column position) {
    return call_function("div", position, col(NOW_SEGMENT_BYTES)).cast(DataTypes.IntegerType);
  }
}
