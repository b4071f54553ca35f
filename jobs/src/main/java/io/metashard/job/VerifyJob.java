package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;

import io.metashard.ObjectIds;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.Findings;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/** Reads every block of the map, live and dead, and decodes every meta-shard with parity in use. */
public final class VerifyJob {
  /** Findings that are printed; all are in the table. */
  private static final int SHOWN = 10;

  private final JobContext context;

  public VerifyJob(JobContext context) {
    this.context = context;
  }

  /**
   * Verifies the newest map.
   *
   * @return figures; {@code damaged_blocks} above 0 means exit code 3
   */
  public StageReport run() {
    ShardMap map = new ShardMap(context.lake());
    Dataset<Row> rows = map.rows();
    MapStatistics statistics = MapStatistics.of(rows);
    Encoding encoding =
        new Encoding(
            EncodeOptions.from(context.settings()),
            Locations.known(context.lake()),
            context.hadoop());
    Dataset<Row> findings =
        encoding
            .check(rows, partitions(statistics.storedBytes()))
            .persist(StorageLevel.MEMORY_AND_DISK());
    Map<String, Object> figures = new LinkedHashMap<>();
    long found;
    try {
      found = findings.count();
      figures.put("objects", statistics.objects());
      figures.put("meta_shards", statistics.metaShards());
      figures.put("blocks", statistics.blocks());
      figures.put("stored_bytes", statistics.storedBytes());
      figures.put("findings", found);
      if (found > 0) {
        record(context, findings);
        findings
            .groupBy(col(Findings.PROBLEM))
            .agg(count(lit(1)), min(col(Findings.SPARE_BLOCKS)))
            .orderBy(col(Findings.PROBLEM))
            .collectAsList()
            .forEach(row -> figures.put(row.getString(0), row.getLong(1)));
        figures.put("first_findings", describe(findings, SHOWN));
        figures.put(
            "what_to_do",
            "meta-shards with spare blocks are still read right: bring lost locations back, or encode the objects again (reshard); all findings are in the table verify_findings");
      }
    } finally {
      findings.unpersist();
    }
    return new StageReport(
        "verify",
        StageReport.DONE,
        found == 0 ? "every block is readable and every decode is right" : "damage was found",
        "",
        statistics.blocks(),
        found,
        statistics.storedBytes(),
        0,
        figures);
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

  /** The first findings in words, escaped. */
  static List<String> describe(Dataset<Row> findings, int most) {
    return findings
        .orderBy(col(Findings.SPARE_BLOCKS), col(Findings.META_SHARD_ID), col(Findings.BLOCK_INDEX))
        .limit(most)
        .collectAsList()
        .stream()
        .map(
            row ->
                ObjectIds.printable(
                    "%s: meta-shard %s block %s at %s %s%s: %s"
                        .formatted(
                            row.getAs(Findings.PROBLEM),
                            row.getAs(Findings.META_SHARD_ID),
                            row.getAs(Findings.BLOCK_INDEX),
                            row.getAs(Findings.LOCATION),
                            row.getAs(Findings.PATH),
                            row.getAs(Findings.OBJECT_ID) == null
                                ? ""
                                : ", object " + row.getAs(Findings.OBJECT_ID),
                            row.getAs(Findings.DETAIL)),
                    400))
        .toList();
  }
}
