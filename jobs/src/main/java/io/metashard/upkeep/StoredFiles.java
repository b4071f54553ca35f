package io.metashard.upkeep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.store.HadoopStore;
import io.metashard.store.StoredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.SortedMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What is stored below some folders, told apart by name: what Metashard wrote, and what others put
 * there, which is none of its business.
 */
public final class StoredFiles {
  /** Where it is: the name of a location, or another name that the caller gave. */
  public static final String PLACE = Containers.LOCATION;

  /** Relative to the place's root; null in rows of {@link #FOREIGN} and {@link #OUT_OF_REACH}. */
  public static final String PATH = Containers.PATH;

  public static final String BYTES = "bytes";
  public static final String MODIFIED_AT = "modified_at";

  /** One of the constants below. */
  public static final String KIND = "kind";

  /** A file that holds blocks. */
  public static final String CONTAINER = "container";

  /** A bucket of a backup of the map. */
  public static final String BACKUP = "backup";

  /** What says that a backup of the map is complete. */
  public static final String MARKER = "marker";

  /** A file of a folder where everything is Metashard's. */
  public static final String OWN = "own";

  /** Files that are not named as Metashard names its own: {@link #BYTES} is how many. */
  public static final String FOREIGN = "foreign";

  /** The folder cannot be listed, or not to its end: {@link #PATH} says why. */
  public static final String OUT_OF_REACH = "out-of-reach";

  public static final String CONTAINERS = "containers";
  public static final String BACKUPS = "map-backup";

  private static final Pattern CONTAINER_NAME =
      Pattern.compile("containers/[A-Za-z0-9][A-Za-z0-9._-]{0,127}/[A-Za-z0-9._-]+\\.msc");
  private static final Pattern BACKUP_NAME =
      Pattern.compile("map-backup/[0-9]{20}/bucket-[0-9]{8}\\.msb");
  private static final Pattern MARKER_NAME = Pattern.compile("map-backup/[0-9]{20}/COMPLETE");

  static final StructType SCHEMA =
      new StructType()
          .add(PLACE, DataTypes.StringType, false)
          .add(PATH, DataTypes.StringType, true)
          .add(BYTES, DataTypes.LongType, false)
          .add(MODIFIED_AT, DataTypes.TimestampType, true)
          .add(KIND, DataTypes.StringType, false);

  private static final String FOLDER = "folder";

  private StoredFiles() {}

  /**
   * One row a file, and at most one a folder for foreign files and for what went wrong. Each folder
   * of each place is listed by a task of its own, which keeps nothing.
   *
   * @param roots URI of each place, by its name
   * @param folders below each
   * @return as {@link #SCHEMA}; computed anew whenever it is used
   */
  public static Dataset<Row> below(
      SparkSession spark,
      SortedMap<String, String> roots,
      List<String> folders,
      Configuration hadoop) {
    List<Row> tasks = new ArrayList<>();
    roots
        .keySet()
        .forEach(place -> folders.forEach(folder -> tasks.add(RowFactory.create(place, folder))));
    StructType schema =
        new StructType()
            .add(PLACE, DataTypes.StringType, false)
            .add(FOLDER, DataTypes.StringType, false);
    return spark
        .createDataFrame(tasks, schema)
        .repartition(Math.max(1, tasks.size()))
        .mapPartitions(
            new ListFolders(Map.copyOf(roots), new SerializableConfiguration(hadoop)),
            Encoders.row(SCHEMA));
  }

  /** Files of one kind that were last written before a moment. */
  public static Column olderThan(Instant moment, String kind) {
    return col(KIND).equalTo(kind).and(col(MODIFIED_AT).lt(lit(Timestamp.from(moment))));
  }

  /** Kind of a file by its path, which is safe. */
  static String kind(String path) {
    if (path.startsWith(CONTAINERS + "/")) {
      return CONTAINER_NAME.matcher(path).matches() ? CONTAINER : FOREIGN;
    }
    if (path.startsWith(BACKUPS + "/")) {
      return BACKUP_NAME.matcher(path).matches()
          ? BACKUP
          : MARKER_NAME.matcher(path).matches() ? MARKER : FOREIGN;
    }
    return path.startsWith("_") ? OWN : FOREIGN;
  }

  /** Number of the switch that a backup's path names. */
  public static long sequence(String path) {
    return Long.parseLong(path.split("/")[1]);
  }

  /** Lists the folders of one partition. */
  private record ListFolders(Map<String, String> roots, SerializableConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> folders) {
      return new Found(folders, roots, hadoop.value());
    }
  }

  /** Rows of some folders, made as they are asked for. */
  private static final class Found implements Iterator<Row> {
    private final Iterator<Row> folders;
    private final Map<String, String> roots;
    private final Configuration hadoop;

    private String place;
    private Iterator<StoredFile> files; // null between two folders
    private LongAdder leftOut;
    private Row next;

    Found(Iterator<Row> folders, Map<String, String> roots, Configuration hadoop) {
      this.folders = folders;
      this.roots = roots;
      this.hadoop = hadoop;
    }

    @Override
    public boolean hasNext() {
      while (next == null && (files != null || folders.hasNext())) {
        try {
          if (files == null) {
            Row folder = folders.next();
            place = folder.getString(0);
            leftOut = new LongAdder();
            files = new HadoopStore(roots.get(place), hadoop).list(folder.getString(1), leftOut);
          }
          advance();
        } catch (IOException | UncheckedIOException e) {
          files = null;
          next = RowFactory.create(place, String.valueOf(e.getMessage()), 0L, null, OUT_OF_REACH);
        }
      }
      return next != null;
    }

    private void advance() {
      while (files.hasNext()) {
        StoredFile file = files.next();
        String kind = kind(file.path());
        if (!kind.equals(FOREIGN)) {
          next =
              RowFactory.create(
                  place, file.path(), file.length(), Timestamp.from(file.modifiedAt()), kind);
          return;
        }
        leftOut.increment();
      }
      files = null;
      if (leftOut.sum() > 0) {
        next = RowFactory.create(place, null, leftOut.sum(), null, FOREIGN);
      }
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException("No more files");
      }
      Row found = next;
      next = null;
      return found;
    }
  }
}
