package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.lake.TableDefinition;
import io.metashard.shardmap.MapBackup;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMap.History;
import io.metashard.shardmap.ShardMap.Switch;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.upkeep.Removal;
import io.metashard.upkeep.StoredFiles;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what nothing needs any more: containers that no version of the map in use names, backups
 * of the map that newer ones replace, what killed runs left, and rows older than their table keeps
 * them.
 *
 * <p>A version of the map is in use until {@code vacuum.retention} after the commit that replaced
 * it. Before containers go that a rollback could still have asked for, the map's floor is moved, by
 * a switch of its own: so no rollback, planned before or after, meets half of what it needs. While
 * another command works on the lake nothing is committed: its night would be for nothing.
 */
final class VacuumJob {
  private static final Logger LOG = LoggerFactory.getLogger(VacuumJob.class);

  static final String STAGE = "vacuum";

  /** The lake among the places that are listed; no location is called so. */
  private static final String LAKE = "(lake)";

  /** Files that a figure names. */
  private static final int NAMED = 5;

  /** Files that a folder of a table may have before they are joined, and what counts as small. */
  private static final int MOST_FILES = 16;

  private static final long SMALL_BYTES = 32L << 20;

  /** Maps that stayed as they were for longer are not known any more once they are replaced. */
  private static final Duration LONGEST_UNCHANGED = Duration.ofDays(30);

  private static final Duration LEAST_ORPHAN_AGE = Duration.ofDays(1);

  private static final Comparator<Long> NEWEST_FIRST = Comparator.reverseOrder();

  private final JobContext context;
  private final StageRunner runner;
  private final List<Location> locations;
  private final NightlyJob.Extent extent;
  private final NightlyJob.Repeat repeat;
  private final VacuumOptions options;
  private final Clock clock;
  private final ShardMap map;
  private final SortedMap<String, String> roots = new TreeMap<>();
  private final Map<String, Object> figures = new LinkedHashMap<>();
  private Removal removed = Removal.NONE;
  private long removable;

  /**
   * @param runner of the command: what is compacted is a run of its own
   * @param locations all locations of the lake
   * @param repeat whether times below {@code vacuum.min-retention} are refused
   * @throws io.metashard.config.SettingsException if a time is too short for what reads what it
   *     would remove
   */
  VacuumJob(
      JobContext context,
      StageRunner runner,
      List<Location> locations,
      NightlyJob.Extent extent,
      NightlyJob.Repeat repeat,
      Clock clock) {
    this.context = context;
    this.runner = runner;
    this.locations = locations;
    this.extent = extent;
    this.repeat = repeat;
    this.options = VacuumOptions.from(context.settings(), repeat);
    TableRetention.requireEnough(context.settings());
    this.clock = clock;
    this.map = new ShardMap(context.lake());
    locations.stream()
        .filter(location -> !location.state().equals(Location.GONE))
        .forEach(location -> roots.put(location.name(), location.uri()));
  }

  /**
   * Vacuums.
   *
   * @throws MetashardException if the map cannot be trusted, or its versions in use cannot be read:
   *     then nothing was removed
   * @throws io.metashard.shardmap.MapMovedException if another run switches the map meanwhile
   */
  StageReport run() {
    Optional<String> busy = RunsTable.underWay(context, clock.instant());
    long rows;
    Dataset<Row> stored =
        StoredFiles.below(
                context.spark(),
                roots,
                List.of(StoredFiles.CONTAINERS, StoredFiles.BACKUPS),
                context.hadoop())
            .persist(StorageLevel.DISK_ONLY());
    try {
      tellOfOthers(stored);
      if (map.sequence() == 0) {
        figures.put("map_sequence", 0L);
      } else {
        requireNewestMap(stored);
        compact(stored, busy);
        Instant now = clock.instant();
        Instant since = now.minus(options.retention());
        History known = map.history();
        if (known.reachesBackTo(since)) {
          vacuumBackups(stored, vacuumContainers(stored, now, busy), now);
        } else {
          LOG.warn("The log of the shard map does not say which version was in use at {}", since);
          figures.put("map_sequence", map.sequence());
          figures.put(
              "containers_wait",
              "the log of the shard map begins at %s, and does not say what was in use before"
                  .formatted(known.commits().get(known.commits().firstKey())));
        }
      }
    } finally {
      stored.unpersist();
    }
    vacuumFolders();
    rows = vacuumTables(busy);
    figures.put("files_removed", removed.files());
    figures.put("bytes_removed", removed.bytes());
    if (removed.failed() > 0) {
      figures.put("files_not_removed", removed.failed());
      removed.problem().forEach((place, problem) -> tell(place, "cannot be removed", problem));
    }
    boolean dry = extent == NightlyJob.Extent.DRY_RUN;
    boolean done = !dry && (removed.files() > 0 || rows > 0);
    return new StageReport(
        STAGE,
        done ? StageReport.DONE : StageReport.UNCHANGED,
        reason(busy, rows),
        ReshardJob.FINISHED,
        removable,
        rows,
        0,
        removed.bytes(),
        figures);
  }

  private String reason(Optional<String> busy, long rows) {
    String what =
        extent == NightlyJob.Extent.DRY_RUN
            ? "a dry run removes nothing: it would remove %d files and %d rows"
                .formatted(removable, rows)
            : "%d files and %d rows removed".formatted(removed.files(), rows);
    return what
        + busy.map(who -> "; %s, so nothing was committed: the rest waits".formatted(who))
            .orElse("");
  }

  private void tell(String place, String what, String problem) {
    LOG.warn("{}: {}: {}", place, what, ObjectIds.printable(problem, 400));
    figures.put("problem_" + place, what + ": " + ObjectIds.printable(problem, 400));
  }

  /** Files that are none of ours, and places that cannot be listed. */
  private void tellOfOthers(Dataset<Row> stored) {
    long foreign = 0;
    for (Row row :
        stored
            .where(col(StoredFiles.KIND).isin(StoredFiles.FOREIGN, StoredFiles.OUT_OF_REACH))
            .collectAsList()) { // two a location at most
      if (row.<String>getAs(StoredFiles.KIND).equals(StoredFiles.FOREIGN)) {
        foreign += row.<Long>getAs(StoredFiles.BYTES);
      } else {
        tell(row.getAs(StoredFiles.PLACE), "cannot be listed", row.getAs(StoredFiles.PATH));
      }
    }
    figures.put("foreign_files", foreign);
  }

  /** A map that is older than its backups has been lost: then containers are all that is left. */
  private void requireNewestMap(Dataset<Row> stored) {
    long sequence = map.sequence();
    Row newest =
        stored
            .where(col(StoredFiles.KIND).equalTo(StoredFiles.MARKER))
            .orderBy(col(StoredFiles.PATH).desc())
            .limit(1)
            .collectAsList()
            .stream()
            .findFirst()
            .orElse(null);
    if (newest != null
        && StoredFiles.sequence(newest.getAs(StoredFiles.PATH)) > sequence
        // Switched and backed up after the sequence was read?
        && StoredFiles.sequence(newest.getAs(StoredFiles.PATH)) > map.sequence()) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot vacuum: the shard map of %s is at sequence %d, and location %s has a backup of sequence %d: the map is not the newest; nothing was removed; recover it first"
              .formatted(
                  context.lake().root(),
                  map.sequence(),
                  newest.<String>getAs(StoredFiles.PLACE),
                  StoredFiles.sequence(newest.getAs(StoredFiles.PATH))));
    }
  }

  // --- compaction

  /** Writes into new containers what is left in old ones, which a later vacuum removes. */
  private void compact(Dataset<Row> stored, Optional<String> busy) {
    if (options.compactBelow() == 0) {
      return;
    }
    JobContext step = compaction();
    Dataset<Row> sparse =
        Compaction.sparse(map.rows(), stored, options.compactBelow(), options.compactMaxBytes())
            .persist(StorageLevel.DISK_ONLY());
    try {
      Compaction.Totals totals = Compaction.Totals.of(sparse);
      boolean waits = extent == NightlyJob.Extent.DRY_RUN || busy.isPresent();
      if (waits) {
        figures.put("containers_to_compact", totals.containers());
        figures.put("bytes_to_compact", totals.liveBytes());
        return;
      }
      figures.put("containers_compacted", totals.containers());
      // An attempt before this one may have died between its switch and the backup of it.
      if (totals.containers() == 0 && map.switchBy(step.runId()).isEmpty()) {
        return;
      }
      LOG.info(
          "Writing {} that is left in {} containers of {} into new ones",
          Figures.bytes(totals.liveBytes()),
          totals.containers(),
          Figures.bytes(totals.bytes()));
      StageReport moved =
          runner.step(
              step,
              RepairJob.STAGE,
              List.of(ShardMapTable.TABLE),
              () ->
                  new RepairJob(step, locations, NightlyJob.Extent.FULL, repeat, Long.MAX_VALUE)
                      .run(
                          new RepairWhat.Emptied(
                              sparse.select(StoredFiles.PLACE, StoredFiles.PATH))));
      figures.put("blocks_moved", moved.figures().getOrDefault("blocks_repaired", 0L));
      figures.put("bytes_moved", moved.figures().getOrDefault("bytes_repaired", 0L));
      if (moved.rowsOut() > 0) {
        figures.put("blocks_not_moved", moved.rowsOut());
        LOG.warn(
            "{} blocks could not be written anew, and their containers stay: run verify and repair",
            moved.rowsOut());
      }
    } finally {
      sparse.unpersist();
    }
  }

  /**
   * A run of its own. Its new containers are safe from this vacuum, however short {@code
   * vacuum.orphan-age} is; who forces it to be shorter than a day says that there is no other.
   */
  private JobContext compaction() {
    JobContext step = context.step("-compact");
    return options.orphanAge().compareTo(LEAST_ORPHAN_AGE) >= 0
        ? step
        : step.with(VacuumOptions.ORPHAN_AGE, LEAST_ORPHAN_AGE.toHours() + "h");
  }

  // --- containers

  private History vacuumContainers(Dataset<Row> stored, Instant now, Optional<String> busy) {
    // Before the history: if the map moves in between, the commit finds that it did.
    long sequence = map.sequence();
    History history = map.history();
    long inUseFrom = history.oldestInUse(now.minus(options.retention()));
    Optional<Switch> oldest = history.switchOf(inUseFrom);
    long wholeFrom = floorVersion(history);
    Dataset<Row> old =
        stored.where(StoredFiles.olderThan(now.minus(options.orphanAge()), StoredFiles.CONTAINER));
    figures.put("map_sequence", sequence);
    figures.put("oldest_sequence_in_use", oldest.map(Switch::sequence).orElse(sequence));
    Dataset<Row> unnamed = unnamed(old, history, inUseFrom).persist(StorageLevel.DISK_ONLY());
    try {
      Totals all = Totals.of(unnamed);
      Optional<Dataset<Row>> former = former(unnamed, history, wholeFrom, inUseFrom);
      Totals formerTotals = former.map(Totals::of).orElse(all);
      boolean movesFloor =
          formerTotals.files() > 0
              && oldest.isPresent()
              && oldest.get().sequence() > history.floor();
      boolean keepsFormer = formerTotals.files() > 0 && (!movesFloor || busy.isPresent());
      figures.put("containers_of_former_maps", formerTotals.files());
      figures.put("containers_never_in_use", all.files() - formerTotals.files());
      figures.put(
          "containers_too_young",
          unnamed(
                  stored.where(
                      col(StoredFiles.KIND)
                          .equalTo(StoredFiles.CONTAINER)
                          .and(
                              org.apache.spark.sql.functions.not(
                                  StoredFiles.olderThan(
                                      now.minus(options.orphanAge()), StoredFiles.CONTAINER)))),
                  history,
                  inUseFrom)
              .count());
      if (extent == NightlyJob.Extent.DRY_RUN) {
        removable += all.files();
        figures.put("container_bytes", all.bytes());
        named("containers_such_as", unnamed);
        figures.put("floor_sequence", movesFloor ? oldest.get().sequence() : history.floor());
      } else if (keepsFormer) {
        Dataset<Row> orphans = former.isEmpty() ? unnamed.limit(0) : without(unnamed, former.get());
        remove("containers_removed", orphans, roots);
        figures.put("floor_sequence", history.floor());
      } else if (movesFloor) {
        AfterSwitch afterSwitch = new AfterSwitch(context, locations);
        long floor = oldest.get().sequence();
        LOG.info("Moving the floor of the shard map to sequence {}", floor);
        long made = map.moveFloor(floor, sequence, context.runId(), context.attempt());
        afterSwitch.finish(made, map.rows(), List.of());
        // As of after the commit: what was switched before it counts, what comes after it names no
        // file as old as these.
        History since = map.history();
        remove("containers_removed", unnamed(old, since, inUseFrom), roots);
        figures.put("floor_sequence", floor);
        figures.put("map_sequence", made);
        return since;
      } else {
        remove("containers_removed", unnamed, roots);
        figures.put("floor_sequence", history.floor());
      }
      return history;
    } finally {
      unnamed.unpersist();
    }
  }

  /** The oldest version that a rollback can go to now. */
  private static long floorVersion(History history) {
    long floor = history.floor();
    return history.ofRows().stream()
        .filter(one -> one.sequence() == floor)
        .mapToLong(Switch::version)
        .findFirst()
        .orElse(history.commits().firstKey());
  }

  /** Files that no version of the map from one on names. */
  private Dataset<Row> unnamed(Dataset<Row> files, History history, long from) {
    SortedSet<Long> versions = new TreeSet<>(List.of(from, history.commits().lastKey()));
    history.ofRows().stream()
        .map(Switch::version)
        .filter(version -> version > from)
        .forEach(versions::add);
    try {
      return without(files, named(versions));
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot vacuum: versions of the shard map that are in use (from %d of the table on) cannot be read: %s; no container was removed"
              .formatted(from, Failures.message(e)),
          e);
    }
  }

  private static Dataset<Row> without(Dataset<Row> files, Dataset<Row> named) {
    return files.join(
        named.select(StoredFiles.PLACE, StoredFiles.PATH),
        new String[] {StoredFiles.PLACE, StoredFiles.PATH},
        "left_anti");
  }

  private Dataset<Row> named(Set<Long> versions) {
    return versions.stream()
        .map(
            version ->
                map.rowsAt(version).select(ShardMapTable.LOCATION, ShardMapTable.PATH).distinct())
        .reduce(Dataset::union)
        .orElseThrow();
  }

  /**
   * Those of the files that versions name which a rollback can go to, and which are in use no more;
   * empty if some of these versions cannot be read: then any file may be such a one.
   */
  private Optional<Dataset<Row>> former(
      Dataset<Row> files, History history, long wholeFrom, long inUseFrom) {
    SortedSet<Long> versions = new TreeSet<>();
    history.ofRows().stream()
        .map(Switch::version)
        .filter(version -> version >= wholeFrom && version < inUseFrom)
        .forEach(versions::add);
    if (versions.isEmpty()) {
      return Optional.of(files.limit(0));
    }
    try {
      Dataset<Row> found =
          files.join(
              named(versions), new String[] {StoredFiles.PLACE, StoredFiles.PATH}, "left_semi");
      found.count();
      return Optional.of(found);
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      LOG.info("Versions {} of the shard map cannot be read: {}", versions, Failures.message(e));
      return Optional.empty();
    }
  }

  // --- backups

  private void vacuumBackups(Dataset<Row> stored, History history, Instant now) {
    long inUse =
        history
            .switchOf(history.oldestInUse(now.minus(options.retention())))
            .map(Switch::sequence)
            .orElse(0L);
    Map<String, SortedSet<Long>> complete = new TreeMap<>();
    for (Row row :
        stored
            .where(col(StoredFiles.KIND).equalTo(StoredFiles.MARKER))
            .select(StoredFiles.PLACE, StoredFiles.PATH)
            .collectAsList()) { // one a switch and copy
      complete
          .computeIfAbsent(row.getString(0), place -> new TreeSet<>(NEWEST_FIRST))
          .add(StoredFiles.sequence(row.getString(1)));
    }
    SortedSet<String> kept = new TreeSet<>();
    SortedSet<String> markers = new TreeSet<>();
    for (Location location : locations) {
      int newest = 0;
      for (long sequence : complete.getOrDefault(location.name(), new TreeSet<>())) {
        if (newest++ < options.backups() || sequence >= inUse) {
          try {
            for (String path : MapBackup.files(location, sequence, context.hadoop())) {
              (path.endsWith(".msb") ? kept : markers).add(path);
            }
          } catch (IOException | RuntimeException e) {
            tell(location.name(), "no backup was removed", String.valueOf(e.getMessage()));
            return;
          }
        }
      }
    }
    Instant before = now.minus(options.orphanAge());
    remove("backup_markers_removed", notAmong(stored, before, StoredFiles.MARKER, markers), roots);
    remove("backup_files_removed", notAmong(stored, before, StoredFiles.BACKUP, kept), roots);
  }

  /** Old files whose paths are not among those that stay, which they do at every location. */
  private Dataset<Row> notAmong(
      Dataset<Row> stored, Instant before, String kind, Set<String> paths) {
    Dataset<Row> staying =
        context.spark().createDataset(List.copyOf(paths), Encoders.STRING()).toDF(StoredFiles.PATH);
    return stored
        .where(StoredFiles.olderThan(before, kind))
        .join(staying, new String[] {StoredFiles.PATH}, "left_anti");
  }

  // --- what runs leave below the lake

  private void vacuumFolders() {
    SortedMap<String, String> lake = new TreeMap<>(Map.of(LAKE, context.lake().root()));
    Map<String, Duration> ages = new TreeMap<>();
    ages.put("_models", options.models());
    ages.put("_reports", options.reports());
    ages.put("_staging", options.orphanAge());
    ages.forEach(
        (folder, age) -> {
          Dataset<Row> files =
              StoredFiles.below(context.spark(), lake, List.of(folder), context.hadoop())
                  .where(StoredFiles.olderThan(clock.instant().minus(age), StoredFiles.OWN))
                  .persist(StorageLevel.DISK_ONLY());
          try {
            remove(folder.substring(1) + "_files_removed", files, lake);
          } finally {
            files.unpersist();
          }
        });
  }

  // --- tables

  /**
   * Removes old rows, joins small files, and removes files that no version names.
   *
   * @return number of rows
   */
  private long vacuumTables(Optional<String> busy) {
    Instant asOf = context.at().isBefore(clock.instant()) ? context.at() : clock.instant();
    boolean commits = extent == NightlyJob.Extent.FULL && busy.isEmpty();
    long rows = 0;
    long joined = 0;
    for (TableRetention of : TableRetention.all()) {
      if (!of.mayHaveExpired(context.lake(), context.settings(), asOf)) {
        continue;
      }
      long expired =
          context.lake().read(of.table()).where(of.expired(context.settings(), asOf)).count();
      if (expired > 0) {
        figures.put("rows_of_" + of.table().name(), expired);
        if (commits) {
          context.lake().delete(of.table(), of.expired(context.settings(), asOf));
        }
        if (commits || extent == NightlyJob.Extent.DRY_RUN) {
          rows += expired;
        }
      }
    }
    List<TableDefinition> tables = new ArrayList<>();
    TableRetention.all().forEach(of -> tables.add(of.table()));
    tables.addAll(TableRetention.kept());
    for (TableDefinition table : tables) {
      if (extent == NightlyJob.Extent.DRY_RUN || !context.lake().exists(table)) {
        continue;
      }
      // An eighth longer: a file is marked as removed some time before the commit that does it.
      Duration files = options.retention().plus(options.retention().dividedBy(8));
      if (commits) {
        boolean isMap = table.equals(ShardMapTable.TABLE);
        context
            .lake()
            .keepFormerVersionsFor(table, files, isMap ? files.plus(LONGEST_UNCHANGED) : files);
        if (TableRetention.isAppendedTo(table)) {
          List<String> crowded = context.lake().crowdedFolders(table, MOST_FILES, SMALL_BYTES);
          context.lake().joinSmallFiles(table, crowded);
          joined += crowded.isEmpty() ? 0 : 1;
        }
      }
      context.lake().removeUnnamedFiles(table, files);
    }
    figures.put("tables_with_small_files_joined", joined);
    return rows;
  }

  // --- removing

  /** Count and bytes of files. */
  private record Totals(long files, long bytes) {
    static Totals of(Dataset<Row> files) {
      Row row = files.agg(count(lit(1)), coalesce(sum(col(StoredFiles.BYTES)), lit(0L))).first();
      return new Totals(row.getLong(0), row.getLong(1));
    }
  }

  /** Removes files, or counts them in a dry run. */
  private void remove(String figure, Dataset<Row> files, SortedMap<String, String> places) {
    Dataset<Row> fixed = files.persist(StorageLevel.DISK_ONLY());
    try {
      long count = fixed.count();
      removable += count;
      if (extent == NightlyJob.Extent.DRY_RUN) {
        figures.put(figure.replace("_removed", "_to_remove"), count);
        named(figure.replace("_removed", "_such_as"), fixed);
        return;
      }
      Removal removal =
          Removal.of(fixed, count, places, options.deletesPerSecond(), context.hadoop());
      figures.put(figure, removal.files());
      removed = removed.plus(removal);
    } finally {
      if (fixed != files) {
        fixed.unpersist();
      }
    }
  }

  private void named(String figure, Dataset<Row> files) {
    List<String> some =
        files
            .orderBy(col(StoredFiles.PLACE), col(StoredFiles.PATH))
            .limit(NAMED)
            .collectAsList()
            .stream()
            .map(
                row ->
                    row.<String>getAs(StoredFiles.PLACE)
                        + " "
                        + ObjectIds.printable(row.<String>getAs(StoredFiles.PATH)))
            .toList();
    if (!some.isEmpty()) {
      figures.put(figure, String.join(", ", some));
    }
  }
}
