package io.metashard.shardmap;

import static org.apache.spark.sql.functions.col;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.store.BackupFile;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Backups of the map as they are found at the locations: what {@link MapBackup} has written, or
 * somebody else. Everything is checked before it is believed.
 */
public final class FoundBackups {
  /** Of {@link #buckets}: a bucket of the map. */
  public static final String BUCKET = ShardMapTable.BUCKET;

  /** The location whose copy of the bucket's file is good; null if none is. */
  public static final String LOCATION = ShardMapTable.LOCATION;

  /** Number of good copies of the bucket's file. */
  public static final String COPIES = "copies";

  public static final String ROWS = "rows";

  /** Why copies are not good; null if all are. */
  public static final String PROBLEM = "problem";

  static final String SEQUENCE = "sequence";
  static final String CRC = "crc";

  private static final StructType FILES =
      new StructType()
          .add(BUCKET, DataTypes.IntegerType, false)
          .add(SEQUENCE, DataTypes.LongType, false)
          .add(CRC, DataTypes.LongType, false);

  private static final StructType BUCKETS =
      FILES
          .add(LOCATION, DataTypes.StringType, true)
          .add(COPIES, DataTypes.IntegerType, false)
          .add(ROWS, DataTypes.LongType, false)
          .add(PROBLEM, DataTypes.StringType, true);

  private static final Pattern FOLDER = Pattern.compile("map-backup/([0-9]{20})/([^/]+)");
  private static final Pattern LINE = Pattern.compile("([0-9]{1,5}) ([0-9]{1,18}) ([0-9a-f]{8})");
  private static final int MOST_MARKER_BYTES = 16 << 20;

  private final Configuration hadoop;
  private final Map<String, Location> holders = new TreeMap<>();
  private final Map<String, String> problems = new TreeMap<>();
  private final TreeMap<Long, List<Location>> complete = new TreeMap<>();
  private long highest;

  private FoundBackups(Configuration hadoop) {
    this.hadoop = hadoop;
  }

  /** Lists the backups at all locations; one that does not answer is a problem, not a failure. */
  public static FoundBackups look(List<Location> locations, Configuration hadoop) {
    FoundBackups found = new FoundBackups(hadoop);
    for (Location location : locations) {
      try (ObjectStore store = new HadoopStore(location.uri(), hadoop)) {
        Iterator<StoredFile> files = store.list(MapBackup.FOLDER);
        while (files.hasNext()) {
          Matcher matcher = FOLDER.matcher(files.next().path());
          if (matcher.matches() && matcher.group(1).charAt(0) == '0') { // or it is no long
            found.add(location, Long.parseLong(matcher.group(1)), matcher.group(2));
          }
        }
      } catch (IOException | UncheckedIOException e) {
        found.problems.put(location.name(), e.getMessage());
      }
    }
    return found;
  }

  private void add(Location location, long sequence, String file) {
    holders.put(location.name(), location);
    highest = Math.max(highest, sequence);
    if (file.equals(MapBackup.MARKER)) {
      complete.computeIfAbsent(sequence, s -> new ArrayList<>()).add(location);
    }
  }

  /** Switches of which a location has a complete backup, the newest first. */
  public List<Long> sequences() {
    return List.copyOf(complete.descendingKeySet());
  }

  /** The highest number of a switch that anything was backed up of, complete or not; 0 if none. */
  public long highest() {
    return highest;
  }

  /** Locations that have backups, complete or not. */
  public List<String> holders() {
    return List.copyOf(holders.keySet());
  }

  /** Locations that have the marker of a switch. */
  public List<String> holders(long sequence) {
    return complete.getOrDefault(sequence, List.of()).stream().map(Location::name).toList();
  }

  /** Why locations could not be looked at, by name. */
  public Map<String, String> problems() {
    return Map.copyOf(problems);
  }

  /**
   * What the marker of a switch says.
   *
   * @param files a row per bucket: where its rows are
   * @param copies locations that have this very marker
   */
  public record Marker(long sequence, Map<Integer, BucketFile> files, List<String> copies) {
    public Marker {
      files = Map.copyOf(files);
      copies = List.copyOf(copies);
    }
  }

  /** The file of a bucket: the switch whose folder has it, and its checksum. */
  public record BucketFile(long sequence, long crc32c) {}

  /**
   * The markers of a switch that differ, what most locations have first: one, unless some were
   * damaged.
   */
  public List<Marker> markers(long sequence) {
    Map<Map<Integer, BucketFile>, List<String>> byContent = new HashMap<>();
    for (Location location : complete.getOrDefault(sequence, List.of())) {
      try (ObjectStore store = new HadoopStore(location.uri(), hadoop)) {
        String path = MapBackup.folder(sequence) + MapBackup.MARKER;
        long length = store.length(path);
        if (length > MOST_MARKER_BYTES) {
          throw new IOException("its marker has %d bytes".formatted(length));
        }
        byte[] bytes = new byte[(int) length];
        store.readFully(path, 0, bytes, 0, bytes.length);
        byContent
            .computeIfAbsent(files(sequence, bytes), content -> new ArrayList<>())
            .add(location.name());
      } catch (IOException | UncheckedIOException e) {
        problems.put(location.name(), "backup %d: %s".formatted(sequence, e.getMessage()));
      }
    }
    return byContent.entrySet().stream()
        .map(entry -> new Marker(sequence, entry.getKey(), entry.getValue()))
        .sorted(
            Comparator.comparingInt((Marker marker) -> -marker.copies().size())
                .thenComparing(marker -> marker.copies().get(0)))
        .toList();
  }

  private static Map<Integer, BucketFile> files(long sequence, byte[] bytes) throws IOException {
    Map<Integer, BucketFile> files = new TreeMap<>();
    String text = new String(bytes, StandardCharsets.US_ASCII);
    int last = -1;
    if (!text.isEmpty() && !text.endsWith("\n")) {
      throw new IOException("its marker is cut short");
    }
    for (String line :
        text.isEmpty() ? new String[0] : text.substring(0, text.length() - 1).split("\n", -1)) {
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches()) {
        throw new IOException("its marker has a line that is none");
      }
      int bucket = Integer.parseInt(matcher.group(1));
      long of = Long.parseLong(matcher.group(2));
      if (bucket <= last || of > sequence) {
        throw new IOException("its marker contradicts itself at bucket %d".formatted(bucket));
      }
      last = bucket;
      files.put(bucket, new BucketFile(of, Long.parseLong(matcher.group(3), 16)));
    }
    return files;
  }

  /**
   * Looks for a good copy of every file that a marker names: its checksum is the marker's, its seal
   * is sound, and all its rows are of its bucket.
   *
   * @return a row per bucket: {@link #BUCKET}, {@link #LOCATION}, {@link #COPIES}, {@link #ROWS},
   *     {@link #PROBLEM} and more
   */
  public Dataset<Row> buckets(SparkSession spark, Marker marker) {
    List<Row> files = new ArrayList<>();
    marker
        .files()
        .forEach(
            (bucket, file) -> files.add(RowFactory.create(bucket, file.sequence(), file.crc32c())));
    return spark
        .createDataFrame(files, FILES)
        .repartition(tasks(files.size()), col(BUCKET))
        .map(
            new FindCopies(List.copyOf(holders.values()), new SerializableConfiguration(hadoop)),
            Encoders.row(BUCKETS));
  }

  /**
   * The rows of the map.
   *
   * @param buckets as {@link #buckets} gives them, each with a good copy
   */
  public Dataset<Row> rows(Dataset<Row> buckets, int count) {
    return buckets
        .repartition(tasks(count), col(BUCKET))
        .flatMap(
            new ReadCopy(Map.copyOf(holders), new SerializableConfiguration(hadoop)),
            ShardMapTable.encoder());
  }

  private static int tasks(int buckets) {
    return Math.max(1, Math.min(256, buckets));
  }

  private static List<Block> read(ObjectStore store, Row file) throws IOException {
    int bucket = file.<Integer>getAs(BUCKET);
    String path = MapBackup.bucketPath(file.<Long>getAs(SEQUENCE), bucket);
    long crc = MapBackup.checksum(store, path);
    if (crc != file.<Long>getAs(CRC)) {
      throw new IOException(
          "%s has checksum %08x, the marker says %08x".formatted(path, crc, file.<Long>getAs(CRC)));
    }
    List<Block> rows = BackupFile.read(store, path);
    for (Block row : rows) {
      if (row.bucket() != bucket) {
        throw new IOException("%s has a row of bucket %d".formatted(path, row.bucket()));
      }
    }
    return rows;
  }

  private record FindCopies(List<Location> locations, SerializableConfiguration hadoop)
      implements MapFunction<Row, Row> {
    @Override
    public Row call(Row file) {
      String good = null;
      int copies = 0;
      long rows = 0;
      Optional<String> problem = Optional.empty();
      for (Location location : locations) {
        try (ObjectStore store = open(location, hadoop.value())) {
          rows = read(store, file).size();
          copies++;
          good = good == null ? location.name() : good;
        } catch (java.nio.file.NoSuchFileException e) {
          continue; // not every location has every backup
        } catch (IOException | RuntimeException e) {
          problem = Optional.of("at %s: %s".formatted(location.name(), e.getMessage()));
        }
      }
      return RowFactory.create(
          file.getAs(BUCKET),
          file.getAs(SEQUENCE),
          file.getAs(CRC),
          good,
          copies,
          rows,
          problem.orElse(copies == 0 ? "no location has it" : null));
    }
  }

  private static ObjectStore open(Location location, Configuration hadoop) {
    return new HadoopStore(location.uri(), hadoop, HadoopStore.Reads.FORWARD);
  }

  /** One bucket's rows in memory at a time: thousands, by the choice of their number. */
  private record ReadCopy(Map<String, Location> locations, SerializableConfiguration hadoop)
      implements FlatMapFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Row bucket) throws IOException {
      Location location = locations.get(bucket.<String>getAs(LOCATION));
      try (ObjectStore store = open(location, hadoop.value())) {
        return read(store, bucket).stream().map(ShardMapTable::row).iterator();
      }
    }
  }
}
