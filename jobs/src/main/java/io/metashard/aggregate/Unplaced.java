package io.metashard.aggregate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.round;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.transform;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/** Reads of parts whose place the log does not tell. */
public final class Unplaced {
  private static final String WEIGHT = "weight";
  private static final String WEIGHTS = "weights";
  private static final String TOTAL = "total_weight";
  private static final String SPREAD = "spread";

  private Unplaced() {}

  /**
   * The demand of placed and unplaced reads together.
   *
   * <p>Each unplaced read counts 1 in all, spread over the object's segments as the placed reads of
   * the object on the same day are, evenly if it had none; so are the bytes sent, rounded per row.
   *
   * @param reads of {@link Reads#of}
   * @param placed of {@link Reads#placed}
   * @return as {@link Demand#SCHEMA}
   */
  public static Dataset<Row> added(Dataset<Row> reads, Dataset<Row> placed) {
    return placed
        .unionByName(spread(reads, placed))
        .groupBy(
            col(Demand.DATE), col(Demand.OBJECT_ID), col(Demand.SEGMENT), col(Demand.BUCKET_START))
        .agg(
            max(col(Demand.SEGMENT_BYTES)).as(Demand.SEGMENT_BYTES),
            sum(col(Demand.REQUESTS)).as(Demand.REQUESTS),
            sum(col(Demand.WHOLE_REQUESTS)).as(Demand.WHOLE_REQUESTS),
            sum(col(Demand.BYTES)).as(Demand.BYTES))
        .select(demandColumns());
  }

  private static Dataset<Row> spread(Dataset<Row> reads, Dataset<Row> placed) {
    List<String> day = List.of(Demand.DATE, Demand.OBJECT_ID);
    Dataset<Row> shares =
        placed
            .groupBy(col(Demand.DATE), col(Demand.OBJECT_ID), col(Demand.SEGMENT))
            .agg(sum(col(Demand.REQUESTS)).as(WEIGHT))
            .groupBy(col(Demand.DATE), col(Demand.OBJECT_ID))
            .agg(
                collect_list(struct(col(Demand.SEGMENT), col(WEIGHT))).as(WEIGHTS),
                sum(col(WEIGHT)).as(TOTAL));
    Column even =
        transform(
            sequence(lit(0), col(Reads.SEGMENTS).minus(1)),
            segment -> struct(segment.as(Demand.SEGMENT), lit(1.0).as(WEIGHT)));
    Column share = col(SPREAD).getField(WEIGHT).divide(col(TOTAL));
    return reads
        .where(col(Reads.KIND).equalTo(Reads.UNPLACED))
        .join(shares, day.toArray(String[]::new), "left")
        .withColumn(SPREAD, explode(coalesce(col(WEIGHTS), even)))
        .withColumn(TOTAL, coalesce(col(TOTAL), col(Reads.SEGMENTS).cast(DataTypes.DoubleType)))
        .select(
            col(Demand.DATE),
            col(Demand.OBJECT_ID),
            col(SPREAD).getField(Demand.SEGMENT).as(Demand.SEGMENT),
            col(Reads.SEGMENT_BYTES).as(Demand.SEGMENT_BYTES),
            col(Demand.BUCKET_START),
            share.multiply(col(Reads.REQUESTS)).as(Demand.REQUESTS),
            lit(0.0).as(Demand.WHOLE_REQUESTS),
            round(share.multiply(col(Reads.FIRST_BYTES)))
                .cast(DataTypes.LongType)
                .as(Demand.BYTES));
  }

  static Column[] demandColumns() {
    return Arrays.stream(Demand.SCHEMA.fieldNames()).map(functions::col).toArray(Column[]::new);
  }
}
