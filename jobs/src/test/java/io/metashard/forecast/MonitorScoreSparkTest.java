package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

/** What Spark finds of a made-up forecast, and what loops over arrays find. */
class MonitorScoreSparkTest {
  private static final Instant START = Instant.parse("2026-03-10T00:00:00Z");
  private static final Duration HORIZON = Duration.ofHours(6);
  private static final int SEGMENTS = 300;
  private static final int SPANS = 5;
  private static final long SEED = 11;

  /** Requests by span before the night (0: the night itself) and segment. */
  private final double[][] counts = new double[SPANS + 1][SEGMENTS];

  private final double[] expected = new double[SEGMENTS];
  private final double[] chance = new double[SEGMENTS];
  private final double[] low = new double[SEGMENTS];
  private final double[] high = new double[SEGMENTS];

  private Dataset<Row> demand() {
    Random random = new Random(SEED);
    List<Row> rows = new ArrayList<>();
    for (int span = 0; span <= SPANS; span++) {
      for (int segment = 0;
          segment < SEGMENTS && span != 3;
          segment++) { // the logs of one are lost
        if (segment % 7 == 0 && span > 0) {
          continue; // nobody asked for it before
        }
        for (int read = 0; read < random.nextInt(1 + 3000 / (segment + 10)) / 20; read++) {
          // The first and the last second of the span belong to it.
          int hour = random.nextInt(6);
          Instant at = START.minus(HORIZON.multipliedBy(span)).plus(Duration.ofHours(hour));
          at = hour == 5 ? at.plusSeconds(3599) : at;
          rows.add(
              RowFactory.create(
                  new Date(at.toEpochMilli()),
                  "o" + segment % 3,
                  segment / 3,
                  100L,
                  Timestamp.from(at),
                  1.0 + segment % 2,
                  0.0,
                  1L));
          counts[span][segment] += 1.0 + segment % 2;
        }
      }
    }
    return SharedSpark.session().createDataFrame(rows, Demand.SCHEMA);
  }

  private Dataset<Row> forecast() {
    Random random = new Random(SEED + 1);
    List<Row> rows = new ArrayList<>();
    for (int segment = 0; segment < SEGMENTS; segment++) {
      expected[segment] = segment == 5 ? 0 : 20.0 / (1 + segment / 3) * (0.5 + random.nextDouble());
      chance[segment] =
          segment == 1 ? 1 : Math.min(1, 0.8 * (1 - Math.exp(-expected[segment])) + 0.02);
      low[segment] = Math.floor(expected[segment] / 2);
      high[segment] = Math.ceil(expected[segment] * 1.5);
      rows.add(
          RowFactory.create(
              "o" + segment % 3,
              segment / 3,
              expected[segment],
              chance[segment],
              low[segment],
              high[segment]));
    }
    return SharedSpark.session()
        .createDataFrame(
            rows,
            new StructType()
                .add(Forecasts.OBJECT_ID, DataTypes.StringType)
                .add(Forecasts.SEGMENT, DataTypes.IntegerType)
                .add(ForecastScore.EXPECTED, DataTypes.DoubleType)
                .add(MonitorScore.CHANCE, DataTypes.DoubleType)
                .add(MonitorScore.LOW, DataTypes.DoubleType)
                .add(MonitorScore.HIGH, DataTypes.DoubleType));
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  @Test
  void everyMetricIsWhatALoopFinds() {
    Dataset<Row> bySpan = DemandDrift.bySpan(demand(), START, HORIZON, SPANS).cache();
    DemandDrift drift = DemandDrift.of(bySpan, SPANS);
    MonitorScore score =
        MonitorScore.of(
            forecast()
                .join(bySpan, new String[] {Forecasts.OBJECT_ID, Forecasts.SEGMENT}, "left")
                .withColumnRenamed(DemandDrift.requests(0), ForecastScore.ACTUAL)
                .withColumnRenamed(DemandDrift.requests(1), ForecastScore.BEFORE),
            drift.spans());
    int compared = 0;
    double segments = 0;
    for (VolumeClass volume : VolumeClass.values()) {
      Map<String, Double> found = score.metrics(volume);
      segments += found.get(ForecastMonitor.SEGMENTS);
      compared += compare(found, volume);
    }
    compared += compare(score.metrics(null), null);
    assertThat(segments).isEqualTo(SEGMENTS);
    assertThat(compared).isEqualTo(5 * 14);
    double requestedInBins = 0;
    for (MonitorScore.Bin bin : score.bins()) {
      requestedInBins += bin.segments() * bin.requested();
      assertThat(bin.chance()).isBetween(bin.bin() / 10.0, (bin.bin() + 1) / 10.0);
    }
    assertThat(score.bins()).hasSizeGreaterThan(5);
    int requested = 0;
    for (double count : counts[0]) {
      requested += count > 0 ? 1 : 0;
    }
    assertThat(requestedInBins).isCloseTo(requested, within(1e-9));
  }

  private int compare(Map<String, Double> found, VolumeClass volume) {
    double[] meanBefore = new double[SEGMENTS];
    double[] mean = new double[SEGMENTS];
    double asked = 0;
    int[] spansAsked = new int[SEGMENTS];
    for (int segment = 0; segment < SEGMENTS; segment++) {
      mean[segment] = Math.max(expected[segment], 1e-9);
      meanBefore[segment] = 0.99 * counts[1][segment] + 0.01 * sum(counts[1]) / SEGMENTS;
      for (int span = 1; span <= SPANS; span++) {
        spansAsked[segment] += counts[span][segment] > 0 ? 1 : 0;
      }
      asked += spansAsked[segment];
    }
    double rate = asked / SEGMENTS / (SPANS - 1);
    double n = 0;
    double actual = 0;
    double sumExpected = 0;
    double deviance = 0;
    double devianceBefore = 0;
    double absolute = 0;
    double logLoss = 0;
    double logLossBefore = 0;
    double brier = 0;
    double brierBase = 0;
    double covered = 0;
    double[] binSegments = new double[10];
    double[] binChance = new double[10];
    double[] binRequested = new double[10];
    for (int segment = 0; segment < SEGMENTS; segment++) {
      double e = expected[segment];
      VolumeClass own =
          e < 0.125
              ? VolumeClass.COLD
              : e < 1 ? VolumeClass.LOW : e < 8 ? VolumeClass.MIDDLE : VolumeClass.HOT;
      if (volume != null && own != volume) {
        continue;
      }
      double y = counts[0][segment];
      double r = y > 0 ? 1 : 0;
      n++;
      actual += y;
      sumExpected += e;
      absolute += Math.abs(y - e);
      deviance += 2 * ((y > 0 ? y * Math.log(y / mean[segment]) : 0) - (y - mean[segment]));
      devianceBefore +=
          2 * ((y > 0 ? y * Math.log(y / meanBefore[segment]) : 0) - (y - meanBefore[segment]));
      logLoss -= y * Math.log(mean[segment] / sum(mean));
      logLossBefore -= y * Math.log(meanBefore[segment] / sum(meanBefore));
      brier += Math.pow(chance[segment] - r, 2);
      brierBase += Math.pow((spansAsked[segment] + rate) / SPANS - r, 2);
      covered += y >= low[segment] && y <= high[segment] ? 1 : 0;
      int bin = Math.min(9, (int) (chance[segment] * 10));
      binSegments[bin]++;
      binChance[bin] += chance[segment];
      binRequested[bin] += r;
    }
    double error = 0;
    double byChance = 0;
    for (int bin = 0; bin < 10; bin++) {
      error += Math.abs(binChance[bin] - binRequested[bin]) / n;
      if (binSegments[bin] > 0) {
        double p = binChance[bin] / binSegments[bin];
        // Mean of |N(0, s)|.
        byChance += binSegments[bin] / n * Math.sqrt(2 / Math.PI * p * (1 - p) / binSegments[bin]);
      }
    }
    assertThat(n).isPositive();
    Map<String, Double> expectedMetrics =
        Map.ofEntries(
            Map.entry("segments", n),
            Map.entry("requests_actual", actual),
            Map.entry("requests_forecast", sumExpected),
            Map.entry("poisson_deviance", deviance / n),
            Map.entry("poisson_deviance_persistence", devianceBefore / n),
            Map.entry("wape", absolute / actual),
            Map.entry("share_log_loss", logLoss / actual),
            Map.entry("share_log_loss_persistence", logLossBefore / actual),
            Map.entry("brier_score", brier / n),
            Map.entry("brier_score_base_rate", brierBase / n),
            Map.entry("brier_skill", 1 - brier / brierBase),
            Map.entry("calibration_error", error),
            Map.entry("calibration_error_by_chance", byChance),
            Map.entry("coverage_80", covered / n));
    assertThat(found.keySet()).isEqualTo(expectedMetrics.keySet());
    expectedMetrics.forEach(
        (name, value) ->
            assertThat(found.get(name))
                .as("%s of %s", name, volume)
                .isCloseTo(value, within(1e-9)));
    return expectedMetrics.size();
  }

  @Test
  void driftIsThatOfTheCounts() {
    DemandDrift drift = DemandDrift.of(DemandDrift.bySpan(demand(), START, HORIZON, SPANS), SPANS);
    double overlap = 0;
    double unseen = 0;
    for (int segment = 0; segment < SEGMENTS; segment++) {
      overlap +=
          Math.sqrt(counts[0][segment] / sum(counts[0]) * counts[1][segment] / sum(counts[1]));
      double before = 0;
      for (int span = 1; span <= SPANS; span++) {
        before += counts[span][segment];
      }
      unseen += before == 0 ? counts[0][segment] : 0;
    }
    assertThat(drift.distance()).isCloseTo(Math.sqrt(1 - overlap), within(1e-9));
    assertThat(drift.unseenShare())
        .isCloseTo(unseen / sum(counts[0]), within(1e-12))
        .isGreaterThan(0.05);
    // Of five spans one is lost: two pairs are left of four, too few to say what is usual.
    assertThat(drift.spans()).isEqualTo(4);
    assertThat(drift.usual()).isNaN();
  }

  @Test
  void withoutHistoryOrForecastNothingIsMadeUp() {
    Dataset<Row> none = DemandDrift.bySpan(demand().limit(0), START, HORIZON, SPANS);
    DemandDrift drift = DemandDrift.of(none, SPANS);
    assertThat(drift.spans()).isZero();
    MonitorScore score =
        MonitorScore.of(
            forecast()
                .join(none, new String[] {Forecasts.OBJECT_ID, Forecasts.SEGMENT}, "left")
                .withColumnRenamed(DemandDrift.requests(0), ForecastScore.ACTUAL)
                .withColumnRenamed(DemandDrift.requests(1), ForecastScore.BEFORE),
            0);
    Map<String, Double> metrics = score.metrics(null);
    assertThat(metrics.get(ForecastMonitor.BRIER_SKILL)).isNaN();
    assertThat(metrics.get(ForecastMonitor.WAPE)).isNaN();
    assertThat(metrics.get(ForecastMonitor.BRIER)).isPositive();
    assertThat(new MonitorScore(List.of(), 0, 0).metrics(null).get(ForecastMonitor.BRIER)).isNaN();
  }
}
