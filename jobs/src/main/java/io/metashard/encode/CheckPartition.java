package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.Pace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Checks the meta-shards of one partition, sorted as they were written, so that each container is
 * read from front to back.
 *
 * @param bytesPerSecond of this task; 0: no limit
 */
record CheckPartition(
    String engine,
    Map<String, Location> locations,
    long bytesPerSecond,
    SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {
  @Override
  public Iterator<Row> call(Iterator<Row> blocks) throws IOException {
    List<Row> findings = new ArrayList<>();
    try (LocationStores stores =
        new LocationStores(locations, hadoop.value(), new Pace(bytesPerSecond))) {
      MetaShardCheck check = new MetaShardCheck(engine, stores);
      MetaShardGroups<Block> metaShards =
          new MetaShardGroups<>(blocks, ShardMapTable::block, Block::metaShardId);
      while (metaShards.hasNext()) {
        findings.addAll(check.check(metaShards.next()));
      }
    }
    return findings.iterator();
  }
}
