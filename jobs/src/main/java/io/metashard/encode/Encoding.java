package io.metashard.encode;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.regexp_extract;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.Location;
import io.metashard.plan.Places;
import io.metashard.plan.PlannedBlock;
import io.metashard.plan.Site;
import io.metashard.shardmap.ShardMapTable;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.util.SerializableConfiguration;

/** Carries out plans and repairs: writes blocks, and reads back what was written. */
public final class Encoding {
  /** One meta-shard in so many is read back by {@code read-back = sample}. */
  public static final int SAMPLE_ONE_IN = 16;

  private static final int MOST_TASKS = 100_000;

  /** What containers of one task have in common: all of their path but number and location. */
  private static final String TASK_OF_PATH = "^(.*/s\\d+-p\\d+-a\\d+-[0-9a-f]+)-";

  private final EncodeOptions options;
  private final Map<String, Location> locations;
  private final SerializableConfiguration hadoop;
  private final MapSource map;

  /** Of objects that have sources. */
  public Encoding(EncodeOptions options, List<Location> locations, Configuration hadoop) {
    this(options, locations, hadoop, MapSource.NONE);
  }

  /**
   * @param map what has no source is read from
   */
  public Encoding(
      EncodeOptions options, List<Location> locations, Configuration hadoop, MapSource map) {
    this.map = map;
    this.options = options;
    this.locations = new HashMap<>();
    locations.forEach(location -> this.locations.put(location.name(), location));
    this.hadoop = new SerializableConfiguration(hadoop);
  }

  /**
   * Reads the sources, codes and writes containers.
   *
   * <p>The result must be materialised once and only read from there: computing it again writes
   * other containers.
   *
   * @param planned as {@link PlannedBlocks#SCHEMA}
   * @param logicalBytes sum of the planned data blocks' lengths
   * @return one row per block written, as {@link ShardMapTable#SCHEMA}
   */
  public Dataset<Row> write(
      Dataset<Row> planned,
      long logicalBytes,
      String runId,
      String generation,
      int buckets,
      Instant writtenAt) {
    // Each task writes a container a location: no more tasks than the bytes ask for.
    int tasks = (int) Math.max(1, Math.min(MOST_TASKS, logicalBytes / options.taskBytes()));
    return planned
        .repartition(tasks, taskKeys(planned, tasks))
        .sortWithinPartitions(
            PlannedBlocks.GROUP,
            // One bucket after the other: what is read from the map is looked up by bucket.
            PlannedBlocks.BUCKET,
            PlannedBlocks.META_SHARD_ID,
            PlannedBlocks.BLOCK_INDEX)
        .mapPartitions(
            new EncodePartition(
                options, locations, runId, generation, buckets, writtenAt, hadoop, map),
            ShardMapTable.encoder());
  }

  /**
   * What decides a block's task: an object is in one bucket, and meta-shards that are placed
   * together begin alike.
   */
  private static Column[] taskKeys(Dataset<Row> planned, int tasks) {
    if (tasks == 1) {
      return new Column[] {lit(0)};
    }
    long buckets = planned.agg(countDistinct(col(PlannedBlocks.BUCKET))).first().getLong(0);
    Column bundle = substring(col(PlannedBlocks.META_SHARD_ID), 1, PlannedBlock.BUNDLE_DIGITS);
    long cuts = (tasks + buckets - 1) / Math.max(1, buckets);
    return new Column[] {col(PlannedBlocks.BUCKET), pmod(xxhash64(bundle), lit(Math.max(1, cuts)))};
  }

  /** The meta-shards that {@code reshard.read-back} asks to be read back. */
  public Dataset<Row> toReadBack(Dataset<Row> written) {
    return switch (options.readBack()) {
      case "none" -> written.limit(0);
      case "sample" ->
          written.where(
              pmod(xxhash64(col(ShardMapTable.META_SHARD_ID)), lit(SAMPLE_ONE_IN)).equalTo(0));
      default -> written;
    };
  }

  /**
   * Reads blocks back: every frame, every length and checksum, and for every meta-shard a decode
   * that uses parity, compared with the checksums taken when the sources were read.
   *
   * @param blocks all blocks of each meta-shard, as {@link ShardMapTable#SCHEMA}
   * @return what is wrong, as {@link Findings#SCHEMA}; no row means that all is right
   */
  public Dataset<Row> check(Dataset<Row> blocks, int partitions) {
    return check(blocks, partitions, 0);
  }

  /**
   * As {@link #check(Dataset, int)}, at a pace.
   *
   * @param bytesPerSecond of each task; 0: no limit
   */
  public Dataset<Row> check(Dataset<Row> blocks, int partitions, long bytesPerSecond) {
    String task = "written_by";
    // A repaired meta-shard has blocks of several tasks, and must stay together all the same.
    Column writtenBy =
        min(regexp_extract(col(ShardMapTable.PATH), TASK_OF_PATH, 1))
            .over(Window.partitionBy(col(ShardMapTable.META_SHARD_ID)));
    return blocks
        .withColumn(task, writtenBy)
        .repartition(partitions, col(task))
        .sortWithinPartitions(
            task, ShardMapTable.BUCKET, ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX)
        .drop(task)
        .mapPartitions(
            new CheckPartition(options.engine(), locations, bytesPerSecond, hadoop),
            Findings.encoder());
  }

  /**
   * Reads the footer of every container that rows of the map name, and holds the rows against it.
   *
   * @param blocks as {@link ShardMapTable#SCHEMA}
   * @param bytesPerSecond of each task; 0: no limit
   * @return a {@link Findings#FOOTER} for each container whose footer is bad
   */
  public Dataset<Row> checkFooters(Dataset<Row> blocks, int partitions, long bytesPerSecond) {
    return blocks
        .repartition(partitions, col(ShardMapTable.LOCATION), col(ShardMapTable.PATH))
        .sortWithinPartitions(ShardMapTable.LOCATION, ShardMapTable.PATH)
        .mapPartitions(new CheckFooters(locations, bytesPerSecond, hadoop), Findings.encoder());
  }

  /**
   * What a repair writes with.
   *
   * @param tasks at most; each fills at most the room of {@code sites}
   * @param bytesPerSecond of each task; 0: no limit
   */
  public record RepairRun(
      String runId,
      String generation,
      Instant writtenAt,
      Places places,
      List<Site> sites,
      int tasks,
      long bytesPerSecond) {
    public RepairRun {
      sites = List.copyOf(sites);
    }
  }

  /**
   * Writes blocks again, from the others of their meta-shards. The result must be materialised
   * once, as that of {@link #write}.
   *
   * @param blocks all blocks of each meta-shard, as {@link RepairBlocks#SCHEMA}
   * @return {@link RepairBlocks#RESULT}
   */
  public Dataset<Row> repair(Dataset<Row> blocks, RepairRun run) {
    // By range, so that the first tasks have what is most in danger.
    return blocks
        .repartitionByRange(
            run.tasks(),
            col(RepairBlocks.SPARE_BLOCKS),
            col(RepairBlocks.GROUP),
            col(ShardMapTable.META_SHARD_ID))
        .sortWithinPartitions(
            RepairBlocks.SPARE_BLOCKS,
            RepairBlocks.GROUP,
            ShardMapTable.META_SHARD_ID,
            ShardMapTable.BLOCK_INDEX)
        .mapPartitions(
            new RepairPartition(
                options,
                locations,
                run.places(),
                run.sites(),
                run.runId(),
                run.generation(),
                run.writtenAt(),
                run.bytesPerSecond(),
                hadoop),
            RepairBlocks.resultEncoder());
  }

  /** Checks that sources are still at the versions that were read; a row for each that is not. */
  public Dataset<Row> checkSources(Dataset<Row> planned) {
    return planned
        .where(col(PlannedBlocks.URI).isNotNull()) // parity has none, nor has what only the map has
        .select(PlannedBlocks.OBJECT_ID, PlannedBlocks.URI, PlannedBlocks.OBJECT_VERSION)
        .distinct()
        .mapPartitions(new CheckSources(hadoop), Findings.encoder());
  }
}
