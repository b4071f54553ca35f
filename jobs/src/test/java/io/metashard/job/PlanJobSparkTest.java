package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.encode.PlannedBlocks;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import io.metashard.plan.PlannedBlock;
import io.metashard.shardmap.ShardMapTable;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PlanJobSparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final int BUCKETS = 4;
  private static final int COUNT = 40;

  /** One that nothing may be made of but an id. */
  private static final String STRANGE = "a'; DROP TABLE plans; --/../\n\u202e//x y";

  private static SparkSession spark;
  private static Lake lake;

  @BeforeAll
  static void catalogueAndForecast() {
    spark = SharedSpark.session();
    lake = new Lake(spark, qualifiedTemp());
    PlanInput input = new PlanInput(AT);
    for (int i = 0; i < COUNT; i++) {
      String id = i == 0 ? STRANGE : "objects/%03d.bin".formatted(i);
      input.object(id, bytes(i), i == COUNT - 1);
      if (i != 1) {
        input.forecast(id, bytes(i), 200.0 / (i + 1), i % 5 == 0 ? 0.9 : 0.0);
      }
    }
    input.writeTo(lake);
  }

  private static String qualifiedTemp() {
    return JobContext.qualified(
        SharedSpark.tempFolder("plan").toString(), spark.sessionState().newHadoopConf());
  }

  private static long bytes(int i) {
    return i == 2 ? 0 : 20_000L * (i + 1);
  }

  private static List<Location> locations(int count) {
    List<Location> locations = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String name = "l" + i;
      locations.add(
          new Location(name, "file:/l/" + i, name, "standard", Long.MAX_VALUE, Location.ACTIVE));
    }
    return locations;
  }

  private static PlanJob job(
      String runId, int locations, long sequence, Dataset<Row> map, String... settings) {
    return job(runId, locations(locations), sequence, map, settings);
  }

  private static PlanJob job(
      String runId, List<Location> locations, long sequence, Dataset<Row> map, String... settings) {
    return new PlanJob(
        new JobContext(spark, lake, Settings.parse("test", "", List.of(settings)), AT, runId),
        locations,
        sequence,
        map,
        BUCKETS);
  }

  private static Dataset<Row> noMap() {
    return asMap(spark.createDataFrame(List.of(), Plans.SCHEMA));
  }

  /** The map once a plan is carried out, with the columns that planning reads. */
  private static Dataset<Row> asMap(Dataset<Row> plans) {
    return plans
        .withColumn("live", col(PlannedBlocks.OBJECT_ID).isNotNull())
        .withColumn("dead_since", lit(null).cast("timestamp"))
        .withColumn("written_at", lit(Timestamp.from(AT)));
  }

  private static Dataset<Row> plans(String runId) {
    return lake.read(Plans.TABLE).where(col(Plans.RUN_ID).equalTo(runId));
  }

  private static List<PlannedBlock> blocks(String runId) {
    return plans(runId)
        .orderBy(PlannedBlocks.META_SHARD_ID, PlannedBlocks.BLOCK_INDEX)
        .collectAsList()
        .stream()
        .map(PlannedBlocks::plannedBlock)
        .toList();
  }

  @Test
  void plansEveryPresentObjectOnceAndNothingTheSecondNight() {
    StageReport report = job("run-1", 8, 0, noMap()).run();
    assertThat(report.figures())
        .containsEntry("objects_present", (long) COUNT - 1)
        .containsEntry("objects_planned", (long) COUNT - 1)
        .containsEntry("of_them_new", (long) COUNT - 1)
        .containsEntry("objects_without_forecast", 1L)
        .containsEntry("objects_pending_after", 0L)
        .containsEntry("domains", 8)
        .containsEntry("survive", 2);
    assertThat((double) report.figures().get("storage_ratio_after")).isBetween(1.0, 1.5);

    List<PlannedBlock> blocks = blocks("run-1");
    assertThat(report.rowsOut()).isEqualTo(blocks.size());
    Map<String, Long> covered = new HashMap<>();
    Map<String, Set<String>> domains = new HashMap<>();
    Set<String> seen = new HashSet<>();
    for (PlannedBlock block : blocks) {
      domains.computeIfAbsent(block.metaShardId(), id -> new HashSet<>()).add(block.location());
      assertThat(domains.get(block.metaShardId())).hasSize(block.blockIndex() + 1);
      if (block.objectId() != null) {
        assertThat(block.bucket()).isEqualTo(Buckets.of(block.objectId(), BUCKETS));
        assertThat(seen.add(block.objectId() + " " + block.objectOffset())).isTrue();
        covered.merge(block.objectId(), block.length(), Long::sum);
      }
    }
    assertThat(covered).hasSize(COUNT - 1).containsEntry(STRANGE, bytes(0));
    assertThat(covered.values().stream().mapToLong(Long::longValue).sum())
        .isEqualTo(report.bytesIn());

    StageReport again = job("run-2", 8, 1, asMap(plans("run-1"))).run();
    assertThat(again.figures())
        .containsEntry("objects_planned", 0L)
        .containsEntry("objects_encoded_already", (long) COUNT - 1);
    assertThat(again.reason()).startsWith("nothing to do");
    assertThat(blocks("run-2")).isEmpty();

    List<Location> draining = new ArrayList<>(locations(8));
    Location first = draining.get(0);
    draining.set(
        0,
        new Location(
            first.name(),
            first.uri(),
            first.domain(),
            first.tier(),
            first.capacityBytes(),
            Location.DRAINING));
    StageReport drained = job("run-3", draining, 1, asMap(plans("run-1"))).withoutWriting().run();
    assertThat(drained.figures())
        .containsEntry("objects_planned", drained.figures().get("of_them_drained"))
        .containsEntry("objects_to_drain_after", 0L);
    assertThat((long) drained.figures().get("of_them_drained")).isPositive();

    StageReport safer =
        job("run-3", 8, 1, asMap(plans("run-1")), "plan.survive=3", "plan.storage-budget=1.7")
            .withoutWriting()
            .run();
    assertThat(safer.figures()).containsEntry("of_them_unsafe", (long) COUNT - 1);

    StageReport full =
        job(
                "run-3",
                8,
                1,
                asMap(plans("run-1")),
                "plan.full=true",
                "reshard.max-bytes-per-run=1000000")
            .withoutWriting()
            .run();
    assertThat(full.figures()).containsEntry("of_them_full", (long) COUNT - 1);
    assertThat(full.reason()).contains("anew").contains("whatever reshard.max-bytes-per-run says");

    Dataset<Row> older = asMap(plans("run-1").withColumn(PlannedBlocks.OBJECT_VERSION, lit("v0")));
    StageReport changed = job("run-3", 8, 1, older).withoutWriting().run();
    assertThat(changed.figures()).containsEntry("of_them_changed", (long) COUNT - 1);
    assertThat(blocks("run-3")).isEmpty();
  }

  @Test
  void forecastsOfFurtherHorizonsChangeNoPlan() {
    Lake more = new Lake(spark, qualifiedTemp());
    more.append(Objects.TABLE, lake.read(Objects.TABLE), Lake.Commit.PLAIN);
    Dataset<Row> forecasts = lake.read(Forecasts.TABLE);
    more.append(Forecasts.TABLE, forecasts, Lake.Commit.PLAIN);
    // Heat upside down, over an hour and over a week; and of a run that is not there.
    for (int hours : new int[] {1, 168}) {
      Dataset<Row> further =
          forecasts
              .withColumn(Forecasts.HORIZON_END, lit(Timestamp.from(AT.plusSeconds(hours * 3600L))))
              .withColumn(
                  Forecasts.EXPECTED_REQUESTS, lit(900).divide(col(Forecasts.EXPECTED_REQUESTS)))
              .withColumn(Forecasts.MAIN_HORIZON, lit(false));
      more.append(Forecasts.TABLE, further, Lake.Commit.PLAIN);
      more.append(
          Forecasts.TABLE, further.withColumn(Forecasts.RUN_ID, lit("planned")), Lake.Commit.PLAIN);
    }
    assertThat(more.read(Forecasts.TABLE).count()).isEqualTo(5 * forecasts.count()).isPositive();
    // Rows of a version that knew no further horizons count as the main one's.
    Lake old = new Lake(spark, qualifiedTemp());
    old.append(Objects.TABLE, lake.read(Objects.TABLE), Lake.Commit.PLAIN);
    old.append(
        Forecasts.TABLE,
        forecasts.withColumn(Forecasts.MAIN_HORIZON, lit(null).cast("boolean")),
        Lake.Commit.PLAIN);
    List<List<PlannedBlock>> planned = new ArrayList<>();
    for (Lake each : List.of(lake, more, old)) {
      JobContext context = new JobContext(spark, each, Settings.defaults(), AT, "planned");
      StageReport report = new PlanJob(context, locations(8), 0, noMap(), BUCKETS).run();
      assertThat(report.figures()).containsEntry("forecast_run_id", "run-1");
      planned.add(
          each
              .read(Plans.TABLE)
              .where(col(Plans.RUN_ID).equalTo("planned"))
              .orderBy(PlannedBlocks.META_SHARD_ID, PlannedBlocks.BLOCK_INDEX)
              .collectAsList()
              .stream()
              .map(PlannedBlocks::plannedBlock)
              .toList());
    }
    assertThat(planned.get(0)).isNotEmpty();
    assertThat(planned.get(1)).isEqualTo(planned.get(0));
    assertThat(planned.get(2)).isEqualTo(planned.get(0));
  }

  @Test
  void aRetryReplacesItsOwnPlanByTheSame() {
    String[] settings = {"plan.policy=weighted-random"};
    job("retry", 8, 0, noMap(), settings).run();
    List<PlannedBlock> first = blocks("retry");
    job("retry", 8, 0, noMap(), settings).run();
    assertThat(blocks("retry")).isEqualTo(first).isNotEmpty();
    assertThat(first).allMatch(b -> b.form().equals("drawn") || b.objectBytes() <= 131_072);
  }

  @Test
  void aCapLeavesTheRestPending() {
    StageReport report = job("capped", 8, 0, noMap(), "reshard.max-bytes-per-run=5000000").run();
    long planned = (long) report.figures().get("logical_bytes_planned");
    assertThat(planned).isBetween(4_500_000L, 5_000_000L);
    assertThat((long) report.figures().get("objects_pending_after"))
        .isEqualTo(COUNT - 1 - (long) report.figures().get("objects_planned"))
        .isPositive();
  }

  @Test
  void refusalsEndTheRunWithTheirReason() {
    assertThatThrownBy(() -> job("bad", 2, 0, noMap()).run())
        .isInstanceOf(MetashardException.class)
        .hasMessageStartingWith("Cannot survive the loss of 2 domains")
        .extracting(e -> ((MetashardException) e).exitCode())
        .isEqualTo(MetashardException.USAGE);
    assertThatThrownBy(() -> job("bad", 8, 0, noMap(), "plan.storage-budget=1.1").run())
        .isInstanceOf(MetashardException.class)
        .hasMessageStartingWith("Cannot keep to plan.storage-budget = 1.1");
    assertThatThrownBy(() -> job("x' OR '1'='1", 8, 0, noMap()).run())
        .isInstanceOf(MetashardException.class)
        .hasMessageStartingWith("Cannot run as x' OR '1'='1");
    List<Location> full =
        locations(8).stream()
            .map(l -> new Location(l.name(), l.uri(), l.domain(), l.tier(), 1000, l.state()))
            .toList();
    JobContext context = new JobContext(spark, lake, Settings.defaults(), AT, "bad");
    assertThatThrownBy(() -> new PlanJob(context, full, 0, noMap(), BUCKETS).run())
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("domains with room");
    assertThat(blocks("bad")).isEmpty();
  }

  @Test
  void hotBlocksAreAtTheFastTiersLocationsInTheMap() {
    long capacity = 400_000;
    StringBuilder config =
        new StringBuilder(
            "tiers = [{ name = fast, speed = 8, capacity = %d }, { name = disks }]\nlocations = ["
                .formatted(capacity));
    for (int i = 0; i < 10; i++) {
      config.append(
          "{ name = l%d, uri = \"file:/l/%d\", tier = %s }\n"
              .formatted(i, i, i < 3 ? "fast" : "disks"));
    }
    Settings settings = Settings.parse("tiers.conf", config.append("]").toString(), List.of());
    JobContext context = new JobContext(spark, lake, settings, AT, "tiers-1");
    List<Location> locations = Locations.configured(settings, spark.sessionState().newHadoopConf());
    StageReport report = new PlanJob(context, locations, 0, noMap(), BUCKETS).run();
    assertThat(report.figures())
        .containsEntry("tiers_without_location", "")
        .containsEntry("domains", 7); // the fast tier makes no meta-shard wider
    Dataset<Row> map =
        ShadowJob.mapAfter(
            context,
            spark.createDataFrame(List.of(), ShardMapTable.SCHEMA),
            plans("tiers-1"),
            lake.read(PlannedDrops.TABLE),
            0);
    Map<Boolean, double[]> sums = new HashMap<>(); // bytes, bytes of data, requests
    for (Row row : map.collectAsList()) {
      String location = row.getAs(ShardMapTable.LOCATION);
      double[] sum = sums.computeIfAbsent(location.compareTo("l3") < 0, isFast -> new double[3]);
      long length = row.<Long>getAs(ShardMapTable.LENGTH);
      sum[0] += length;
      if (row.getAs(ShardMapTable.OBJECT_ID) != null) {
        sum[1] += length;
        sum[2] += row.<Double>getAs(ShardMapTable.EXPECTED_REQUESTS);
      }
    }
    double[] fast = sums.get(true);
    double[] disks = sums.get(false);
    assertThat(fast[0]).isBetween(capacity / 4.0, (double) capacity);
    assertThat(fast[2] / fast[1]).isGreaterThan(5 * disks[2] / disks[1]);

    StageReport again = new PlanJob(context, locations, 1, map, BUCKETS).withoutWriting().run();
    assertThat(again.figures()).containsEntry("objects_planned", 0L);

    Settings small =
        Settings.parse(
            "small.conf",
            config.toString().replace("{ name = disks }", "{ name = disks, capacity = 1 MB }"),
            List.of());
    JobContext refused = new JobContext(spark, lake, small, AT, "tiers-2");
    assertThatThrownBy(() -> new PlanJob(refused, locations, 0, noMap(), BUCKETS).run())
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("tier disks has room for 1000000 of its capacity of 1000000 bytes")
        .hasMessageContaining("raise capacity in tiers");
  }

  @Test
  void refusesToPlanObjectsWithoutAnyForecast() {
    Lake other = new Lake(spark, qualifiedTemp());
    JobContext context = new JobContext(spark, other, Settings.defaults(), AT, "none");
    StageReport empty = new PlanJob(context, locations(8), 0, noMap(), BUCKETS).run();
    assertThat(empty.reason()).isEqualTo("nothing to do: the catalogue has no present objects");
    other.append(Objects.TABLE, lake.read(Objects.TABLE), Lake.Commit.PLAIN);
    assertThatThrownBy(() -> new PlanJob(context, locations(8), 0, noMap(), BUCKETS).run())
        .isInstanceOf(MetashardException.class)
        .hasMessageEndingWith("has no rows; run forecast first");
  }
}
