package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.ObjectIds;
import io.metashard.config.SettingsException;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.Findings;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
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

  static final String STAGE = "verify";

  /** Figure that says of how many meta-shards all blocks were read, in percent. */
  static final String SAMPLE_PERCENT = "sample_percent";

  private static final int WHOLE = 100;

  /** Meta-shards fall into this many lots; a sample is some of them. */
  private static final int LOTS = 1_000_000;

  private final JobContext context;
  private final double samplePercent;

  public VerifyJob(JobContext context) {
    this(context, WHOLE);
  }

  /**
   * @param samplePercent of meta-shards that are read, chosen by the run's id: a retry reads the
   *     same, another night others
   * @throws SettingsException if it is not above 0 and at most 100
   */
  public VerifyJob(JobContext context, double samplePercent) {
    if (!(samplePercent > 0 && samplePercent <= WHOLE)) {
      throw new SettingsException(
          "Cannot verify a sample of %s percent: it must be more than 0 and at most 100"
              .formatted(samplePercent));
    }
    this.context = context;
    this.samplePercent = samplePercent;
  }

  /**
   * Verifies the newest map, or the sample of it.
   *
   * @return figures; {@code damaged_blocks} above 0 means exit code 3
   */
  public StageReport run() {
    ShardMap map = new ShardMap(context.lake());
    Dataset<Row> rows = sample(map.rows());
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
      figures.put(SAMPLE_PERCENT, samplePercent);
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
        found > 0
            ? "damage was found"
            : samplePercent < WHOLE
                ? "every block of the sample is readable and every decode of it is right"
                : "every block is readable and every decode is right",
        "",
        statistics.blocks(),
        found,
        statistics.storedBytes(),
        0,
        figures);
  }

  /** All blocks of the meta-shards that the run's id chooses. */
  private Dataset<Row> sample(Dataset<Row> rows) {
    return samplePercent == WHOLE
        ? rows
        : rows.where(
            pmod(xxhash64(col(ShardMapTable.META_SHARD_ID), lit(context.runId())), lit(LOTS))
                .lt(lit(samplePercent / WHOLE * LOTS)));
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
