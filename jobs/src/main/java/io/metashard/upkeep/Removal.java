package io.metashard.upkeep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.sum;

import io.metashard.store.HadoopStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
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
 * What became of files that were to be removed.
 *
 * @param files removed; one that was gone already counts too
 * @param bytes of those
 * @param failed files that are still there
 * @param problem why the first of a place could not be removed, by the place's name
 */
public record Removal(long files, long bytes, long failed, SortedMap<String, String> problem) {
  /** Nothing was to be removed. */
  public static final Removal NONE = new Removal(0, 0, 0, new TreeMap<>());

  private static final int MOST_TASKS = 16;
  private static final int FILES_PER_TASK = 200;

  /** Folders that one task remembers, to remove them when they are empty. */
  private static final int MOST_FOLDERS = 10_000;

  private static final String FILES = "files";
  private static final String BYTES = "bytes";
  private static final String FAILED = "failed";
  private static final String PROBLEM = "problem";
  private static final StructType SCHEMA =
      new StructType()
          .add(StoredFiles.PLACE, DataTypes.StringType, false)
          .add(FILES, DataTypes.LongType, false)
          .add(BYTES, DataTypes.LongType, false)
          .add(FAILED, DataTypes.LongType, false)
          .add(PROBLEM, DataTypes.StringType, true);

  /** The sum of two. */
  public Removal plus(Removal other) {
    SortedMap<String, String> problems = new TreeMap<>(other.problem);
    problems.putAll(problem);
    return new Removal(files + other.files, bytes + other.bytes, failed + other.failed, problems);
  }

  /**
   * Removes files, in tasks. One that cannot be removed is counted, and the others go on.
   *
   * @param files as {@link StoredFiles#below} gives them
   * @param count of them
   * @param roots URI of each place, by its name
   * @param filesPerSecond most, of all tasks together
   */
  public static Removal of(
      Dataset<Row> files,
      long count,
      SortedMap<String, String> roots,
      int filesPerSecond,
      Configuration hadoop) {
    if (count == 0) {
      return NONE;
    }
    int tasks =
        (int)
            Math.min(
                Math.min(MOST_TASKS, filesPerSecond),
                Math.min(
                    files.sparkSession().sparkContext().defaultParallelism(),
                    count / FILES_PER_TASK + 1));
    Removal sum = NONE;
    for (Row row :
        files
            .select(StoredFiles.PLACE, StoredFiles.PATH, StoredFiles.BYTES)
            .repartition(tasks, col(StoredFiles.PATH))
            .mapPartitions(
                new DeleteFiles(
                    Map.copyOf(roots),
                    Math.max(1, filesPerSecond / tasks),
                    new SerializableConfiguration(hadoop)),
                Encoders.row(SCHEMA))
            .groupBy(col(StoredFiles.PLACE))
            .agg(sum(col(FILES)), sum(col(BYTES)), sum(col(FAILED)), first(col(PROBLEM), true))
            .collectAsList()) { // one a place
      SortedMap<String, String> problem = new TreeMap<>();
      if (!row.isNullAt(4)) {
        problem.put(row.getString(0), row.getString(4));
      }
      sum = sum.plus(new Removal(row.getLong(1), row.getLong(2), row.getLong(3), problem));
    }
    return sum;
  }

  /** Deletes the files of one partition; one row a place says what became of them. */
  private record DeleteFiles(
      Map<String, String> roots, int filesPerSecond, SerializableConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> files) throws IOException {
      Map<String, Deleted> places = new TreeMap<>();
      long begun = System.nanoTime();
      long asked = 0;
      while (files.hasNext()) {
        Row file = files.next();
        String place = file.getString(0);
        Deleted deleted =
            places.computeIfAbsent(
                place, name -> new Deleted(new HadoopStore(roots.get(name), hadoop.value())));
        pause(begun + asked++ * 1_000_000_000L / filesPerSecond - System.nanoTime());
        deleted.delete(file.getString(1), file.getLong(2));
      }
      List<Row> rows = new ArrayList<>();
      places.forEach((place, deleted) -> rows.add(deleted.end(place)));
      return rows.iterator();
    }

    private static void pause(long nanos) throws IOException {
      if (nanos > 0) {
        try {
          Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted while files were removed", e);
        }
      }
    }
  }

  /** What one task did at one place. */
  private static final class Deleted {
    private final HadoopStore store;
    private final Set<String> folders = new TreeSet<>();
    private long files;
    private long bytes;
    private long failed;
    private String problem;

    Deleted(HadoopStore store) {
      this.store = store;
    }

    void delete(String path, long length) {
      try {
        store.delete(path);
        files++;
        bytes += length;
        if (folders.size() < MOST_FOLDERS) {
          folders.add(path.substring(0, path.lastIndexOf('/')));
        }
      } catch (IOException | RuntimeException e) {
        failed++;
        if (problem == null) {
          problem = path + ": " + e.getMessage();
        }
      }
    }

    Row end(String place) {
      folders.forEach(store::deleteEmptyFolders);
      store.close();
      return RowFactory.create(place, files, bytes, failed, problem);
    }
  }
}
