package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;

import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMap.History;
import io.metashard.shardmap.ShardMap.Switch;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.SourceFiles;
import io.metashard.upkeep.Containers;
import io.metashard.upkeep.Removal;
import io.metashard.upkeep.StoredFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.storage.StorageLevel;

/**
 * Makes the bytes of one object leave every container that a version of the map names, and the
 * parity that was made of them.
 *
 * <p>Four steps, each of which a retry finds done: the objects that share its meta-shards are
 * encoded anew, and the map drops it; what else lies in the same containers is written into others;
 * the map's floor moves, so that no rollback goes back to them; the containers are removed. Which
 * they are is told by the map's history, as long as Delta keeps it.
 */
final class ForgetJob {
  static final String STAGE = "forget";

  private static final int FILES_PER_SECOND = 100;
  private static final int NAMED = 10;
  private static final String ENCODE = "-encode";
  private static final String MOVE = "-move";

  private final JobContext context;
  private final StageRunner runner;
  private final List<Location> locations;
  private final NightlyJob.Extent extent;
  private final ShardMap map;
  private final Map<String, Object> figures = new LinkedHashMap<>();

  /**
   * @param runner of the command: its steps are runs of their own
   * @param locations all locations of the lake
   */
  ForgetJob(
      JobContext context, StageRunner runner, List<Location> locations, NightlyJob.Extent extent) {
    this.context = context;
    this.runner = runner;
    this.locations = locations;
    this.extent = extent;
    this.map = new ShardMap(context.lake());
  }

  /**
   * Forgets.
   *
   * @throws MetashardException with {@link MetashardException#USAGE} if its source is there still,
   *     which the next night would encode; with {@link MetashardException#FAILED} if something of
   *     it is left: run again
   * @throws io.metashard.shardmap.MapMovedException if another run switches the map meanwhile
   */
  StageReport run(String objectId) {
    requireNoSource(objectId);
    History history = map.history();
    if (map.sequence() == 0 || history.commits().isEmpty()) {
      return unchanged("the map has no blocks yet");
    }
    int bucket = Buckets.of(objectId, map.buckets().orElse(1));
    Dataset<Row> containers =
        containers(objectId, bucket, history).persist(StorageLevel.DISK_ONLY());
    try {
      long found = containers.count();
      figures.put("containers", found);
      if (found == 0) {
        return unchanged("no version of the map that can be read has a block of it");
      }
      Dataset<Row> shared = shared(objectId, bucket);
      figures.put("objects_to_encode_anew", shared.count());
      figures.put("blocks_to_move", others(objectId, bucket, containers).count());
      if (extent == NightlyJob.Extent.DRY_RUN) {
        return unchanged(
            "a dry run changes nothing: it would remove %d containers".formatted(found));
      }
      drop(objectId, bucket, shared);
      moveOthers(containers);
      return remove(objectId, containers, found);
    } finally {
      containers.unpersist();
    }
  }

  private StageReport unchanged(String reason) {
    return new StageReport(STAGE, StageReport.UNCHANGED, reason, "", 0, 0, 0, 0, figures);
  }

  private static MetashardException refused(String objectId, String why) {
    return new MetashardException(
        MetashardException.USAGE,
        "Cannot forget object %s: %s".formatted(ObjectIds.printable(objectId), why));
  }

  /** Whatever is at the source is encoded again by the next night, and read through fallback. */
  private void requireNoSource(String objectId) {
    ObjectIds.problem(objectId)
        .ifPresent(
            problem -> {
              throw refused(objectId, "its id cannot be one (%s)".formatted(problem));
            });
    List<Row> known =
        context
            .lake()
            .read(Objects.TABLE)
            .where(col(Objects.OBJECT_ID).equalTo(lit(objectId)))
            .select(Objects.URI)
            .limit(1)
            .collectAsList();
    for (Row row : known) {
      try {
        if (SourceFiles.state(context.hadoop(), row.getString(0)).isPresent()) {
          throw refused(
              objectId,
              "its source is there still, at %s, and the next night would encode it again; delete it there, then run again"
                  .formatted(ObjectIds.printable(Settings.withoutUserInfo(row.getString(0)), 400)));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(
            "Cannot tell whether the source of object %s is there still: %s"
                .formatted(ObjectIds.printable(objectId), Failures.message(e)),
            e);
      }
    }
  }

  // --- what is where

  private static Column isOf(String objectId) {
    return col(ShardMapTable.OBJECT_ID).equalTo(lit(objectId));
  }

  /** Rows of the meta-shards that have, or had, blocks of the object. */
  private static Dataset<Row> metaShards(Dataset<Row> rows, String objectId, int bucket) {
    Dataset<Row> ofBucket = rows.where(col(ShardMapTable.BUCKET).equalTo(bucket));
    return RepairWork.metaShards(ofBucket, ofBucket.where(isOf(objectId)));
  }

  /**
   * The containers that hold blocks of its meta-shards, by every version of the map that can be
   * read, each once: {@link Containers#LOCATION}, {@link Containers#PATH}.
   */
  private Dataset<Row> containers(String objectId, int bucket, History history) {
    return FormerMaps.containers(
        map,
        history.ofRows().stream().map(Switch::version).toList(),
        rows -> metaShards(rows, objectId, bucket));
  }

  /** Ids of the other objects that the map serves from its meta-shards. */
  private Dataset<Row> shared(String objectId, int bucket) {
    return ShardMap.live(metaShards(map.rows(), objectId, bucket))
        .where(not(isOf(objectId)))
        .select(ShardMapTable.OBJECT_ID)
        .distinct();
  }

  /** The blocks of other meta-shards in the containers. */
  private Dataset<Row> others(String objectId, int bucket, Dataset<Row> containers) {
    return map.rows()
        .join(containers, new String[] {Containers.LOCATION, Containers.PATH}, "left_semi")
        .join(
            metaShards(map.rows(), objectId, bucket).select(ShardMapTable.META_SHARD_ID).distinct(),
            new String[] {ShardMapTable.META_SHARD_ID},
            "left_anti");
  }

  // --- the steps

  /** Takes it out of the map; what shares its meta-shards leaves them for others. */
  private void drop(String objectId, int bucket, Dataset<Row> shared) {
    Dataset<Row> own =
        map.rows().where(col(ShardMapTable.BUCKET).equalTo(bucket).and(isOf(objectId)));
    List<Row> present =
        own.agg(count(lit(1)), coalesce(max(col(ShardMapTable.OBJECT_BYTES)), lit(0L)))
            .collectAsList();
    if (present.get(0).getLong(0) == 0) {
      return; // an attempt before this one was here, or only former maps have it
    }
    List<String> unknown =
        shared
            .join(
                context.lake().read(Objects.TABLE),
                new String[] {ShardMapTable.OBJECT_ID},
                "left_anti")
            .limit(NAMED)
            .collectAsList()
            .stream()
            .map(row -> ObjectIds.printable(row.getString(0)))
            .toList();
    if (!unknown.isEmpty()) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot forget object %s: objects share its meta-shards that the catalogue does not know, such as %s; nothing was changed; run catalogue, or forget them too"
              .formatted(ObjectIds.printable(objectId), unknown));
    }
    JobContext encode = context.step(ENCODE);
    long sequence = map.sequence();
    PlanJob plan =
        new PlanJob(
                encode.with("plan.full", true),
                locations.stream()
                    .filter(location -> !location.state().equals(Location.GONE))
                    .toList(),
                sequence,
                // As dead as it will be: its meta-shards are not counted as kept.
                map.rows()
                    .withColumn(
                        ShardMapTable.LIVE,
                        col(ShardMapTable.LIVE).and(not(coalesce(isOf(objectId), lit(false))))),
                map.buckets().orElseThrow())
            .only(
                objects ->
                    objects.join(shared, new String[] {ShardMapTable.OBJECT_ID}, "left_semi"));
    plan.run();
    Instant now = Clock.systemUTC().instant();
    Dataset<Row> drops =
        context
            .spark()
            .createDataFrame(
                List.of(
                    RowFactory.create(
                        bucket,
                        objectId,
                        present.get(0).getLong(1),
                        Timestamp.from(now),
                        encode.runId(),
                        Date.valueOf(context.at().atZone(ZoneOffset.UTC).toLocalDate()),
                        sequence,
                        ShardMapTable.TABLE.name())),
                PlannedDrops.SCHEMA);
    StageReport report =
        runner.step(
            encode,
            ReshardJob.STAGE,
            List.of(ShardMapTable.TABLE),
            () -> new ReshardJob(encode, locations).run(encode.runId(), drops));
    figures.put("objects_encoded_anew", report.figures().getOrDefault("objects_encoded", 0L));
  }

  /** Writes what else is in the containers into others. */
  private void moveOthers(Dataset<Row> containers) {
    JobContext move = context.step(MOVE);
    StageReport report =
        runner.step(
            move,
            RepairJob.STAGE,
            List.of(ShardMapTable.TABLE),
            () ->
                new RepairJob(
                        move,
                        locations,
                        NightlyJob.Extent.FULL,
                        NightlyJob.Repeat.FORCE,
                        Long.MAX_VALUE)
                    .run(new RepairWhat.Emptied(containers)));
    figures.put("blocks_moved", report.figures().getOrDefault("blocks_repaired", 0L));
  }

  private StageReport remove(String objectId, Dataset<Row> containers, long found) {
    Dataset<Row> named =
        containers.join(
            map.rows(), new String[] {Containers.LOCATION, Containers.PATH}, "left_semi");
    long left = named.count();
    if (left > 0) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot forget object %s: %d of the %d containers that hold bytes of it hold blocks still that could not be moved; the map does not have it any more; run verify and repair, then run again"
              .formatted(ObjectIds.printable(objectId), left, found));
    }
    History history = map.history();
    long floor = history.ofRows().get(0).sequence();
    if (history.floor() < floor) {
      AfterSwitch afterSwitch = new AfterSwitch(context, locations);
      long made = map.moveFloor(floor, map.sequence(), context.runId(), context.attempt());
      afterSwitch.finish(made, map.rows(), List.of());
    }
    SortedMap<String, String> roots = new TreeMap<>();
    locations.stream()
        .filter(location -> !location.state().equals(Location.GONE))
        .forEach(location -> roots.put(location.name(), location.uri()));
    Dataset<Row> files =
        containers
            .where(col(Containers.LOCATION).isInCollection(roots.keySet()))
            .select(
                col(Containers.LOCATION).as(StoredFiles.PLACE),
                col(Containers.PATH).as(StoredFiles.PATH),
                lit(0L).as(StoredFiles.BYTES));
    Removal removed = Removal.of(files, found, roots, FILES_PER_SECOND, context.hadoop());
    figures.put("containers_removed", removed.files());
    figures.put("floor_sequence", floor);
    if (removed.failed() > 0) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot forget object %s: %d of the %d containers that hold bytes of it could not be removed, such as %s; no map names them any more; run again"
              .formatted(
                  ObjectIds.printable(objectId),
                  removed.failed(),
                  found,
                  ObjectIds.printable(String.valueOf(removed.problem()), 400)));
    }
    context
        .lake()
        .append(
            Forgotten.TABLE,
            context
                .spark()
                .createDataFrame(
                    List.of(
                        RowFactory.create(
                            context.runId(),
                            Timestamp.from(Clock.systemUTC().instant()),
                            objectId,
                            removed.files(),
                            removed.bytes(),
                            floor)),
                    Forgotten.SCHEMA)
                .coalesce(1),
            Lake.Commit.PLAIN);
    return new StageReport(
        STAGE,
        StageReport.DONE,
        "none of its bytes is left in a container that a map named",
        "",
        found,
        removed.files(),
        0,
        0,
        figures);
  }
}
