package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out a plan: writes blocks, reads them back, and switches the map by one commit.
 *
 * <p>Until the commit nothing is visible; a run that dies before leaves only files that no map
 * names.
 */
public final class ReshardJob {
  private static final Logger LOG = LoggerFactory.getLogger(ReshardJob.class);

  /** Fingerprint of the row of {@code runs} that says that a run has nothing left to do. */
  static final String FINISHED = "finished";

  static final String STAGE = "reshard";

  private static final String STAGED = "blocks";

  private final JobContext context;
  private final List<Location> locations;
  private final Clock clock;
  private final ShardMap map;

  /**
   * @param locations all locations of the lake
   */
  public ReshardJob(JobContext context, List<Location> locations) {
    this(context, locations, Clock.systemUTC());
  }

  /**
   * @param clock that tells how long the run has taken
   */
  ReshardJob(JobContext context, List<Location> locations, Clock clock) {
    this.context = context;
    this.locations = locations;
    this.clock = clock;
    this.map = new ShardMap(context.lake());
  }

  /**
   * Executes the plan of this run.
   *
   * @param planId run id under which the plan was made
   * @throws MetashardException if there is no such plan, or what was written is not as it should be
   * @throws io.metashard.shardmap.MapMovedException if the map is not the one that was planned from
   */
  public StageReport run(String planId) {
    return run(planId, PlannedDrops.stillMissing(context, planId));
  }

  /**
   * Executes a plan, and drops objects from the map.
   *
   * @param drops as {@link PlannedDrops#SCHEMA}
   */
  StageReport run(String planId, Dataset<Row> drops) {
    Dataset<Row> planned =
        context.lake().read(Plans.TABLE).where(col(Plans.RUN_ID).equalTo(planId));
    Plans.Totals totals = Plans.Totals.of(planned);
    long blocks = totals.blocks();
    long dropped = drops.count();
    if (map.lastSwitchWasBy(context.runId())) {
      // This run died between its commit and its end.
      new AfterSwitch(context, locations).finish(map);
      return unchanged("this run has switched the map already; a retry commits once");
    }
    if (blocks == 0 && dropped == 0) {
      return unchanged("the plan moves nothing");
    }
    Dataset<Row> basis = blocks > 0 ? planned : drops;
    Plans.requireFor(map.table(), basis, planId);
    long sequence = basis.select(Plans.MAP_SEQUENCE).first().getLong(0);
    if (map.sequence() != sequence) {
      throw new io.metashard.shardmap.MapMovedException(
          "Cannot execute plan %s: it was made from map sequence %d, the map is at %d; plan again"
              .formatted(planId, sequence, map.sequence()));
    }
    new InventorySources(context).requireCurrent(planned);
    EncodeOptions options = EncodeOptions.from(context.settings());
    BeforeSwitch beforeSwitch = new BeforeSwitch(context, locations, clock);
    Encoding encoding =
        new Encoding(options, locations, context.hadoop(), StoredObjects.of(context));
    AfterSwitch afterSwitch = new AfterSwitch(context, locations);
    map.create();
    Dataset<Row> written;
    if (blocks > 0) {
      int buckets = planned.select(Plans.BUCKETS).first().getInt(0);
      written = write(encoding, planned, totals.sourceBytes(), sequence + 1, buckets, blocks);
      requireWhole(encoding, written, planned);
    } else {
      written = context.spark().createDataFrame(List.of(), ShardMapTable.SCHEMA);
    }
    List<Integer> changed = ShardMap.bucketsOf(written, drops);
    Dataset<Row> before = map.rows();
    Dataset<Row> rows =
        ShardMap.switched(
            before.where(col(ShardMapTable.BUCKET).isInCollection(changed)),
            written,
            ShadowJob.replaced(written, drops),
            context.at());
    long storedBytes =
        written.agg(coalesce(sum(col(ShardMapTable.LENGTH)), lit(0L))).first().getLong(0);
    LOG.info("Switching {} buckets of the shard map to sequence {}", changed.size(), sequence + 1);
    beforeSwitch.requireContainers(written, "switch the map", "the old map stays, run again");
    beforeSwitch.requireYoung();
    map.commit(rows, changed, sequence, context.runId(), context.attempt());
    Dataset<Row> after = map.rows();
    afterSwitch.finish(sequence + 1, after, changed);
    MapStatistics statistics = MapStatistics.of(after);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("objects_encoded", totals.objects());
    figures.put("objects_dropped", dropped);
    figures.put("meta_shards", totals.metaShards());
    figures.put("blocks", blocks);
    figures.put("source_bytes", totals.sourceBytes());
    figures.put("written_bytes", storedBytes);
    figures.put("map_sequence", sequence + 1);
    figures.put("objects_in_map", statistics.objects());
    figures.put("stored_bytes_per_byte", statistics.storageRatio());
    figures.put("survives_domains", statistics.survives());
    figures.put("read_back", options.readBack());
    return new StageReport(
        STAGE,
        StageReport.DONE,
        "plan " + planId,
        FINISHED,
        blocks,
        statistics.blocks(),
        totals.sourceBytes(),
        storedBytes,
        figures);
  }

  private static StageReport unchanged(String reason) {
    return new StageReport(
        "reshard", StageReport.UNCHANGED, reason, FINISHED, 0, 0, 0, 0, Map.of());
  }

  /** Writes the blocks and materialises their rows once: all that follows reads only those. */
  private Dataset<Row> write(
      Encoding encoding,
      Dataset<Row> planned,
      long logicalBytes,
      long sequence,
      int buckets,
      long blocks) {
    String staging = context.stagingPath(STAGED);
    LOG.info("Encoding {} blocks of {} (logical)", blocks, Figures.bytes(logicalBytes));
    encoding
        .write(
            planned,
            logicalBytes,
            context.runId(),
            ShardMap.generation(sequence, context.runId()),
            buckets,
            // As exact as the table keeps it, so that footers and map agree.
            Clock.systemUTC().instant().truncatedTo(ChronoUnit.MICROS))
        .write()
        .format("delta")
        .mode("overwrite")
        .save(staging);
    Dataset<Row> written = context.spark().read().format("delta").load(staging);
    long rows = written.count();
    if (rows != blocks) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot switch the map: %d blocks were written where %d were planned; the old map stays, run again"
              .formatted(rows, blocks));
    }
    return written;
  }

  private void requireWhole(Encoding encoding, Dataset<Row> written, Dataset<Row> planned) {
    Dataset<Row> toRead = encoding.toReadBack(written);
    long bytes = toRead.agg(coalesce(sum(col(ShardMapTable.LENGTH)), lit(0L))).first().getLong(0);
    LOG.info("Reading {} back, with a decode of every meta-shard", Figures.bytes(bytes));
    Dataset<Row> findings =
        encoding
            .check(toRead, VerifyJob.partitions(bytes))
            .unionByName(encoding.checkSources(planned))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      long found = findings.count();
      if (found > 0) {
        VerifyJob.record(context, findings);
        throw new MetashardException(
            MetashardException.FAILED,
            "Cannot switch the map: reading back found %d problems, such as %s; the old map stays, all are in the table verify_findings under run %s; run again"
                .formatted(found, VerifyJob.describe(findings, 3), context.runId()));
      }
    } finally {
      findings.unpersist();
    }
  }
}
