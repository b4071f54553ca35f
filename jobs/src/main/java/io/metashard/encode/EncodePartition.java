package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.plan.PlannedBlock;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkFiles;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/** Encodes the meta-shards of one partition, sorted by group, meta-shard and block index. */
record EncodePartition(
    EncodeOptions options,
    Map<String, Location> locations,
    String runId,
    String generation,
    int buckets,
    Instant writtenAt,
    SerializableConfiguration hadoop,
    MapSource map)
    implements MapPartitionsFunction<Row, Row> {
  /** Bounds what is spooled at a time, should a task get more than its share. */
  private static final int WINDOW_TASKS = 4;

  @Override
  public Iterator<Row> call(Iterator<Row> planned) throws IOException {
    if (!planned.hasNext()) {
      return java.util.Collections.emptyIterator();
    }
    List<Row> written = new ArrayList<>();
    try (LazyMap mapReader = new LazyMap(map);
        MetaShardEncoder encoder =
            new MetaShardEncoder(
                options,
                locations,
                OpenContainers.prefix(runId),
                generation,
                buckets,
                writtenAt,
                hadoop.value())) {
      MetaShardGroups<PlannedBlock> metaShards =
          new MetaShardGroups<>(planned, PlannedBlocks::plannedBlock, PlannedBlock::metaShardId);
      Windows windows = new Windows(metaShards, WINDOW_TASKS * options.taskBytes());
      Path spool = Path.of(SparkFiles.getRootDirectory()); // on the executor's local disks
      while (windows.hasNext()) {
        List<List<PlannedBlock>> window = windows.next();
        try (SourceSlices sources = new SourceSlices(window, hadoop.value(), mapReader, spool)) {
          for (List<PlannedBlock> metaShard : window) {
            encoder.encode(metaShard, sources);
          }
        }
      }
      for (Block block : encoder.finish()) {
        written.add(ShardMapTable.row(block)); // one small row a block, never its bytes
      }
    }
    return written.iterator();
  }

  /** Opens the map once, and only for a task that needs it. */
  private static final class LazyMap implements MapSource.Reader {
    private final MapSource map;
    private MapSource.Reader reader;

    LazyMap(MapSource map) {
      this.map = map;
    }

    @Override
    public void copy(
        int bucket, String objectId, String objectVersion, long from, long to, OutputStream out)
        throws IOException {
      if (reader == null) {
        reader = map.open();
      }
      reader.copy(bucket, objectId, objectVersion, from, to, out);
    }

    @Override
    public void close() throws IOException {
      if (reader != null) {
        reader.close();
      }
    }
  }
}
