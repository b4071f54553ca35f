package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.forecast.DemandDrift;
import io.metashard.forecast.ForecastMonitor;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.MonitorOptions;
import io.metashard.forecast.MonitorScore;
import io.metashard.forecast.Verdict;
import io.metashard.forecast.VolumeClass;
import io.metashard.lake.Lake;
import java.math.BigDecimal;
import java.math.MathContext;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Writes {@code forecast_monitor}, and tells what it says of the forecasts of one mode. */
final class Monitor {
  static final String VERDICT = "verdict";
  static final String VERDICT_CODE = "verdict_code";
  static final String VERDICT_REASON = "verdict_reason";
  static final String CALIBRATION_ERROR = "p_requested_calibration_error";
  static final String BRIER_SKILL = "p_requested_brier_skill";
  static final String COVERAGE = "coverage_80_of_likely";
  static final String DRIFT_RATIO = "drift_ratio";

  /** Nights looked back at for one that is judged: some may have too few requests. */
  private static final int LOOK_BACK = 3;

  /** Of every night of the look-back: metrics that verdicts are made from, by class. */
  private static final List<String> JUDGED_BY =
      List.of(
          ForecastMonitor.REQUESTS_ACTUAL,
          ForecastMonitor.POISSON_DEVIANCE,
          ForecastMonitor.POISSON_DEVIANCE + ForecastMonitor.PERSISTENCE,
          ForecastMonitor.LOG_LOSS,
          ForecastMonitor.LOG_LOSS + ForecastMonitor.PERSISTENCE,
          ForecastMonitor.CALIBRATION_ERROR,
          ForecastMonitor.CALIBRATION_BY_CHANCE,
          ForecastMonitor.SEGMENTS,
          ForecastMonitor.COVERAGE,
          ForecastMonitor.DRIFT_RATIO);

  /** Classes of which at least one request is expected: where an interval says something. */
  private static final List<VolumeClass> LIKELY = List.of(VolumeClass.MIDDLE, VolumeClass.HOT);

  private final JobContext context;
  private final String mode;

  /**
   * @param mode {@link NightScores#REAL} or {@link NightScores#SHADOW}
   */
  Monitor(JobContext context, String mode) {
    this.context = context;
    this.mode = mode;
  }

  /** What was found of one night. */
  record Findings(MonitorScore score, DemandDrift drift) {
    /** Metrics by class and name. */
    private Map<String, Double> byClass() {
      Map<String, Double> values = new HashMap<>();
      score
          .metrics(null)
          .forEach((name, value) -> values.put(key(ForecastQuality.ALL, name), value));
      for (VolumeClass volume : VolumeClass.values()) {
        score.metrics(volume).forEach((name, value) -> values.put(key(volume.word(), name), value));
      }
      values.put(key(ForecastQuality.ALL, ForecastMonitor.DRIFT_RATIO), drift.ratio());
      return values;
    }

    /** The few that are worth a metric. */
    Map<String, Object> figures() {
      Map<String, Object> figures = new LinkedHashMap<>();
      Verdict.Night night = night(byClass());
      put(figures, CALIBRATION_ERROR, night.calibrationError());
      put(figures, BRIER_SKILL, score.metrics(null).get(ForecastMonitor.BRIER_SKILL));
      put(figures, COVERAGE, night.coverage());
      put(figures, DRIFT_RATIO, drift.ratio());
      return figures;
    }

    private static void put(Map<String, Object> figures, String name, double value) {
      if (Double.isFinite(value)) {
        figures.put(name, rounded(value));
      }
    }
  }

  /** The newest verdict, and the night that it is about. */
  record Newest(String scoredRunId, Instant start, Verdict verdict) {
    boolean saysFallBack() {
      return verdict.standing() == Verdict.Standing.FALL_BACK;
    }
  }

  static Map<String, Object> figures(Verdict verdict) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put(VERDICT, verdict.standing().word());
    figures.put(VERDICT_CODE, verdict.standing().code());
    figures.put(VERDICT_REASON, verdict.reason());
    return figures;
  }

  /** Makes the table, so that whoever reads it finds it. */
  void create() {
    context.lake().create(ForecastMonitor.TABLE);
  }

  /** Rows of this mode about horizons that were over at the moment of planning. */
  private Dataset<Row> known() {
    return context
        .lake()
        .read(ForecastMonitor.TABLE)
        .where(
            col(ForecastMonitor.MODE)
                .equalTo(mode)
                .and(col(ForecastMonitor.HORIZON_END).leq(lit(Timestamp.from(context.at())))));
  }

  /** The newest verdict that was known at the moment of planning. */
  Optional<Newest> newest() {
    return newest(known());
  }

  private static Optional<Newest> newest(Dataset<Row> rows) {
    return rows
        .where(col(ForecastMonitor.METRIC).equalTo(ForecastMonitor.VERDICT))
        .orderBy(
            col(ForecastMonitor.HORIZON_START).desc(),
            col(ForecastMonitor.HORIZON_END).desc(),
            col(ForecastMonitor.RUN_ID).desc())
        .select(
            ForecastMonitor.SCORED_RUN_ID,
            ForecastMonitor.HORIZON_START,
            ForecastMonitor.VALUE,
            ForecastMonitor.REASON)
        .takeAsList(1)
        .stream()
        .map(
            row ->
                new Newest(
                    row.getString(0),
                    row.getTimestamp(1).toInstant(),
                    new Verdict(
                        // What a later version says and this one does not know is no reason to act.
                        Verdict.Standing.of(row.getDouble(2)).orElse(Verdict.Standing.DEGRADED),
                        row.getString(3))))
        .findFirst();
  }

  /** Whether the newest verdict is to fall back. */
  boolean fallsBack() {
    return newest().filter(Newest::saysFallBack).isPresent();
  }

  /** Judges a night beside those before it, and writes what was found, in one commit. */
  Verdict write(ScoreJob.Night night, Findings findings, MonitorOptions options) {
    Dataset<Row> earlier =
        known()
            .where(
                col(ForecastMonitor.HORIZON_START)
                    .lt(lit(Timestamp.from(night.start())))
                    .and(col(ForecastMonitor.RUN_ID).notEqual(context.runId())));
    List<Verdict.Night> newestFirst = new ArrayList<>();
    newestFirst.add(night(findings.byClass()));
    newestFirst.addAll(
        nights(earlier, LOOK_BACK * Math.max(options.nights(), options.degradedNights())));
    Verdict verdict =
        Verdict.of(
            newest(earlier).map(newest -> newest.verdict().standing()).orElse(Verdict.Standing.OK),
            newestFirst,
            options);
    // Of letters that need no escape, as ScoreJob checks.
    String own =
        "%s = '%s' AND %s = '%s'"
            .formatted(ForecastMonitor.RUN_ID, context.runId(), ForecastMonitor.MODE, mode);
    context
        .lake()
        .replaceWhere(
            ForecastMonitor.TABLE,
            context
                .spark()
                .createDataFrame(rows(night, findings, verdict), ForecastMonitor.SCHEMA)
                .coalesce(1),
            own,
            Lake.Commit.PLAIN);
    return verdict;
  }

  private static List<Verdict.Night> nights(Dataset<Row> earlier, int most) {
    List<Timestamp> starts =
        earlier
            .select(col(ForecastMonitor.HORIZON_START))
            .distinct()
            .orderBy(col(ForecastMonitor.HORIZON_START).desc())
            .limit(most)
            .collectAsList()
            .stream()
            .map(row -> row.getTimestamp(0))
            .toList();
    Map<Timestamp, Map<String, Double>> byNight = new HashMap<>();
    if (!starts.isEmpty()) {
      earlier
          .where(
              col(ForecastMonitor.HORIZON_START)
                  .geq(lit(starts.get(starts.size() - 1)))
                  .and(col(ForecastMonitor.BIN).isNull())
                  .and(col(ForecastMonitor.METRIC).isin(JUDGED_BY.toArray())))
          .select(
              ForecastMonitor.HORIZON_START,
              ForecastMonitor.CLASS,
              ForecastMonitor.METRIC,
              ForecastMonitor.VALUE)
          .collectAsList() // of at most 90 nights
          .forEach(
              row ->
                  byNight
                      .computeIfAbsent(row.getTimestamp(0), start -> new HashMap<>())
                      .put(key(row.getString(1), row.getString(2)), row.getDouble(3)));
    }
    return starts.stream().map(start -> night(byNight.getOrDefault(start, Map.of()))).toList();
  }

  private static String key(String volume, String metric) {
    return volume + " " + metric;
  }

  private static Verdict.Night night(Map<String, Double> values) {
    double likely = 0;
    double covered = 0;
    for (VolumeClass volume : LIKELY) {
      double segments = value(values, volume.word(), ForecastMonitor.SEGMENTS);
      if (segments > 0) {
        likely += segments;
        covered += segments * value(values, volume.word(), ForecastMonitor.COVERAGE);
      }
    }
    String all = ForecastQuality.ALL;
    return new Verdict.Night(
        value(values, all, ForecastMonitor.REQUESTS_ACTUAL),
        value(values, all, ForecastMonitor.POISSON_DEVIANCE),
        value(values, all, ForecastMonitor.POISSON_DEVIANCE + ForecastMonitor.PERSISTENCE),
        value(values, all, ForecastMonitor.LOG_LOSS),
        value(values, all, ForecastMonitor.LOG_LOSS + ForecastMonitor.PERSISTENCE),
        value(values, all, ForecastMonitor.CALIBRATION_ERROR),
        value(values, all, ForecastMonitor.CALIBRATION_BY_CHANCE),
        likely,
        likely > 0 ? covered / likely : Double.NaN,
        value(values, all, ForecastMonitor.DRIFT_RATIO));
  }

  private static double value(Map<String, Double> values, String volume, String metric) {
    return values.getOrDefault(key(volume, metric), Double.NaN);
  }

  private List<Row> rows(ScoreJob.Night night, Findings findings, Verdict verdict) {
    List<Row> rows = new ArrayList<>();
    MonitorScore score = findings.score();
    metrics(rows, night, ForecastQuality.ALL, score.metrics(null));
    bins(rows, night, ForecastQuality.ALL, score.bins());
    for (VolumeClass volume : VolumeClass.values()) {
      metrics(rows, night, volume.word(), score.metrics(volume));
      bins(rows, night, volume.word(), score.bins(volume));
    }
    DemandDrift drift = findings.drift();
    Map<String, Double> moved = new LinkedHashMap<>();
    moved.put(ForecastMonitor.DRIFT, drift.distance());
    moved.put(ForecastMonitor.DRIFT_USUAL, drift.usual());
    moved.put(ForecastMonitor.DRIFT_RATIO, drift.ratio());
    moved.put(ForecastMonitor.GROWTH, drift.growth());
    moved.put(ForecastMonitor.UNSEEN_SHARE, drift.unseenShare());
    metrics(rows, night, ForecastQuality.ALL, moved);
    add(
        rows,
        night,
        ForecastQuality.ALL,
        null,
        ForecastMonitor.VERDICT,
        verdict.standing().code(),
        verdict.reason());
    return rows;
  }

  private void metrics(
      List<Row> rows, ScoreJob.Night night, String volume, Map<String, Double> values) {
    values.forEach((name, value) -> add(rows, night, volume, null, name, value, null));
  }

  private void bins(
      List<Row> rows, ScoreJob.Night night, String volume, List<MonitorScore.Bin> bins) {
    for (MonitorScore.Bin bin : bins) {
      add(rows, night, volume, bin.bin(), ForecastMonitor.SEGMENTS, bin.segments(), null);
      add(rows, night, volume, bin.bin(), ForecastMonitor.CHANCE, bin.chance(), null);
      add(rows, night, volume, bin.bin(), ForecastMonitor.REQUESTED, bin.requested(), null);
    }
  }

  private void add(
      List<Row> rows,
      ScoreJob.Night night,
      String volume,
      Integer bin,
      String metric,
      double value,
      String reason) {
    if (Double.isFinite(value)) {
      rows.add(
          RowFactory.create(
              context.runId(),
              night.runId(),
              mode,
              Timestamp.from(night.start()),
              Timestamp.from(night.end()),
              volume,
              bin,
              metric,
              rounded(value),
              unit(metric),
              reason));
    }
  }

  private static String unit(String metric) {
    return switch (metric) {
      case ForecastMonitor.SEGMENTS -> "segments";
      case ForecastMonitor.REQUESTS_ACTUAL, ForecastMonitor.REQUESTS_FORECAST -> "requests";
      case ForecastMonitor.POISSON_DEVIANCE,
          ForecastMonitor.POISSON_DEVIANCE + ForecastMonitor.PERSISTENCE ->
          "deviance";
      case ForecastMonitor.LOG_LOSS, ForecastMonitor.LOG_LOSS + ForecastMonitor.PERSISTENCE ->
          "nats";
      case ForecastMonitor.VERDICT -> "verdict";
      default -> "ratio";
    };
  }

  /** Sums of doubles depend on their order, which Spark does not promise. */
  private static double rounded(double value) {
    return new BigDecimal(value).round(new MathContext(12)).doubleValue();
  }
}
