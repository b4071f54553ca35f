package io.metashard.upkeep;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max;

import io.metashard.Location;
import io.metashard.shardmap.ShardMapTable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** The containers that rows of the map name, and whether they are there. */
public final class Containers {
  public static final String LOCATION = ShardMapTable.LOCATION;
  public static final String PATH = ShardMapTable.PATH;

  /** Bytes that the container must have for its blocks to be in it; its footer comes after them. */
  public static final String NEEDED_BYTES = "needed_bytes";

  /** What is wrong with it, in words. */
  public static final String PROBLEM = "problem";

  static final StructType PROBLEMS =
      new StructType()
          .add(LOCATION, DataTypes.StringType, false)
          .add(PATH, DataTypes.StringType, false)
          .add(PROBLEM, DataTypes.StringType, false);

  /** Where they are below a location's root. */
  static final String FOLDER = "containers";

  /** Length of a file. */
  public static final String STORED_BYTES = "stored_bytes";

  public static final String MODIFIED_AT = "modified_at";

  private static final StructType STORED =
      new StructType()
          .add(LOCATION, DataTypes.StringType, false)
          .add(PATH, DataTypes.StringType, false)
          .add(STORED_BYTES, DataTypes.LongType, false)
          .add(MODIFIED_AT, DataTypes.TimestampType, false);

  /** Requests that one task sends, one after the other. */
  private static final int CONTAINERS_PER_TASK = 200;

  private static final int MOST_TASKS = 10_000;

  private Containers() {}

  /**
   * One row per container: {@link #LOCATION}, {@link #PATH}, {@link #NEEDED_BYTES}.
   *
   * @param map rows as {@link ShardMapTable#SCHEMA}
   */
  public static Dataset<Row> of(Dataset<Row> map) {
    return map.groupBy(col(LOCATION), col(PATH))
        .agg(
            max(col(ShardMapTable.CONTAINER_OFFSET).plus(ShardMapTable.physicalBytes()))
                .as(NEEDED_BYTES));
  }

  /**
   * One row per container that is missing, too short or out of reach: {@link #LOCATION}, {@link
   * #PATH}, {@link #PROBLEM}. Asks for the length of each once, in tasks; reads nothing.
   *
   * @param containers as {@link #of} gives them
   * @param count of them
   * @param locations all that the lake knows
   */
  public static Dataset<Row> problems(
      Dataset<Row> containers, long count, List<Location> locations, Configuration hadoop) {
    Map<String, Location> byName = new HashMap<>();
    locations.forEach(location -> byName.put(location.name(), location));
    int tasks = (int) Math.min(MOST_TASKS, count / CONTAINERS_PER_TASK + 1);
    return containers
        .repartition(tasks, col(LOCATION), col(PATH))
        .mapPartitions(
            new CheckContainers(Map.copyOf(byName), new SerializableConfiguration(hadoop)),
            Encoders.row(PROBLEMS));
  }

  /**
   * One row per file where containers are, in tasks, a location each: {@link #LOCATION}, {@link
   * #PATH}, {@link #STORED_BYTES}, {@link #MODIFIED_AT}. Locations that are gone or do not answer
   * have none.
   *
   * @param locations all that the lake knows
   */
  public static Dataset<Row> stored(
      SparkSession spark, List<Location> locations, Configuration hadoop) {
    Map<String, Location> byName = new HashMap<>();
    locations.stream()
        .filter(location -> !location.state().equals(Location.GONE))
        .forEach(location -> byName.put(location.name(), location));
    return spark
        .createDataset(List.copyOf(byName.keySet()), Encoders.STRING())
        .repartition(Math.max(1, byName.size()))
        .mapPartitions(
            new ListStored(Map.copyOf(byName), new SerializableConfiguration(hadoop)),
            Encoders.row(STORED));
  }
}
