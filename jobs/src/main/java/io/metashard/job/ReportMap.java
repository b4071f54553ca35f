package io.metashard.job;

import static org.apache.spark.sql.functions.ceil;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.catalogue.Objects;
import io.metashard.lake.Lake;
import io.metashard.plan.Form;
import io.metashard.plan.PlanOptions;
import io.metashard.report.NightReport;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What a night moved, what the lake stores, and what of it could be lost, summed by Spark. */
final class ReportMap {
  private static final String PLAN = "plan";
  private static final int MOST_FORMS = 200;

  private static final String FORM = "form";
  private static final String META_SHARDS = "meta_shards";
  private static final String BLOCKS = "blocks";
  private static final String DATA = "data";
  private static final String STORED = "stored";
  private static final String SPARE = "spare";
  private static final String BELOW = "below";
  private static final String LOST = "lost";
  private static final String REQUESTS = "requests";

  private final JobContext context;
  private final ReportRuns.Chosen run;
  private final PlanOptions options;
  private final ShardMap map;
  private final Dataset<Row> rows;
  private final List<NightReport.Place> places;

  ReportMap(JobContext context, ReportRuns.Chosen run) {
    this.context = context;
    this.run = run;
    this.options = PlanOptions.from(context.settings());
    this.map = new ShardMap(context.lake());
    this.rows = map.rows();
    this.places = places();
  }

  // What moved.

  NightReport.Moved moved() {
    boolean planned =
        run.stage(PLAN).filter(stage -> stage.state().equals(StageReport.DONE)).isPresent();
    if (!planned) {
      return new NightReport.Moved(null, 0, 0, 0, 0, 0, 0, false, List.of());
    }
    boolean switched =
        run.stage(ReshardJob.STAGE)
            .filter(stage -> stage.state().equals(StageReport.DONE))
            .isPresent();
    long objects = run.figure(PLAN, "objects_planned").asLong();
    long added = run.figure(PLAN, "of_them_new").asLong();
    long changed = run.figure(PLAN, "of_them_changed").asLong();
    return new NightReport.Moved(
        run.figure(PLAN, "policy").asText(),
        objects,
        added,
        changed,
        objects - added - changed,
        run.figure(PLAN, "logical_bytes_planned").asLong(),
        run.stage(ReshardJob.STAGE).map(NightReport.Stage::bytesOut).orElse(0L),
        switched,
        planned());
  }

  /** The run's plan by shape. */
  private List<NightReport.Form> planned() {
    Column isData = col(ShardMapTable.OBJECT_ID).isNotNull();
    return forms(
        context
            .lake()
            .read(Plans.TABLE)
            .where(col(Plans.RUN_ID).equalTo(run.runId()))
            .groupBy(col(Plans.FORM).as(FORM), col(ShardMapTable.K), col(ShardMapTable.M))
            .agg(
                count(when(col(Plans.BLOCK_INDEX).equalTo(0), 1)).as(META_SHARDS),
                count(lit(1)).as(BLOCKS),
                coalesce(sum(when(isData, col(ShardMapTable.LENGTH))), lit(0L)).as(DATA),
                sum(col(ShardMapTable.LENGTH)).as(STORED))
            .orderBy(col(FORM), col(ShardMapTable.K), col(ShardMapTable.M))
            .limit(MOST_FORMS)
            .collectAsList());
  }

  private static List<NightReport.Form> forms(List<Row> rows) {
    return rows.stream()
        .map(
            row ->
                new NightReport.Form(
                    row.getAs(FORM),
                    row.<Integer>getAs(ShardMapTable.K),
                    row.<Integer>getAs(ShardMapTable.M),
                    row.<Long>getAs(META_SHARDS),
                    row.<Long>getAs(BLOCKS),
                    row.<Long>getAs(DATA),
                    row.<Long>getAs(STORED)))
        .sorted(
            Comparator.comparing(NightReport.Form::form)
                .thenComparing(NightReport.Form::k)
                .thenComparing(NightReport.Form::m))
        .toList();
  }

  // What is stored.

  /** The lake's map as it is now. */
  record Now(NightReport.Stored stored, int left, long below) {}

  Now now() {
    MapStatistics statistics = MapStatistics.of(rows);
    List<Row> shapes =
        shapes()
            .groupBy(col(FORM), col(ShardMapTable.K), col(ShardMapTable.M))
            .agg(
                count(lit(1)).as(META_SHARDS),
                sum(col(BLOCKS)).as(BLOCKS),
                sum(col(DATA)).as(DATA),
                sum(col(STORED)).as(STORED),
                min(col(SPARE)).as(SPARE),
                count(when(col(SPARE).lt(options.survive()), 1)).as(BELOW))
            .collectAsList(); // as many as there are widths
    int left = shapes.stream().mapToInt(row -> row.<Integer>getAs(SPARE)).min().orElse(0);
    long below = shapes.stream().mapToLong(row -> row.<Long>getAs(BELOW)).sum();
    return new Now(
        new NightReport.Stored(
            map.sequence(),
            statistics.objects(),
            statistics.metaShards(),
            statistics.logicalBytes(),
            statistics.storedBytes(),
            statistics.storageRatio(),
            options.storageBudget(),
            forms(shapes),
            places),
        Math.max(-1, left),
        below);
  }

  /** One row a meta-shard: its shape as it lies, and the blocks that may still be lost. */
  private Dataset<Row> shapes() {
    Column isData = col(ShardMapTable.OBJECT_ID).isNotNull();
    Column segment = struct(col(ShardMapTable.OBJECT_ID), col(ShardMapTable.SEGMENT));
    List<String> gone =
        places.stream()
            .filter(place -> place.state().equals(Location.GONE))
            .map(NightReport.Place::name)
            .toList();
    Column oneObject = col("first_object").equalTo(col("last_object"));
    Column oneSegment = col("first_segment").equalTo(col("last_segment"));
    Column form =
        when(col(ShardMapTable.K).equalTo(1), Form.COPIES.word())
            .when(oneSegment, Form.SPLIT.word())
            .when(oneObject, Form.STRIPED.word())
            .otherwise(Form.PACKED.word());
    return rows.groupBy(col(ShardMapTable.META_SHARD_ID))
        .agg(
            max(col(ShardMapTable.K)).as(ShardMapTable.K),
            max(col(ShardMapTable.M)).as(ShardMapTable.M),
            count(lit(1)).as(BLOCKS),
            coalesce(sum(when(isData, col(ShardMapTable.LENGTH))), lit(0L)).as(DATA),
            sum(stored()).as(STORED),
            count(when(col(ShardMapTable.LOCATION).isInCollection(gone), 1)).as(LOST),
            // Ends of an order tell one from several without a set of each.
            min(col(ShardMapTable.OBJECT_ID)).as("first_object"),
            max(col(ShardMapTable.OBJECT_ID)).as("last_object"),
            min(when(isData, segment)).as("first_segment"),
            max(when(isData, segment)).as("last_segment"))
        .withColumn(FORM, form)
        .withColumn(SPARE, col(ShardMapTable.M).minus(col(LOST)).cast("int"));
  }

  /** Bytes of a block with its frame checksums. */
  private static Column stored() {
    return col(ShardMapTable.LENGTH)
        .plus(
            ceil(col(ShardMapTable.LENGTH).divide(col(ShardMapTable.FRAME_BYTES)))
                .multiply(Block.FRAME_HEADER_BYTES));
  }

  private List<NightReport.Place> places() {
    Map<String, Row> held = new HashMap<>();
    rows.groupBy(col(ShardMapTable.LOCATION))
        .agg(
            count(lit(1)).as(BLOCKS),
            sum(stored()).as(STORED),
            sum(col(ShardMapTable.EXPECTED_REQUESTS)).as(REQUESTS))
        .collectAsList() // as many as there are locations
        .forEach(row -> held.put(row.getAs(ShardMapTable.LOCATION), row));
    List<NightReport.Place> found = new ArrayList<>();
    for (Location location : Locations.known(context.lake())) {
      Row row = held.get(location.name());
      found.add(
          new NightReport.Place(
              location.name(),
              location.domain(),
              location.tier(),
              location.state(),
              row == null ? 0 : row.<Long>getAs(BLOCKS),
              row == null ? 0 : row.<Long>getAs(STORED),
              location.capacityBytes(),
              row == null ? 0 : row.<Double>getAs(REQUESTS)));
    }
    return found;
  }

  // What is at risk.

  NightReport.Risk risk(Now now, ReportRuns runs, java.time.Instant from) {
    Map<String, Long> states = new HashMap<>();
    Lake lake = context.lake();
    lake.read(Objects.TABLE)
        .groupBy(col(Objects.SOURCE_STATE), col(Objects.STATE))
        .agg(count(lit(1)))
        .collectAsList() // as many as there are states
        .forEach(
            row -> {
              if (row.getString(0).equals(Objects.MISSING)) {
                states.merge(Objects.MISSING, row.getLong(2), Long::sum);
              } else {
                states.merge(row.getString(1), row.getLong(2), Long::sum);
              }
            });
    return new NightReport.Risk(
        options.survive(),
        now.left(),
        now.below(),
        states.getOrDefault(Objects.PENDING, 0L),
        states.getOrDefault(Objects.STALE, 0L),
        states.getOrDefault(Objects.MISSING, 0L),
        in(Location.DRAINING),
        in(Location.GONE),
        runs.failures(from),
        runs.unfinished(from),
        runs.check());
  }

  private List<NightReport.Place> in(String state) {
    return places.stream().filter(place -> place.state().equals(state)).toList();
  }
}
