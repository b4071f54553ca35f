package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.get_json_object;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.Findings;
import io.metashard.shardmap.FoundBackups;
import io.metashard.shardmap.FoundBackups.Marker;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.upkeep.Footers;
import io.metashard.upkeep.MapFromFooters;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the shard map anew when it is lost: row for row from the newest complete backup at the
 * locations; where there is none, as well as the containers themselves can tell.
 *
 * <p>The recovered map is a switch like any other, under a number higher than any that was used: a
 * night that planned from what was there before finds that the map moved on.
 */
final class RecoverMapJob {
  private static final Logger LOG = LoggerFactory.getLogger(RecoverMapJob.class);

  static final String STAGE = "recover-map";

  /** Switches, containers and objects that figures and messages name. */
  private static final int NAMED = 10;

  /** Stages that switch the map. */
  private static final List<String> SWITCHING =
      List.of(ReshardJob.STAGE, RollbackJob.STAGE, STAGE, "repair", "vacuum", "forget");

  private static final String SEQUENCE_FIGURE = "map_sequence";

  /** Rounds of reading what was chosen, and choosing again without what cannot be decoded. */
  private static final int MOST_ROUNDS = 5;

  /** What is never in a footer. */
  private static final List<String> NEVER_IN_FOOTERS =
      List.of(
          "which blocks were dead, and since when: what is left of former versions in meta-shards that are needed is dead from now on, with dead_since unknown",
          "which objects were dropped, forgotten or rolled back since they were encoded: they are served again, and leave with the next night that finds their sources missing for long enough",
          "what was changed after containers were written: expected_requests and heat_class are those of then",
          "blocks whose containers are gone: a footer names its own blocks only");

  private final JobContext context;
  private final Options options;
  private final ShardMap map;
  private final List<Location> locations;

  /**
   * How it is done.
   *
   * @param sequence the backup that is wanted; empty: the newest
   */
  record Options(
      Source source,
      OptionalLong sequence,
      NightlyJob.Extent extent,
      NightlyJob.Repeat repeat,
      Consent consent) {}

  /** Where the map is recovered from. */
  enum Source {
    /** Backups if there are any, else footers. */
    NEWEST,
    FOOTERS
  }

  /** Whether somebody has said yes to what cannot be known. */
  enum Consent {
    YES,
    NOT_YET
  }

  /** What is to be done, and what is known of it. */
  private record Recovery(
      Dataset<Row> rows, int buckets, List<String> unknown, Map<String, Object> figures) {}

  /** What is there in place of the map. */
  private record There(boolean isWhole, long sequence, Dataset<Row> rows, String text) {}

  RecoverMapJob(JobContext context, Options options) {
    this.context = context;
    this.options = options;
    this.map = new ShardMap(context.lake());
    this.locations =
        Locations.merged(context.lake(), Locations.configured(context.settings(), context.hadoop()))
            .stream()
            .filter(location -> !location.state().equals(Location.GONE))
            .toList();
  }

  /**
   * Recovers.
   *
   * @return in state {@link StageReport#FAILED} if nothing was changed for want of consent
   * @throws MetashardException if the map is whole (exit code 2, unless forced), or nothing can be
   *     recovered from (1)
   * @throws MapMovedException if another run switches the map meanwhile
   */
  StageReport run() {
    There there = look();
    if (there.isWhole()
        && map.lastSwitchWasBy(context.runId())
        && options.repeat() == NightlyJob.Repeat.SKIP_DONE) {
      if (options.extent() == NightlyJob.Extent.FULL) {
        new AfterSwitch(context, locations).finish(map);
      }
      return report(
          StageReport.UNCHANGED,
          "this run has recovered the map already; a retry commits once",
          Map.of(SEQUENCE_FIGURE, there.sequence()),
          0);
    }
    boolean isAsked = options.extent() == NightlyJob.Extent.DRY_RUN;
    if (there.isWhole() && !isAsked && options.repeat() == NightlyJob.Repeat.SKIP_DONE) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot recover the shard map: it is not lost (%s); rollback goes back to an earlier one, recover-map --dry-run compares it with its backup, and --force replaces it all the same"
              .formatted(there.text()));
    }
    FoundBackups backups = FoundBackups.look(locations, context.hadoop());
    Map<Long, String> committed = committed();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("map_found", there.text());
    if (!backups.problems().isEmpty()) {
      figures.put("locations_out_of_reach", named(backups.problems()));
    }
    Recovery recovery =
        options.source() == Source.NEWEST && !backups.sequences().isEmpty()
            ? fromBackup(backups, there, committed)
            : fromFooters(committed);
    figures.putAll(recovery.figures());
    Dataset<Row> rows = recovery.rows().persist(StorageLevel.MEMORY_AND_DISK());
    try {
      MapStatistics statistics = MapStatistics.of(rows);
      figures.put("objects_in_map", statistics.objects());
      figures.put("blocks_in_map", statistics.blocks());
      addUnknownLocations(rows, figures);
      if (there.isWhole()) {
        figures.put("buckets_differing", ShardMap.differingBuckets(there.rows(), rows).size());
      }
      if (!recovery.unknown().isEmpty()) {
        figures.put("unknown", recovery.unknown());
      }
      if (isAsked) {
        return report(
            StageReport.UNCHANGED, "a dry run changes nothing", figures, statistics.blocks());
      }
      if (!recovery.unknown().isEmpty() && options.consent() == Consent.NOT_YET) {
        return report(
            StageReport.FAILED,
            "nothing was changed: what is recovered is not all that the map was (see unknown); run again with --yes to have it",
            figures,
            statistics.blocks());
      }
      long sequence =
          1
              + Math.max(
                  Math.max(there.sequence(), backups.highest()),
                  Math.max(
                      committed.keySet().stream().mapToLong(Long::longValue).max().orElse(0),
                      highestGeneration(rows)));
      commit(rows, recovery.buckets(), there.sequence(), sequence);
      figures.put(SEQUENCE_FIGURE, sequence);
      return report(StageReport.DONE, "the map was made anew", figures, statistics.blocks());
    } finally {
      rows.unpersist();
    }
  }

  private static StageReport report(
      String state, String reason, Map<String, Object> figures, long blocks) {
    return new StageReport(
        STAGE, state, reason, ReshardJob.FINISHED, blocks, blocks, 0, 0, figures);
  }

  private void commit(Dataset<Row> rows, int buckets, long found, long sequence) {
    // Readers find the locations in the lake.
    Locations.reconcile(
        context.lake(),
        Locations.configured(context.settings(), context.hadoop()),
        Clock.systemUTC().instant());
    AfterSwitch afterSwitch = new AfterSwitch(context, locations);
    map.create();
    LOG.info("Switching the shard map to sequence {}", sequence);
    map.replaceAll(rows, found, sequence, context.runId(), context.attempt());
    // Of every bucket: a backup that was read is not built upon.
    afterSwitch.finish(
        sequence, map.rows(), IntStream.range(0, Math.max(1, buckets)).boxed().toList());
  }

  /** Whether the map is there, and can be read whole. */
  private There look() {
    OptionalLong version;
    long sequence;
    try {
      version = map.version();
      sequence = map.sequence();
    } catch (RuntimeException e) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot recover the shard map in %s: the table is there, but its log cannot be read (%s), so that nothing can be committed to it; move the folder away (keep it until all is well) and run again"
              .formatted(context.lake().path(ShardMapTable.TABLE), Failures.message(e)),
          e);
    }
    if (version.isEmpty()) {
      return new There(false, 0, null, "nothing: there is no table");
    }
    Dataset<Row> rows = map.rowsAt(version.getAsLong());
    try {
      int buckets = ShardMap.differingBuckets(rows, rows.limit(0)).size(); // reads every column
      // A table that was made and never switched is what is left where a night has begun anew.
      return new There(
          sequence > 0,
          sequence,
          rows,
          "sequence %d, %d buckets with rows, all of which can be read"
              .formatted(sequence, buckets));
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      return new There(
          false,
          sequence,
          rows,
          "sequence %d, whose rows cannot be read: %s".formatted(sequence, Failures.message(e)));
    }
  }

  /** Switches that are known to have been committed, by number: the runs that made them. */
  private Map<Long, String> committed() {
    Map<Long, String> known = new TreeMap<>();
    try {
      String sequence = "sequence";
      context
          .lake()
          .read(RunsTable.TABLE)
          .where(
              col(RunsTable.STAGE)
                  .isInCollection(SWITCHING)
                  .and(col(RunsTable.STATE).equalTo(StageReport.DONE)))
          .select(
              get_json_object(col(RunsTable.FIGURES), "$." + SEQUENCE_FIGURE)
                  .cast(DataTypes.LongType)
                  .as(sequence),
              col(RunsTable.RUN_ID))
          .where(col(sequence).isNotNull())
          .groupBy(col(sequence))
          .agg(min(col(RunsTable.RUN_ID)))
          .collectAsList() // one row a switch
          .forEach(row -> known.put(row.getLong(0), row.getString(1)));
    } catch (Exception e) { // the table may be lost too, and Spark throws checked ones
      LOG.warn("Cannot read which runs switched the map: {}", Failures.message(e));
    }
    return known;
  }

  private static List<String> named(Map<String, String> problems) {
    return new TreeMap<>(problems)
        .entrySet().stream()
            .limit(NAMED)
            .map(
                problem ->
                    "%s: %s"
                        .formatted(
                            ObjectIds.printable(problem.getKey()),
                            ObjectIds.printable(problem.getValue(), 400)))
            .toList();
  }

  // --- from a backup

  private Recovery fromBackup(FoundBackups backups, There there, Map<Long, String> committed) {
    long newest = backups.sequences().get(0);
    long wanted = options.sequence().orElse(newest);
    if (!backups.sequences().contains(wanted)) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot recover the shard map from backup %d: no location has it complete; there are %s"
              .formatted(wanted, backups.sequences().stream().limit(NAMED).toList()));
    }
    List<String> problems = new ArrayList<>();
    for (Marker marker : backups.markers(wanted)) {
      Dataset<Row> buckets =
          backups.buckets(context.spark(), marker).persist(StorageLevel.MEMORY_AND_DISK());
      Optional<String> problem = problem(backups, marker, buckets);
      if (problem.isEmpty()) {
        return of(backups, marker, buckets, there, committed);
      }
      problems.add(problem.get());
      buckets.unpersist();
    }
    if (problems.isEmpty()) {
      problems.add("no marker of it can be read: " + String.join("; ", named(backups.problems())));
    }
    throw new MetashardException(
        MetashardException.FAILED,
        "Cannot recover the shard map from backup %d: %s; nothing was changed; bring locations back, or name another with --sequence: there are %s"
            .formatted(
                wanted,
                String.join("; ", problems),
                backups.sequences().stream().limit(NAMED).toList()));
  }

  /** Why a marker is not used; empty if it is. */
  private Optional<String> problem(FoundBackups backups, Marker marker, Dataset<Row> buckets) {
    Row missing =
        buckets
            .where(col(FoundBackups.LOCATION).isNull())
            .agg(count(lit(1)), min(col(FoundBackups.BUCKET)), min(col(FoundBackups.PROBLEM)))
            .first();
    if (missing.getLong(0) > 0) {
      return Optional.of(
          "of %d buckets no good copy is left, such as bucket %d: %s"
              .formatted(
                  missing.getLong(0),
                  missing.getInt(1),
                  ObjectIds.printable(missing.getString(2), 400)));
    }
    // Whoever can write at one location can write a marker and files there.
    boolean isAlone = marker.copies().size() == 1 && backups.holders().size() > 1;
    if (isAlone && options.sequence().isEmpty()) {
      Row own =
          buckets
              .where(col("sequence").equalTo(marker.sequence()))
              .agg(
                  count(lit(1)),
                  coalesce(sum(when(col(FoundBackups.COPIES).lt(2), 1L).otherwise(0L)), lit(0L)))
              .first();
      if (own.getLong(0) == 0 || own.getLong(1) > 0) {
        return Optional.of(
            "only location %s has it, while %s have others: it may be forged, or their copies were lost; if you know that it is yours, say --sequence %d"
                .formatted(
                    ObjectIds.printable(marker.copies().get(0)),
                    backups.holders(),
                    marker.sequence()));
      }
    }
    return Optional.empty();
  }

  private Recovery of(
      FoundBackups backups,
      Marker marker,
      Dataset<Row> buckets,
      There there,
      Map<Long, String> committed) {
    Dataset<Row> rows = backups.rows(buckets, marker.files().size());
    Row numbers =
        rows.agg(
                countDistinct(col(ShardMapTable.BUCKETS)),
                coalesce(min(col(ShardMapTable.BUCKETS)), lit(0)))
            .first();
    if (numbers.getLong(0) > 1) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot recover the shard map from backup %d: its rows are of %d numbers of buckets; it is not one map; name another with --sequence"
              .formatted(marker.sequence(), numbers.getLong(0)));
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("recovered_from", "backup");
    figures.put("backup_sequence", marker.sequence());
    figures.put("backup_locations", String.join(", ", marker.copies()));
    figures.put("backup_buckets", marker.files().size());
    long bad = buckets.where(col(FoundBackups.PROBLEM).isNotNull()).count();
    figures.put("backup_buckets_with_bad_copies", bad);
    if (bad > 0) {
      figures.put(
          "first_bad_copies",
          buckets
              .where(col(FoundBackups.PROBLEM).isNotNull())
              .orderBy(col(FoundBackups.BUCKET))
              .limit(NAMED)
              .collectAsList()
              .stream()
              .map(row -> ObjectIds.printable(row.<String>getAs(FoundBackups.PROBLEM), 400))
              .toList());
    }
    List<String> unknown = new ArrayList<>();
    TreeMap<Long, String> later =
        new TreeMap<>(new TreeMap<>(committed).tailMap(marker.sequence() + 1));
    if (there.sequence() > marker.sequence()) {
      later.putIfAbsent(there.sequence(), "unknown");
    }
    for (long sequence : backups.sequences()) {
      if (sequence > marker.sequence()) {
        later.putIfAbsent(sequence, "unknown");
      }
    }
    later.forEach(
        (sequence, run) ->
            unknown.add(
                "what switch %d (run %s) changed: it was committed after this backup; objects come back as they were at switch %d, and the next night encodes what has changed since, if the sources are there"
                    .formatted(sequence, ObjectIds.printable(run), marker.sequence())));
    return new Recovery(rows, numbers.getInt(1), unknown, figures);
  }

  // --- from footers

  private Recovery fromFooters(Map<Long, String> committed) {
    Dataset<Row> containers =
        Footers.containers(context.spark(), locations, context.hadoop())
            .persist(StorageLevel.MEMORY_AND_DISK());
    long found = containers.count();
    LOG.info("Reading the footers of {} containers", found);
    Dataset<Row> read =
        Footers.read(containers, found, locations, context.hadoop())
            .persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> blocks = read.where(col(Footers.PROBLEM).isNull()).drop(Footers.PROBLEM);
    Dataset<Row> problems = read.where(col(Footers.PROBLEM).isNotNull());
    Row numbers =
        blocks
            .groupBy(col(ShardMapTable.BUCKETS))
            .agg(countDistinct(col(ShardMapTable.LOCATION)).as("at"), count(lit(1)).as("rows"))
            .orderBy(col("at").desc(), col("rows").desc(), col(ShardMapTable.BUCKETS))
            .limit(1)
            .collectAsList()
            .stream()
            .findFirst()
            .orElseThrow(
                () ->
                    new MetashardException(
                        MetashardException.FAILED,
                        "Cannot recover the shard map: of %d locations none that answers has a complete backup, or a container with a footer; check locations in the configuration, and bring them back"
                            .formatted(locations.size())));
    int buckets = numbers.getInt(0);
    Dataset<Row> metaShards =
        MapFromFooters.metaShards(blocks.where(col(ShardMapTable.BUCKETS).equalTo(buckets)))
            .persist(StorageLevel.MEMORY_AND_DISK());
    List<String> generations =
        committed.entrySet().stream()
            .map(one -> ShardMap.generation(one.getKey(), one.getValue()))
            .toList();
    Dataset<Row> current = current();
    Dataset<Row> believed = metaShards;
    Dataset<Row> objects = null;
    Dataset<Row> rows = null;
    List<String> contradictory = new ArrayList<>();
    for (int round = 0; ; round++) {
      objects =
          MapFromFooters.objects(believed, generations, current)
              .persist(StorageLevel.MEMORY_AND_DISK());
      rows = MapFromFooters.rows(believed, objects).persist(StorageLevel.MEMORY_AND_DISK());
      List<String> wrong = undecodable(rows);
      if (wrong.isEmpty()) {
        break;
      }
      contradictory.addAll(wrong);
      if (round == MOST_ROUNDS || wrong.size() > 100_000) {
        throw new MetashardException(
            MetashardException.FAILED,
            "Cannot recover the shard map from footers: %d meta-shards cannot be decoded, such as %s; bring locations back and run again"
                .formatted(contradictory.size(), ObjectIds.printable(contradictory.get(0))));
      }
      believed =
          metaShards.where(not(col(ShardMapTable.META_SHARD_ID).isInCollection(contradictory)));
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("recovered_from", "footers");
    figures.put("containers", found);
    figures.put("containers_left_out", problems.count());
    List<String> first =
        problems
            .orderBy(col(ShardMapTable.LOCATION), col(ShardMapTable.PATH))
            .limit(NAMED)
            .collectAsList()
            .stream()
            .map(
                row ->
                    "%s at %s: %s"
                        .formatted(
                            ObjectIds.printable(row.<String>getAs(ShardMapTable.PATH)),
                            ObjectIds.printable(row.<String>getAs(ShardMapTable.LOCATION)),
                            ObjectIds.printable(row.<String>getAs(Footers.PROBLEM), 400)))
            .toList();
    if (!first.isEmpty()) {
      figures.put("first_left_out", first);
    }
    List<String> unknown = new ArrayList<>(NEVER_IN_FOOTERS);
    figures.put("meta_shards_contradictory", (long) contradictory.size());
    Row doubts = MapFromFooters.doubts(objects);
    figures.put("objects_of_one_location", doubts.getLong(1));
    if (doubts.getLong(1) > 0) {
      unknown.add(
          "whether %d objects, that only one location has a block of, are what they were: nothing else vouches for them"
              .formatted(doubts.getLong(1)));
    }
    if (generations.isEmpty()) {
      unknown.add(
          "which runs had committed: of each object the highest generation that is whole is taken, be it of a night that was stopped before its switch");
    } else {
      figures.put("objects_of_unknown_commits", doubts.getLong(2));
      if (doubts.getLong(2) > 0) {
        unknown.add(
            "whether the runs that wrote %d objects had committed: no other generation of these is whole"
                .formatted(doubts.getLong(2)));
      }
    }
    addIncomplete(blocks, objects, figures, unknown);
    return new Recovery(rows, buckets, unknown, figures);
  }

  /** Objects that containers have blocks of, and of which no version is whole. */
  private static void addIncomplete(
      Dataset<Row> blocks,
      Dataset<Row> objects,
      Map<String, Object> figures,
      List<String> unknown) {
    Dataset<Row> incomplete =
        blocks
            .where(col(ShardMapTable.OBJECT_ID).isNotNull())
            .select(ShardMapTable.OBJECT_ID)
            .distinct()
            .join(objects, new String[] {ShardMapTable.OBJECT_ID}, "left_anti");
    long count = incomplete.count();
    figures.put("objects_incomplete", count);
    if (count > 0) {
      figures.put(
          "first_incomplete",
          incomplete.orderBy(col(ShardMapTable.OBJECT_ID)).limit(NAMED).collectAsList().stream()
              .map(row -> ObjectIds.printable(row.getString(0)))
              .toList());
      unknown.add(
          "%d objects of which some blocks are there and no version is whole: they are not served, and read from their sources where these are (read.fallback)"
              .formatted(count));
    }
  }

  /** What the map is known to have served: objects that were encoded at the catalogue's version. */
  private Dataset<Row> current() {
    try {
      return context
          .lake()
          .readPinned(Objects.TABLE)
          .where(
              col(Objects.STATE)
                  .equalTo(Objects.ENCODED)
                  .and(col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT)))
          .select(Objects.OBJECT_ID, Objects.OBJECT_VERSION);
    } catch (Exception e) { // the table may be lost too, and Spark throws checked ones
      LOG.warn("Cannot read the catalogue: {}", Failures.message(e));
      return context.spark().createDataFrame(List.of(), Objects.SCHEMA);
    }
  }

  /**
   * Reads all that would be served, and gives back the meta-shards that cannot be what they say.
   */
  private List<String> undecodable(Dataset<Row> rows) {
    MapStatistics statistics = MapStatistics.of(rows);
    LOG.info("Reading {} blocks, to see whether they decode", statistics.blocks());
    return new Encoding(EncodeOptions.from(context.settings()), locations, context.hadoop())
            .check(rows, VerifyJob.partitions(statistics.storedBytes()))
            .where(col(Findings.PROBLEM).isin(Findings.LOST, Findings.DECODE_MISMATCH))
            .select(Findings.META_SHARD_ID)
            .distinct()
            .limit(100_001) // so many are no accident
            .collectAsList()
            .stream()
            .map(row -> row.getString(0))
            .toList();
  }

  // --- both

  private static long highestGeneration(Dataset<Row> rows) {
    Row highest = rows.agg(max(col(ShardMapTable.GENERATION))).first();
    return highest.isNullAt(0) ? 0 : Long.parseLong(highest.getString(0).substring(0, 20));
  }

  private void addUnknownLocations(Dataset<Row> rows, Map<String, Object> figures) {
    List<String> known = locations.stream().map(Location::name).toList();
    List<String> missing =
        rows
            .where(not(col(ShardMapTable.LOCATION).isInCollection(known)))
            .groupBy(col(ShardMapTable.LOCATION))
            .agg(count(lit(1)))
            .orderBy(col(ShardMapTable.LOCATION))
            .limit(NAMED)
            .collectAsList()
            .stream()
            .map(
                row ->
                    "%s (%d blocks)"
                        .formatted(ObjectIds.printable(row.getString(0)), row.getLong(1)))
            .toList();
    if (!missing.isEmpty()) {
      figures.put("locations_unknown", missing);
    }
  }
}
