package io.metashard.job;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.SourceRoot;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes objects as plain files, in Spark tasks: one file has one writer, which holds some MiB of
 * it at a time.
 *
 * <p>One version of the map, and of the catalogue, is read from beginning to end.
 */
final class ExportJob {
  private static final Logger LOG = LoggerFactory.getLogger(ExportJob.class);

  static final String STAGE = "export";

  /** What one task is given to write; an object that is longer is not divided. */
  private static final long TASK_BYTES = 128L << 20;

  /** What a file costs beside its bytes: to be made, named and looked at, some requests each. */
  private static final long FILE_COST_BYTES = 1L << 20;

  private static final long MOST_TASKS = 50_000;

  /** Objects that figures and messages name. */
  private static final int NAMED = 10;

  private static final String TASK = "task";
  private static final String COST = "cost";
  private static final String FIRST_TASK = "first_task";
  private static final String TASKS = "tasks";
  private static final String IS_STALE = "is_stale";
  private static final String FOLDER = "folder";
  private static final String KNOWN = "known";

  private static final StructType SHARES =
      new StructType()
          .add(ExportTask.BUCKET, DataTypes.IntegerType, false)
          .add(FIRST_TASK, DataTypes.IntegerType, false)
          .add(TASKS, DataTypes.IntegerType, false);

  private final JobContext context;
  private final SelectedObjects selection;
  private final String target;
  private final ExportTarget.ReadBack readBack;
  private final ReadOptions.Fallback fallback;

  /**
   * @param target as {@link #requireApart} gives it
   */
  ExportJob(
      JobContext context,
      SelectedObjects selection,
      String target,
      ExportTarget.ReadBack readBack) {
    this.context = context;
    this.selection = selection;
    this.target = target;
    this.readBack = readBack;
    this.fallback = ReadOptions.from(context.settings()).fallback();
    Locations.known(context.lake())
        .forEach(location -> requireApart(target, "location " + location.name(), location.uri()));
  }

  /**
   * The qualified URI of a target that has nothing of ours in it, and is in nothing of ours.
   *
   * @throws SettingsException if it is not apart from the lake, a source root or a location
   */
  static String requireApart(Settings settings, String lakeRoot, String to, Configuration hadoop) {
    if (to.isBlank()) {
      throw new SettingsException("Cannot export to nowhere: --to names a folder");
    }
    String target = JobContext.qualified(to, hadoop);
    requireApart(target, "the lake", lakeRoot);
    for (SourceRoot root : SourceRoot.from(settings)) {
      requireApart(target, "source root " + root.name(), JobContext.qualified(root.uri(), hadoop));
    }
    for (Location location : Locations.configured(settings, hadoop)) {
      requireApart(target, "location " + location.name(), location.uri());
    }
    return target;
  }

  private static void requireApart(String target, String what, String uri) {
    String ours = uri.endsWith("/") ? uri : uri + "/";
    String theirs = target.endsWith("/") ? target : target + "/";
    if (ours.startsWith(theirs) || theirs.startsWith(ours)) {
      throw new SettingsException(
          "Cannot export to %s: %s is at %s; choose a folder that is apart from it"
              .formatted(Settings.withoutUserInfo(target), what, Settings.withoutUserInfo(uri)));
    }
  }

  /**
   * Exports.
   *
   * @return in state {@link StageReport#FAILED} if an object was left out; all others are there
   * @throws MetashardException if an object that was asked for is nowhere (exit code 2)
   */
  StageReport run(NightlyJob.Extent extent) {
    OptionalLong version = context.lake().version(ShardMapTable.TABLE);
    Dataset<Row> objects = objects(version).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      requireFound(objects);
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("to", Settings.withoutUserInfo(target));
      figures.put("map_version", version.isPresent() ? version.getAsLong() : null);
      Row counts =
          objects
              .agg(
                  count(lit(1)),
                  coalesce(sum(col(ExportManifest.OBJECT_BYTES)), lit(0L)),
                  counted(not(col(ExportTask.IN_MAP))),
                  counted(col(IS_STALE)))
              .first();
      figures.put("objects", counts.getLong(0));
      figures.put("bytes", counts.getLong(1));
      figures.put("objects_pending", counts.getLong(2));
      figures.put("objects_stale", counts.getLong(3));
      if (extent == NightlyJob.Extent.DRY_RUN) {
        figures.put("objects_refused", objects.where(cannotBeNamed()).count());
        return report(StageReport.UNCHANGED, "a dry run writes nothing", counts, figures, 0);
      }
      return write(version, objects, counts, figures);
    } finally {
      objects.unpersist();
    }
  }

  private StageReport write(
      OptionalLong version, Dataset<Row> objects, Row counts, Map<String, Object> figures) {
    ExportTask task =
        new ExportTask(
            context.lake().root(),
            version.orElse(-1),
            target,
            context.runId(),
            context.attempt(),
            fallback,
            readBack,
            new SerializableConfiguration(context.hadoop()));
    LOG.info(
        "Exporting {} objects of {} to {}",
        counts.getLong(0),
        Figures.bytes(counts.getLong(1)),
        Settings.withoutUserInfo(target));
    Column[] sums =
        Arrays.stream(ExportTask.SUMS.fieldNames())
            .map(name -> coalesce(sum(col(name)), lit(0L)).as(name))
            .toArray(Column[]::new);
    Row done =
        inTasks(withKnown(objects))
            .mapPartitions(task, Encoders.row(ExportTask.SUMS))
            .agg(sums[0], Arrays.copyOfRange(sums, 1, sums.length))
            .first();
    for (String name : ExportTask.SUMS.fieldNames()) {
      figures.put(name, done.<Long>getAs(name));
    }
    figures.put("read_back", readBack == ExportTarget.ReadBack.ALL ? "all" : "none");
    figures.put("manifest", Settings.withoutUserInfo(manifest(context.runId())));
    clear();
    long left = done.<Long>getAs("objects_refused") + done.<Long>getAs("objects_failed");
    if (left == 0) {
      return report(
          StageReport.DONE,
          "every object is at the target",
          counts,
          figures,
          done.<Long>getAs("bytes_written"));
    }
    figures.put("first_left_out", firstLeftOut());
    figures.put(
        "what_to_do",
        "the manifest names each with its reason; get those whose names are refused by cat, bring lost locations back, and run again: what is there is not written again");
    return report(
        StageReport.FAILED,
        "%d of %d objects were left out; all others are at the target"
            .formatted(left, counts.getLong(0)),
        counts,
        figures,
        done.<Long>getAs("bytes_written"));
  }

  private static StageReport report(
      String state, String reason, Row counts, Map<String, Object> figures, long written) {
    return new StageReport(
        STAGE,
        state,
        reason,
        "",
        counts.getLong(0),
        counts.getLong(0),
        counts.getLong(1),
        written,
        figures);
  }

  private String manifest(String runId) {
    return "%s/%s/%s".formatted(target, ExportManifest.FOLDER, runId);
  }

  private static Column counted(Column condition) {
    return coalesce(sum(when(condition, 1L).otherwise(0L)), lit(0L));
  }

  /** One row per object: what {@link ExportTask} needs to know but of former exports. */
  private Dataset<Row> objects(OptionalLong version) {
    Dataset<Row> map =
        version.isPresent()
            ? context.lake().readAt(ShardMapTable.TABLE, version.getAsLong())
            : context.lake().read(ShardMapTable.TABLE);
    String mapVersion = "map_version";
    String mapBytes = "map_bytes";
    Dataset<Row> served =
        ShardMap.live(ofSelectedBuckets(map))
            .where(selection.condition(Objects.OBJECT_ID))
            .groupBy(col(ShardMapTable.OBJECT_ID))
            .agg(
                max(col(ShardMapTable.BUCKET)).as(ExportTask.BUCKET),
                max(col(ShardMapTable.OBJECT_VERSION)).as(mapVersion),
                max(col(ShardMapTable.OBJECT_BYTES)).as(mapBytes));
    Dataset<Row> sources =
        context
            .lake()
            .readPinned(Objects.TABLE)
            .where(selection.condition(Objects.OBJECT_ID))
            .where(col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT))
            .select(
                col(Objects.OBJECT_ID),
                col(Objects.OBJECT_VERSION),
                col(Objects.OBJECT_BYTES),
                col(Objects.URI));
    Column inMap = col(mapVersion).isNotNull();
    Column isCurrent = coalesce(col(mapVersion).equalTo(col(Objects.OBJECT_VERSION)), lit(false));
    Dataset<Row> all =
        served
            .join(sources, new String[] {Objects.OBJECT_ID}, "full_outer")
            .select(
                col(Objects.OBJECT_ID).as(ExportManifest.OBJECT_ID),
                coalesce(col(mapVersion), col(Objects.OBJECT_VERSION))
                    .as(ExportManifest.OBJECT_VERSION),
                coalesce(col(mapBytes), col(Objects.OBJECT_BYTES)).as(ExportManifest.OBJECT_BYTES),
                coalesce(col(ExportTask.BUCKET), lit(-1)).as(ExportTask.BUCKET),
                inMap.as(ExportTask.IN_MAP),
                when(not(inMap).or(isCurrent), col(Objects.URI)).as(ExportTask.URI),
                inMap
                    .and(col(Objects.OBJECT_VERSION).isNotNull())
                    .and(not(isCurrent))
                    .as(IS_STALE));
    Dataset<Row> folders =
        all.select(
                explode(
                        functions
                            .udf(new FoldersOf(), DataTypes.createArrayType(DataTypes.StringType))
                            .apply(col(ExportManifest.OBJECT_ID)))
                    .as(ExportManifest.OBJECT_ID))
            .distinct()
            .withColumn(FOLDER, lit(true));
    return all.join(folders, new String[] {ExportManifest.OBJECT_ID}, "left")
        .withColumn(ExportTask.IS_FOLDER, col(FOLDER).isNotNull())
        .drop(FOLDER);
  }

  /** The map's rows, those of other buckets left out where objects are named. */
  private Dataset<Row> ofSelectedBuckets(Dataset<Row> map) {
    if (selection.objectIds().isEmpty()) {
      return map;
    }
    List<Row> first = map.select(ShardMapTable.BUCKETS).limit(1).collectAsList();
    if (first.isEmpty()) {
      return map;
    }
    int buckets = first.get(0).getInt(0);
    return map.where(
        col(ShardMapTable.BUCKET)
            .isInCollection(
                selection.objectIds().stream()
                    .map(id -> Buckets.of(id, buckets))
                    .collect(Collectors.toSet())));
  }

  private record FoldersOf() implements UDF1<String, String[]> {
    @Override
    public String[] call(String id) {
      return ExportNames.folders(id).toArray(String[]::new);
    }
  }

  private record IsRefused(ExportNames.Target kind) implements UDF1<String, Boolean> {
    @Override
    public Boolean call(String id) {
      return ExportNames.problem(id, kind).isPresent();
    }
  }

  private Column cannotBeNamed() {
    return col(ExportTask.IS_FOLDER)
        .or(
            functions
                .udf(new IsRefused(open().kind()), DataTypes.BooleanType)
                .apply(col(ExportManifest.OBJECT_ID)));
  }

  private ExportTarget open() {
    try {
      return new ExportTarget(target, context.runId(), context.attempt(), context.hadoop());
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot open %s: %s; check the URI and its credentials"
              .formatted(Settings.withoutUserInfo(target), e.getMessage()),
          e);
    }
  }

  private void clear() {
    try {
      open().clear();
    } catch (IOException | UncheckedIOException e) {
      LOG.warn("Cannot remove what earlier attempts did not finish: {}", e.getMessage());
    }
  }

  /** Refuses to export a part of what was asked for as if it were all. */
  private void requireFound(Dataset<Row> objects) {
    if (selection.objectIds().isEmpty()) {
      if (!selection.prefix().isEmpty() && objects.isEmpty()) {
        throw nowhere("whose ids begin with " + ObjectIds.printable(selection.prefix()));
      }
      return;
    }
    TreeSet<String> missing = new TreeSet<>(selection.objectIds());
    objects
        .select(ExportManifest.OBJECT_ID)
        .collectAsList() // as many as were named
        .forEach(row -> missing.remove(row.getString(0)));
    if (!missing.isEmpty()) {
      throw nowhere(
          missing.stream().limit(NAMED).map(ObjectIds::printable).collect(Collectors.joining(", "))
              + (missing.size() > NAMED ? " and %d more".formatted(missing.size() - NAMED) : ""));
    }
  }

  private static MetashardException nowhere(String what) {
    return new MetashardException(
        MetashardException.USAGE,
        "Cannot export objects %s: the shard map does not have them, nor does the catalogue have a present source; check the ids with ls; nothing was written"
            .formatted(what));
  }

  /** With what exports to this folder have written down of the same versions of the objects. */
  private Dataset<Row> withKnown(Dataset<Row> objects) {
    Column[] key = {
      col(ExportManifest.OBJECT_ID),
      col(ExportManifest.OBJECT_VERSION),
      col(ExportManifest.OBJECT_BYTES)
    };
    Dataset<Row> known =
        manifestLines(target + "/" + ExportManifest.FOLDER)
            .where(
                col(ExportManifest.STATE)
                    .isin(ExportManifest.WRITTEN, ExportManifest.PRESENT)
                    .and(col(ExportManifest.SHA256).isNotNull())
                    .and(col(ExportManifest.CRC32C).isNotNull())
                    .and(col(ExportManifest.MODIFIED_MILLIS).isNotNull()))
            .groupBy(key)
            .agg(
                max(struct(
                        col(ExportManifest.MODIFIED_MILLIS),
                        col(ExportManifest.SHA256),
                        col(ExportManifest.CRC32C)))
                    .as(KNOWN));
    return objects
        .join(
            known,
            new String[] {
              ExportManifest.OBJECT_ID, ExportManifest.OBJECT_VERSION, ExportManifest.OBJECT_BYTES
            },
            "left")
        .withColumn(ExportTask.KNOWN_SHA256, col(KNOWN).getField(ExportManifest.SHA256))
        .withColumn(ExportTask.KNOWN_CRC32C, col(KNOWN).getField(ExportManifest.CRC32C))
        .withColumn(
            ExportTask.KNOWN_MODIFIED_MILLIS, col(KNOWN).getField(ExportManifest.MODIFIED_MILLIS))
        .drop(KNOWN);
  }

  private Dataset<Row> manifestLines(String folder) {
    Path path = new Path(folder);
    try {
      if (!path.getFileSystem(context.hadoop()).exists(path)) {
        return context.spark().createDataFrame(List.of(), ExportManifest.SCHEMA);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot look into %s: %s".formatted(Settings.withoutUserInfo(folder), e.getMessage()), e);
    }
    return context
        .spark()
        .read()
        .schema(ExportManifest.SCHEMA)
        .option("recursiveFileLookup", true)
        .json(folder);
  }

  private List<String> firstLeftOut() {
    return manifestLines(manifest(context.runId()))
        .where(col(ExportManifest.STATE).isin(ExportManifest.REFUSED, ExportManifest.FAILED))
        .groupBy(col(ExportManifest.OBJECT_ID))
        .agg(max(col(ExportManifest.REASON)).as(ExportManifest.REASON))
        .orderBy(col(ExportManifest.OBJECT_ID))
        .limit(NAMED)
        .collectAsList()
        .stream()
        .map(
            row ->
                "%s: %s"
                    .formatted(
                        ObjectIds.printable(row.getString(0)),
                        ObjectIds.printable(row.getString(1), 600)))
        .toList();
  }

  /**
   * Whole buckets in a task as far as they fit, parts of one where it is too large; the largest
   * begin first, the objects of a bucket are side by side.
   */
  private Dataset<Row> inTasks(Dataset<Row> objects) {
    Column cost = col(ExportManifest.OBJECT_BYTES).plus(FILE_COST_BYTES);
    List<Share> shares =
        Share.of(
            objects
                .groupBy(col(ExportTask.BUCKET))
                .agg(sum(cost).as(COST))
                .collectAsList() // 65,536 buckets at most
                .stream()
                .collect(Collectors.toMap(row -> row.getInt(0), row -> row.getLong(1))),
            TASK_BYTES,
            MOST_TASKS);
    int tasks =
        shares.stream().mapToInt(share -> share.firstTask() + share.tasks()).max().orElse(1);
    Dataset<Row> rows =
        context
            .spark()
            .createDataFrame(
                shares.stream()
                    .map(one -> RowFactory.create(one.bucket(), one.firstTask(), one.tasks()))
                    .toList(),
                SHARES);
    return objects
        .join(broadcast(rows), new String[] {ExportTask.BUCKET})
        .withColumn(
            TASK,
            col(FIRST_TASK)
                .plus(pmod(xxhash64(col(ExportManifest.OBJECT_ID)), col(TASKS)))
                .cast(DataTypes.IntegerType))
        .repartitionById(tasks, col(TASK))
        .sortWithinPartitions(
            col(ExportTask.BUCKET),
            col(ExportManifest.OBJECT_BYTES).desc(),
            col(ExportManifest.OBJECT_ID));
  }

  /** The tasks that a bucket's objects are spread over: one, which others may share, or several. */
  record Share(int bucket, int firstTask, int tasks) {
    /**
     * @param costs by bucket, in bytes
     * @param taskBytes that a task shall cost
     * @param mostTasks that there shall be, about
     */
    static List<Share> of(Map<Integer, Long> costs, long taskBytes, long mostTasks) {
      long total = costs.values().stream().mapToLong(Long::longValue).sum();
      long size = Math.max(taskBytes, total / mostTasks);
      List<Map.Entry<Integer, Long>> largestFirst =
          costs.entrySet().stream()
              .sorted(
                  Map.Entry.<Integer, Long>comparingByValue(Comparator.reverseOrder())
                      .thenComparing(Map.Entry.comparingByKey()))
              .toList();
      List<Share> shares = new ArrayList<>();
      int next = 0;
      long filled = 0; // of the task before next, which smaller buckets share
      for (Map.Entry<Integer, Long> bucket : largestFirst) {
        if (bucket.getValue() >= size) {
          int tasks = Math.toIntExact((bucket.getValue() + size - 1) / size);
          shares.add(new Share(bucket.getKey(), next, tasks));
          next += tasks;
          filled = size; // the last one is not shared
        } else {
          if (next == 0 || filled + bucket.getValue() > size) {
            next++;
            filled = 0;
          }
          shares.add(new Share(bucket.getKey(), next - 1, 1));
          filled += bucket.getValue();
        }
      }
      return shares;
    }
  }
}
