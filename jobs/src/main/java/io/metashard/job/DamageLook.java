package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;

import io.delta.tables.DeltaTable;
import io.metashard.Location;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.Findings;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what rows of the map name: every block, every footer, and a decode of every meta-shard.
 *
 * <p>A large map is read in slices of its buckets, one after the other, and each slice that is
 * whole is written down: a later attempt of the same run does not read it again, if the map is
 * still the same. A slice in which something was found is.
 */
final class DamageLook {
  private static final Logger LOG = LoggerFactory.getLogger(DamageLook.class);

  /** Each is some Spark jobs and at most one small commit. */
  static final int MOST_SLICES = 256;

  private static final String PROGRESS = "looked-at";
  private static final String FOUND = "found";

  private static final String SCOPE = "scope";
  private static final String MAP_VERSION = "map_version";
  private static final String SLICES = "slices";
  private static final String SLICE = "slice";

  private static final StructType PROGRESS_SCHEMA =
      new StructType()
          .add(SCOPE, DataTypes.StringType)
          .add(MAP_VERSION, DataTypes.LongType)
          .add(SLICES, DataTypes.IntegerType)
          .add(SLICE, DataTypes.IntegerType);

  private final JobContext context;
  private final Encoding encoding;
  private final long bytesPerSecond;
  private final long sliceBytes;

  /**
   * @param locations all locations of the lake
   * @param bytesPerSecond that are read, of the whole cluster; 0: no limit
   */
  DamageLook(JobContext context, List<Location> locations, long bytesPerSecond) {
    this.context = context;
    this.encoding =
        new Encoding(EncodeOptions.from(context.settings()), locations, context.hadoop());
    this.bytesPerSecond = bytesPerSecond;
    this.sliceBytes = Math.max(1, context.settings().bytes("verify.slice-bytes"));
  }

  /**
   * What is looked at.
   *
   * @param rows of the map, whole meta-shards, as {@link ShardMapTable#SCHEMA}
   * @param storedBytes of their blocks
   * @param mapVersion of the map that they are of
   * @param scope what tells this choice of rows from others, in words
   */
  record Scope(Dataset<Row> rows, long storedBytes, long mapVersion, String scope) {}

  /**
   * What was found.
   *
   * @param findings as {@link Findings#SCHEMA}, materialised
   * @param count of them
   * @param slices read by this attempt
   * @param slicesBefore found whole by earlier ones
   */
  record Found(Dataset<Row> findings, long count, int slices, int slicesBefore) {}

  /** Looks at everything that earlier attempts of this run have not found whole. */
  Found look(Scope scope) {
    int slices = (int) Math.max(1, Math.min(MOST_SLICES, scope.storedBytes() / sliceBytes));
    Set<Integer> whole = slices == 1 ? Set.of() : wholeBefore(scope, slices);
    if (!whole.isEmpty()) {
      LOG.info(
          "{} of {} slices of the map were found whole by an earlier attempt",
          whole.size(),
          slices);
    }
    Dataset<Row> staged = context.spark().createDataFrame(List.of(), Findings.SCHEMA);
    long all = 0;
    for (int slice = 0; slice < slices; slice++) {
      if (whole.contains(slice)) {
        continue;
      }
      Dataset<Row> rows =
          slices == 1
              ? scope.rows()
              : scope.rows().where(pmod(col(ShardMapTable.BUCKET), lit(slices)).equalTo(slice));
      Dataset<Row> findings =
          findings(rows, scope.storedBytes() / slices).persist(StorageLevel.MEMORY_AND_DISK());
      try {
        long found = findings.count();
        all += found;
        if (found > 0) {
          staged = context.staged(findings, FOUND, SaveMode.Append);
        } else if (slices > 1) {
          context
              .spark()
              .createDataFrame(
                  List.of(RowFactory.create(scope.scope(), scope.mapVersion(), slices, slice)),
                  PROGRESS_SCHEMA)
              .coalesce(1)
              .write()
              .format("delta")
              .mode("append")
              .save(context.sharedStagingPath(PROGRESS));
        }
      } finally {
        findings.unpersist();
      }
      if (slices > 1) {
        LOG.info("Looked at slice {} of {}; {} findings so far", slice + 1, slices, all);
      }
    }
    return new Found(staged, all, slices - whole.size(), whole.size());
  }

  /**
   * What a check of blocks and of footers finds, at the pace that is set; reads when it is asked.
   */
  Dataset<Row> findings(Dataset<Row> rows, long storedBytes) {
    int tasks = VerifyJob.partitions(storedBytes);
    long perTask = Pacing.perTask(context.spark(), bytesPerSecond, tasks);
    return encoding
        .check(rows, tasks, perTask)
        .unionByName(encoding.checkFooters(rows, tasks, perTask));
  }

  private Set<Integer> wholeBefore(Scope scope, int slices) {
    String path = context.sharedStagingPath(PROGRESS);
    if (!DeltaTable.isDeltaTable(context.spark(), path)) {
      return Set.of();
    }
    Set<Integer> whole = new HashSet<>();
    context
        .spark()
        .read()
        .format("delta")
        .load(path)
        .where(
            col(SCOPE)
                .equalTo(scope.scope())
                .and(col(MAP_VERSION).equalTo(scope.mapVersion()))
                .and(col(SLICES).equalTo(slices)))
        .select(SLICE)
        .distinct()
        .collectAsList() // MOST_SLICES at most
        .forEach(row -> whole.add(row.getInt(0)));
    return whole;
  }

  /**
   * Forgets what was found whole: the run has come to its answer, and the same run asked again
   * looks again.
   */
  void forget() {
    try {
      context.forgetShared(PROGRESS);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot delete %s: %s; delete it, or the same run would not look again"
              .formatted(context.sharedStagingPath(PROGRESS), e.getMessage()),
          e);
    }
  }
}
