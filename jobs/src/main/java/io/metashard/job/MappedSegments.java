package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.sum;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * The segments that a map serves: their slices, and the code they are in.
 *
 * @param rows one a segment
 */
record MappedSegments(Dataset<Row> rows) implements AutoCloseable {
  static final String SLICES = "slices";
  static final String SLICE_BYTES = "slice_bytes";
  static final String SEGMENT_LENGTH = "segment_length";
  static final String TWINS = "twins";
  static final String FIRST_SHARD = "first_shard";
  static final String LAST_SHARD = "last_shard";

  /** Column of objects: whether reading it whole is reading its one segment, in one meta-shard. */
  static final String IS_ONE_READ = "is_one_read";

  /**
   * Those of a map.
   *
   * @param live rows of the map that are served, as {@link ShardMapTable#SCHEMA}
   */
  static MappedSegments of(Dataset<Row> live) {
    return new MappedSegments(
        live.groupBy(
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
            .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT))
            .agg(
                count(lit(1)).as(SLICES),
                max(col(ShardMapTable.LENGTH)).as(SLICE_BYTES),
                sum(col(ShardMapTable.LENGTH)).as(SEGMENT_LENGTH),
                max(col(ShardMapTable.OBJECT_BYTES)).as(ShardMapTable.OBJECT_BYTES),
                max(col(ShardMapTable.K)).as(ShardMapTable.K),
                max(col(ShardMapTable.M)).as(ShardMapTable.M),
                max(col(TWINS)).as(TWINS),
                min(col(FIRST_SHARD)).as(FIRST_SHARD),
                max(col(LAST_SHARD)).as(LAST_SHARD))
            .persist(StorageLevel.MEMORY_AND_DISK()));
  }

  /** Their objects in the segmentation that they were encoded in, with {@link #IS_ONE_READ}. */
  Dataset<Row> objects() {
    return rows.groupBy(col(Objects.OBJECT_ID))
        .agg(
            max(col(ShardMapTable.OBJECT_BYTES)).as(Objects.OBJECT_BYTES),
            max(col(Demand.SEGMENT)).plus(1).as(Objects.SEGMENTS),
            greatest(max(col(SEGMENT_LENGTH)), lit(1L)).as(Objects.SEGMENT_BYTES),
            max(col(Demand.SEGMENT))
                .equalTo(0)
                .and(min(col(FIRST_SHARD)).equalTo(max(col(LAST_SHARD))))
                .as(IS_ONE_READ));
  }

  @Override
  public void close() {
    rows.unpersist();
  }
}
