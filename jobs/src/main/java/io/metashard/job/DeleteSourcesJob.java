package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.get_json_object;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.config.SettingsException;
import io.metashard.encode.Findings;
import io.metashard.encode.MapSource;
import io.metashard.lake.Lake;
import io.metashard.plan.PlanOptions;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.SourceFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes sources that the map can do without: the one job that ever does.
 *
 * <p>A source may go if the map serves its very version from meta-shards that survive the loss of
 * {@value PlanOptions#SURVIVE_RELEASED} failure domains, all of whose blocks a full {@code verify}
 * of late has found right; and none goes unless a sample of them came back from the map as it is in
 * the source. What is about to be deleted is written down first, so that the catalogue calls it
 * released, and never missing, whenever this run ends.
 */
final class DeleteSourcesJob {
  private static final Logger LOG = LoggerFactory.getLogger(DeleteSourcesJob.class);

  static final String STAGE = "delete-sources";

  private static final String MAX_VERIFY_AGE = "release.max-verify-age";
  private static final String SAMPLE_PERCENT = "release.sample-percent";

  /** So many objects at least are compared, or all. */
  private static final int LEAST_SAMPLE = 100;

  private static final int LOTS = 1_000_000;
  private static final int SHOWN = 20;
  private static final int OBJECTS_PER_TASK = 1_000;
  private static final int MOST_TASKS = 10_000;

  private static final String SURVIVED = "survived";
  private static final String IS_VERIFIED = "is_verified";
  private static final String SERVED_VERSION = "served_version";
  private static final String SPARE_DOMAINS = "spare_domains";

  /** Whether sources are deleted, or only listed. */
  enum Consent {
    GIVEN,
    ASKED_FOR
  }

  private final JobContext context;
  private final List<Location> locations;
  private final SelectedObjects selected;
  private final Consent consent;
  private final ShardMap map;
  private final Duration maxVerifyAge;
  private final double samplePercent;

  /**
   * @param locations all locations of the lake
   */
  DeleteSourcesJob(
      JobContext context, List<Location> locations, SelectedObjects selected, Consent consent) {
    this.context = context;
    this.locations = locations;
    this.selected = selected;
    this.consent = consent;
    this.map = new ShardMap(context.lake());
    this.maxVerifyAge = context.settings().duration(MAX_VERIFY_AGE);
    this.samplePercent = context.settings().number(SAMPLE_PERCENT);
    if (!(samplePercent > 0 && samplePercent <= 100)) {
      throw new SettingsException(
          "Cannot use %s = %s: it must be more than 0 and at most 100"
              .formatted(SAMPLE_PERCENT, samplePercent));
    }
  }

  /**
   * Lists what may go and, with consent, deletes it.
   *
   * @throws MetashardException with {@link MetashardException#DAMAGE} if a sampled object does not
   *     come back as its source is: nothing is deleted
   * @throws MapMovedException if another run switches the map meanwhile: nothing is deleted
   */
  StageReport run() {
    Lake lake = context.lake();
    Dataset<Row> objects = lake.readPinned(Objects.TABLE);
    selected.requireIn(objects, Objects.OBJECT_ID, "the catalogue");
    long sequence = map.sequence();
    Optional<Verified> verified = newestVerify();
    Dataset<Row> judged =
        judged(objects, verified)
            .select(
                col(SourceDeletions.OBJECT_ID),
                col(SourceDeletions.URI),
                col(SourceDeletions.OBJECT_VERSION),
                col(SourceDeletions.OBJECT_BYTES),
                col(SourceDeletions.REASON))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Dataset<Row> eligible = judged.where(col(SourceDeletions.REASON).equalTo(""));
      Row totals =
          eligible
              .agg(count(lit(1)), coalesce(sum(col(SourceDeletions.OBJECT_BYTES)), lit(0L)))
              .first();
      long found = totals.getLong(0);
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("sources", found);
      figures.put("source_bytes", totals.getLong(1));
      judged
          .where(not(col(SourceDeletions.REASON).equalTo("")))
          .groupBy(col(SourceDeletions.REASON))
          .agg(count(lit(1)))
          .orderBy(col(SourceDeletions.REASON))
          .collectAsList() // a handful of reasons
          .forEach(row -> figures.put("kept, " + row.getString(0), row.getLong(1)));
      figures.put("verified_by", verified.map(Verified::runId).orElse("no run of late"));
      figures.put("first_sources", first(eligible));
      figures.put("sources_compared", found == 0 ? 0L : requireEqualSample(eligible, found));
      if (consent == Consent.ASKED_FOR || found == 0) {
        write(judged, SourceDeletions.LISTED);
        return report(
            StageReport.UNCHANGED,
            found == 0
                ? "no source may go"
                : "nothing was deleted: the table source_deletions lists them, --yes deletes them",
            figures,
            found);
      }
      if (map.sequence() != sequence) {
        throw new MapMovedException(
            "Cannot delete sources: the shard map moved on from sequence %d to %d while they were looked at; nothing was deleted, run again"
                .formatted(sequence, map.sequence()),
            null);
      }
      write(judged, SourceDeletions.APPROVED);
      figures.putAll(delete(eligible, found));
      return report(
          StageReport.DONE, "sources that the map can do without are deleted", figures, found);
    } finally {
      judged.unpersist();
    }
  }

  private static StageReport report(
      String state, String reason, Map<String, Object> figures, long sources) {
    return new StageReport(STAGE, state, reason, "", sources, sources, 0, 0, figures);
  }

  private static List<String> first(Dataset<Row> eligible) {
    return eligible.orderBy(SourceDeletions.OBJECT_ID).limit(SHOWN).collectAsList().stream()
        .map(row -> ObjectIds.printable(row.<String>getAs(SourceDeletions.OBJECT_ID), 400))
        .toList();
  }

  /** Writes down what was found of each source; those that are kept as kept. */
  private void write(Dataset<Row> judged, String outcome) {
    context
        .lake()
        .append(
            SourceDeletions.TABLE,
            judged
                .withColumn(SourceDeletions.RUN_ID, lit(context.runId()))
                .withColumn(SourceDeletions.AT, lit(now()))
                .withColumn(
                    SourceDeletions.OUTCOME,
                    when(col(SourceDeletions.REASON).equalTo(""), outcome)
                        .otherwise(SourceDeletions.KEPT)),
            Lake.Commit.PLAIN);
  }

  private static Timestamp now() {
    return Timestamp.from(Clock.systemUTC().instant());
  }

  /** A full verify, and the version of the map that it read. */
  private record Verified(String runId, long mapVersion, Timestamp startedAt) {}

  private Optional<Verified> newestVerify() {
    Instant since = Clock.systemUTC().instant().minus(maxVerifyAge);
    List<Row> newest =
        context
            .lake()
            .read(RunsTable.TABLE)
            .where(
                RunsTable.done(VerifyJob.STAGE)
                    .and(
                        get_json_object(col(RunsTable.FIGURES), "$." + VerifyJob.SCOPE)
                            .equalTo(new VerifyScope.All().text()))
                    .and(col(RunsTable.STARTED_AT).geq(lit(Timestamp.from(since)))))
            .select(
                col(RunsTable.RUN_ID),
                get_json_object(col(RunsTable.INPUT_VERSIONS), "$." + ShardMapTable.TABLE.name())
                    .cast(DataTypes.LongType)
                    .as("version"),
                col(RunsTable.STARTED_AT))
            .where(col("version").isNotNull())
            .orderBy(col(RunsTable.STARTED_AT).desc())
            .limit(1)
            .collectAsList();
    return newest.stream()
        .findFirst()
        .map(row -> new Verified(row.getString(0), row.getLong(1), row.getTimestamp(2)));
  }

  /** The selected objects with a present source, each with why it is kept; empty if it may go. */
  private Dataset<Row> judged(Dataset<Row> objects, Optional<Verified> verified) {
    Dataset<Row> live =
        ShardMap.live(map.rows()).where(selected.condition(ShardMapTable.OBJECT_ID));
    Dataset<Row> shards = shards(RepairWork.metaShards(map.rows(), live), verified);
    Dataset<Row> served =
        live.join(shards, ShardMapTable.META_SHARD_ID)
            .groupBy(col(ShardMapTable.OBJECT_ID).as(SourceDeletions.OBJECT_ID))
            .agg(
                max(col(ShardMapTable.OBJECT_VERSION)).as(SERVED_VERSION),
                min(col(SURVIVED)).as(SURVIVED),
                min(col(IS_VERIFIED)).as(IS_VERIFIED));
    Column reason =
        when(col(SERVED_VERSION).isNull(), "it is not in the map yet")
            .when(
                not(col(SERVED_VERSION).equalTo(col(Objects.OBJECT_VERSION))),
                "the map has another version of it")
            .when(
                col(SURVIVED).lt(PlanOptions.SURVIVE_RELEASED),
                "it survives the loss of fewer than %d failure domains: set plan.survive = %d and run nightly"
                    .formatted(PlanOptions.SURVIVE_RELEASED, PlanOptions.SURVIVE_RELEASED))
            .when(
                not(col(IS_VERIFIED)),
                "no full verify of the last %s found all of its blocks right: run verify"
                    .formatted(context.settings().string(MAX_VERIFY_AGE)))
            .otherwise("");
    return objects
        .where(
            col(Objects.SOURCE_STATE)
                .equalTo(Objects.PRESENT)
                .and(selected.condition(Objects.OBJECT_ID)))
        .join(served, new String[] {SourceDeletions.OBJECT_ID}, "left")
        .withColumn(SourceDeletions.REASON, reason);
  }

  /**
   * Of every meta-shard how many domains may be lost, whichever they are, and whether all of its
   * blocks were found right.
   */
  private Dataset<Row> shards(Dataset<Row> rows, Optional<Verified> verified) {
    String domain = "domain";
    String blocks = "blocks";
    String inOne = "in_one";
    List<Row> places =
        locations.stream()
            .filter(location -> !location.state().equals(Location.GONE))
            .map(location -> RowFactory.create(location.name(), location.domain()))
            .toList();
    Dataset<Row> domains =
        context
            .spark()
            .createDataFrame(
                places,
                new StructType()
                    .add(ShardMapTable.LOCATION, DataTypes.StringType, false)
                    .add(domain, DataTypes.StringType, false));
    // Whatever shares a domain is lost together: so many domains may go at least.
    Dataset<Row> survived =
        rows.join(domains, ShardMapTable.LOCATION)
            .groupBy(col(ShardMapTable.META_SHARD_ID), col(domain))
            .agg(count(lit(1)).as(inOne), max(col(ShardMapTable.K)).as(ShardMapTable.K))
            .groupBy(col(ShardMapTable.META_SHARD_ID))
            .agg(
                sum(col(inOne)).minus(max(col(ShardMapTable.K))).as(SPARE_DOMAINS),
                max(col(inOne)).as(blocks))
            .select(
                col(ShardMapTable.META_SHARD_ID),
                floor(col(SPARE_DOMAINS).divide(col(blocks))).as(SURVIVED));
    if (verified.isEmpty()) {
      return survived.withColumn(IS_VERIFIED, lit(false));
    }
    String[] place = {
      ShardMapTable.META_SHARD_ID,
      ShardMapTable.BLOCK_INDEX,
      ShardMapTable.LOCATION,
      ShardMapTable.PATH,
      ShardMapTable.CONTAINER_OFFSET
    };
    Dataset<Row> known =
        map.rowsAt(verified.get().mapVersion())
            .select(Arrays.stream(place).map(name -> col(name)).toArray(Column[]::new));
    Dataset<Row> changedSince = rows.join(known, place, "left_anti").select(place[0]);
    Dataset<Row> damaged =
        context
            .lake()
            .read(VerifyFindings.TABLE)
            .where(
                col(VerifyFindings.FOUND_AT)
                    .geq(lit(verified.get().startedAt()))
                    .and(col(Findings.META_SHARD_ID).isNotNull()))
            .select(col(Findings.META_SHARD_ID).as(place[0]));
    String doubtful = "doubtful";
    return survived
        .join(
            changedSince.union(damaged).distinct().withColumn(doubtful, lit(true)),
            new String[] {place[0]},
            "left")
        .select(col(place[0]), col(SURVIVED), col(doubtful).isNull().as(IS_VERIFIED));
  }

  // --- the sample

  private static final String EQUAL = "equal";
  private static final String DIFFERENT = "different";
  private static final String MOVED_ON = "moved on";

  /**
   * Reads a sample from the map alone and from the sources.
   *
   * @return how many were compared
   */
  private long requireEqualSample(Dataset<Row> eligible, long found) {
    double share = Math.max(samplePercent / 100, (double) LEAST_SAMPLE / found);
    String outcome = "compared";
    Dataset<Row> compared =
        eligible
            .where(
                pmod(xxhash64(col(SourceDeletions.OBJECT_ID), lit(context.runId())), lit(LOTS))
                    .lt(lit(share * LOTS)))
            .select(
                col(SourceDeletions.OBJECT_ID),
                col(SourceDeletions.URI),
                col(SourceDeletions.OBJECT_VERSION))
            .repartition(tasks((long) Math.ceil(found * Math.min(1, share))))
            .mapPartitions(
                new Compare(
                    map.buckets().orElseThrow(),
                    StoredObjects.of(context),
                    new SerializableConfiguration(context.hadoop())),
                Encoders.row(
                    new StructType()
                        .add(SourceDeletions.OBJECT_ID, DataTypes.StringType, false)
                        .add(outcome, DataTypes.StringType, false)
                        .add(SourceDeletions.REASON, DataTypes.StringType, false)))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      LOG.info("Comparing {} of the objects with their sources", compared.count());
      List<Row> wrong =
          compared
              .where(col(outcome).equalTo(DIFFERENT))
              .orderBy(SourceDeletions.OBJECT_ID)
              .limit(SHOWN)
              .collectAsList();
      if (!wrong.isEmpty()) {
        throw new MetashardException(
            MetashardException.DAMAGE,
            "Cannot delete sources: %d of the sampled objects did not come back from the map as their sources are, such as %s: %s; nothing was deleted; run verify"
                .formatted(
                    compared.where(col(outcome).equalTo(DIFFERENT)).count(),
                    ObjectIds.printable(wrong.get(0).getString(0)),
                    ObjectIds.printable(wrong.get(0).getString(2), 400)));
      }
      return compared.where(col(outcome).equalTo(EQUAL)).count();
    } finally {
      compared.unpersist();
    }
  }

  private static int tasks(long objects) {
    return (int) Math.max(1, Math.min(MOST_TASKS, objects / OBJECTS_PER_TASK + 1));
  }

  /** Reads objects from the map and from their sources, and compares their digests. */
  private record Compare(int buckets, StoredObjects stored, SerializableConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> sources) throws IOException {
      List<Row> outcomes = new ArrayList<>(); // as many as a task has objects
      try (MapSource.Reader reader = stored.open()) {
        while (sources.hasNext()) {
          outcomes.add(compared(sources.next(), reader));
        }
      }
      return outcomes.iterator();
    }

    private Row compared(Row row, MapSource.Reader reader) throws IOException {
      String objectId = row.getString(0);
      String version = row.getString(2);
      String source = NotedSources.digest(hadoop.value(), objectId, row.getString(1), version);
      if (source == null) {
        // It changed or went since it was listed: it is not deleted, or there is nothing to.
        return RowFactory.create(objectId, MOVED_ON, "");
      }
      try {
        MessageDigest digest = NotedSources.sha256();
        reader.copy(
            Buckets.of(objectId, buckets),
            objectId,
            version,
            0,
            Long.MAX_VALUE,
            new DigestOutputStream(OutputStream.nullOutputStream(), digest));
        return HexFormat.of().formatHex(digest.digest()).equals(source)
            ? RowFactory.create(objectId, EQUAL, "")
            : RowFactory.create(objectId, DIFFERENT, "its bytes are others");
      } catch (IOException e) {
        return RowFactory.create(objectId, DIFFERENT, Failures.message(e));
      }
    }
  }

  // --- deleting

  private Map<String, Object> delete(Dataset<Row> eligible, long found) {
    LOG.info("Deleting {} sources", found);
    Dataset<Row> outcomes =
        eligible
            .repartition(tasks(found))
            .mapPartitions(
                new Delete(new SerializableConfiguration(context.hadoop())),
                Encoders.row(
                    new StructType()
                        .add(SourceDeletions.OBJECT_ID, DataTypes.StringType, false)
                        .add(SourceDeletions.URI, DataTypes.StringType, false)
                        .add(SourceDeletions.OBJECT_VERSION, DataTypes.StringType, false)
                        .add(SourceDeletions.OBJECT_BYTES, DataTypes.LongType, false)
                        .add(SourceDeletions.OUTCOME, DataTypes.StringType, false)
                        .add(SourceDeletions.REASON, DataTypes.StringType, false)));
    // Once, into the table: what follows reads only that.
    context
        .lake()
        .append(
            SourceDeletions.TABLE,
            outcomes
                .withColumn(SourceDeletions.RUN_ID, lit(context.runId()))
                .withColumn(SourceDeletions.AT, lit(now())),
            Lake.Commit.PLAIN);
    Dataset<Row> mine =
        context
            .lake()
            .read(SourceDeletions.TABLE)
            .where(col(SourceDeletions.RUN_ID).equalTo(context.runId()));
    Dataset<Row> deleted =
        mine.where(col(SourceDeletions.OUTCOME).equalTo(SourceDeletions.DELETED));
    release(deleted);
    Row counts = deleted.agg(countDistinct(col(SourceDeletions.OBJECT_ID))).first();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("sources_deleted", counts.getLong(0));
    figures.put("sources_not_deleted", Math.max(0, found - counts.getLong(0)));
    return figures;
  }

  /** Says of the deleted sources that they were released; the next catalogue would, too. */
  private void release(Dataset<Row> deleted) {
    String isDeleted = "is_deleted";
    Column released = coalesce(col(isDeleted), lit(false));
    Dataset<Row> objects =
        context
            .lake()
            .read(Objects.TABLE)
            .join(
                deleted
                    .select(Objects.OBJECT_ID, Objects.OBJECT_VERSION)
                    .distinct()
                    .withColumn(isDeleted, lit(true)),
                new String[] {Objects.OBJECT_ID, Objects.OBJECT_VERSION},
                "left")
            .withColumn(
                Objects.SOURCE_STATE,
                when(released, Objects.RELEASED).otherwise(col(Objects.SOURCE_STATE)))
            .withColumn(Objects.MISSING_SINCE, when(not(released), col(Objects.MISSING_SINCE)));
    context.lake().overwrite(Objects.TABLE, objects, Lake.Commit.PLAIN);
  }

  /** Deletes the sources of a partition that are still what was approved. */
  private record Delete(SerializableConfiguration hadoop)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public Iterator<Row> call(Iterator<Row> sources) {
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return sources.hasNext();
        }

        @Override
        public Row next() {
          return outcome(sources.next());
        }
      };
    }

    private Row outcome(Row source) {
      String objectId = source.getAs(SourceDeletions.OBJECT_ID);
      String uri = source.getAs(SourceDeletions.URI);
      String version = source.getAs(SourceDeletions.OBJECT_VERSION);
      String kept;
      try {
        kept = delete(hadoop.value(), uri, version);
      } catch (IOException | RuntimeException e) {
        kept = "it cannot be deleted: " + ObjectIds.printable(Failures.message(e), 400);
      }
      return RowFactory.create(
          objectId,
          uri,
          version,
          source.getAs(SourceDeletions.OBJECT_BYTES),
          kept == null ? SourceDeletions.DELETED : SourceDeletions.KEPT,
          kept == null ? "" : kept);
    }

    /** Why it was not deleted; null if it is gone. */
    private static String delete(Configuration hadoop, String uri, String version)
        throws IOException {
      Optional<SourceFiles.State> state = SourceFiles.state(hadoop, uri);
      if (state.isEmpty()) {
        return null; // an attempt before this one was here
      }
      if (!state.get().version().equals(version)) {
        return "it changed since it was catalogued";
      }
      SourceFiles.delete(hadoop, uri);
      return null;
    }
  }
}
