package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import io.metashard.Location;
import io.metashard.Tier;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import io.metashard.plan.BucketPlanner;
import io.metashard.plan.Deadlines;
import io.metashard.plan.Form;
import io.metashard.plan.Night;
import io.metashard.plan.Places;
import io.metashard.plan.PlanOptions;
import io.metashard.plan.Site;
import io.metashard.plan.Tally;
import io.metashard.plan.Tally.Measure;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.Move;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * Plans which objects are encoded in this run, into which meta-shards, and where: {@code plans}.
 */
public final class PlanJob {
  private static final String STAGE = "plan";
  private static final String BLOCKS = "blocks";
  private static final String META_SHARDS = "meta_shards";

  /** Figure that says whose forecast was planned with. */
  static final String FORECAST_RUN_ID = "forecast_run_id";

  /**
   * All that a plan was made from, and came to.
   *
   * @param objects present ones
   * @param forecast rows that were planned with
   * @param rows objects and stored blocks, as {@link BucketRows#of} gives them
   * @param map all rows of the map
   * @param mapSequence of the map
   * @param blocks of the plan, as {@link Plans#SCHEMA}
   * @param drops objects that leave the map, as {@link PlannedDrops#SCHEMA}
   */
  record Planned(
      Dataset<Row> objects,
      Dataset<Row> forecast,
      Dataset<Row> rows,
      Dataset<Row> map,
      long mapSequence,
      List<Location> locations,
      BucketPlanner planner,
      BucketPlanner.Placing placing,
      Night night,
      Dataset<Row> blocks,
      Dataset<Row> drops,
      Move move) {}

  /** Looks at a plan before it is written; what it throws keeps it from being. */
  interface Audience {
    Audience NOBODY =
        new Audience() {
          @Override
          public void begins(Dataset<Row> objects) {}

          @Override
          public void planned(Planned planned) {}
        };

    /**
     * @param objects of the catalogue, whatever their state
     */
    void begins(Dataset<Row> objects);

    void planned(Planned planned);
  }

  /** What the job does with its plan. */
  private enum Outcome {
    WRITTEN,
    ONLY_REPORTED
  }

  private final JobContext context;
  private final List<Location> locations;
  private final long mapSequence;
  private final Dataset<Row> liveMap;
  private final int buckets;
  private final String mapTable;
  private final Outcome outcome;
  private final Audience audience;
  private final Function<Dataset<Row>, Dataset<Row>> choice;
  private final PlanOptions options;
  private final MovePlan movePlan;
  private final Tiers tiers;
  private final Deadlines deadlines;

  /**
   * @param locations all that are configured; only active ones get blocks
   * @param mapSequence of the shard map that {@code liveMap} is
   * @param liveMap all rows of the shard map, dead ones too; none on the first night
   * @param buckets of the shard map
   */
  public PlanJob(
      JobContext context,
      List<Location> locations,
      long mapSequence,
      Dataset<Row> liveMap,
      int buckets) {
    this(
        context,
        locations,
        mapSequence,
        liveMap,
        buckets,
        ShardMapTable.TABLE.name(),
        Outcome.WRITTEN,
        Audience.NOBODY,
        Function.identity());
  }

  private PlanJob(
      JobContext context,
      List<Location> locations,
      long mapSequence,
      Dataset<Row> liveMap,
      int buckets,
      String mapTable,
      Outcome outcome,
      Audience audience,
      Function<Dataset<Row>, Dataset<Row>> choice) {
    this.choice = choice;
    this.context = context;
    this.locations = locations.stream().sorted().toList();
    this.mapSequence = mapSequence;
    this.liveMap = liveMap;
    this.buckets = buckets;
    this.mapTable = mapTable;
    this.outcome = outcome;
    this.audience = audience;
    this.options = PlanOptions.from(context.settings());
    this.movePlan = MovePlan.from(context.settings());
    this.tiers = Tiers.from(context.settings());
    this.deadlines =
        Deadlines.from(context.settings(), context.at(), RunsTable.lastListing(context));
  }

  /** The same job, which reports its plan and writes nothing. */
  public PlanJob withoutWriting() {
    return new PlanJob(
        context,
        locations,
        mapSequence,
        liveMap,
        buckets,
        mapTable,
        Outcome.ONLY_REPORTED,
        audience,
        choice);
  }

  /** The same job, whose plan is looked at. */
  PlanJob before(Audience looking) {
    return new PlanJob(
        context, locations, mapSequence, liveMap, buckets, mapTable, outcome, looking, choice);
  }

  /** The same job, whose plan is for the shadow map and carried out on no other. */
  PlanJob inShadow() {
    return new PlanJob(
        context,
        locations,
        mapSequence,
        liveMap,
        buckets,
        ShardMapTable.SHADOW.name(),
        outcome,
        audience,
        choice);
  }

  /**
   * The same job, which knows some objects of the catalogue only: no others are encoded.
   *
   * @param chosen from all objects, as {@link Objects#SCHEMA}, to those
   */
  PlanJob only(Function<Dataset<Row>, Dataset<Row>> chosen) {
    return new PlanJob(
        context, locations, mapSequence, liveMap, buckets, mapTable, outcome, audience, chosen);
  }

  /**
   * Plans.
   *
   * @throws MetashardException if there is no forecast, or no plan holds to the configured limits;
   *     nothing is written then
   */
  public StageReport run() {
    Dataset<Row> catalogue = choice.apply(context.lake().read(Objects.TABLE));
    audience.begins(catalogue);
    Dataset<Row> objects = catalogue.where(col(Objects.SOURCE_STATE).equalTo(Objects.PRESENT));
    ChosenForecast forecast = ChosenForecast.of(context, objects);
    int partitions =
        Integer.parseInt(context.spark().conf().get("spark.sql.shuffle.partitions", "200"));
    Dataset<Row> rows =
        BucketRows.of(catalogue, forecast.rows(), liveMap, buckets, partitions)
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return MadePlan.orRefusal(() -> planned(objects, forecast, rows));
    } finally {
      rows.unpersist();
    }
  }

  private StageReport planned(Dataset<Row> objects, ChosenForecast forecast, Dataset<Row> rows) {
    Map<String, Tier> tierOf = tiers.of(locations);
    MadePlan made =
        MadePlan.of(
            context,
            rows,
            options,
            new MadePlan.Target(
                Site.of(locations, tierOf),
                Places.of(locations, tierOf),
                deadlines,
                liveMap.isEmpty(),
                Long.toString(mapSequence),
                mapSequence,
                buckets,
                mapTable));
    Night night = made.night();
    Dataset<Row> plan = made.blocks().persist(StorageLevel.MEMORY_AND_DISK());
    try {
      List<Row> forms =
          plan.groupBy(col(Plans.FORM))
              .agg(
                  count(lit(1)).as(BLOCKS),
                  count(when(col(Plans.BLOCK_INDEX).equalTo(0), 1)).as(META_SHARDS))
              .collectAsList(); // at most one row a form
      boolean isAsked = movePlan.prices().areSet() || audience != Audience.NOBODY;
      Move move = isAsked ? movePlan.of(plan) : Move.NOTHING;
      movePlan.requireAffordable(
          move, night.tally().chosen(), night.tally().sum(Measure.CHOSEN_BYTES));
      audience.planned(
          new Planned(
              objects,
              forecast.rows(),
              rows,
              liveMap,
              mapSequence,
              locations,
              made.planner(),
              made.placing(),
              night,
              plan,
              made.drops(),
              move));
      if (outcome == Outcome.WRITTEN) {
        PlannedDrops.replace(context, made.drops(), night.tally().sum(Measure.OBJECTS_DROPPED));
        // The context has checked the id: no letter of it needs an escape.
        String thisRun = Plans.RUN_ID + " = '" + context.runId() + "'";
        context.lake().replaceWhere(Plans.TABLE, plan, thisRun, Lake.Commit.PLAIN);
      }
      return report(
          night, made.planner(), forms, BucketRows.withoutForecast(rows), forecast.runId(), move);
    } finally {
      plan.unpersist();
    }
  }

  private StageReport report(
      Night night,
      BucketPlanner planner,
      List<Row> forms,
      long withoutForecast,
      String forecastRunId,
      Move move) {
    Tally tally = night.tally();
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("policy", options.policy().word());
    figures.put("objects_present", tally.sum(Measure.OBJECTS_PRESENT));
    figures.put("objects_encoded_already", tally.sum(Measure.OBJECTS_ENCODED));
    figures.put("objects_planned", tally.chosen());
    figures.put("of_them_new", tally.sum(Measure.CHOSEN_NEW));
    figures.put("of_them_changed", tally.sum(Measure.CHOSEN_STALE));
    figures.put("of_them_unsafe", tally.sum(Measure.CHOSEN_UNSAFE));
    figures.put("of_them_erased", tally.sum(Measure.CHOSEN_ERASE));
    figures.put("of_them_tidied", tally.sum(Measure.CHOSEN_TIDY));
    figures.put("of_them_drained", tally.sum(Measure.CHOSEN_DRAIN));
    figures.put("of_them_reshaped", tally.sum(Measure.CHOSEN_RESHAPE));
    figures.put("of_them_full", tally.sum(Measure.CHOSEN_FULL));
    figures.put("objects_pending_after", tally.sum(Measure.WAITING_NEW));
    figures.put("objects_stale_after", tally.sum(Measure.WAITING_STALE));
    figures.put("objects_unsafe_after", tally.sum(Measure.WAITING_UNSAFE));
    figures.put("objects_to_erase_after", tally.sum(Measure.WAITING_ERASE));
    figures.put("objects_to_drain_after", tally.sum(Measure.WAITING_DRAIN));
    figures.put("objects_stuck", tally.sum(Measure.OBJECTS_STUCK));
    figures.put("meta_shards_stuck", tally.sum(Measure.META_SHARDS_STUCK));
    figures.put("objects_dropped", tally.sum(Measure.OBJECTS_DROPPED));
    figures.put("objects_longer_than_a_runs_limit", tally.sum(Measure.OBJECTS_TOO_LONG));
    figures.put("objects_without_forecast", withoutForecast);
    figures.put(FORECAST_RUN_ID, forecastRunId);
    figures.put("logical_bytes_planned", tally.sum(Measure.CHOSEN_BYTES));
    figures.put("physical_bytes_planned", night.newBytes());
    long blocks = 0;
    for (Form form : Form.values()) {
      for (Row row : forms) {
        if (form.word().equals(row.getAs(Plans.FORM))) {
          figures.put("meta_shards_" + form.word(), row.<Long>getAs(META_SHARDS));
          blocks += row.<Long>getAs(BLOCKS);
        }
      }
    }
    figures.put("blocks_planned", blocks);
    figures.put("storage_ratio_before", tally.ratioBefore());
    figures.put("storage_ratio_after", night.ratioAfter());
    figures.put("storage_budget", options.storageBudget());
    figures.put("spending", night.spending());
    figures.put("survive", options.survive());
    figures.put("domains", planner.width().domains());
    figures.put("width", planner.width().toString());
    if (options.policy() == PlanOptions.Policy.BALANCED) {
      figures.put("read_model", options.reading().model().word());
      figures.put("expected_busy_share", planner.traffic().busyShare());
      figures.put("expected_wait_millis", planner.traffic().waitMillis());
    }
    if (!tiers.areNone()) {
      figures.put("tiers_without_location", String.join(", ", tiers.without(locations)));
    }
    if (movePlan.prices().areSet()) {
      figures.put("cost_of_move", move.cost(movePlan.prices()));
      figures.put("currency", movePlan.prices().currency());
    }
    figures.put("dry_run", outcome == Outcome.ONLY_REPORTED);
    figures.put("remark", night.remark());
    return new StageReport(
        STAGE,
        StageReport.DONE,
        night.remark(),
        fingerprint(),
        tally.sum(Measure.OBJECTS_PRESENT),
        blocks,
        tally.sum(Measure.CHOSEN_BYTES),
        night.newBytes(),
        figures);
  }

  /** A hash of what the plan follows from: a run with the same one would plan the same. */
  public String fingerprint() {
    String inputs =
        String.join(
            "\n",
            options.toString(),
            deadlines.toString(),
            locations.toString(),
            new TreeMap<>(tiers.byName()).toString(),
            mapTable + " " + mapSequence + " of " + buckets,
            "objects " + context.lake().version(Objects.TABLE),
            "forecast " + context.lake().version(Forecasts.TABLE),
            context.runId());
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(inputs.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
