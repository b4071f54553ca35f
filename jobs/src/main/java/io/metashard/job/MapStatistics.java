package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.sum;

import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The shard map in figures.
 *
 * @param storedBytes bytes of blocks with their frame checksums, dead ones included
 * @param logicalBytes bytes of the objects served
 * @param survives failure domains that may be lost without losing a byte
 */
record MapStatistics(
    long objects, long metaShards, long blocks, long storedBytes, long logicalBytes, int survives) {

  /** Bytes stored per byte served; NaN while nothing is. */
  double storageRatio() {
    return logicalBytes == 0 ? Double.NaN : (double) storedBytes / logicalBytes;
  }

  static MapStatistics of(Dataset<Row> map) {
    Row blocks =
        map.agg(
                countDistinct(col(ShardMapTable.META_SHARD_ID)),
                count(lit(1)),
                coalesce(sum(ShardMapTable.physicalBytes()), lit(0L)),
                // Blocks of a meta-shard are in different domains, so m domains may go.
                coalesce(min(col(ShardMapTable.M)), lit(0)))
            .first();
    Row objects =
        ShardMap.live(map)
            .groupBy(col(ShardMapTable.OBJECT_ID))
            .agg(max(col(ShardMapTable.OBJECT_BYTES)).as(ShardMapTable.OBJECT_BYTES))
            .agg(count(lit(1)), coalesce(sum(col(ShardMapTable.OBJECT_BYTES)), lit(0L)))
            .first();
    return new MapStatistics(
        objects.getLong(0),
        blocks.getLong(0),
        blocks.getLong(1),
        blocks.getLong(2),
        objects.getLong(1),
        blocks.getInt(3));
  }
}
