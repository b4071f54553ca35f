package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.when;

import io.delta.tables.DeltaTable;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.Shape;
import io.metashard.catalogue.Objects;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.Findings;
import io.metashard.encode.RepairBlocks;
import io.metashard.plan.Places;
import io.metashard.plan.PlanOptions;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMap.Switch;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes lost and damaged blocks again, from those that are not, into new containers, reads them
 * back, and switches the map by one commit.
 *
 * <p>One commit for all, not one per batch: a switch is backed up and sets states over all objects,
 * which costs more than a batch, and a run that is retried commits once. What is rebuilt until then
 * is staged batch by batch, what is most in danger first: a retry goes on from there. A meta-shard
 * that cannot be repaired is named; nothing of it is touched, and the others are repaired.
 */
final class RepairJob {
  private static final Logger LOG = LoggerFactory.getLogger(RepairJob.class);

  static final String STAGE = "repair";

  /** Most bytes a second that are read and written, of the whole cluster. */
  static final String RATE = "repair.bytes-per-second";

  private static final int MOST_TASKS = 10_000;
  private static final int NAMED = 10;
  private static final String STAGED = "rebuilt";
  private static final String LOOKED_AT = "work";
  private static final String REMAINING = "remaining";

  private final JobContext context;
  private final NightlyJob.Extent extent;
  private final NightlyJob.Repeat repeat;
  private final long maxBytes;
  private final ShardMap map;
  private final EncodeOptions options;
  private final Map<String, Object> figures = new LinkedHashMap<>();
  private List<Location> locations;

  /**
   * @param locations all locations of the lake
   * @param maxBytes of blocks that are written in this run, about
   */
  RepairJob(
      JobContext context,
      List<Location> locations,
      NightlyJob.Extent extent,
      NightlyJob.Repeat repeat,
      long maxBytes) {
    this.context = context;
    this.locations = locations;
    this.extent = extent;
    this.repeat = repeat;
    this.maxBytes = maxBytes;
    this.map = new ShardMap(context.lake());
    this.options = EncodeOptions.from(context.settings());
  }

  /**
   * The map that is repaired.
   *
   * @param sequence of its newest switch
   */
  private record Base(long sequence, long version, Dataset<Row> rows) {}

  /**
   * What is to be done.
   *
   * @param damaged blocks that are written again, with their problem
   * @param findings of the look that was taken, as {@link Findings#SCHEMA}
   */
  private record Diagnosis(Dataset<Row> damaged, Dataset<Row> findings) {}

  /**
   * Repairs.
   *
   * @return figures; {@link StageReport#rowsOut} above 0, what is damaged still: exit code 3
   * @throws MetashardException if there is no such location or run, or too few domains are left
   *     (exit code 2): nothing is changed
   * @throws MapMovedException if another run switches the map meanwhile
   */
  StageReport run(RepairWhat what) {
    Optional<Switch> own =
        repeat == NightlyJob.Repeat.FORCE ? Optional.empty() : map.switchBy(context.runId());
    if (own.isPresent()) {
      return switchedBefore(own.get());
    }
    // Before the version: if the map moves in between, the commit finds that it did.
    long sequence = map.sequence();
    OptionalLong version = map.version();
    if (sequence == 0 || version.isEmpty()) {
      return unchanged("the map has no blocks yet");
    }
    Base base = new Base(sequence, version.getAsLong(), map.rowsAt(version.getAsLong()));
    DamageLook look = new DamageLook(context, locations, context.settings().bytes(RATE));
    Diagnosis diagnosis = diagnosis(what, base, look);
    StageReport report = repair(what, base, diagnosis);
    look.forget();
    return report;
  }

  private StageReport unchanged(String reason) {
    return new StageReport(
        STAGE, StageReport.UNCHANGED, reason, ReshardJob.FINISHED, 0, 0, 0, 0, figures);
  }

  /** This run has repaired: in an attempt that died before its end, or that was told so. */
  private StageReport switchedBefore(Switch own) {
    long sequence = map.sequence();
    if (own.sequence() == sequence && extent == NightlyJob.Extent.FULL) {
      new AfterSwitch(context, locations).finish(map);
    }
    figures.put("map_sequence", sequence);
    return unchanged(
        "this run has repaired already, by switch %d of the map; a retry commits once, --force looks again"
            .formatted(own.sequence()));
  }

  // --- what is damaged

  private Diagnosis diagnosis(RepairWhat what, Base base, DamageLook look) {
    if (what instanceof RepairWhat.Gone gone) {
      return ofGone(base, gone.location());
    }
    if (what instanceof RepairWhat.Emptied emptied) {
      figures.put("scope", "all in some containers");
      return new Diagnosis(
          RepairWork.in(base.rows(), emptied.containers()),
          context.spark().createDataFrame(List.of(), Findings.SCHEMA));
    }
    Dataset<Row> rows = base.rows();
    String scope = "all";
    if (what instanceof RepairWhat.Findings of) {
      rows = ofRun(base, of.runId());
      scope = "findings of " + of.runId();
    } else if (what instanceof RepairWhat.At at) {
      requireKnown(at.location());
      rows =
          RepairWork.metaShards(
              base.rows(), base.rows().where(col(ShardMapTable.LOCATION).equalTo(at.location())));
      scope = "at " + at.location();
    }
    MapStatistics statistics = MapStatistics.of(rows);
    DamageLook.Found found =
        look.look(new DamageLook.Scope(rows, statistics.storedBytes(), base.version(), scope));
    figures.put("scope", scope);
    figures.put("meta_shards_checked", statistics.metaShards());
    figures.put("blocks_checked", statistics.blocks());
    if (found.slicesBefore() > 0) {
      figures.put("slices_found_whole_before", found.slicesBefore());
    }
    Damage.byProblem(found.findings())
        .forEach((problem, number) -> figures.put("found_" + problem, number));
    Dataset<Row> damaged = RepairWork.damaged(rows, found.findings());
    if (what instanceof RepairWhat.At at) {
      // The rest of the damage is others' to repair: what is asked for is this location's.
      damaged =
          damaged.join(
              RepairWork.at(rows, at.location()).drop(Findings.PROBLEM),
              new String[] {ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX},
              "left_semi");
    }
    return new Diagnosis(damaged, found.findings());
  }

  /** All rows of the meta-shards that an earlier run's findings name, by block or by container. */
  private Dataset<Row> ofRun(Base base, String runId) {
    Dataset<Row> findings =
        context
            .lake()
            .read(VerifyFindings.TABLE)
            .where(
                col(VerifyFindings.RUN_ID)
                    .equalTo(runId)
                    .and(col(Findings.PROBLEM).notEqual(Findings.ORPHAN)));
    if (findings.isEmpty()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot repair what run %s found: the table verify_findings has no damage of that run; give the run_id that verify printed"
              .formatted(ObjectIds.printable(runId)));
    }
    Dataset<Row> ids =
        findings
            .where(col(Findings.META_SHARD_ID).isNotNull())
            .select(Findings.META_SHARD_ID)
            .union(
                base.rows()
                    .join(
                        findings
                            .where(col(Findings.META_SHARD_ID).isNull())
                            .select(Findings.LOCATION, Findings.PATH)
                            .distinct(),
                        new String[] {ShardMapTable.LOCATION, ShardMapTable.PATH},
                        "left_semi")
                    .select(ShardMapTable.META_SHARD_ID));
    return RepairWork.metaShards(base.rows(), ids);
  }

  private Location requireKnown(String name) {
    return locations.stream()
        .filter(location -> location.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new MetashardException(
                    MetashardException.USAGE,
                    "Cannot repair location %s: the lake knows no such location; there are %s"
                        .formatted(
                            ObjectIds.printable(name),
                            locations.stream()
                                .map(Location::name)
                                .collect(Collectors.joining(", ")))));
  }

  private Diagnosis ofGone(Base base, String name) {
    requireKnown(name);
    requireDomains(base, name);
    if (extent == NightlyJob.Extent.FULL) {
      locations =
          Locations.declareGone(
              context.lake(), name, Clock.systemUTC().instant().truncatedTo(ChronoUnit.MICROS));
    }
    figures.put("scope", "all at " + name + ", which is gone");
    return new Diagnosis(
        RepairWork.at(base.rows(), name),
        context.spark().createDataFrame(List.of(), Findings.SCHEMA));
  }

  /** Refuses to empty a location whose blocks have no other domain to go to. */
  private void requireDomains(Base base, String gone) {
    Map<String, String> active =
        locations.stream()
            .filter(location -> location.state().equals(Location.ACTIVE))
            .filter(location -> !location.name().equals(gone))
            .collect(Collectors.toMap(Location::name, Location::domain));
    long domains = active.values().stream().distinct().count();
    Column domain = lit(null).cast("string");
    for (Location location : locations) {
      // Of blocks that stay, also at a draining one: a domain that is taken.
      if (active.containsValue(location.domain())) {
        domain =
            when(col(ShardMapTable.LOCATION).equalTo(location.name()), location.domain())
                .otherwise(domain);
      }
    }
    Dataset<Row> others =
        RepairWork.metaShards(
                base.rows(), base.rows().where(col(ShardMapTable.LOCATION).equalTo(gone)))
            .where(col(ShardMapTable.LOCATION).notEqual(gone))
            .groupBy(
                col(ShardMapTable.META_SHARD_ID),
                col(ShardMapTable.CODEC),
                col(ShardMapTable.K),
                col(ShardMapTable.M))
            .agg(countDistinct(domain).as("taken"))
            .where(col("taken").geq(domains));
    List<Row> shapes =
        others
            .groupBy(ShardMapTable.CODEC, ShardMapTable.K, ShardMapTable.M)
            .agg(count(lit(1)))
            .orderBy(ShardMapTable.CODEC, ShardMapTable.K, ShardMapTable.M)
            .collectAsList(); // as many as there are shapes: some hundred at most
    if (shapes.isEmpty() && (domains > 0 || base.rows().isEmpty())) {
      return;
    }
    throw new MetashardException(
        MetashardException.USAGE,
        "Cannot declare location %s gone: without it %d failure domains take blocks, and no two blocks of a meta-shard may share one; there are too few for %s; nothing was changed; add locations in other domains and run again"
            .formatted(
                gone,
                domains,
                shapes.stream()
                    .limit(NAMED)
                    .map(
                        row ->
                            "%d meta-shards of %s"
                                .formatted(
                                    row.getLong(3),
                                    new Shape(row.getString(0), row.getInt(1), row.getInt(2))))
                    .collect(Collectors.joining(", "))));
  }

  // --- the repair

  private StageReport repair(RepairWhat what, Base base, Diagnosis diagnosis) {
    Dataset<Row> all =
        RepairWork.blocks(
            base.rows(),
            diagnosis.damaged(),
            context.lake().read(Objects.TABLE),
            PlanOptions.from(context.settings()).isolateBy());
    // Materialised: ranges are cut by a first pass over it, and it comes from joins of the map.
    Dataset<Row> blocks = context.staged(all, LOOKED_AT);
    Dataset<Row> toWrite = blocks.where(col(RepairBlocks.PROBLEM).isNotNull());
    RepairWork.Totals damaged = RepairWork.Totals.of(toWrite);
    figures.put("meta_shards_damaged", damaged.metaShards());
    figures.put("blocks_to_write", damaged.blocks());
    figures.put("bytes_to_write", damaged.bytes());
    if (damaged.blocks() == 0) {
      return ended(diagnosis.findings(), 0, 0, "nothing is damaged that can be repaired");
    }
    RepairSites sites =
        RepairSites.look(
            context,
            base.rows(),
            what instanceof RepairWhat.Gone gone ? without(gone.location()) : locations,
            extent,
            what instanceof RepairWhat.At at ? at.location() : "");
    if (!sites.unusable().isEmpty()) {
      figures.put("locations_not_written_to", String.join(", ", sites.unusable().keySet()));
      sites
          .unusable()
          .forEach((name, why) -> LOG.warn("Nothing is written to location {}: {}", name, why));
    }
    toWrite
        .groupBy(col(RepairBlocks.SPARE_BLOCKS))
        .agg(countDistinct(col(ShardMapTable.META_SHARD_ID)))
        .orderBy(RepairBlocks.SPARE_BLOCKS)
        .limit(NAMED)
        .collectAsList()
        .forEach(
            row ->
                figures.put(
                    "meta_shards_with_%d_spare_blocks".formatted(row.getInt(0)), row.getLong(1)));
    if (extent == NightlyJob.Extent.DRY_RUN) {
      long hopeless = unrepaired(diagnosis.findings()).count();
      return ended(
          unrepaired(diagnosis.findings()),
          hopeless,
          0,
          "a dry run changes nothing: it would write %d blocks again".formatted(damaged.blocks()));
    }
    return write(base, diagnosis, blocks, sites);
  }

  private List<Location> without(String name) {
    return locations.stream().filter(location -> !location.name().equals(name)).toList();
  }

  /** Findings that no repair mends. */
  private static Dataset<Row> unrepaired(Dataset<Row> findings) {
    return findings.where(
        col(Findings.PROBLEM).isin(Findings.LOST, Findings.INCOMPLETE, Findings.DECODE_MISMATCH));
  }

  private StageReport write(
      Base base, Diagnosis diagnosis, Dataset<Row> blocks, RepairSites sites) {
    BeforeSwitch beforeSwitch = new BeforeSwitch(context, locations, Clock.systemUTC());
    // Before anything is written: where no backup can go, nothing should be switched.
    AfterSwitch afterSwitch =
        new AfterSwitch(
            context,
            locations.stream()
                .filter(location -> !sites.unusable().containsKey(location.name()))
                .toList());
    EncodeOptions writing = withDigests(blocks);
    Encoding encoding = new Encoding(writing, locations, context.hadoop());
    String generation = ShardMap.generation(base.sequence() + 1, context.runId());
    Dataset<Row> rebuilt = rebuild(encoding, base, blocks, sites, generation);
    Dataset<Row> written =
        firstOf(
                rebuilt
                    .where(col(RepairBlocks.WRITTEN).isNotNull())
                    .select(RepairBlocks.WRITTEN + ".*")
                    .where(col(ShardMapTable.GENERATION).equalTo(generation)))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Dataset<Row> after = check(encoding, base, written);
      Dataset<Row> good = RepairWork.without(written, notReadBack(after, written));
      Dataset<Row> remaining = remaining(base, diagnosis, blocks, rebuilt, after, good);
      RepairWork.Totals totals = RepairWork.Totals.of(good);
      figures.put("meta_shards_repaired", totals.metaShards());
      figures.put("blocks_repaired", totals.blocks());
      figures.put("bytes_repaired", totals.bytes());
      figures.put("blocks_at_another_location", moved(base, good));
      long left = remaining.count();
      if (totals.blocks() == 0) {
        return ended(remaining, left, 0, "nothing could be repaired");
      }
      List<Integer> changed = ShardMap.bucketsOf(good);
      Dataset<Row> rows =
          RepairWork.replaced(
              base.rows().where(col(ShardMapTable.BUCKET).isInCollection(changed)), good);
      beforeSwitch.requireContainers(
          good, "switch the map to what was repaired", "the map stays as it is, run again");
      beforeSwitch.requireYoung();
      LOG.info(
          "Switching {} buckets of the shard map to sequence {}",
          changed.size(),
          base.sequence() + 1);
      try {
        map.commit(rows, changed, base.sequence(), context.runId(), context.attempt());
      } catch (MapMovedException e) {
        throw new MapMovedException(
            "Cannot switch the map to what was repaired: another run switched it to %d after this one had looked at %d; nothing is lost, the map is as that run left it; run again"
                .formatted(map.sequence(), base.sequence()),
            e);
      }
      figures.put("map_sequence", base.sequence() + 1);
      StageReport report =
          ended(
              remaining,
              left,
              totals.bytes(),
              left == 0
                  ? "all damage that was found is repaired"
                  : "damage is left; the rest is repaired");
      afterSwitch.finish(base.sequence() + 1, map.rows(), changed);
      return report;
    } finally {
      written.unpersist();
    }
  }

  /** A row that has a SHA-256 must have it in its new place, too. */
  private EncodeOptions withDigests(Dataset<Row> blocks) {
    boolean has =
        !blocks
            .where(col(RepairBlocks.PROBLEM).isNotNull().and(col(ShardMapTable.SHA256).isNotNull()))
            .isEmpty();
    return new EncodeOptions(
        options.engine(),
        options.frameBytes(),
        options.containerBytes(),
        options.taskBytes(),
        options.readBack(),
        has ? "on" : "off");
  }

  /**
   * Rebuilds batch by batch what no earlier attempt has staged.
   *
   * @return {@link RepairBlocks#RESULT} of all attempts
   */
  private Dataset<Row> rebuild(
      Encoding encoding, Base base, Dataset<Row> blocks, RepairSites sites, String generation) {
    String staging = context.sharedStagingPath(STAGED);
    Dataset<Row> open = blocks;
    if (DeltaTable.isDeltaTable(context.spark(), staging)) {
      // As it is now: what this attempt adds is not taken for done before.
      long version = DeltaTable.forPath(context.spark(), staging).history(1).first().getLong(0);
      Dataset<Row> done =
          context
              .spark()
              .read()
              .format("delta")
              .option("versionAsOf", version)
              .load(staging)
              .where(col(RepairBlocks.WRITTEN).isNotNull())
              .select(RepairBlocks.WRITTEN + ".*")
              .where(col(ShardMapTable.GENERATION).equalTo(generation))
              .select(ShardMapTable.META_SHARD_ID)
              .distinct();
      figures.put("meta_shards_rebuilt_before", done.count());
      open = open.join(done, new String[] {ShardMapTable.META_SHARD_ID}, "left_anti");
    } else {
      context
          .spark()
          .createDataFrame(List.of(), RepairBlocks.RESULT)
          .coalesce(1)
          .write()
          .format("delta")
          .save(staging);
    }
    RepairWork.Batches batches =
        RepairWork.batches(
            open, Math.max(1, context.settings().bytes("repair.batch-bytes")), maxBytes);
    Instant writtenAt = Clock.systemUTC().instant().truncatedTo(ChronoUnit.MICROS);
    long rate = context.settings().bytes(RATE);
    for (int batch = 0; batch < batches.batches(); batch++) {
      int tasks =
          (int)
              Math.max(
                  1,
                  Math.min(MOST_TASKS, batches.bytes() / batches.batches() / options.taskBytes()));
      LOG.info("Rebuilding batch {} of {}", batch + 1, batches.batches());
      encoding
          .repair(
              batches.rows().where(col(RepairWork.BATCH).equalTo(batch)).drop(RepairWork.BATCH),
              new Encoding.RepairRun(
                  context.runId(),
                  generation,
                  writtenAt,
                  Places.of(locations, Tiers.from(context.settings()).of(locations)),
                  // Of the room, each batch has its part.
                  sites.forEachOf(Math.multiplyExact(tasks, batches.batches())),
                  tasks,
                  Pacing.perTask(context.spark(), rate, tasks)))
          .write()
          .format("delta")
          .mode("append")
          .save(staging);
    }
    return context.spark().read().format("delta").load(staging);
  }

  /** Two attempts at once may both have written a block: the first by path counts. */
  private static Dataset<Row> firstOf(Dataset<Row> written) {
    String rank = "rank";
    return written
        .withColumn(
            rank,
            row_number()
                .over(
                    Window.partitionBy(ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX)
                        .orderBy(ShardMapTable.PATH)))
        .where(col(rank).equalTo(1))
        .drop(rank);
  }

  /**
   * Reads back the meta-shards that have new blocks, all of their blocks, with a decode that uses
   * parity, and the footers of what was written.
   */
  private Dataset<Row> check(Encoding encoding, Base base, Dataset<Row> written) {
    Dataset<Row> rows = RepairWork.replaced(RepairWork.metaShards(base.rows(), written), written);
    long bytes = MapStatistics.of(rows).storedBytes();
    int tasks = VerifyJob.partitions(bytes);
    long perTask = Pacing.perTask(context.spark(), context.settings().bytes(RATE), tasks);
    LOG.info("Reading {} back, with a decode of every meta-shard", Figures.bytes(bytes));
    return context.staged(
        encoding
            .check(rows, tasks, perTask)
            .unionByName(encoding.checkFooters(written, tasks, perTask)),
        "read-back");
  }

  /** The new blocks that are not as they should be: they are not committed. */
  private static Dataset<Row> notReadBack(Dataset<Row> after, Dataset<Row> written) {
    return written.join(
        after
            .where(
                col(Findings.PROBLEM)
                    .isin(Findings.UNREADABLE, Findings.MISSING, Findings.CORRUPT, Findings.FOOTER))
            .select(Findings.LOCATION, Findings.PATH)
            .distinct(),
        new String[] {ShardMapTable.LOCATION, ShardMapTable.PATH},
        "left_semi");
  }

  /** What is damaged still, once the good blocks are in the map; staged, as it is read again. */
  private Dataset<Row> remaining(
      Base base,
      Diagnosis diagnosis,
      Dataset<Row> blocks,
      Dataset<Row> rebuilt,
      Dataset<Row> after,
      Dataset<Row> good) {
    Column[] columns =
        Arrays.stream(Findings.SCHEMA.fieldNames()).map(name -> col(name)).toArray(Column[]::new);
    Dataset<Row> repaired = good.select(ShardMapTable.META_SHARD_ID).distinct();
    String[] id = {Findings.META_SHARD_ID};
    // What the look found of meta-shards that stay as they are; of the others, what was read back.
    Dataset<Row> untouched =
        diagnosis
            .findings()
            .where(col(Findings.META_SHARD_ID).isNotNull())
            .join(repaired, id, "left_anti");
    Dataset<Row> ofTasks =
        rebuilt.where(col(RepairBlocks.FINDING).isNotNull()).select(RepairBlocks.FINDING + ".*");
    Dataset<Row> unwritten =
        RepairWork.without(blocks.where(col(RepairBlocks.PROBLEM).isNotNull()), good);
    Dataset<Row> footers =
        diagnosis
            .findings()
            .where(col(Findings.PROBLEM).equalTo(Findings.FOOTER))
            .join(
                // Also where blocks beyond repair keep the container in the map.
                RepairWork.without(base.rows(), good)
                    .select(ShardMapTable.LOCATION, ShardMapTable.PATH)
                    .distinct(),
                new String[] {ShardMapTable.LOCATION, ShardMapTable.PATH},
                "left_semi");
    Dataset<Row> known =
        untouched
            .select(columns)
            .union(after.where(col(Findings.META_SHARD_ID).isNotNull()).select(columns))
            .union(RepairWork.without(ofTasks, good).select(columns))
            .dropDuplicates(
                new String[] {Findings.META_SHARD_ID, Findings.BLOCK_INDEX, Findings.PROBLEM});
    // Of what else is still to be written nothing was read: it is at a location that is gone.
    Dataset<Row> left =
        known
            .union(RepairWork.without(unwritten, known).select(ofBlock()))
            .where(col(Findings.PROBLEM).notEqual(Findings.FOOTER))
            .union(footers.select(columns));
    return context.staged(left, REMAINING);
  }

  /** Columns of a finding, of a block that is still to be written. */
  private static Column[] ofBlock() {
    return Arrays.stream(Findings.SCHEMA.fields())
        .map(
            field ->
                switch (field.name()) {
                  case Findings.DETAIL -> lit("It is still to be written again").as(field.name());
                  case Findings.SEGMENT, Findings.OBJECT_OFFSET, Findings.LENGTH ->
                      when(col(ShardMapTable.OBJECT_ID).isNotNull(), col(field.name()))
                          .as(field.name());
                  default -> col(field.name());
                })
        .toArray(Column[]::new);
  }

  private static long moved(Base base, Dataset<Row> good) {
    String before = "before";
    return base.rows()
        .select(
            col(ShardMapTable.META_SHARD_ID),
            col(ShardMapTable.BLOCK_INDEX),
            col(ShardMapTable.LOCATION).as(before))
        .join(good, new String[] {ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX})
        .where(col(before).notEqual(col(ShardMapTable.LOCATION)))
        .count();
  }

  /**
   * @param left what is damaged still, as {@link Findings#SCHEMA}
   * @param count of it
   */
  private StageReport ended(Dataset<Row> left, long count, long bytesWritten, String reason) {
    long damage = count == 0 ? left.count() : count;
    figures.put("damage_left", damage);
    if (damage > 0) {
      Map<String, Long> byProblem = Damage.byProblem(left);
      byProblem.forEach((problem, number) -> figures.put("left_" + problem, number));
      figures.put("first_findings", VerifyJob.describe(left, VerifyJob.SHOWN));
      figures.put("what_to_do", Damage.whatToDo(byProblem));
      if (extent == NightlyJob.Extent.FULL) {
        VerifyJob.record(context, left);
        figures.put("all_findings", "table verify_findings, run_id " + context.runId());
      }
    }
    try {
      if (bytesWritten == 0) {
        context.discardAllStaged();
      }
    } catch (IOException e) {
      LOG.warn("Cannot delete what run {} staged: {}", context.runId(), e.getMessage());
    }
    return new StageReport(
        STAGE,
        bytesWritten > 0 || figures.containsKey("map_sequence")
            ? StageReport.DONE
            : StageReport.UNCHANGED,
        reason,
        ReshardJob.FINISHED,
        ((Number) figures.getOrDefault("blocks_checked", 0L)).longValue(),
        damage,
        0,
        bytesWritten,
        figures);
  }
}
