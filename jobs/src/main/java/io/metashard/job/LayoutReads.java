package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sum;

import io.metashard.LocationModel;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.PartClass;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * What the reads of a layout ask its locations for: those of whole objects and those of segments.
 *
 * @param whole reads of objects that are in several parts
 * @param parts reads of segments, and of objects whose only segment is in one meta-shard: the same,
 *     and told without a look at its blocks
 */
record LayoutReads(WholeReads whole, SegmentReads parts) implements AutoCloseable {

  /**
   * Works it out.
   *
   * @param requested of the objects in {@code segments}, in their segmentation
   * @param map as {@link ShardMapTable#SCHEMA}
   * @param live its rows that are served
   * @param extra blocks asked for beyond what is needed, at most
   */
  static LayoutReads of(
      RequestedReads requested,
      MappedSegments segments,
      Dataset<Row> map,
      Dataset<Row> live,
      int extra) {
    Column isOneRead = col(MappedSegments.IS_ONE_READ);
    Dataset<Row> whole =
        requested
            .whole()
            .join(segments.objects().select(col(Objects.OBJECT_ID), isOneRead), Objects.OBJECT_ID);
    Dataset<Row> ofSegments =
        requested
            .ranged()
            .unionByName(
                whole
                    .where(isOneRead)
                    .drop(MappedSegments.IS_ONE_READ)
                    .withColumn(RequestedReads.SEGMENT, lit(0)));
    return new LayoutReads(
            WholeReads.of(whole.where(not(isOneRead)), map, live, extra),
            SegmentReads.of(ofSegments, segments, map, live, extra))
        .persisted();
  }

  private LayoutReads persisted() {
    whole.rows().persist(StorageLevel.MEMORY_AND_DISK());
    parts.rows().persist(StorageLevel.MEMORY_AND_DISK());
    return this;
  }

  /** One row per location: requests, and bytes of all of them. */
  Dataset<Row> loads() {
    return whole
        .loads()
        .unionByName(parts.loads())
        .groupBy(col(ShardMapTable.LOCATION))
        .agg(
            sum(col(RequestedReads.REQUESTS)).as(RequestedReads.REQUESTS),
            sum(col(RequestedReads.BYTES)).as(RequestedReads.BYTES));
  }

  /**
   * As kinds of reads, some rows each.
   *
   * @param sites by location
   * @param model that tells slower parts of a read from quicker ones
   */
  Dataset<Row> kinds(String layout, Map<String, PartClass.Site> sites, LocationModel model) {
    return whole.kinds(layout, sites, model).unionByName(parts.kinds(layout, sites));
  }

  @Override
  public void close() {
    whole.rows().unpersist();
    parts.rows().unpersist();
  }
}
