package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.forecast.ForecastMonitor;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.MonitorScore;
import io.metashard.forecast.Verdict;
import io.metashard.forecast.VolumeClass;
import io.metashard.lake.Lake;
import io.metashard.report.NightReport;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What {@code forecast_monitor} holds of the newest nights, for the page. */
final class ReportMonitor {
  /** Metrics of one night that the page shows beside the verdict, at most. */
  private static final int VALUES_PER_NIGHT = 400;

  private ReportMonitor() {}

  /** One night, by the run that scored it last. */
  private record Night(
      String runId, String scoredRunId, Timestamp start, Timestamp end, Row verdict) {}

  /**
   * @param mode whose nights
   * @param until the last beginning of a night that counts
   */
  static NightReport.Monitor of(Lake lake, String mode, Instant until, int nights) {
    Dataset<Row> rows =
        lake.read(ForecastMonitor.TABLE)
            .where(
                col(ForecastMonitor.MODE)
                    .equalTo(mode)
                    .and(col(ForecastMonitor.HORIZON_START).leq(lit(Timestamp.from(until)))));
    List<Night> newestFirst = newest(rows, nights);
    if (newestFirst.isEmpty()) {
      return NightReport.Monitor.NONE;
    }
    Night newest = newestFirst.get(0);
    Map<String, Double> values = new HashMap<>();
    rows.where(
            col(ForecastMonitor.RUN_ID)
                .equalTo(newest.runId())
                .and(col(ForecastMonitor.SCORED_RUN_ID).equalTo(newest.scoredRunId())))
        .limit(VALUES_PER_NIGHT)
        .collectAsList()
        .forEach(
            row ->
                values.put(
                    key(
                        row.getAs(ForecastMonitor.CLASS),
                        row.getAs(ForecastMonitor.BIN),
                        row.getAs(ForecastMonitor.METRIC)),
                    row.getAs(ForecastMonitor.VALUE)));
    return new NightReport.Monitor(
        newest.scoredRunId(),
        newest.start().toInstant(),
        newest.end().toInstant(),
        word(newest),
        newest.verdict().getAs(ForecastMonitor.REASON),
        classes(values),
        chances(values),
        judged(rows, newestFirst));
  }

  private static List<Night> newest(Dataset<Row> rows, int nights) {
    Map<String, Night> byNight = new java.util.LinkedHashMap<>();
    rows.where(col(ForecastMonitor.METRIC).equalTo(ForecastMonitor.VERDICT))
        .orderBy(
            col(ForecastMonitor.HORIZON_START).desc(),
            col(ForecastMonitor.HORIZON_END).desc(),
            col(ForecastMonitor.RUN_ID).desc())
        .limit(nights)
        .collectAsList()
        .forEach(
            row -> {
              Night night =
                  new Night(
                      row.getAs(ForecastMonitor.RUN_ID),
                      row.getAs(ForecastMonitor.SCORED_RUN_ID),
                      row.getAs(ForecastMonitor.HORIZON_START),
                      row.getAs(ForecastMonitor.HORIZON_END),
                      row);
              byNight.putIfAbsent(night.scoredRunId(), night);
            });
    return List.copyOf(byNight.values());
  }

  private static String word(Night night) {
    return Verdict.Standing.of(night.verdict().<Double>getAs(ForecastMonitor.VALUE))
        .orElse(Verdict.Standing.DEGRADED)
        .word();
  }

  private static List<NightReport.Trust> classes(Map<String, Double> values) {
    List<NightReport.Trust> classes = new ArrayList<>();
    List<String> words = new ArrayList<>(List.of(ForecastQuality.ALL));
    for (VolumeClass volume : VolumeClass.values()) {
      words.add(volume.word());
    }
    for (String word : words) {
      double segments = value(values, word, null, ForecastMonitor.SEGMENTS);
      if (segments > 0) {
        classes.add(
            new NightReport.Trust(
                word,
                Math.round(segments),
                value(values, word, null, ForecastMonitor.BRIER_SKILL),
                value(values, word, null, ForecastMonitor.CALIBRATION_ERROR),
                value(values, word, null, ForecastMonitor.CALIBRATION_BY_CHANCE),
                value(values, word, null, ForecastMonitor.COVERAGE),
                value(values, word, null, ForecastMonitor.LOG_LOSS),
                value(values, word, null, ForecastMonitor.LOG_LOSS + ForecastMonitor.PERSISTENCE)));
      }
    }
    return classes;
  }

  private static List<NightReport.Chance> chances(Map<String, Double> values) {
    List<NightReport.Chance> chances = new ArrayList<>();
    for (int bin = 0; bin < MonitorScore.BINS; bin++) {
      double segments = value(values, ForecastQuality.ALL, bin, ForecastMonitor.SEGMENTS);
      if (segments > 0) {
        chances.add(
            new NightReport.Chance(
                (double) bin / MonitorScore.BINS,
                (bin + 1.0) / MonitorScore.BINS,
                Math.round(segments),
                value(values, ForecastQuality.ALL, bin, ForecastMonitor.CHANCE),
                value(values, ForecastQuality.ALL, bin, ForecastMonitor.REQUESTED)));
      }
    }
    return chances;
  }

  private static List<NightReport.Judged> judged(Dataset<Row> rows, List<Night> newestFirst) {
    Map<String, Double> moved = new HashMap<>();
    rows.where(
            col(ForecastMonitor.HORIZON_START)
                .geq(lit(newestFirst.get(newestFirst.size() - 1).start()))
                .and(
                    col(ForecastMonitor.METRIC)
                        .isin(
                            ForecastMonitor.DRIFT,
                            ForecastMonitor.DRIFT_USUAL,
                            ForecastMonitor.GROWTH,
                            ForecastMonitor.UNSEEN_SHARE)))
        .collectAsList() // a few a night
        .forEach(
            row ->
                moved.put(
                    key(
                        row.getAs(ForecastMonitor.SCORED_RUN_ID)
                            + " "
                            + row.getAs(ForecastMonitor.RUN_ID),
                        null,
                        row.getAs(ForecastMonitor.METRIC)),
                    row.getAs(ForecastMonitor.VALUE)));
    List<NightReport.Judged> judged = new ArrayList<>();
    for (Night night : newestFirst) {
      String own = night.scoredRunId() + " " + night.runId();
      judged.add(
          0,
          new NightReport.Judged(
              night.scoredRunId(),
              night.start().toInstant(),
              word(night),
              value(moved, own, null, ForecastMonitor.DRIFT),
              value(moved, own, null, ForecastMonitor.DRIFT_USUAL),
              value(moved, own, null, ForecastMonitor.GROWTH),
              value(moved, own, null, ForecastMonitor.UNSEEN_SHARE)));
    }
    return judged;
  }

  private static String key(String of, Integer bin, String metric) {
    return of + " " + bin + " " + metric;
  }

  private static double value(Map<String, Double> values, String of, Integer bin, String metric) {
    return values.getOrDefault(key(of, bin, metric), Double.NaN);
  }
}
