package io.metashard.read;

import io.delta.kernel.data.Row;
import io.metashard.Block;
import io.metashard.ObjectIds;
import io.metashard.Shape;
import io.metashard.codec.BlockCoder;
import io.metashard.codec.CodingEngine;
import io.metashard.store.BlockReader;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.SourceFiles;
import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads objects through one version of the shard map: as it was when the reader was opened, unless
 * another is named.
 *
 * <p>Every frame is verified. A block that is missing or corrupt is rebuilt from any k of the other
 * blocks of its meta-shard, for the range asked only. Wrong bytes are never returned: what cannot
 * be rebuilt is an {@link UnreadableRangeException}. Not thread safe.
 */
public final class MetaShardReader implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(MetaShardReader.class);

  /** Bytes rebuilt or copied at a time: bounds the memory of a read to k times this. */
  private static final int CHUNK_BYTES = 1 << 20;

  private final String lakeRoot;
  private final Configuration hadoop;
  private final ReadOptions options;
  private final DeltaShardLookup lookup;
  private final Map<String, String> locationUris;
  private final Map<String, ObjectStore> stores = new HashMap<>();
  private final Map<String, BlockReader> readers = new HashMap<>();
  private final Map<String, List<Block>> metaShards = new HashMap<>();
  private final CodingEngine engine = CodingEngine.named("long");
  private long bytesServed;
  private long rebuiltBytes;
  private long sourceBytes;

  private MetaShardReader(
      String lakeRoot,
      Configuration hadoop,
      ReadOptions options,
      DeltaShardLookup lookup,
      Map<String, String> locationUris) {
    this.lakeRoot = lakeRoot;
    this.hadoop = hadoop;
    this.options = options;
    this.lookup = lookup;
    this.locationUris = locationUris;
  }

  /**
   * Opens a lake from its root alone: the map and the places of its locations are in it.
   *
   * @param lakeRoot Hadoop file system URI of the lake
   */
  public static MetaShardReader open(String lakeRoot, ReadOptions options, Configuration hadoop)
      throws IOException {
    return new MetaShardReader(
        lakeRoot,
        hadoop,
        options,
        DeltaShardLookup.open(mapPath(lakeRoot), hadoop),
        locationUris(lakeRoot, hadoop));
  }

  /**
   * Opens a lake at a version of its map, so that many readers read the same.
   *
   * @param lakeRoot Hadoop file system URI of the lake
   * @param mapVersion Delta's, of the table {@code shard_map}
   * @throws FileNotFoundException if the lake has no map
   */
  public static MetaShardReader openAt(
      String lakeRoot, long mapVersion, ReadOptions options, Configuration hadoop)
      throws IOException {
    return new MetaShardReader(
        lakeRoot,
        hadoop,
        options,
        DeltaShardLookup.openAt(mapPath(lakeRoot), mapVersion, hadoop),
        locationUris(lakeRoot, hadoop));
  }

  private static String mapPath(String lakeRoot) {
    return lakeRoot + "/shard_map";
  }

  private static Map<String, String> locationUris(String lakeRoot, Configuration hadoop)
      throws IOException {
    Map<String, String> uris = new TreeMap<>();
    try {
      DeltaTableReader.open(lakeRoot + "/locations", hadoop)
          .scan(
              List.of("name", "uri"),
              null,
              row -> {
                uris.put(row.getString(0), row.getString(1));
                return true;
              });
    } catch (FileNotFoundException e) {
      LOG.debug("No locations table below {}: nothing was encoded yet", lakeRoot);
    }
    return uris;
  }

  /** Where blocks are found. */
  public DeltaShardLookup lookup() {
    return lookup;
  }

  public ReadStatistics statistics() {
    return new ReadStatistics(bytesServed, rebuiltBytes, sourceBytes);
  }

  /**
   * What would be read under an id: from the map, else (with fallback) from the source.
   *
   * @return empty if neither has it
   */
  public Optional<ServedObject> find(String objectId) throws IOException {
    List<Block> blocks = lookup.objectBlocks(objectId);
    if (!blocks.isEmpty()) {
      return Optional.of(served(blocks));
    }
    if (options.fallback() == ReadOptions.Fallback.SOURCE) {
      return source(objectId).map(Source::object);
    }
    return Optional.empty();
  }

  private static ServedObject served(List<Block> blocks) {
    Block first = blocks.get(0);
    return new ServedObject(first.objectId(), first.objectVersion(), first.objectBytes());
  }

  /**
   * Writes a range of an object to a stream.
   *
   * @param from first byte; not past the object's end
   * @param to first byte after the range, cut at the object's end
   * @throws FileNotFoundException if there is no such object
   * @throws IllegalArgumentException if the range is not within the object
   * @throws UnreadableRangeException if a part of the range can be had from nowhere; bytes before
   *     it have been written
   */
  public void copy(String objectId, long from, long to, OutputStream out) throws IOException {
    List<Block> blocks = lookup.objectBlocks(objectId);
    if (blocks.isEmpty()) {
      Source source = requireSource(objectId);
      long end = checkedEnd(source.object(), from, to);
      copySource(source, from, end, out);
      return;
    }
    ServedObject object = served(blocks);
    long end = checkedEnd(object, from, to);
    long position = from;
    while (position < end) {
      List<Block> candidates = covering(blocks, position);
      if (candidates.isEmpty()) {
        throw new UnreadableRangeException(
            "Cannot read object %s from byte %d: the shard map has no block for it; run verify and restore the map"
                .formatted(ObjectIds.printable(objectId), position));
      }
      long blockEnd = Math.min(end, candidates.get(0).objectEnd());
      while (position < blockEnd) {
        int length = (int) Math.min(CHUNK_BYTES, blockEnd - position);
        byte[] bytes = new byte[length];
        read(object, candidates, position, bytes, length);
        out.write(bytes, 0, length);
        bytesServed += length;
        position += length;
      }
    }
  }

  /** Blocks that hold the byte at a position, the one that reaches furthest first. */
  private static List<Block> covering(List<Block> blocks, long position) {
    return blocks.stream()
        .filter(block -> block.objectOffset() <= position && position < block.objectEnd())
        .sorted(
            java.util.Comparator.comparingLong(Block::objectEnd)
                .reversed()
                .thenComparing(Block::metaShardId))
        .toList();
  }

  private static long checkedEnd(ServedObject object, long from, long to) {
    if (from < 0 || to < from || from > object.objectBytes()) {
      throw new IllegalArgumentException(
          "Cannot read bytes %d to %d of object %s: it has %d bytes"
              .formatted(from, to, ObjectIds.printable(object.objectId()), object.objectBytes()));
    }
    return Math.min(to, object.objectBytes());
  }

  /** Fills {@code target[0..length)}, which lies within each candidate block. */
  private void read(
      ServedObject object, List<Block> candidates, long position, byte[] target, int length)
      throws IOException {
    Map<String, String> causes = new TreeMap<>();
    for (Block block : candidates) {
      long within = position - block.objectOffset();
      if (within + length > block.length()) {
        continue;
      }
      if (readBlock(block, within, target, length, causes)) {
        return;
      }
    }
    for (Block block : candidates) {
      long within = position - block.objectOffset();
      if (within + length <= block.length() && rebuild(block, within, target, length, causes)) {
        rebuiltBytes += length;
        return;
      }
    }
    String message =
        "Cannot read bytes %d to %d of object %s (version %s): too few of its blocks can be read: %s; bring a location back or restore the object from its source"
            .formatted(
                position,
                position + length,
                ObjectIds.printable(object.objectId()),
                ObjectIds.printable(object.objectVersion()),
                causes.entrySet().stream()
                    .map(cause -> cause.getKey() + ": " + cause.getValue())
                    .collect(java.util.stream.Collectors.joining("; ")));
    if (options.fallback() == ReadOptions.Fallback.SOURCE) {
      Optional<Source> source = source(object.objectId());
      if (source.isPresent()
          && source.get().object().objectVersion().equals(object.objectVersion())) {
        LOG.warn("{}. Reading the source instead", message);
        readSource(source.get(), position, target, length);
        return;
      }
    }
    throw new UnreadableRangeException(message);
  }

  private boolean readBlock(
      Block block, long within, byte[] target, int length, Map<String, String> causes) {
    try {
      reader(block).read(block, within, target, 0, length);
      return true;
    } catch (IOException e) {
      causes.put(
          "block %d of %s at location %s"
              .formatted(block.blockIndex(), block.metaShardId(), block.location()),
          e.getClass().getSimpleName() + " " + e.getMessage());
      return false;
    }
  }

  /** Decodes a range of a block from the same range of any k others of its meta-shard. */
  private boolean rebuild(
      Block lost, long within, byte[] target, int length, Map<String, String> causes)
      throws IOException {
    List<Block> blocks = metaShard(lost);
    Shape shape = lost.shape();
    byte[][] ranges = new byte[shape.blocks()][];
    boolean[] present = new boolean[shape.blocks()];
    boolean[] wanted = new boolean[shape.blocks()];
    int found = 0;
    for (Block block : blocks) {
      if (found == shape.k() || block.blockIndex() == lost.blockIndex()) {
        continue;
      }
      int stored = (int) Math.max(0, Math.min(length, block.length() - within));
      byte[] range = new byte[length];
      // Bytes past a shorter block's end are zeros: coded as such, never stored.
      if (stored == 0 || readBlock(block, within, range, stored, causes)) {
        ranges[block.blockIndex()] = range;
        present[block.blockIndex()] = true;
        found++;
      }
    }
    if (found < shape.k()) {
      causes.put(
          "meta-shard %s".formatted(lost.metaShardId()),
          "%d of its %d blocks can be read, %d are needed"
              .formatted(found, shape.blocks(), shape.k()));
      return false;
    }
    wanted[lost.blockIndex()] = true;
    ranges[lost.blockIndex()] = target;
    BlockCoder.of(shape, engine).rebuild(ranges, present, wanted, 0, length);
    return true;
  }

  private List<Block> metaShard(Block block) throws IOException {
    List<Block> known = metaShards.get(block.metaShardId());
    if (known == null) {
      known = lookup.metaShardBlocks(block.bucket(), block.metaShardId());
      if (metaShards.size() >= 1000) {
        metaShards.clear();
      }
      metaShards.put(block.metaShardId(), known);
    }
    return known;
  }

  private BlockReader reader(Block block) throws IOException {
    BlockReader known = readers.get(block.location());
    if (known == null) {
      String uri = locationUris.get(block.location());
      if (uri == null) {
        throw new IOException(
            "location %s is not in the lake's locations table"
                .formatted(ObjectIds.printable(block.location())));
      }
      ObjectStore store =
          stores.computeIfAbsent(block.location(), name -> new HadoopStore(uri, hadoop));
      known = new BlockReader(store);
      readers.put(block.location(), known);
    }
    return known;
  }

  /** An object's source as the catalogue has it. */
  private record Source(ServedObject object, String uri) {}

  private Source requireSource(String objectId) throws IOException {
    if (options.fallback() == ReadOptions.Fallback.SOURCE) {
      Optional<Source> source = source(objectId);
      if (source.isPresent()) {
        return source.get();
      }
    }
    throw new FileNotFoundException(
        "Cannot read object %s: the shard map of %s does not have it%s"
            .formatted(
                ObjectIds.printable(objectId),
                lakeRoot,
                options.fallback() == ReadOptions.Fallback.SOURCE
                    ? ", nor does the catalogue have a present source of it; check the id with ls, and the table objects for what became of its source"
                    : " and read.fallback is false; check the id with ls"));
  }

  private Optional<Source> source(String objectId) throws IOException {
    List<Source> found = new ArrayList<>();
    try {
      DeltaTableReader.open(lakeRoot + "/objects", hadoop)
          .scan(
              List.of("object_id", "object_version", "object_bytes", "uri", "source_state"),
              DeltaTableReader.equal("object_id", objectId),
              (Row row) -> {
                if (objectId.equals(row.getString(0)) && row.getString(4).equals("present")) {
                  found.add(
                      new Source(
                          new ServedObject(objectId, row.getString(1), row.getLong(2)),
                          row.getString(3)));
                }
                return found.isEmpty();
              });
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
    return found.stream().findFirst();
  }

  private void copySource(Source source, long from, long to, OutputStream out) throws IOException {
    ServedObject object = source.object();
    try (InputStream in =
        SourceFiles.open(
            hadoop, object.objectId(), source.uri(), object.objectVersion(), from, to - from)) {
      byte[] buffer = new byte[CHUNK_BYTES];
      long left = to - from;
      while (left > 0) {
        int length = (int) Math.min(buffer.length, left);
        SourceFiles.readFully(in, buffer, length, object.objectId());
        out.write(buffer, 0, length);
        bytesServed += length;
        sourceBytes += length;
        left -= length;
      }
    }
  }

  private void readSource(Source source, long position, byte[] target, int length)
      throws IOException {
    ServedObject object = source.object();
    Objects.checkFromIndexSize(0, length, target.length);
    try (InputStream in =
        SourceFiles.open(
            hadoop, object.objectId(), source.uri(), object.objectVersion(), position, length)) {
      SourceFiles.readFully(in, target, length, object.objectId());
      sourceBytes += length;
    }
  }

  @Override
  public void close() throws IOException {
    for (ObjectStore store : stores.values()) {
      store.close();
    }
  }
}
