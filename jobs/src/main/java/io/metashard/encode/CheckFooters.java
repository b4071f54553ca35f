package io.metashard.encode;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.ContainerFooter;
import io.metashard.store.CorruptFooterException;
import io.metashard.store.Pace;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Reads the footers of the containers that a partition's rows of the map name, sorted by container,
 * and holds the rows against them: a map that is lost is made again from footers.
 *
 * <p>Of containers that cannot be read nothing is said: their blocks say it.
 *
 * @param bytesPerSecond of this task; 0: no limit
 */
record CheckFooters(
    Map<String, Location> locations, long bytesPerSecond, SerializableConfiguration hadoop)
    implements MapPartitionsFunction<Row, Row> {
  @Override
  public Iterator<Row> call(Iterator<Row> blocks) throws IOException {
    List<Row> findings = new ArrayList<>();
    try (LocationStores stores =
        new LocationStores(locations, hadoop.value(), new Pace(bytesPerSecond))) {
      MetaShardGroups<Block> containers =
          new MetaShardGroups<>(
              blocks, ShardMapTable::block, block -> block.location() + '\n' + block.path());
      while (containers.hasNext()) {
        List<Block> rows = containers.next();
        String problem = problem(stores, rows);
        if (problem != null) {
          Block first = rows.get(0);
          findings.add(
              Findings.container(first.location(), first.path(), Findings.FOOTER, problem));
        }
      }
    }
    return findings.iterator();
  }

  /** What is wrong with the footer of a container; null if nothing is, or it cannot be read. */
  private static String problem(LocationStores stores, List<Block> rows) {
    Block first = rows.get(0);
    Map<String, Block> footer = new HashMap<>();
    try {
      for (Block row : ContainerFooter.read(stores.store(first.location()), first.path())) {
        footer.put(key(row), row);
      }
    } catch (CorruptFooterException | EOFException | IllegalArgumentException e) {
      return ObjectIds.printable(e.getMessage(), 1_000);
    } catch (IOException | UncheckedIOException e) {
      return null;
    }
    for (Block row : rows) {
      Block said = footer.get(key(row));
      if (said == null || !said.agreesWith(row)) {
        return "it %s block %d of meta-shard %s, which the map says is there"
            .formatted(
                said == null ? "does not have" : "says otherwise of",
                row.blockIndex(),
                ObjectIds.printable(row.metaShardId()));
      }
    }
    return null;
  }

  private static String key(Block row) {
    return row.blockIndex() + " " + row.metaShardId();
  }
}
