package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.ObjectStates;
import io.metashard.catalogue.Objects;
import io.metashard.config.SettingsException;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMap.Switch;
import io.metashard.shardmap.ShardMapTable;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the shard map again what an earlier switch had made it, by one commit, after a look at
 * every container that it names.
 *
 * <p>A rollback is a switch like any other: it has a number of its own, is backed up, and can be
 * taken back by another rollback. Rows come back as they were, {@code generation} and {@code live}
 * too. No block is read, written or deleted.
 */
final class RollbackJob {
  private static final Logger LOG = LoggerFactory.getLogger(RollbackJob.class);

  static final String STAGE = "rollback";

  /** Switches, locations and containers that messages name. */
  private static final int NAMED = 10;

  private static final String SEQUENCE = "[0-9]{1,18}";

  private final JobContext context;
  private final List<Location> locations;
  private final NightlyJob.Extent extent;
  private final NightlyJob.Repeat repeat;
  private final ShardMap map;
  private final BeforeSwitch before;

  /**
   * @param locations all locations of the lake
   */
  RollbackJob(
      JobContext context,
      List<Location> locations,
      NightlyJob.Extent extent,
      NightlyJob.Repeat repeat) {
    this.context = context;
    this.locations = locations;
    this.extent = extent;
    this.repeat = repeat;
    this.map = new ShardMap(context.lake());
    this.before = new BeforeSwitch(context, locations, Clock.systemUTC());
  }

  /**
   * Refuses what can name no switch.
   *
   * @param to what {@code --to} says
   */
  static void requireName(String to) {
    if (!JobContext.isRunId(to)) {
      throw new SettingsException(
          "Cannot roll back to %s: name a switch of the map by its number (map_sequence) or by the id of the run that made it; rollback --to 0 --dry-run lists them"
              .formatted(ObjectIds.printable(to)));
    }
  }

  /**
   * Rolls back.
   *
   * @param to number of a switch, or id of the run that switched; empty: the switch before the last
   * @throws MetashardException if there is no such earlier switch (exit code 2), or if not every
   *     container that it names is there (1): nothing is changed
   * @throws MapMovedException if another run switches the map meanwhile
   */
  StageReport run(Optional<String> to) {
    Optional<Switch> own =
        repeat == NightlyJob.Repeat.FORCE ? Optional.empty() : map.switchBy(context.runId());
    if (own.isPresent()) {
      return switchedBefore(own.get());
    }
    Look look = look(to);
    if (look.changed().isEmpty()) {
      return report(
          StageReport.UNCHANGED,
          "the map holds the rows of sequence %d already".formatted(look.target().sequence()),
          look.figures(),
          0);
    }
    if (extent == NightlyJob.Extent.DRY_RUN) {
      return report(
          StageReport.UNCHANGED,
          "a dry run changes nothing: it would go back to " + named(look.target()),
          look.figures(),
          0);
    }
    return goBack(look);
  }

  /**
   * What a look at the map and at the containers found: all that a rollback needs.
   *
   * @param sequence of the map that was looked at
   * @param target the switch to go back to; every container that it names is there
   * @param rows that the changed buckets had then
   * @param changed buckets whose rows are others now
   */
  record Look(
      long sequence,
      Switch target,
      Dataset<Row> rows,
      List<Integer> changed,
      Map<String, Object> figures) {}

  /** Finds the switch, what is different since, and whether its containers are there. */
  Look look(Optional<String> to) {
    // Before the version: if the map moves in between, the commit finds that it did.
    long sequence = map.sequence();
    OptionalLong version = map.version();
    if (sequence == 0 || version.isEmpty()) {
      throw refusedUse("the shard map back", "nothing has switched it yet");
    }
    Switch target = target(to, sequence, map.switches());
    Dataset<Row> now = map.rowsAt(version.getAsLong());
    Dataset<Row> then = map.rowsAt(target.version());
    List<Integer> changed = differingBuckets(now, then, target);
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("from_sequence", sequence);
    figures.put("to_sequence", target.sequence());
    figures.put("to_run", target.runId());
    figures.put("to_switched_at", target.at().toString());
    figures.put(
        "containers_checked",
        before.requireContainers(
            then,
            "roll the shard map back to " + named(target),
            "bring the locations back and run again, or choose another switch"));
    Column ofChanged = col(ShardMapTable.BUCKET).isInCollection(changed);
    Dataset<Row> rows = then.where(ofChanged);
    figures.put("buckets_changed", changed.size());
    figures.putAll(objectsThatChange(now.where(ofChanged), rows));
    figures.putAll(statesAfter(then));
    MapStatistics statistics = MapStatistics.of(then);
    figures.put("objects_in_map", statistics.objects());
    figures.put("blocks_in_map", statistics.blocks());
    figures.put("stored_bytes_per_byte", statistics.storageRatio());
    figures.put("survives_domains", statistics.survives());
    return new Look(sequence, target, rows, changed, figures);
  }

  /** Switches the map to what was looked at, if it is still the map that was looked at. */
  StageReport goBack(Look look) {
    long sequence = look.sequence() + 1;
    AfterSwitch afterSwitch = new AfterSwitch(context, locations);
    long blocks = look.rows().count();
    LOG.info(
        "Switching {} buckets of the shard map to sequence {}, which is {} again",
        look.changed().size(),
        sequence,
        look.target().sequence());
    before.requireYoung();
    try {
      map.commit(look.rows(), look.changed(), look.sequence(), context.runId(), context.attempt());
    } catch (MapMovedException e) {
      throw new MapMovedException(
          "Cannot roll the shard map back to sequence %d: another run switched it to %d after this one had looked at %d; nothing of this rollback is in it; see what that run did, then run again with --to %d"
              .formatted(
                  look.target().sequence(),
                  map.sequence(),
                  look.sequence(),
                  look.target().sequence()),
          e);
    }
    afterSwitch.finish(sequence, map.rows(), look.changed());
    Map<String, Object> figures = new LinkedHashMap<>(look.figures());
    figures.put("map_sequence", sequence);
    return report(StageReport.DONE, "back to " + named(look.target()), figures, blocks);
  }

  private static StageReport report(
      String state, String reason, Map<String, Object> figures, long blocks) {
    return new StageReport(
        STAGE, state, reason, ReshardJob.FINISHED, blocks, blocks, 0, 0, figures);
  }

  /** This run has rolled back: in an attempt that died before its end, or that was told so. */
  private StageReport switchedBefore(Switch own) {
    long sequence = map.sequence();
    if (own.sequence() == sequence && extent == NightlyJob.Extent.FULL) {
      new AfterSwitch(context, locations).finish(map);
    }
    return report(
        StageReport.UNCHANGED,
        "this run has switched the map already, to sequence %d%s; a retry commits once, --force rolls back anew"
            .formatted(
                own.sequence(),
                own.sequence() == sequence
                    ? ""
                    : " (others have since, to %d)".formatted(sequence)),
        Map.of("map_sequence", sequence),
        0);
  }

  /**
   * The switch that is gone back to.
   *
   * @param sequence of the map now
   * @param switches that there are, the newest first
   */
  private static Switch target(Optional<String> to, long sequence, List<Switch> switches) {
    List<Switch> ofRows = switches.stream().filter(one -> !one.isFloor()).toList();
    long floor = switches.stream().mapToLong(Switch::floor).max().orElse(0);
    // Floors above it changed no row: it is what the map is now.
    long current = ofRows.isEmpty() ? sequence : ofRows.get(0).sequence();
    List<Switch> earlier =
        ofRows.stream().filter(one -> one.sequence() < current && one.sequence() >= floor).toList();
    String wanted =
        to.map(name -> name.matches(SEQUENCE) ? "sequence " + name : "run " + name)
            .orElse("the switch before the last");
    if (to.isEmpty()) {
      return earlier.stream()
          .findFirst()
          .orElseThrow(
              () ->
                  refused(
                      wanted,
                      floor > 0 && current <= floor
                          ? below(floor, "each earlier one")
                          : "its history has no earlier one",
                      earlier));
    }
    String name = to.get();
    if (name.matches(SEQUENCE)) {
      long number = Long.parseLong(name);
      return earlier.stream()
          .filter(one -> one.sequence() == number)
          .findFirst()
          .orElseThrow(
              () -> refused(wanted, whyNot(number, sequence, current, floor, switches), earlier));
    }
    List<Switch> byRun = ofRows.stream().filter(one -> one.runId().equals(name)).toList();
    return earlier.stream()
        .filter(one -> one.runId().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                refused(
                    wanted,
                    byRun.isEmpty()
                        ? "its history has no switch by that run"
                        : byRun.get(0).sequence() >= current
                            ? "that run made it what it is now"
                            : below(floor, "what that run made"),
                    earlier));
  }

  /** Why a number cannot be gone back to. */
  private static String whyNot(
      long number, long sequence, long current, long floor, List<Switch> switches) {
    if (number > sequence) {
      return "it has come to %d only".formatted(sequence);
    }
    if (number == sequence || number == current) {
      return "that is what it is now";
    }
    if (number < floor) {
      return below(floor, "it");
    }
    return switches.stream().anyMatch(one -> one.isFloor() && one.sequence() == number)
        ? "vacuum made it, which changed no row: go back to the one before it"
        : "its history has no such switch";
  }

  private static String below(long floor, String what) {
    return "%s is below the floor, sequence %d: vacuum or forget has removed containers that it needs (vacuum.retention says for how long they are kept)"
        .formatted(what, floor);
  }

  private static MetashardException refused(String what, String why, List<Switch> earlier) {
    String there =
        earlier.stream().limit(NAMED).map(RollbackJob::named).collect(Collectors.joining(", "));
    return refusedUse(
        "the shard map back to " + what,
        why
            + (earlier.isEmpty() ? "; there is nothing to go back to" : "; there are " + there)
            + (earlier.size() > NAMED
                ? " and %d more, down to %d"
                    .formatted(earlier.size() - NAMED, earlier.get(earlier.size() - 1).sequence())
                : ""));
  }

  private static MetashardException refusedUse(String what, String why) {
    return new MetashardException(
        MetashardException.USAGE, "Cannot roll %s: %s".formatted(what, why));
  }

  private static String named(Switch one) {
    return "sequence %d (run %s, %s)"
        .formatted(one.sequence(), ObjectIds.printable(one.runId()), one.at());
  }

  /** Reads both maps once, whole: also finds whether Delta still has the files of the older one. */
  private static List<Integer> differingBuckets(
      Dataset<Row> now, Dataset<Row> then, Switch target) {
    try {
      return ShardMap.differingBuckets(now, then);
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot roll the shard map back to %s: its rows, version %d of the table, cannot be read: %s; nothing was changed; if Delta's VACUUM has removed them, choose a later one"
              .formatted(named(target), target.version(), Failures.message(e)),
          e);
    }
  }

  /** How many objects readers will meet otherwise than now. */
  private static Map<String, Object> objectsThatChange(Dataset<Row> now, Dataset<Row> then) {
    String before = "before";
    String after = "after";
    Row counts =
        versions(now, before)
            .join(versions(then, after), new String[] {ShardMapTable.OBJECT_ID}, "full_outer")
            .agg(
                counted(
                    col(before)
                        .isNotNull()
                        .and(col(after).isNotNull())
                        .and(not(col(before).equalTo(col(after))))),
                counted(col(before).isNull()),
                counted(col(after).isNull()))
            .first();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("objects_of_another_version", counts.getLong(0));
    figures.put("objects_served_again", counts.getLong(1));
    figures.put("objects_no_longer_served", counts.getLong(2));
    return figures;
  }

  private static Dataset<Row> versions(Dataset<Row> rows, String name) {
    return ShardMap.liveVersions(rows).withColumnRenamed(ShardMapTable.OBJECT_VERSION, name);
  }

  private static Column counted(Column condition) {
    return coalesce(sum(when(condition, 1L).otherwise(0L)), lit(0L));
  }

  /** How many objects the catalogue will have in each state. */
  private Map<String, Object> statesAfter(Dataset<Row> then) {
    Row counts =
        ObjectStates.refresh(context.lake().read(Objects.TABLE), ShardMap.liveVersions(then))
            .agg(
                counted(col(Objects.STATE).equalTo(Objects.ENCODED)),
                counted(col(Objects.STATE).equalTo(Objects.STALE)),
                counted(col(Objects.STATE).equalTo(Objects.PENDING)))
            .first();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("objects_encoded_after", counts.getLong(0));
    figures.put("objects_stale_after", counts.getLong(1));
    figures.put("objects_pending_after", counts.getLong(2));
    return figures;
  }
}
