package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.encode.Findings;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads every block of the map, live and dead, and every container's footer, decodes every
 * meta-shard with parity in use, and looks for files that no map names.
 */
public final class VerifyJob {
  private static final Logger LOG = LoggerFactory.getLogger(VerifyJob.class);

  /** Findings that are printed; all are in the table. */
  static final int SHOWN = 10;

  static final String STAGE = "verify";

  /** Figure that says which meta-shards were read. */
  static final String SCOPE = "scope";

  /** Most bytes a second that are read, of the whole cluster. */
  static final String RATE = "verify.bytes-per-second";

  private final JobContext context;
  private final VerifyScope scope;

  public VerifyJob(JobContext context) {
    this(context, new VerifyScope.All());
  }

  VerifyJob(JobContext context, VerifyScope scope) {
    this.context = context;
    this.scope = scope;
  }

  /**
   * Verifies the newest map, or a part of it.
   *
   * @return figures; {@link StageReport#rowsOut} above 0 means exit code 3
   */
  public StageReport run() {
    ShardMap map = new ShardMap(context.lake());
    List<Location> locations = Locations.known(context.lake());
    OptionalLong version = map.version();
    Dataset<Row> all = version.isPresent() ? map.rowsAt(version.getAsLong()) : map.rows();
    Dataset<Row> rows = scope.of(all);
    MapStatistics statistics = MapStatistics.of(rows);
    DamageLook look = new DamageLook(context, locations, context.settings().bytes(RATE));
    DamageLook.Found found =
        look.look(
            new DamageLook.Scope(rows, statistics.storedBytes(), version.orElse(-1), scope.text()));
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put(SCOPE, scope.text());
    figures.put("objects", statistics.objects());
    figures.put("meta_shards", statistics.metaShards());
    figures.put("blocks", statistics.blocks());
    figures.put("stored_bytes", statistics.storedBytes());
    if (found.slicesBefore() > 0) {
      figures.put("slices_found_whole_before", found.slicesBefore());
    }
    figures.put("findings", found.count());
    Map<String, Long> byProblem = Damage.byProblem(found.findings());
    figures.putAll(byProblem);
    if (found.count() > 0) {
      figures.put("first_findings", describe(found.findings(), SHOWN));
    }
    record(found, map, locations, figures);
    if (found.count() > 0) {
      figures.put("what_to_do", Damage.whatToDo(byProblem));
      figures.put("all_findings", "table verify_findings, run_id " + context.runId());
    }
    look.forget();
    try {
      context.discardAllStaged();
    } catch (IOException e) {
      LOG.warn("Cannot delete what run {} staged: {}", context.runId(), e.getMessage());
    }
    return new StageReport(
        STAGE,
        StageReport.DONE,
        found.count() > 0
            ? "damage was found"
            : scope instanceof VerifyScope.All
                ? "every block is readable and every decode is right"
                : "every block of %s is readable and every decode of it is right"
                    .formatted(scope.text()),
        "",
        statistics.blocks(),
        found.count(),
        statistics.storedBytes(),
        0,
        figures);
  }

  /**
   * Adds all that was found to the table, in one commit. Files that no map names are no damage:
   * they are counted beside it.
   */
  private void record(
      DamageLook.Found found, ShardMap map, List<Location> locations, Map<String, Object> figures) {
    if (!(scope instanceof VerifyScope.All)) {
      if (found.count() > 0) {
        record(context, found.findings());
      }
      return;
    }
    Dataset<Row> orphans =
        Orphans.of(context, map, locations).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Row totals = orphans.agg(count(lit(1)), coalesce(sum(col(Findings.LENGTH)), lit(0L))).first();
      figures.put("orphans", totals.getLong(0));
      figures.put("orphan_bytes", totals.getLong(1));
      if (found.count() + totals.getLong(0) > 0) {
        record(context, found.findings().unionByName(orphans));
      }
    } finally {
      orphans.unpersist();
    }
  }

  static int partitions(long bytes) {
    return (int) Math.max(4, Math.min(10_000, bytes / (128L << 20) + 1));
  }

  /** Adds findings to the table. */
  static void record(JobContext context, Dataset<Row> findings) {
    context
        .lake()
        .append(
            VerifyFindings.TABLE,
            findings
                .withColumn(VerifyFindings.RUN_ID, lit(context.runId()))
                .withColumn(
                    VerifyFindings.FOUND_AT, lit(Timestamp.from(Clock.systemUTC().instant()))),
            Lake.Commit.PLAIN);
  }

  /** The first findings in words, escaped; what is most in danger first. */
  static List<String> describe(Dataset<Row> findings, int most) {
    return findings
        .orderBy(
            col(Findings.SPARE_BLOCKS).asc_nulls_last(),
            col(Findings.META_SHARD_ID),
            col(Findings.BLOCK_INDEX),
            col(Findings.PROBLEM).desc())
        .limit(most)
        .collectAsList()
        .stream()
        .map(VerifyJob::described)
        .toList();
  }

  private static String described(Row row) {
    String metaShard = row.getAs(Findings.META_SHARD_ID);
    String objectId = row.getAs(Findings.OBJECT_ID);
    String problem = row.getAs(Findings.PROBLEM);
    String detail = row.getAs(Findings.DETAIL);
    String place = "%s %s".formatted(row.getAs(Findings.LOCATION), row.getAs(Findings.PATH));
    String what;
    if (metaShard != null) {
      what =
          "meta-shard %s block %s at %s%s"
              .formatted(
                  metaShard,
                  row.getAs(Findings.BLOCK_INDEX),
                  place,
                  objectId == null ? "" : ", object " + objectId);
    } else {
      what = objectId == null ? place : "object " + objectId;
    }
    return ObjectIds.printable("%s: %s: %s".formatted(problem, what, detail), 600);
  }
}
