package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ForecasterSparkTest {
  private static final Instant START = Instant.parse("2026-03-02T00:00:00Z");
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private static final ForecastOptions HOURLY = hourly(DAY, ModelChoice.AUTO);

  private static ForecastOptions hourly(Duration horizon, ModelChoice model) {
    return new ForecastOptions(HOUR, horizon, Duration.ofDays(35), 6, model, 1);
  }

  private static Instant hour(int hours) {
    return START.plus(Duration.ofHours(hours));
  }

  /** What one forecast says, with every rule of its table checked. */
  private record Told(
      Map<String, Row> rows, ForecastResult.Quality[] quality, String reason, ModelChoice model) {
    double expected(String id, int segment) {
      return rows.get(id + "#" + segment).getAs(Forecasts.EXPECTED_REQUESTS);
    }

    double value(String id, int segment, String column) {
      return rows.get(id + "#" + segment).getAs(column);
    }

    double total() {
      return rows.values().stream()
          .mapToDouble(r -> r.<Double>getAs(Forecasts.EXPECTED_REQUESTS))
          .sum();
    }
  }

  private static Told told(DemandRows tables, Instant at, ForecastOptions options) {
    return told(tables.demand(), tables.objects(), at, options);
  }

  private static Told told(
      Dataset<Row> demand, Dataset<Row> objects, Instant at, ForecastOptions options) {
    return told(demand, objects, at, options, Profile.NONE);
  }

  private static Told told(
      Dataset<Row> demand,
      Dataset<Row> objects,
      Instant at,
      ForecastOptions options,
      Profile profile) {
    try (PastDemand past = PastDemand.of(demand, objects, at, options);
        ForecastResult result = Forecaster.forecast(past, options, profile)) {
      Map<String, Row> rows = new TreeMap<>();
      Map<String, Double> shares = new TreeMap<>();
      for (Row row : result.forecast().collectAsList()) {
        String id = row.getAs(Forecasts.OBJECT_ID);
        assertThat(rows.put(id + "#" + row.getAs(Forecasts.SEGMENT), row)).isNull();
        double expected = row.getAs(Forecasts.EXPECTED_REQUESTS);
        double low = row.getAs(Forecasts.LOW_80);
        double high = row.getAs(Forecasts.HIGH_80);
        double chance = row.getAs(Forecasts.P_REQUESTED);
        double share = row.getAs(Forecasts.SHARE);
        double whole = row.getAs(Forecasts.WHOLE_SHARE);
        assertThat(expected).isFinite().isPositive();
        assertThat(low).isNotNegative().isLessThanOrEqualTo(expected);
        assertThat(high).isFinite().isGreaterThanOrEqualTo(expected);
        assertThat(chance).isGreaterThan(0).isLessThan(1);
        assertThat(share).isPositive();
        assertThat(whole).isBetween(0.0, 1.0);
        assertThat(row.<String>getAs(Forecasts.MODEL)).isEqualTo(result.model().word());
        requireProfile(row, expected, options, profile);
        shares.merge(id, share, Double::sum);
      }
      shares.forEach((id, sum) -> assertThat(sum).as(id).isCloseTo(1, within(1e-9)));
      for (ForecastResult.Quality q : result.quality()) {
        assertThat(q.value()).as(q.toString()).isFinite();
      }
      return new Told(
          rows,
          result.quality().toArray(ForecastResult.Quality[]::new),
          result.reason(),
          result.model());
    }
  }

  private static void requireProfile(
      Row row, double expected, ForecastOptions options, Profile profile) {
    if (profile == Profile.NONE) {
      assertThat(row.<Object>getAs(Forecasts.PROFILE)).isNull();
      return;
    }
    List<Double> hours = row.getList(row.fieldIndex(Forecasts.PROFILE));
    assertThat(hours)
        .hasSize((int) Math.max(1, options.horizon().toHours()))
        .allMatch(hour -> hour >= 0 && Double.isFinite(hour));
    assertThat(hours.stream().mapToDouble(hour -> hour).sum())
        .isCloseTo(expected, within(1e-9 * expected));
  }

  private static double metric(Told told, ModelChoice model, String metric) {
    for (ForecastResult.Quality q : told.quality()) {
      if (q.model() == model
          && q.volume().equals(ForecastQuality.ALL)
          && q.metric().equals(metric)) {
        return q.value();
      }
    }
    throw new AssertionError("no " + metric + " of " + model);
  }

  private static int poisson(Random random, double mean) {
    double limit = Math.exp(-mean);
    int count = 0;
    for (double product = random.nextDouble(); product > limit; product *= random.nextDouble()) {
      count++;
    }
    return count;
  }

  /** Thirty segments of falling popularity, steady over days with a daily cycle. */
  private static DemandRows steady(int hours, double level) {
    Random random = new Random(7);
    DemandRows tables = new DemandRows().object("a", 20).object("b", 10);
    for (int t = 0; t < hours; t++) {
      double cycle = 1 + 0.8 * Math.sin(2 * Math.PI * (t % 24) / 24);
      for (int s = 0; s < 28; s++) {
        int n = poisson(random, level * cycle / (s + 1));
        if (n > 0) {
          tables.requests(s < 20 ? "a" : "b", s < 20 ? s : s - 20, hour(t), n);
        }
      }
    }
    return tables;
  }

  @Test
  void totalShareBeatsTheDayBeforeWhereDemandIsSteady() {
    Told told = told(steady(10 * 24, 3), hour(10 * 24), HOURLY);
    assertThat(told.model()).isNotEqualTo(ModelChoice.SEASONAL_NAIVE);
    assertThat(metric(told, ModelChoice.TOTAL_SHARE, Scorecard.DEVIANCE))
        .isLessThan(0.8 * metric(told, ModelChoice.SEASONAL_NAIVE, Scorecard.DEVIANCE));
    // Three of thirty segments: chance decides which of two neighbours is the third.
    assertThat(metric(told, ModelChoice.TOTAL_SHARE, Scorecard.CAPTURE)).isGreaterThan(0.9);
    assertThat(told.rows()).hasSize(30);
    assertThat(told.expected("a", 0)).isCloseTo(72, within(15.0));
    assertThat(told.expected("b", 9)).isLessThan(0.5).isPositive();
    assertThat(told.value("b", 9, Forecasts.P_REQUESTED)).isLessThan(0.4);
    assertThat(told.value("a", 0, Forecasts.P_REQUESTED)).isGreaterThan(0.9);
    assertThat(told.value("a", 0, Forecasts.LOW_80)).isGreaterThan(40);
    assertThat(told.value("a", 0, Forecasts.HIGH_80)).isLessThan(120);
    assertThat(told.reason()).contains("deviance seasonal-naive").contains("back-test origins");
    // Of the cold ones nearly all: an interval of a mean of 0.1 holds 0.
    assertThat(metric(told, told.model(), Scorecard.COVERAGE)).isBetween(0.7, 1.0);
    assertThat(
            java.util.Arrays.stream(told.quality())
                .filter(q -> q.metric().equals(Scorecard.COVERAGE)))
        .allMatch(q -> q.model() == told.model() && q.value() >= 0 && q.value() <= 1)
        .filteredOn(q -> q.volume().equals(VolumeClass.HOT.word()))
        .hasSize(1)
        .allMatch(q -> q.value() > 0.5);
  }

  @Test
  void theHourOfTheDayIsFollowedWhereEachHasItsOwnSegment() {
    DemandRows tables = new DemandRows().object("a", 24);
    for (int t = 0; t < 12 * 24; t++) {
      tables.requests("a", t % 24, hour(t), 50);
    }
    ForecastOptions options =
        new ForecastOptions(HOUR, HOUR, Duration.ofDays(35), 14, ModelChoice.AUTO, 1);
    Told told = told(tables, hour(12 * 24), options);
    // The day before is right but for the twentieth that it spreads.
    assertThat(metric(told, ModelChoice.SEASONAL_NAIVE, Scorecard.DEVIANCE)).isLessThan(0.3);
    assertThat(metric(told, ModelChoice.TOTAL_SHARE, Scorecard.DEVIANCE))
        .isLessThan(metric(told, ModelChoice.SEASONAL_NAIVE, Scorecard.DEVIANCE));
    assertThat(told.expected("a", 0)).isCloseTo(50, within(8.0));
    assertThat(told.expected("a", 1)).isLessThan(3);
  }

  @Test
  void theCorrectionWinsWhereRequestsStopAfterSomeDays() {
    // Every day a new segment is read 40 times an hour for one day, then hardly ever again.
    DemandRows tables = new DemandRows().object("a", 400);
    Random random = new Random(3);
    for (int t = 0; t < 20 * 24; t++) {
      int day = t / 24;
      for (int s = 0; s < 8; s++) {
        tables.requests("a", 8 * day + s, hour(t), 1 + poisson(random, 3));
        tables.requests("a", 200 + (8 * day + s) % 24, hour(t), 1 + poisson(random, 2));
      }
    }
    Told told = told(tables, hour(20 * 24 - 1), hourly(HOUR, ModelChoice.AUTO));
    assertThat(metric(told, ModelChoice.GLM_CORRECTION, Scorecard.DEVIANCE))
        .isLessThan(metric(told, ModelChoice.TOTAL_SHARE, Scorecard.DEVIANCE));
    // Where there is something to win: not in every class.
    assertThat(told.model()).isEqualTo(ModelChoice.PER_CLASS);
    assertThat(told.reason()).containsPattern("(middle|hot) segments by (glm|gbt|geometric)-");
  }

  @Test
  void aPartitionNobodyHasAskedForIsForecastHot() {
    // Every day at 23:00 a partition is written; its first day sees 240 reads, each day a third.
    DemandRows tables = new DemandRows().object("archive/old.tar", 3);
    Random random = new Random(9);
    int days = 20;
    for (int d = 0; d < days; d++) {
      String id = "sales/dt=%s/part-0.parquet".formatted(hour(24 * d).toString().substring(0, 10));
      int born = 24 * d + 23;
      tables.object(id, 1, Objects.PRESENT, Objects.PENDING, hour(born));
      for (int t = born + 1; t < 24 * days; t++) {
        int n = poisson(random, 10 * Math.pow(1 / 3.0, (t - born) / 24));
        if (n > 0) {
          tables.requests(id, 0, hour(t), n);
        }
      }
    }
    Told told = told(tables, hour(24 * days), HOURLY);
    String written = "sales/dt=2026-03-21/part-0.parquet";
    assertThat(told.expected(written, 0)).isCloseTo(240, within(50.0));
    assertThat(told.value(written, 0, Forecasts.P_REQUESTED)).isGreaterThan(0.9);
    assertThat(told.expected("sales/dt=2026-03-20/part-0.parquet", 0)).isCloseTo(80, within(30.0));
    assertThat(told.expected("sales/dt=2026-03-10/part-0.parquet", 0)).isLessThan(5);
    assertThat(told.expected("archive/old.tar", 0)).isLessThan(3);
    assertThat(metric(told, ModelChoice.TOTAL_SHARE, Scorecard.DEVIANCE))
        .isLessThan(0.5 * metric(told, ModelChoice.SEASONAL_NAIVE, Scorecard.DEVIANCE));
  }

  @Test
  void theProfileTellsTheHoursThatCame() {
    // A job reads some segments at three; others are read in office hours.
    DemandRows past = new DemandRows().object("nightly", 6).object("office", 12);
    Random random = new Random(4);
    int days = 10;
    double[][] came = new double[18][24];
    for (int t = 0; t < 24 * (days + 1); t++) {
      for (int s = 0; s < 18; s++) {
        boolean office = s >= 6;
        double mean =
            office ? (t % 24 >= 9 && t % 24 < 17 ? 2.0 : 0.1) : (t % 24 == 3 ? 1.0 + s : 0);
        int n = poisson(random, mean);
        if (t >= 24 * days) {
          came[s][t % 24] += n;
        } else if (n > 0) {
          past.requests(office ? "office" : "nightly", office ? s - 6 : s, hour(t), n);
        }
      }
    }
    Told told =
        told(
            past.demand(),
            past.objects(),
            hour(24 * days),
            hourly(DAY, ModelChoice.TOTAL_SHARE),
            Profile.HOURLY);
    double surprise = 0;
    double least = 0;
    double requests = 0;
    for (int s = 0; s < 18; s++) {
      String key = s < 6 ? "nightly#" + s : "office#" + (s - 6);
      Row row = told.rows().get(key);
      List<Double> hours = row.getList(row.fieldIndex(Forecasts.PROFILE));
      double expected = row.getAs(Forecasts.EXPECTED_REQUESTS);
      double atThree = hours.get(3) / expected;
      double inOffice = hours.subList(9, 17).stream().mapToDouble(h -> h).sum() / expected;
      if (s < 6) {
        // Ten requests in ten days leave more doubt than sixty.
        assertThat(atThree).as(key).isGreaterThan(s == 0 ? 0.5 : 0.7);
      } else {
        // Sixteen of 17.6 are planted there.
        assertThat(inOffice).as(key).isBetween(0.8, 0.98);
      }
      for (int h = 0; h < 24; h++) {
        surprise -= came[s][h] * Math.log(hours.get(h) / expected);
        double planted = s < 6 ? (h == 3 ? 1 : 0) : (h >= 9 && h < 17 ? 2.0 : 0.1) / 17.6;
        least -= planted > 0 ? came[s][h] * Math.log(planted) : 0;
        requests += came[s][h];
      }
    }
    // Nats per request; an even profile has ln 24 = 3.18.
    assertThat(least / requests).isBetween(2.0, 2.5);
    assertThat(surprise / requests).isLessThan(least / requests + 0.15);
  }

  @Test
  void aModelThatIsSetIsUsed() {
    DemandRows tables = steady(10 * 24, 3);
    for (ModelChoice model :
        List.of(
            ModelChoice.SEASONAL_NAIVE, ModelChoice.GBT_CORRECTION, ModelChoice.GEOMETRIC_MEAN)) {
      Told told = told(tables, hour(10 * 24), hourly(DAY, model));
      assertThat(told.model()).isEqualTo(model);
      assertThat(told.reason()).isEqualTo("forecast.model = " + model.word());
      assertThat(told.expected("a", 0)).isCloseTo(72, within(30.0));
    }
  }

  @Test
  void theSameInputGivesTheSameForecastInAnyOrderOfRows() {
    DemandRows tables = steady(8 * 24, 2);
    Told once = told(tables, hour(8 * 24), HOURLY);
    Dataset<Row> shuffled = tables.demand().orderBy(functions.rand(5)).repartition(3);
    Told again = told(shuffled, tables.objects(), hour(8 * 24), HOURLY);
    assertThat(again.model()).isEqualTo(once.model());
    once.rows()
        .forEach(
            (key, row) ->
                assertThat(again.rows().get(key).<Double>getAs(Forecasts.EXPECTED_REQUESTS))
                    .as(key)
                    .isCloseTo(
                        row.<Double>getAs(Forecasts.EXPECTED_REQUESTS),
                        org.assertj.core.data.Percentage.withPercentage(1e-6)));
  }

  @Test
  void whatComesAfterTheMomentOfPlanningChangesNothing() {
    DemandRows tables = steady(9 * 24, 2);
    Instant at = hour(8 * 24).plusSeconds(1800);
    Told once = told(tables.demand(), tables.objects(), at, HOURLY, Profile.HOURLY);
    Random random = new Random(11);
    Dataset<Row> past =
        tables.demand().where(functions.col(Demand.BUCKET_START).lt(Timestamp.from(hour(8 * 24))));
    DemandRows future = new DemandRows();
    for (int t = 8 * 24; t < 11 * 24; t++) {
      future.requests(
          random.nextBoolean() ? "a" : "b", random.nextInt(10), hour(t), 1 + random.nextInt(5000));
    }
    Told again = told(past.union(future.demand()), tables.objects(), at, HOURLY, Profile.HOURLY);
    assertThat(again.reason()).isEqualTo(once.reason());
    assertThat(again.rows()).isEqualTo(once.rows());
    assertThat(again.quality()).isEqualTo(once.quality());
  }

  @Test
  void featuresOfAPastOriginDoNotKnowWhatFollowedIt() {
    Timeline timeline = Timeline.of(hour(8 * 24), HOURLY);
    int origin = timeline.origin() - 48;
    DemandRows tables = steady(8 * 24, 2);
    DemandRows changed = new DemandRows();
    for (int t = 6 * 24; t < 8 * 24; t++) {
      changed.requests("b", t % 10, hour(t), 700);
    }
    Dataset<Row> past =
        tables.demand().where(functions.col(Demand.BUCKET_START).lt(Timestamp.from(hour(6 * 24))));
    List<Row> once = features(tables.demand(), tables.objects(), origin, timeline);
    List<Row> again = features(past.union(changed.demand()), tables.objects(), origin, timeline);
    assertThat(once).hasSizeGreaterThan(20);
    assertThat(again).isEqualTo(once);
  }

  private static List<Row> features(
      Dataset<Row> demand, Dataset<Row> objects, int origin, Timeline timeline) {
    Dataset<Row> served = SegmentStates.served(objects, timeline);
    Dataset<Row> universe = SegmentStates.universe(served);
    Dataset<Row> history = SegmentStates.history(demand, served, timeline);
    int first = timeline.origin() - 8 * 24;
    double[] series = new double[timeline.origin()];
    for (Row row :
        history.groupBy(SegmentStates.BUCKET).agg(functions.sum(Demand.REQUESTS)).collectAsList()) {
      series[row.getInt(0)] = row.getDouble(1);
    }
    DatasetHistory.Moment moment =
        new DatasetHistory.Moment(
            timeline.at(origin).getEpochSecond(),
            24 * 3600,
            3600,
            timeline.at(first).getEpochSecond() / 3600,
            new long[0]);
    try (DatasetCurves curves =
        DatasetCurves.of(
            universe,
            history,
            List.of(moment),
            new double[] {96 * 3600.0, Double.POSITIVE_INFINITY},
            Profile.NONE)) {
      Dataset<Row> states =
          SegmentStates.at(
                  SegmentStates.views(
                      List.of(origin),
                      series,
                      first,
                      timeline,
                      ForecastParameters.usual(Duration.ofDays(35))),
                  curves.with(universe),
                  history)
              .where(functions.col(SegmentStates.LAST_BUCKET).isNotNull());
      OriginFacts facts =
          new OriginFacts(
              origin, 30, 28, java.util.Collections.nCopies(Components.OBSERVED, 100.0), 100, 0);
      ForecastModel.TotalShare base =
          new ForecastModel.TotalShare(ClassMixtures.of(Components.PRIOR), SharePool.NONE);
      return new CorrectionFeatures(base, 24)
          .with(
              SegmentStates.with(List.of(facts), states), functions.col(OriginFacts.EXPECTED_TOTAL))
          .drop(SegmentStates.OBSERVED)
          .orderBy(Demand.OBJECT_ID, Demand.SEGMENT)
          .collectAsList();
    }
  }

  @Test
  void aMomentInsideABucketBeginsAtThatBucket() {
    DemandRows tables = new DemandRows().object("a", 1);
    for (int t = 0; t < 48; t++) {
      tables.requests("a", 0, hour(t), 5);
    }
    tables.requests("a", 0, hour(48), 9999);
    Told told = told(tables, hour(48).plusSeconds(1234), hourly(HOUR, ModelChoice.AUTO));
    Row row = told.rows().get("a#0");
    assertThat(row.<Timestamp>getAs(Forecasts.HORIZON_START)).isEqualTo(Timestamp.from(hour(48)));
    assertThat(row.<Timestamp>getAs(Forecasts.HORIZON_END)).isEqualTo(Timestamp.from(hour(49)));
    assertThat(told.expected("a", 0)).isCloseTo(5, within(0.5));
  }

  @Test
  void everySegmentOfEveryServedObjectHasARow() {
    DemandRows tables =
        steady(4 * 24, 2)
            .object("never", 7)
            .object("kept", 3, Objects.MISSING, Objects.ENCODED, DemandRows.LONG_AGO)
            .object("old", 2, Objects.RELEASED, Objects.STALE, DemandRows.LONG_AGO)
            .object("gone", 5, Objects.MISSING, Objects.PENDING, DemandRows.LONG_AGO)
            .object("new", 1, Objects.PRESENT, Objects.PENDING, hour(4 * 24 - 1))
            .object("later", 1, Objects.PRESENT, Objects.PENDING, hour(400 * 24))
            .requests("gone", 0, hour(90), 1000)
            .requests("unknown", 0, hour(90), 1000)
            .requests("a", 20, hour(90), 1000)
            .requests("a", -1, hour(90), 1000);
    Told told = told(tables, hour(4 * 24), HOURLY);
    Map<String, Long> segments =
        told.rows().values().stream()
            .collect(
                Collectors.groupingBy(
                    r -> r.getAs(Forecasts.OBJECT_ID), TreeMap::new, Collectors.counting()));
    assertThat(segments)
        .isEqualTo(
            new TreeMap<>(
                Map.of(
                    "a", 20L, "b", 10L, "never", 7L, "kept", 3L, "old", 2L, "new", 1L, "later",
                    1L)));
    assertThat(told.total()).as("what is not served is not forecast").isLessThan(400);
    // Nobody asked for it: only what places in other objects got tells its segments apart.
    for (int segment = 0; segment < 7; segment++) {
      assertThat(told.value("never", segment, Forecasts.SHARE)).isBetween(0.04, 0.4);
    }
  }

  @Test
  void noDemandAtAllGivesEverySegmentALittle() {
    Told told = told(new DemandRows().object("a", 3).object("b", 1), hour(0), HOURLY);
    assertThat(told.rows()).hasSize(4);
    assertThat(told.total()).isCloseTo(0.5, within(1e-9));
    assertThat(told.model()).isEqualTo(ModelChoice.TOTAL_SHARE);
    assertThat(told.reason()).contains("too short for a back-test");
    assertThat(told.quality()).isEmpty();
  }

  @Test
  void noObjectsAtAllGiveNoRows() {
    DemandRows tables = new DemandRows().requests("a", 0, hour(1), 4);
    assertThat(told(tables, hour(5), HOURLY).rows()).isEmpty();
  }

  @Test
  void everyModelWorksOnNoHistory() {
    for (ModelChoice model : ModelChoice.values()) {
      Told told = told(new DemandRows().object("a", 2), hour(0), hourly(DAY, model));
      assertThat(told.rows()).hasSize(2);
    }
    Told told =
        told(new DemandRows().object("a", 2), hour(0), hourly(DAY, ModelChoice.GLM_CORRECTION));
    assertThat(told.model()).isEqualTo(ModelChoice.TOTAL_SHARE);
    assertThat(told.reason()).contains("too few requests to train");
  }

  @Test
  void aTraceOfOneHourInMinutesForecastsFiveMinutes() {
    ForecastOptions minutes =
        new ForecastOptions(
            Duration.ofMinutes(1),
            Duration.ofMinutes(5),
            Duration.ofDays(35),
            6,
            ModelChoice.AUTO,
            1);
    Random random = new Random(2);
    DemandRows tables = new DemandRows().object("disk", 64);
    for (int minute = 0; minute < 60; minute++) {
      for (int s = 0; s < 40; s++) {
        int n = poisson(random, 8.0 / (1 + s));
        if (n > 0) {
          tables.requests("disk", s, START.plusSeconds(60L * minute), n);
        }
      }
    }
    Told told = told(tables, START.plusSeconds(3600), minutes);
    assertThat(told.rows()).hasSize(64);
    assertThat(told.expected("disk", 0)).isCloseTo(40, within(12.0));
    assertThat(told.quality()).isNotEmpty();
  }

  @Test
  void oneSingleRequestIsEnough() {
    DemandRows tables = new DemandRows().object("a", 2).requests("a", 1, hour(0), 1);
    for (int hours : new int[] {1, 2, 3, 25, 49}) {
      Told told = told(tables, hour(hours), hourly(HOUR, ModelChoice.AUTO));
      assertThat(told.expected("a", 1)).isGreaterThan(told.expected("a", 0));
    }
  }

  @Test
  void aDayWithoutAnyLogsDoesNotEndDemand() {
    DemandRows tables = new DemandRows().object("a", 3);
    for (int t = 0; t < 10 * 24; t++) {
      if (t < 8 * 24 || t >= 9 * 24) {
        tables.requests("a", t % 2, hour(t), 10);
      }
    }
    assertThat(told(tables, hour(10 * 24), HOURLY).total()).isCloseTo(240, within(30.0));
    assertThat(told(tables, hour(9 * 24), HOURLY).total()).isCloseTo(240, within(30.0));
  }

  @Test
  void tenTimesTheTrafficOvernightIsFollowed() {
    DemandRows tables = new DemandRows().object("a", 2);
    for (int t = 0; t < 10 * 24; t++) {
      tables.requests("a", 0, hour(t), t < 9 * 24 ? 10 : 100);
    }
    assertThat(told(tables, hour(10 * 24), HOURLY).total()).isBetween(800.0, 3000.0);
  }

  /** Requests from eight to twenty of two segments, and three requests ever of another object. */
  private static DemandRows officeHours(
      int days, java.util.function.IntToDoubleFunction level, int shiftedFrom) {
    DemandRows tables = new DemandRows().object("a", 3).object("rare", 1);
    for (int t = 0; t < 24 * days; t++) {
      // Local time that goes one hour forward: the same habits begin an hour earlier in UTC.
      int local = t % 24 + (t / 24 >= shiftedFrom ? 1 : 0);
      double requests = (local >= 8 && local < 20 ? 20 : 1) * level.applyAsDouble(t / 24);
      tables.requests("a", 0, hour(t), requests).requests("a", 1, hour(t), requests / 4);
    }
    return tables
        .requests("rare", 0, hour(30), 1)
        .requests("rare", 0, hour(100), 1)
        .requests("rare", 0, hour(170), 1);
  }

  private static final ForecastOptions FEW_ORIGINS =
      new ForecastOptions(HOUR, DAY, Duration.ofDays(35), 2, ModelChoice.TOTAL_SHARE, 1);

  /** Requests of a usual day of {@link #officeHours}. */
  private static final double USUAL = 1.25 * (12 * 20 + 12);

  @Test
  void aHolidayInTheMidstOfTheHistoryIsNotTakenForTheDayToCome() {
    Told told = told(officeHours(12, day -> day == 8 ? 0.2 : 1, 99), hour(12 * 24), FEW_ORIGINS);
    assertThat(told.total()).isBetween(0.8 * USUAL, 1.1 * USUAL);
    assertThat(told.expected("rare", 0)).isBetween(0.01, 3.0);
    assertThat(told.expected("a", 2)).isLessThan(told.expected("a", 1) / 5);
  }

  @Test
  void aHolidayAsTheLastDayLowersTheNextButDoesNotEndIt() {
    Told told = told(officeHours(12, day -> day == 11 ? 0.2 : 1, 99), hour(12 * 24), FEW_ORIGINS);
    assertThat(told.total()).isBetween(0.3 * USUAL, 1.1 * USUAL);
    assertThat(told.expected("a", 0)).isBetween(0.3 * 0.8 * USUAL, 0.8 * 1.1 * USUAL);
  }

  @Test
  void aDaylightSavingJumpLeavesTheDayAsItWasAndItsHoursNearby() {
    DemandRows tables = officeHours(14, day -> 1, 10);
    Told told = told(tables.demand(), tables.objects(), hour(14 * 24), FEW_ORIGINS, Profile.HOURLY);
    assertThat(told.total()).isCloseTo(USUAL, within(0.1 * USUAL));
    Row row = told.rows().get("a#0");
    List<Double> hours = row.getList(row.fieldIndex(Forecasts.PROFILE));
    double sum = hours.stream().mapToDouble(h -> h).sum();
    // Eleven hours that are busy before and after, and two that are in doubt.
    assertThat(hours.subList(8, 19).stream().mapToDouble(h -> h).sum() / sum).isGreaterThan(0.75);
    assertThat(hours.get(7)).isBetween(2.0, 22.0);
    assertThat(hours.get(19)).isBetween(0.5, 20.0);
    assertThat(hours.get(2)).isLessThan(3);
  }

  @Test
  void wholeReadsAreSharedByWhatIsKnown() {
    DemandRows tables = new DemandRows().object("whole", 2).object("part", 2).object("none", 1);
    for (int t = 0; t < 48; t++) {
      tables.requests("whole", 0, hour(t), 10, 10).requests("part", 0, hour(t), 10, 0);
    }
    Told told = told(tables, hour(48), HOURLY);
    assertThat(told.value("whole", 0, Forecasts.WHOLE_SHARE)).isGreaterThan(0.99);
    assertThat(told.value("whole", 1, Forecasts.WHOLE_SHARE)).isGreaterThan(0.95);
    assertThat(told.value("part", 0, Forecasts.WHOLE_SHARE)).isLessThan(0.01);
    assertThat(told.value("none", 0, Forecasts.WHOLE_SHARE)).isCloseTo(0.5, within(1e-9));
  }

  @Test
  void countsThatAreNotNumbersAreLeftOut() {
    DemandRows tables = new DemandRows().object("a", 4);
    for (int t = 0; t < 48; t++) {
      tables
          .requests("a", 0, hour(t), 3)
          .requests("a", 1, hour(t), Double.NaN)
          .requests("a", 2, hour(t), Double.POSITIVE_INFINITY)
          .requests("a", 3, hour(t), -5);
    }
    assertThat(told(tables, hour(48), HOURLY).total()).isCloseTo(72, within(5.0));
  }

  @Test
  void onARealTraceTheChosenModelBeatsTheDayBefore() {
    Path trace = Path.of(System.getProperty("metashard.basedir"), "../../shared/data/nspw");
    Assumptions.assumeTrue(Files.exists(trace.resolve("demand.parquet")), "no trace here");
    Dataset<Row> demand =
        SharedSpark.session()
            .read()
            .parquet(trace.resolve("demand.parquet").toString())
            .withColumn(Demand.WHOLE_REQUESTS, functions.lit(0.0));
    DemandRows objects = new DemandRows();
    demand
        .select(Demand.OBJECT_ID)
        .distinct()
        .collectAsList()
        .forEach(row -> objects.object(row.getString(0), 1));
    Told told = told(demand, objects.objects(), Instant.parse("2018-05-08T16:00:00Z"), HOURLY);
    assertThat(metric(told, told.model(), Scorecard.DEVIANCE))
        .isLessThan(metric(told, ModelChoice.SEASONAL_NAIVE, Scorecard.DEVIANCE));
    assertThat(metric(told, told.model(), Scorecard.CAPTURE)).isGreaterThan(0.9);
  }
}
