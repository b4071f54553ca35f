package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.encode.RepairBlocks.RepairBlock;
import io.metashard.plan.Places;
import io.metashard.plan.RepairPlacement;
import io.metashard.plan.Site;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.Digest;
import io.metashard.store.Pace;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Repairs the meta-shards of one partition, in the order in which they come.
 *
 * @param sites that can be written, with the room that one task may fill
 * @param bytesPerSecond of this task, reading and writing; 0: no limit
 */
record RepairPartition(
    EncodeOptions options,
    Map<String, Location> locations,
    Places places,
    List<Site> sites,
    String runId,
    String generation,
    Instant writtenAt,
    long bytesPerSecond,
    SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {
  @Override
  public Iterator<Row> call(Iterator<Row> blocks) throws IOException {
    List<Row> results = new ArrayList<>();
    if (!blocks.hasNext()) {
      return results.iterator();
    }
    Pace pace = new Pace(bytesPerSecond);
    try (LocationStores stores = new LocationStores(locations, hadoop.value(), pace);
        OpenContainers containers =
            new OpenContainers(
                options.frameBytes(),
                options.digest().equals("on") ? Digest.SHA256 : Digest.CRC32C,
                locations,
                OpenContainers.prefix(runId),
                hadoop.value(),
                pace)) {
      MetaShardRepair repair =
          new MetaShardRepair(
              options,
              stores,
              containers,
              new RepairPlacement(places, sites),
              generation,
              writtenAt);
      MetaShardGroups<RepairBlock> metaShards =
          new MetaShardGroups<>(blocks, RepairBlock::of, one -> one.block().metaShardId());
      while (metaShards.hasNext()) {
        for (Row finding : repair.repair(metaShards.next())) {
          results.add(RowFactory.create(null, finding));
        }
      }
      for (Block block : containers.finish()) {
        results.add(RowFactory.create(ShardMapTable.row(block), null));
      }
    }
    return results.iterator(); // small rows, never a block's bytes
  }
}
