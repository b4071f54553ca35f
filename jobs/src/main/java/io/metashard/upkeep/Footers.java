package io.metashard.upkeep;

import static org.apache.spark.sql.functions.col;

import io.metashard.Block;
import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.ContainerFooter;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What the containers at all locations say of themselves. Footers may be anybody's bytes: a row
 * counts only for the location and the file that it was found in, and only if it could be one of
 * the map's.
 */
public final class Footers {
  private static final String LOCATION = ShardMapTable.LOCATION;
  private static final String PATH = ShardMapTable.PATH;

  /** Why a container, or a location, was left out; null in rows of blocks. */
  public static final String PROBLEM = "problem";

  private static final StructType CONTAINERS =
      new StructType()
          .add(LOCATION, DataTypes.StringType, false)
          .add(PATH, DataTypes.StringType, true)
          .add(PROBLEM, DataTypes.StringType, true);

  private static final StructType ROWS = rows();

  private static final String SUFFIX = ".msc";
  private static final Pattern GENERATION =
      Pattern.compile("0[0-9]{19}-[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final int MOST_ID_CHARACTERS = 200;

  /** Footers that one task reads. */
  private static final int CONTAINERS_PER_TASK = 50;

  private static final int MOST_TASKS = 10_000;

  private Footers() {}

  private static StructType rows() {
    StructType nullable = new StructType();
    for (String name : ShardMapTable.SCHEMA.fieldNames()) {
      nullable = nullable.add(name, ShardMapTable.SCHEMA.apply(name).dataType(), true);
    }
    return nullable.add(PROBLEM, DataTypes.StringType, true);
  }

  /**
   * Lists the containers of all locations, in a task each.
   *
   * @return a row per container; one with a problem and no path per location that does not answer
   */
  public static Dataset<Row> containers(
      SparkSession spark, List<Location> locations, Configuration hadoop) {
    List<String> names = locations.stream().map(Location::name).toList();
    return spark
        .createDataset(names, Encoders.STRING())
        .repartition(Math.max(1, names.size()))
        .flatMap(
            new ListContainers(byName(locations), new SerializableConfiguration(hadoop)),
            Encoders.row(CONTAINERS));
  }

  /**
   * Reads the footers of containers.
   *
   * @param containers as {@link #containers} gives them
   * @param count of them
   * @return the columns of {@link ShardMapTable#SCHEMA} and {@link #PROBLEM}: a row per block, or,
   *     with a problem, one per container or location that is left out
   */
  public static Dataset<Row> read(
      Dataset<Row> containers, long count, List<Location> locations, Configuration hadoop) {
    int tasks = (int) Math.min(MOST_TASKS, count / CONTAINERS_PER_TASK + 1);
    return containers
        .repartition(tasks, col(LOCATION), col(PATH))
        .mapPartitions(
            new ReadFooters(byName(locations), new SerializableConfiguration(hadoop)),
            Encoders.row(ROWS));
  }

  private static Map<String, Location> byName(List<Location> locations) {
    Map<String, Location> byName = new HashMap<>();
    locations.forEach(location -> byName.put(location.name(), location));
    return Map.copyOf(byName);
  }

  private record ListContainers(Map<String, Location> locations, SerializableConfiguration hadoop)
      implements FlatMapFunction<String, Row> {
    @Override
    public Iterator<Row> call(String name) {
      ObjectStore store = new HadoopStore(locations.get(name).uri(), hadoop.value());
      Iterator<StoredFile> files;
      try {
        files = store.list("");
      } catch (IOException | UncheckedIOException e) {
        return List.of(RowFactory.create(name, null, e.getMessage())).iterator();
      }
      return new Iterator<>() {
        private Row next;
        private boolean isOver;

        @Override
        public boolean hasNext() {
          try {
            while (next == null && !isOver && files.hasNext()) {
              String path = files.next().path();
              next = path.endsWith(SUFFIX) ? RowFactory.create(name, path, null) : null;
            }
          } catch (UncheckedIOException e) {
            isOver = true;
            next = RowFactory.create(name, null, "its listing broke off: " + e.getMessage());
          }
          return next != null;
        }

        @Override
        public Row next() {
          if (!hasNext()) {
            throw new java.util.NoSuchElementException();
          }
          Row found = next;
          next = null;
          return found;
        }
      };
    }
  }

  private record ReadFooters(Map<String, Location> locations, SerializableConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> containers) {
      Map<String, ObjectStore> stores = new HashMap<>();
      return new Iterator<>() {
        private Iterator<Row> rows = List.<Row>of().iterator(); // of one container at a time

        @Override
        public boolean hasNext() {
          while (!rows.hasNext() && containers.hasNext()) {
            Row container = containers.next();
            rows = rows(stores, container).iterator();
          }
          return rows.hasNext();
        }

        @Override
        public Row next() {
          if (!hasNext()) {
            throw new java.util.NoSuchElementException();
          }
          return rows.next();
        }
      };
    }

    private List<Row> rows(Map<String, ObjectStore> stores, Row container) {
      String name = container.getAs(LOCATION);
      String path = container.getAs(PATH);
      if (path == null) {
        return List.of(problem(name, null, container.getAs(PROBLEM)));
      }
      ObjectStore store =
          stores.computeIfAbsent(
              name, key -> new HadoopStore(locations.get(key).uri(), hadoop.value()));
      List<Row> rows = new ArrayList<>();
      try {
        for (Block block : ContainerFooter.read(store, path)) {
          Optional<String> wrong = wrong(block, name);
          if (wrong.isPresent()) {
            // Who wrote one row that cannot be wrote them all.
            return List.of(problem(name, path, "a row of its footer " + wrong.get()));
          }
          rows.add(row(block));
        }
        return rows;
      } catch (IOException | RuntimeException e) {
        return List.of(problem(name, path, e.getMessage()));
      }
    }
  }

  /** What is wrong with a row of a footer that is sound by itself. */
  static Optional<String> wrong(Block block, String foundAt) {
    if (!block.location().equals(foundAt)) {
      return Optional.of("is of location %s".formatted(ObjectIds.printable(block.location())));
    }
    if (block.buckets() < 1
        || Integer.bitCount(block.buckets()) != 1
        || block.bucket() < 0
        || block.bucket() >= block.buckets()) {
      return Optional.of("is of bucket %d of %d".formatted(block.bucket(), block.buckets()));
    }
    if (block.k() < 1 || block.m() < 0 || block.k() > 256 || block.m() > 256 - block.k()) {
      return Optional.of("is of a meta-shard of %d+%d blocks".formatted(block.k(), block.m()));
    }
    if (!GENERATION.matcher(block.generation()).matches()) {
      return Optional.of("is of generation %s".formatted(ObjectIds.printable(block.generation())));
    }
    if (block.metaShardId().isEmpty() || block.metaShardId().length() > MOST_ID_CHARACTERS) {
      return Optional.of("has no meta-shard");
    }
    if (block.isParity()) {
      return block.objectId() == null && block.length() == block.blockBytes()
          ? Optional.empty()
          : Optional.of("is of a parity block, and is not");
    }
    if (block.objectVersion() == null || ObjectIds.problem(block.objectId()).isPresent()) {
      return Optional.of("is of an object without an id or a version");
    }
    if (block.bucket() != Buckets.of(block.objectId(), block.buckets())) {
      return Optional.of("is of an object of another bucket");
    }
    if (block.segment() < 0
        || block.objectOffset() < 0
        || block.length() > block.objectBytes()
        || block.objectOffset() > block.objectBytes() - block.length()) {
      return Optional.of("is of bytes that its object does not have");
    }
    return Optional.empty();
  }

  private static Row row(Block block) {
    Object[] values = new Object[ROWS.size()];
    Row row = ShardMapTable.row(block);
    for (int i = 0; i < row.size(); i++) {
      values[i] = row.get(i);
    }
    return RowFactory.create(values);
  }

  private static Row problem(String location, String path, String problem) {
    Object[] values = new Object[ROWS.size()];
    values[ROWS.fieldIndex(LOCATION)] = location;
    values[ROWS.fieldIndex(PATH)] = path;
    values[ROWS.fieldIndex(PROBLEM)] = problem == null ? "it cannot be read" : problem;
    return RowFactory.create(values);
  }
}
