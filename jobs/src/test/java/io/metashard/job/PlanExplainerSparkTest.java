package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.SharedSpark;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.encode.PlannedBlocks;
import io.metashard.lake.Lake;
import io.metashard.plan.Durability;
import io.metashard.shardmap.ShardMapTable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.assertj.core.util.DoubleComparator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PlanExplainerSparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final int COUNT = 12;
  private static final long LOGICAL_BYTES =
      IntStream.range(0, COUNT).mapToLong(i -> bytes(i)).sum();

  /** The hottest one, whose id would turn a terminal's line round, or end it. */
  private static final String STRANGE = "a'; DROP TABLE plans; --/../\n\u202e//x y";

  private static final String FEW_DRAWS = "simulate.draws=100";

  private static SparkSession spark;
  private static Lake lake;

  @BeforeAll
  static void catalogueAndForecast() {
    spark = SharedSpark.session();
    lake =
        new Lake(
            spark,
            JobContext.qualified(
                SharedSpark.tempFolder("explain").toString(),
                spark.sessionState().newHadoopConf()));
    PlanInput input = new PlanInput(AT);
    for (int i = 0; i <= COUNT; i++) {
      boolean missing = i == COUNT;
      input.object(id(i), bytes(i), missing);
      if (!missing) {
        input.forecast(id(i), bytes(i), 3000.0 / (1 + i * i * i), i % 2 == 0 ? 0.9 : 0.0);
      }
    }
    input.writeTo(lake);
  }

  private static String id(int i) {
    return i == 0 ? STRANGE : "objects/%03d.bin".formatted(i);
  }

  private static long bytes(int i) {
    return 600_000L * (i + 2);
  }

  private static List<Location> locations() {
    return IntStream.range(0, 8)
        .mapToObj(i -> "l" + i)
        .map(n -> new Location(n, "file:/" + n, n, "standard", Long.MAX_VALUE, Location.ACTIVE))
        .toList();
  }

  private static JobContext context(String runId, String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add(FEW_DRAWS);
    all.add("plan.storage-budget=2");
    return new JobContext(spark, lake, Settings.parse("test", "", all), AT, runId);
  }

  private static PlanExplainer explainer(JobContext context, String objectId, int rows) {
    return new PlanExplainer(context, new ExplainOptions(Optional.ofNullable(objectId), rows));
  }

  private static PlanJob job(JobContext context, long sequence, Dataset<Row> map) {
    return new PlanJob(context, locations(), sequence, map, 4);
  }

  private static Dataset<Row> noMap() {
    return spark.createDataFrame(List.of(), ShardMapTable.SCHEMA);
  }

  private static Dataset<Row> plans(String runId) {
    return lake.read(Plans.TABLE).where(col(Plans.RUN_ID).equalTo(runId));
  }

  private static Map<String, Long> bytesByForm(Dataset<Row> plan) {
    Map<String, Long> bytes = new TreeMap<>();
    plan.groupBy(Plans.FORM)
        .agg(functions.sum(PlannedBlocks.LENGTH))
        .collectAsList()
        .forEach(row -> bytes.put(row.getString(0), row.getLong(1)));
    return bytes;
  }

  @Test
  void explainsThePlanThatIsWrittenAndOnTheNextNightThatAllStays() throws Exception {
    JobContext context =
        context(
            "first",
            "prices.currency=EUR",
            "prices.storage-per-gib-month=1024",
            "prices.per-1000-writes=1000",
            "plan.max-cost-per-run=1000");
    PlanExplainer explainer = explainer(context, null, 5);
    StageReport report = job(context, 0, noMap()).before(explainer).run();
    ExplainedPlan plan = explainer.explained().orElseThrow();

    // Every byte and segment of the plan is told of, by its form.
    Map<String, Long> told = new TreeMap<>();
    plan.kinds().forEach(kind -> told.merge(kind.form(), kind.storedBytes(), Long::sum));
    Map<String, Long> planned = bytesByForm(plans("first"));
    assertThat(told.keySet()).isEqualTo(planned.keySet()).hasSizeGreaterThan(1);
    told.forEach(
        (form, bytes) -> assertThat((double) bytes).isCloseTo(planned.get(form), within(10.0)));
    assertThat(plan.kinds().stream().mapToLong(ExplainedPlan.Kind::bytes).sum())
        .isEqualTo(LOGICAL_BYTES)
        .isEqualTo(report.bytesIn());
    assertThat(plan.kinds()).allMatch(kind -> kind.fate().equals("encoded"));

    // The hottest first, and no letter of an id as it is.
    assertThat(plan.lines()).hasSize(5);
    assertThat(plan.lines().get(0).objectId()).isEqualTo(STRANGE);
    assertThat(plan.lines())
        .isSortedAccordingTo(
            java.util.Comparator.comparingDouble(ExplainedPlan.Line::requests).reversed());
    assertThat(plan.text())
        .contains("a'; DROP TABLE plans; --/../\\u000a\\u202e//x y  encoded")
        .doesNotContain("\u202e", "--/../\n");

    JsonNode json = new ObjectMapper().readTree(Figures.json(plan.values()));
    JsonNode after = json.at("/totals/after");
    assertThat(json.at("/hottest/0/object_id").asText()).isEqualTo(ObjectIds.printable(STRANGE));
    assertThat(after.get("failures_survived").asInt()).isEqualTo(2);
    assertThat(json.at("/totals/before/failures_survived").isNull()).isTrue();
    assertThat(after.get("objects_in_map").asInt()).isEqualTo(COUNT);
    double ratio = (double) report.figures().get("storage_ratio_after");
    assertThat(after.get("storage_ratio").asDouble()).isCloseTo(ratio, within(0.001 * ratio));
    int widest = plans("first").agg(functions.max(PlannedBlocks.K)).first().getInt(0);
    assertThat(after.get("nines").asDouble())
        .isCloseTo(
            Durability.nines(new Durability(0.005, 0.01, 1).annualLoss(widest, 2)), within(1e-9));
    double readBefore = json.at("/totals/before/read_mean_millis_object_store").asDouble();
    assertThat(after.get("read_mean_millis_object_store").asDouble())
        .isPositive()
        .isLessThan(readBefore);

    // Money, by pencil: one EUR a MiB and month, one a write.
    double sourceMib = LOGICAL_BYTES / 1048576.0;
    double storedMib = after.get("stored_bytes").asLong() / 1048576.0;
    JsonNode move = json.at("/totals/move");
    assertThat(move.get("bytes_read").asLong()).isEqualTo(LOGICAL_BYTES);
    assertThat(move.get("bytes_written").asLong()).isEqualTo(report.bytesOut());
    assertThat(move.get("write_requests").asInt()).isEqualTo(8);
    assertThat(move.get("cost_of_move").asDouble()).isEqualTo(8);
    assertThat(move.get("cost_per_month_today").asDouble()).isCloseTo(sourceMib, within(1e-6));
    assertThat(move.get("cost_per_month_originals_kept").asDouble())
        .isCloseTo(sourceMib + storedMib, within(1e-6));
    assertThat(move.get("cost_per_month_originals_deleted").asDouble())
        .isCloseTo(storedMib, within(1e-6));
    // More is stored than the sources are: it does not pay.
    assertThat(move.get("payback_days").isNull()).isTrue();
    assertThat(plan.text()).containsPattern("payback_days +never");

    Dataset<Row> map = ShadowJob.wouldBeWritten(context, plans("first"), 1, AT);
    JobContext next = context("second");
    PlanExplainer again = explainer(next, STRANGE, 5);
    job(next, 1, map).before(again).withoutWriting().run();
    ExplainedPlan one = again.explained().orElseThrow();
    assertThat(one.lines()).hasSize(1);
    ExplainedPlan.Line whole = one.lines().get(0);
    assertThat(whole.fate()).isEqualTo("stays");
    assertThat(whole.shape()).isEqualTo(plan.lines().get(0).shape()).startsWith("striped");
    assertThat(whole.bytes()).isEqualTo(bytes(0));
    assertThat(one.text())
        .contains("stays: well as it is", "most requests read it whole")
        .doesNotContain("\u202e", "currency", "cost");
    Map<?, ?> totals = (Map<?, ?>) one.values().get("totals");
    // Spark adds up in any order.
    assertThat(totals.get("before"))
        .usingRecursiveComparison()
        .withComparatorForType(new DoubleComparator(1e-9), Double.class)
        .isEqualTo(totals.get("after"));
    assertThat(plans("second").isEmpty()).isTrue();
  }

  @Test
  void aPlanThatIsTooDearIsRefusedWithWhatWouldFit() {
    JobContext context =
        context(
            "dear", "prices.currency=EUR", "prices.move-per-gib=1024", "plan.max-cost-per-run=1");
    assertThatThrownBy(() -> job(context, 0, noMap()).run())
        .isInstanceOf(MetashardException.class)
        .hasMessageStartingWith(
            "Cannot keep to plan.max-cost-per-run = 1 EUR: to encode 12 objects of ")
        .hasMessageContaining("would fit, about, or raise the limit")
        .extracting(e -> ((MetashardException) e).exitCode())
        .isEqualTo(MetashardException.USAGE);
    assertThat(plans("dear").isEmpty()).isTrue();
    assertThatThrownBy(() -> job(context("free", "plan.max-cost-per-run=1"), 0, noMap()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("no prices are set");
  }

  @Test
  void idsThatAreNotPlannedAreRefusedBeforeAnythingIsPlanned() {
    JobContext context = context("unknown");
    for (String unknown : List.of("no/such\n", "objects/%03d.bin".formatted(COUNT))) {
      PlanExplainer explainer = explainer(context, unknown, 5);
      assertThatThrownBy(() -> job(context, 0, noMap()).before(explainer).run())
          .isInstanceOf(MetashardException.class)
          .hasMessageStartingWith("Cannot explain object " + ObjectIds.printable(unknown) + ": ")
          .extracting(e -> ((MetashardException) e).exitCode())
          .isEqualTo(MetashardException.USAGE);
    }
    assertThat(plans("unknown").isEmpty()).isTrue();
    assertThatThrownBy(() -> new ExplainOptions(Optional.of("x".repeat(2000)), 5))
        .hasMessageContaining("object-id-too-long");
    assertThatThrownBy(() -> new ExplainOptions(Optional.empty(), 0))
        .hasMessageContaining("--explain-limit 0");
  }

  @Test
  void paybackIsWhenSavingsAreWhatWasPaid() {
    assertThat(PlanTotals.paybackDays(60, 20)).isEqualTo(90);
    assertThat(PlanTotals.paybackDays(0, 0)).isZero();
    assertThat(PlanTotals.paybackDays(60, 0)).isInfinite();
    assertThat(PlanTotals.paybackDays(60, -1)).isInfinite();
  }
}
