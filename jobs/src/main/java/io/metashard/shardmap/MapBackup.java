package io.metashard.shardmap;

import static org.apache.spark.sql.functions.col;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.store.BackupFile;
import io.metashard.store.BlockRecords;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoreOutput;
import io.metashard.store.StoredFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Copies of the map at the locations themselves: one file per bucket that changed, then a marker
 * that names, for every bucket, the file that holds it. Formats: {@code jobs/FORMAT.md}.
 */
public final class MapBackup {
  static final String FOLDER = "map-backup";
  static final String MARKER = "COMPLETE";
  private static final String CRC = "crc";
  private static final StructType WRITTEN =
      new StructType()
          .add(ShardMapTable.BUCKET, DataTypes.IntegerType, false)
          .add(CRC, DataTypes.LongType, false);

  private final List<Location> targets;
  private final Configuration hadoop;

  /**
   * @param locations where backups may go
   * @param copies number of copies, each in another failure domain
   */
  public MapBackup(List<Location> locations, int copies, Configuration hadoop) {
    Map<String, Location> byDomain = new TreeMap<>();
    for (Location location : locations) {
      if (location.state().equals(Location.ACTIVE)) {
        byDomain.merge(location.domain(), location, (a, b) -> a.compareTo(b) <= 0 ? a : b);
      }
    }
    this.targets = byDomain.values().stream().limit(copies).toList();
    this.hadoop = hadoop;
    if (targets.size() < copies) {
      throw new IllegalArgumentException(
          "Cannot back the map up at %d locations: only %d failure domains are active"
              .formatted(copies, targets.size()));
    }
  }

  /** The newest switch that is backed up at every target; 0 if none is. */
  public long newest() throws IOException {
    long newest = Long.MAX_VALUE;
    for (Location target : targets) {
      try (ObjectStore store = new HadoopStore(target.uri(), hadoop)) {
        newest = Math.min(newest, newestMarker(store));
      }
    }
    return newest == Long.MAX_VALUE ? 0 : newest;
  }

  private static long newestMarker(ObjectStore store) throws IOException {
    long newest = 0;
    Iterator<StoredFile> files = store.list(FOLDER);
    while (files.hasNext()) {
      String path = files.next().path();
      String[] parts = path.split("/");
      if (parts.length == 3 && parts[2].equals(MARKER)) {
        newest = Math.max(newest, BackupMarker.sequence(parts[1]).orElse(0));
      }
    }
    return newest;
  }

  /**
   * Backs up some buckets of a switch, then marks it complete. Repeating it is safe.
   *
   * @param map all rows of the map after the switch
   * @param sequence of the switch
   * @param changed its buckets; all buckets with rows when no earlier backup is complete
   */
  public void write(Dataset<Row> map, long sequence, List<Integer> changed) throws IOException {
    Map<Integer, BackupMarker.Entry> entries = new TreeMap<>();
    long before = newest();
    Dataset<Row> rows = map;
    Optional<Map<Integer, BackupMarker.Entry>> known =
        before > 0 && before == sequence - 1 ? soundMarker(before) : Optional.empty();
    if (known.isPresent()) {
      entries.putAll(known.get());
      rows = map.where(col(ShardMapTable.BUCKET).isInCollection(changed));
      changed.forEach(entries::remove);
    }
    int buckets = new TreeSet<>(changed).size();
    rows.repartition(Math.max(1, Math.min(buckets, 256)), col(ShardMapTable.BUCKET))
        .sortWithinPartitions(
            ShardMapTable.BUCKET, ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX)
        .mapPartitions(
            new WriteBuckets(targets, sequence, new SerializableConfiguration(hadoop)),
            Encoders.row(WRITTEN))
        .collectAsList() // one row a bucket, 65,536 at most
        .forEach(
            row -> entries.put(row.getInt(0), new BackupMarker.Entry(sequence, row.getLong(1))));
    byte[] marker = new BackupMarker(entries).text().getBytes(StandardCharsets.US_ASCII);
    for (Location target : targets) {
      try (ObjectStore store = new HadoopStore(target.uri(), hadoop)) {
        writeOnce(store, folder(sequence) + MARKER, marker);
      }
    }
  }

  /** What the first sound marker of a switch says; empty: none is, and all is backed up anew. */
  private Optional<Map<Integer, BackupMarker.Entry>> soundMarker(long sequence) {
    for (Location target : targets) {
      try {
        return Optional.of(marker(target, sequence, hadoop));
      } catch (IOException e) {
        continue; // it is as if it were not there
      }
    }
    return Optional.empty();
  }

  private static Map<Integer, BackupMarker.Entry> marker(
      Location location, long sequence, Configuration hadoop) throws IOException {
    String path = folder(sequence) + MARKER;
    try (ObjectStore store = new HadoopStore(location.uri(), hadoop)) {
      long length = store.length(path);
      if (length > BackupMarker.MAX_BYTES) {
        throw new IllegalArgumentException("it has %d bytes".formatted(length));
      }
      byte[] bytes = new byte[(int) length];
      store.readFully(path, 0, bytes, 0, bytes.length);
      return BackupMarker.parse(new String(bytes, StandardCharsets.ISO_8859_1), sequence).entries();
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "Cannot read map backup marker %s at %s: %s; another copy of it is used, or all buckets are backed up anew"
              .formatted(path, location.name(), e.getMessage()),
          e);
    }
  }

  /**
   * Paths of the files that a complete backup is made of, its marker included.
   *
   * @throws IOException if its marker at the location cannot be read
   */
  public static Set<String> files(Location location, long sequence, Configuration hadoop)
      throws IOException {
    Set<String> paths = new TreeSet<>();
    marker(location, sequence, hadoop)
        .forEach((bucket, entry) -> paths.add(bucketPath(entry.sequence(), bucket)));
    paths.add(folder(sequence) + MARKER);
    return paths;
  }

  static String folder(long sequence) {
    return "%s/%020d/".formatted(FOLDER, sequence);
  }

  /** The file of a bucket in the backup of a switch. */
  static String bucketPath(long sequence, int bucket) {
    return "%sbucket-%08d.msb".formatted(folder(sequence), bucket);
  }

  /** Create-only; a file of the same bytes is ours from a try before. */
  private static void writeOnce(ObjectStore store, String path, byte[] bytes) throws IOException {
    try (StoreOutput out = store.create(path)) {
      out.write(bytes);
    } catch (FileAlreadyExistsException e) {
      byte[] there = new byte[bytes.length];
      boolean same = store.length(path) == bytes.length;
      if (same) {
        store.readFully(path, 0, there, 0, there.length);
      }
      if (!same || !Arrays.equals(there, bytes)) {
        throw e;
      }
    }
  }

  /** CRC32C of the whole file, as it is read back. */
  static long checksum(ObjectStore store, String path) throws IOException {
    CRC32C crc = new CRC32C();
    long length = store.length(path);
    byte[] buffer = new byte[(int) Math.min(length, 1 << 20)];
    for (long position = 0; position < length; position += buffer.length) {
      int part = (int) Math.min(buffer.length, length - position);
      store.readFully(path, position, buffer, 0, part);
      crc.update(buffer, 0, part);
    }
    return crc.getValue();
  }

  /** Writes one file per bucket at every target. */
  private record WriteBuckets(
      List<Location> targets, long sequence, SerializableConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> rows) throws IOException {
      List<Row> written = new ArrayList<>();
      List<Block> bucket = new ArrayList<>(); // thousands of rows, by the choice of buckets
      while (rows.hasNext()) {
        Block block = ShardMapTable.block(rows.next());
        if (!bucket.isEmpty() && bucket.get(0).bucket() != block.bucket()) {
          written.add(write(bucket));
          bucket.clear();
        }
        bucket.add(block);
      }
      if (!bucket.isEmpty()) {
        written.add(write(bucket));
      }
      return written.iterator();
    }

    private Row write(List<Block> bucket) throws IOException {
      int number = bucket.get(0).bucket();
      String path = bucketPath(sequence, number);
      byte[] records = BlockRecords.encode(bucket);
      long checksum = -1;
      for (Location target : targets) {
        try (ObjectStore store =
            new HadoopStore(target.uri(), hadoop.value(), HadoopStore.Reads.FORWARD)) {
          try {
            BackupFile.write(store, path, bucket);
          } catch (FileAlreadyExistsException e) {
            // Ours from a try before, if it says the same.
            if (!Arrays.equals(records, BlockRecords.encode(BackupFile.read(store, path)))) {
              throw e;
            }
          }
          long copy = checksum(store, path);
          if (checksum >= 0 && copy != checksum) {
            throw new IOException(
                "Cannot back up bucket %d of the map: %s at %s has checksum %08x, another copy has %08x"
                    .formatted(number, path, target.name(), copy, checksum));
          }
          checksum = copy;
        }
      }
      return RowFactory.create(number, checksum);
    }
  }
}
