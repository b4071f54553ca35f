package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.Location;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.Forecasts;
import io.metashard.logs.Requests;
import io.metashard.plan.BucketCount;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All stages of a night in order; each is skipped when nothing that it reads has changed. */
public final class NightlyJob {
  /** How far a night goes. */
  public enum Extent {
    /** All stages. */
    FULL,
    /** Everything up to the plan, which is printed and not kept. */
    DRY_RUN
  }

  /** Whether a night moves bytes. */
  public enum Mode {
    /** It encodes, and switches the shard map. */
    REAL,
    /** It says what it would move, and switches the shadow map. */
    SHADOW
  }

  /** What becomes of stages whose work was done before. */
  public enum Repeat {
    /** They are skipped. */
    SKIP_DONE,
    /** They run again. */
    FORCE
  }

  private static final Logger LOG = LoggerFactory.getLogger(NightlyJob.class);
  private static final String LAKE = "lake";

  /** What the lake would hold. */
  private static final String IN_SHADOW = "lake_in_shadow";

  private final JobContext context;
  private final StageRunner runner;
  private final CatalogueOptions catalogueOptions;
  private final Mode mode;

  NightlyJob(JobContext context, StageRunner runner, CatalogueOptions catalogueOptions) {
    this(context, runner, catalogueOptions, Mode.REAL);
  }

  NightlyJob(JobContext context, StageRunner runner, CatalogueOptions catalogueOptions, Mode mode) {
    this.context = context;
    this.runner = runner;
    this.catalogueOptions = catalogueOptions;
    this.mode = mode;
  }

  /** Runs the night and gives back what it did, stage by stage and in sum. */
  Map<String, Object> run(Extent extent, Repeat repeat) {
    return run(extent, repeat, PlanJob.Audience.NOBODY);
  }

  /** The same, with an audience for the plan. */
  Map<String, Object> run(Extent extent, Repeat repeat, PlanJob.Audience audience) {
    // What is wrong with locations or options is better said before hours of work.
    Locations.configured(context.settings(), context.hadoop());
    EveryOption.require(context.settings());
    ingest();
    catalogue();
    aggregate();
    score();
    if (extent == Extent.DRY_RUN) {
      runner.run(TuneJob.STAGE, List.of(), () -> skipped(TuneJob.STAGE, "a dry run tunes nothing"));
    } else {
      tune(TuneJob.Occasion.NIGHT, repeat);
    }
    forecast(repeat);
    plan(extent, repeat, audience);
    if (mode == Mode.SHADOW) {
      shadow(extent, repeat);
    } else {
      reshard(extent, repeat);
    }
    return summary();
  }

  StageReport ingest() {
    return runner.run("ingest", List.of(), new IngestJob(context)::run);
  }

  StageReport catalogue() {
    return runner.run(
        "catalogue", List.of(Objects.TABLE), new CatalogueJob(context, catalogueOptions)::run);
  }

  StageReport aggregate() {
    return runner.run(
        "aggregate", List.of(Requests.TABLE, Objects.TABLE), new AggregateJob(context)::run);
  }

  /**
   * Scores the night before. It needs this night's demand, and the map before this night changes
   * it; it comes before the forecast, which may learn from it.
   */
  StageReport score() {
    ShardMap map = map();
    return runner.run(
        ScoreJob.STAGE,
        List.of(Demand.TABLE, Forecasts.TABLE, map.table()),
        () ->
            new ScoreJob(
                    context,
                    mode,
                    map,
                    Locations.merged(
                        context.lake(), Locations.configured(context.settings(), context.hadoop())))
                .run());
  }

  /** Tries other parameters of the forecast, before it is made, if that is due. */
  StageReport tune(TuneJob.Occasion occasion, Repeat repeat) {
    return runner.run(
        TuneJob.STAGE, List.of(Demand.TABLE, Objects.TABLE), () -> tuned(occasion, repeat));
  }

  /** A night does not need a tuning: one that fails is told, and the night goes on. */
  private StageReport tuned(TuneJob.Occasion occasion, Repeat repeat) {
    TuneJob job = new TuneJob(context, occasion, repeat, Clock.systemUTC());
    try {
      return job.run();
    } catch (RuntimeException e) {
      if (occasion != TuneJob.Occasion.NIGHT || e instanceof StopSignal.StoppedException) {
        throw e;
      }
      LOG.error("Cannot tune: {}", Failures.message(e), e);
      return new StageReport(
          TuneJob.STAGE,
          StageReport.UNCHANGED,
          "failed, what was in force stays: " + Failures.message(e),
          "",
          0,
          0,
          0,
          0,
          Map.of("failed", true));
    }
  }

  StageReport forecast(Repeat repeat) {
    return runner.run("forecast", List.of(Demand.TABLE, Objects.TABLE), () -> forecasted(repeat));
  }

  /** Plans, unless the run is finished. */
  StageReport plan(Extent extent, Repeat repeat) {
    return plan(extent, repeat, PlanJob.Audience.NOBODY);
  }

  /** The same, before an audience. */
  StageReport plan(Extent extent, Repeat repeat, PlanJob.Audience audience) {
    Optional<String> finished = finished(repeat);
    if (finished.isPresent()) {
      return runner.run("plan", List.of(), () -> skipped("plan", finished.get()));
    }
    List<Location> locations = locations();
    return runner.run(
        "plan",
        List.of(Forecasts.TABLE, Objects.TABLE, map().table()),
        () -> {
          PlanJob job = planJob(locations).before(audience);
          return extent == Extent.DRY_RUN ? job.withoutWriting().run() : job.run();
        });
  }

  /** Carries the plan of this run out, unless nothing is to be done. */
  StageReport reshard(Extent extent, Repeat repeat) {
    Optional<String> nothing =
        nothingToReshard(repeat)
            .or(
                () ->
                    extent == Extent.DRY_RUN
                        ? Optional.of("a dry run moves nothing")
                        : Optional.empty());
    if (nothing.isPresent()) {
      return runner.run(
          ReshardJob.STAGE, List.of(), () -> skipped(ReshardJob.STAGE, nothing.get()));
    }
    return reshard(context.runId());
  }

  /** Commits what the plan of this run would make of the map, unless nothing is to be done. */
  StageReport shadow(Extent extent, Repeat repeat) {
    Optional<String> nothing =
        extent == Extent.DRY_RUN
            ? Optional.of("a dry run keeps nothing")
            : nothingToReshard(repeat);
    if (nothing.isPresent()) {
      return runner.run(ShadowJob.STAGE, List.of(), () -> skipped(ShadowJob.STAGE, nothing.get()));
    }
    return runner.run(
        ShadowJob.STAGE, List.of(Plans.TABLE, map().table()), new ShadowJob(context)::run);
  }

  /**
   * The last stage by itself, tried again until it is done: what a scheduler runs that retries
   * stages one by one.
   *
   * <p>A retry of the whole night lists and plans again before it encodes. Here the same is done
   * when it is needed: the plan is made anew if anything that it was made from is another since,
   * such as the map, and the catalogue too if an attempt of this run did not end well, since the
   * sources may have changed.
   */
  StageReport reshardWhatIsPlannedNow(Repeat repeat) {
    if (nothingToReshard(repeat).isEmpty()) {
      if (triedBefore()) {
        catalogue();
      }
      if (!isPlanCurrent()) {
        plan(Extent.FULL, repeat);
      }
    }
    return reshard(Extent.FULL, repeat);
  }

  /** Carries out a plan that another run made. */
  StageReport reshard(String planId) {
    return runner.run(
        ReshardJob.STAGE,
        List.of(Plans.TABLE, ShardMapTable.TABLE),
        () -> new ReshardJob(context, Locations.known(context.lake())).run(planId));
  }

  private List<Location> locations() {
    List<Location> configured = Locations.configured(context.settings(), context.hadoop());
    // Names that only a shadow night used stand for nothing yet: the lake does not keep them.
    return mode == Mode.SHADOW
        ? Locations.merged(context.lake(), configured)
        : Locations.reconcile(context.lake(), configured, Clock.systemUTC().instant());
  }

  private PlanJob planJob(List<Location> locations) {
    ShardMap map = map();
    PlanJob job =
        new PlanJob(context, locations, map.sequence(), map.rows(), buckets(context, map));
    return mode == Mode.SHADOW ? job.inShadow() : job;
  }

  /** The map that this night plans from and switches. */
  private ShardMap map() {
    return mode == Mode.SHADOW ? ShardMap.shadow(context.lake()) : new ShardMap(context.lake());
  }

  /** The stage that switches it. */
  static String lastStage(Mode mode) {
    return mode == Mode.SHADOW ? ShadowJob.STAGE : ReshardJob.STAGE;
  }

  /** Whether an attempt of this run failed, or was killed: then only its beginning is known. */
  private boolean triedBefore() {
    Dataset<Row> attempts = ownRows(ReshardJob.STAGE);
    return !attempts.where(col(RunsTable.STATE).equalTo(StageReport.FAILED)).isEmpty()
        || attempts.where(col(RunsTable.STATE).equalTo(RunsTable.RUNNING)).count() > 1;
  }

  /** Whether this run's newest plan is what would be planned now. */
  private boolean isPlanCurrent() {
    List<Row> newest =
        ownRows("plan")
            .where(col(RunsTable.STATE).equalTo(StageReport.DONE))
            .orderBy(col(RunsTable.STARTED_AT).desc())
            .select(col(RunsTable.FINGERPRINT))
            .limit(1)
            .collectAsList();
    return !newest.isEmpty()
        && newest.get(0).getString(0).equals(planJob(locations()).fingerprint());
  }

  private Dataset<Row> ownRows(String stage) {
    return context
        .lake()
        .read(RunsTable.TABLE)
        .where(
            col(RunsTable.RUN_ID)
                .equalTo(context.runId())
                .and(col(RunsTable.STAGE).equalTo(stage)));
  }

  /** The map's number of buckets; at its creation, as configured or by the number of segments. */
  static int buckets(JobContext context, ShardMap map) {
    int configured = context.settings().integer("plan.buckets");
    return map.buckets()
        .orElseGet(
            () -> configured > 0 ? configured : bucketsFor(context.lake().read(Objects.TABLE)));
  }

  /** The number of buckets that suits a catalogue. */
  static int bucketsFor(Dataset<Row> objects) {
    return BucketCount.forSegments(
        objects
            .agg(coalesce(sum(col(Objects.SEGMENTS).cast(DataTypes.LongType)), lit(0L)))
            .first()
            .getLong(0));
  }

  private static StageReport skipped(String stage, String reason) {
    return new StageReport(stage, StageReport.UNCHANGED, reason, "", 0, 0, 0, 0, Map.of());
  }

  private StageReport forecasted(Repeat repeat) {
    String fingerprint = forecastFingerprint();
    Dataset<Row> same =
        context
            .lake()
            .read(RunsTable.TABLE)
            .where(RunsTable.done("forecast").and(col(RunsTable.FINGERPRINT).equalTo(fingerprint)));
    if (repeat == Repeat.SKIP_DONE && !same.isEmpty()) {
      return skipped("forecast", "demand, objects and settings are those of the last forecast");
    }
    ForecastJob job = new ForecastJob(context);
    StageReport report = (mode == Mode.SHADOW ? job.withStatesOf(map()) : job).run();
    return new StageReport(
        report.stage(),
        report.state(),
        report.reason(),
        fingerprint,
        report.rowsIn(),
        report.rowsOut(),
        report.bytesIn(),
        report.bytesOut(),
        report.figures());
  }

  /**
   * Demand's version, what the catalogue says of objects, the moment, whether the monitor says fall
   * back, what the tuner set, settings and code.
   */
  private String forecastFingerprint() {
    Row objects =
        context
            .lake()
            .read(Objects.TABLE)
            .agg(
                count(lit(1)),
                // A sum of hashes does not depend on order; states change with every reshard.
                sum(
                    xxhash64(
                            col(Objects.OBJECT_ID),
                            col(Objects.OBJECT_VERSION),
                            col(Objects.SEGMENT_BYTES),
                            col(Objects.SOURCE_STATE))
                        .cast(DataTypes.createDecimalType(20, 0))))
            .first();
    return CommonOptions.sha256(
        String.join(
            "|",
            String.valueOf(context.lake().version(Demand.TABLE)),
            objects.mkString(","),
            context.at().toString(),
            new Monitor(context, ScoreJob.modeWord(mode)).fallsBack() ? "falls back" : "",
            new TuningTable(context)
                .inForce(ForecastOptions.from(context.settings()))
                .parameters()
                .toString(),
            context
                .settings()
                .redacted()
                .lines()
                .filter(line -> line.startsWith("forecast.") || line.startsWith("segments."))
                .toList()
                .toString(),
            Version.text()));
  }

  private Optional<String> nothingToReshard(Repeat repeat) {
    return finished(repeat).or(() -> repeat == Repeat.FORCE ? Optional.empty() : olderThanMap());
  }

  /** Why nothing is left to do for this run; empty when something is. */
  private Optional<String> finished(Repeat repeat) {
    boolean done =
        repeat == Repeat.SKIP_DONE
            && !ownRows(lastStage(mode))
                .where(
                    col(RunsTable.STATE)
                        .isin(StageReport.DONE, StageReport.UNCHANGED)
                        .and(col(RunsTable.FINGERPRINT).equalTo(ReshardJob.FINISHED)))
                .isEmpty();
    return done
        ? Optional.of("run %s is finished; --force runs it anew".formatted(context.runId()))
        : Optional.empty();
  }

  private Optional<String> olderThanMap() {
    Row newest =
        context
            .lake()
            .read(RunsTable.TABLE)
            .where(RunsTable.done(lastStage(mode)))
            .agg(max(col(RunsTable.PLANNED_AT)))
            .first();
    Timestamp latest = newest.getTimestamp(0);
    return latest != null && latest.toInstant().isAfter(context.at())
        ? Optional.of(
            "the map was planned at %s, after %s; --force encodes by the older plan all the same"
                .formatted(latest.toInstant(), context.at()))
        : Optional.empty();
  }

  private Map<String, Object> summary() {
    Map<String, Object> summary = new LinkedHashMap<>();
    runner.reports().forEach((stage, report) -> summary.put(stage, stageValues(stage, report)));
    if (mode == Mode.SHADOW) {
      // Not a metric: dashboards show what readers meet.
      summary.put(IN_SHADOW, LakeFigures.of(context.lake(), map()).values());
    } else {
      LakeFigures lake = LakeFigures.of(context.lake());
      runner.lake(lake);
      summary.put(LAKE, lake.values());
    }
    return summary;
  }

  private Map<String, Object> stageValues(String stage, StageReport report) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("state", report.state());
    values.put("reason", report.reason());
    values.put("seconds", runner.seconds().get(stage));
    values.put("rows_in", report.rowsIn());
    values.put("rows_out", report.rowsOut());
    values.putAll(report.figures());
    return values;
  }

  /** The summary for people: one line a stage, then what it found and what the lake holds. */
  static String text(Map<String, Object> summary) {
    TextTable stages = new TextTable("stage", "state", "took", "rows_in", "rows_out", "why");
    Map<String, Object> figures = new LinkedHashMap<>();
    summary.forEach(
        (stage, value) -> {
          if (value instanceof Map<?, ?> values) {
            if (stage.equals(LAKE) || stage.equals(IN_SHADOW)) {
              figures.put(stage, values);
              return;
            }
            stages.add(
                stage,
                values.get("state"),
                Figures.duration((Double) values.get("seconds")),
                values.get("rows_in"),
                values.get("rows_out"),
                values.get("reason"));
            Map<Object, Object> rest = new LinkedHashMap<>(values);
            List.of("state", "reason", "seconds", "rows_in", "rows_out").forEach(rest::remove);
            figures.put(stage, rest);
          }
        });
    return Figures.table(figures) + "\n" + stages.render();
  }
}
