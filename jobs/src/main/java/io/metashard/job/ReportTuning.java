package io.metashard.job;

import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.ForecastParameters;
import io.metashard.forecast.Tunable;
import io.metashard.forecast.TunerOptions;
import io.metashard.forecast.Tuning;
import io.metashard.forecast.TuningLog;
import io.metashard.report.NightReport;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** What {@code tuning} and the configuration say of a night's forecast, for the page. */
final class ReportTuning {
  private static final int MOST_TRIED = 20;

  private ReportTuning() {}

  /**
   * @param plannedAt the night's moment of planning
   */
  static NightReport.Tuning of(JobContext context, Instant plannedAt) {
    TuningTable table = new TuningTable(context);
    ForecastOptions configured = ForecastOptions.from(context.settings());
    TuningLog log = table.log();
    ForecastParameters inForce = log.inForce(configured, plannedAt).parameters();
    List<NightReport.Setting> settings = new ArrayList<>();
    for (Tunable tunable : Tunable.values()) {
      boolean fixed = inForce.fixed().contains(tunable);
      Optional<TuningLog.Entry> change = fixed ? Optional.empty() : log.change(tunable, plannedAt);
      settings.add(
          new NightReport.Setting(
              tunable.word(),
              tunable.text(inForce.value(tunable)),
              fixed ? "conf" : change.isPresent() ? "tuned" : "default",
              change.map(TuningLog.Entry::plannedAt).orElse(null)));
    }
    return new NightReport.Tuning(
        TunerOptions.from(context.settings()).mode().word(),
        settings,
        table.newest(MOST_TRIED, plannedAt).stream().map(ReportTuning::tried).toList());
  }

  private static NightReport.Tried tried(Row row) {
    return new NightReport.Tried(
        row.<Timestamp>getAs(Tuning.PLANNED_AT).toInstant(),
        row.getAs(Tuning.RUN_ID),
        row.getAs(Tuning.PARAMETER),
        TuningTable.text(row, Tuning.FROM_VALUE),
        TuningTable.text(row, Tuning.TO_VALUE),
        number(row, Tuning.DEVIANCE_BEFORE),
        number(row, Tuning.DEVIANCE_AFTER),
        number(row, Tuning.GAIN),
        row.<Integer>getAs(Tuning.WINS),
        row.<Integer>getAs(Tuning.ORIGINS),
        row.getAs(Tuning.ACTION),
        row.getAs(Tuning.REASON));
  }

  private static double number(Row row, String column) {
    Double value = row.getAs(column);
    return value == null ? Double.NaN : value;
  }
}
