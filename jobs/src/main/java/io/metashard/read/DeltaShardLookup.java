package io.metashard.read;

import io.delta.kernel.data.Row;
import io.delta.kernel.expressions.Predicate;
import io.metashard.Block;
import io.metashard.Buckets;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/** One version of the {@code shard_map} table. */
public final class DeltaShardLookup implements ShardLookup {
  /** The columns of a {@link Block}, in its order; {@code heat_class} is not needed to read. */
  private static final List<String> COLUMNS =
      List.of(
          "format",
          "bucket",
          "buckets",
          "object_id",
          "object_version",
          "object_bytes",
          "live",
          "segment",
          "object_offset",
          "length",
          "meta_shard_id",
          "k",
          "m",
          "codec",
          "block_index",
          "block_bytes",
          "location",
          "path",
          "container_offset",
          "frame_bytes",
          "crc32c",
          "sha256",
          "encryption",
          "generation",
          "written_at",
          "expected_requests");

  private static final Comparator<Block> BY_OFFSET =
      Comparator.comparingLong(Block::objectOffset)
          .thenComparing(Block::metaShardId)
          .thenComparingInt(Block::blockIndex);

  private final DeltaTableReader table;
  private final int buckets;
  private LoadedBucket loaded = new LoadedBucket(-1, Map.of(), Map.of());

  /** The rows of the bucket that was listed last: whoever lists a bucket mostly reads it next. */
  private record LoadedBucket(
      int bucket, Map<String, List<Block>> byObject, Map<String, List<Block>> byMetaShard) {}

  private DeltaShardLookup(DeltaTableReader table, int buckets) {
    this.table = table;
    this.buckets = buckets;
  }

  /**
   * Pins the newest version of the map; a lake without a map has no objects.
   *
   * @param mapPath of the {@code shard_map} table
   */
  public static DeltaShardLookup open(String mapPath, Configuration hadoop) throws IOException {
    DeltaTableReader table;
    try {
      table = DeltaTableReader.open(mapPath, hadoop);
    } catch (FileNotFoundException e) {
      return new DeltaShardLookup(null, 0);
    }
    return of(table);
  }

  /**
   * Pins a version of the map.
   *
   * @param mapPath of the {@code shard_map} table
   * @param version Delta's, of the table
   * @throws FileNotFoundException if there is no such table
   */
  public static DeltaShardLookup openAt(String mapPath, long version, Configuration hadoop)
      throws IOException {
    return of(DeltaTableReader.openAt(mapPath, version, hadoop));
  }

  private static DeltaShardLookup of(DeltaTableReader table) throws IOException {
    int[] found = {0};
    // All rows agree on the number: the first will do.
    table.scan(
        List.of("buckets"),
        null,
        row -> {
          found[0] = row.getInt(0);
          return false;
        });
    return new DeltaShardLookup(table, found[0]);
  }

  /** Number of buckets; 0 while nothing is encoded. */
  public int buckets() {
    return buckets;
  }

  @Override
  public List<Block> objectBlocks(String objectId) throws IOException {
    if (buckets == 0) {
      return List.of();
    }
    int bucket = Buckets.of(objectId, buckets);
    if (loaded.bucket() == bucket) {
      return loaded.byObject().getOrDefault(objectId, List.of());
    }
    List<Block> found = new ArrayList<>();
    scan(
        DeltaTableReader.both(
            DeltaTableReader.equal("bucket", bucket),
            DeltaTableReader.equal("object_id", objectId)),
        block -> {
          if (block.live() && block.bucket() == bucket && objectId.equals(block.objectId())) {
            found.add(block);
          }
        });
    found.sort(BY_OFFSET);
    return List.copyOf(found);
  }

  @Override
  public List<Block> metaShardBlocks(int bucket, String metaShardId) throws IOException {
    if (loaded.bucket() == bucket) {
      return loaded.byMetaShard().getOrDefault(metaShardId, List.of());
    }
    List<Block> found = new ArrayList<>();
    scan(
        DeltaTableReader.both(
            DeltaTableReader.equal("bucket", bucket),
            DeltaTableReader.equal("meta_shard_id", metaShardId)),
        block -> {
          if (block.bucket() == bucket && block.metaShardId().equals(metaShardId)) {
            found.add(block);
          }
        });
    found.sort(Comparator.comparingInt(Block::blockIndex));
    return List.copyOf(found);
  }

  /**
   * Version and length of every live object of one bucket, by id.
   *
   * <p>Holds the bucket's rows, thousands by the choice of {@code buckets}, until another is
   * listed.
   */
  public Map<String, ServedObject> objects(int bucket) throws IOException {
    Map<String, List<Block>> byObject = new TreeMap<>();
    Map<String, List<Block>> byMetaShard = new HashMap<>();
    scan(
        DeltaTableReader.equal("bucket", bucket),
        block -> {
          if (block.bucket() == bucket) {
            byMetaShard.computeIfAbsent(block.metaShardId(), id -> new ArrayList<>()).add(block);
            if (block.live() && block.objectId() != null) {
              byObject.computeIfAbsent(block.objectId(), id -> new ArrayList<>()).add(block);
            }
          }
        });
    byObject.values().forEach(blocks -> blocks.sort(BY_OFFSET));
    byMetaShard.values().forEach(blocks -> blocks.sort(Comparator.comparingInt(Block::blockIndex)));
    loaded = new LoadedBucket(bucket, byObject, byMetaShard);
    Map<String, ServedObject> found = new TreeMap<>();
    byObject.forEach(
        (id, blocks) ->
            found.put(
                id,
                new ServedObject(id, blocks.get(0).objectVersion(), blocks.get(0).objectBytes())));
    return found;
  }

  private void scan(Predicate filter, java.util.function.Consumer<Block> blocks)
      throws IOException {
    table.scan(
        COLUMNS,
        filter,
        row -> {
          blocks.accept(block(row));
          return true;
        });
  }

  private static Block block(Row row) {
    int format = row.getInt(0);
    if (format > Block.FORMAT) {
      throw new UnsupportedFormatException(format);
    }
    return new Block(
        format,
        row.getInt(1),
        row.getInt(2),
        text(row, 3),
        text(row, 4),
        row.getLong(5),
        row.getBoolean(6),
        row.getInt(7),
        row.getLong(8),
        row.getLong(9),
        row.getString(10),
        row.getInt(11),
        row.getInt(12),
        row.getString(13),
        row.getInt(14),
        row.getLong(15),
        row.getString(16),
        row.getString(17),
        row.getLong(18),
        row.getInt(19),
        row.getLong(20),
        row.isNullAt(21) ? null : row.getBinary(21),
        row.getString(22),
        row.getString(23),
        Instant.EPOCH.plus(row.getLong(24), ChronoUnit.MICROS),
        row.getDouble(25),
        0);
  }

  private static String text(Row row, int column) {
    return row.isNullAt(column) ? null : row.getString(column);
  }
}
