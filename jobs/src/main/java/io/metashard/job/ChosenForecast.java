package io.metashard.job;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.unix_timestamp;

import io.metashard.forecast.Forecasts;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The forecast that a run plans with: its own, else that of the run whose horizon begins nearest
 * the moment of planning.
 *
 * @param runId of the run that forecast; empty if none did
 * @param horizonStart what is forecast begins here; the moment of planning if nothing is
 * @param horizonEnd and ends here
 * @param rows of the main horizon, as {@link Forecasts#SCHEMA}
 */
record ChosenForecast(String runId, Instant horizonStart, Instant horizonEnd, Dataset<Row> rows) {

  /**
   * @param objects that are planned; without any, no forecast is needed
   * @throws MetashardException if there is none
   */
  static ChosenForecast of(JobContext context, Dataset<Row> objects) {
    Dataset<Row> all = context.lake().read(Forecasts.TABLE).where(Forecasts.ofMainHorizon());
    Timestamp at = Timestamp.from(context.at());
    Column distance =
        abs(unix_timestamp(col(Forecasts.HORIZON_START)).minus(unix_timestamp(lit(at))));
    List<Row> runs =
        all.select(
                col(Forecasts.RUN_ID),
                col(Forecasts.RUN_DATE),
                col(Forecasts.HORIZON_START),
                col(Forecasts.HORIZON_END))
            .distinct()
            .orderBy(
                col(Forecasts.RUN_ID).notEqual(context.runId()),
                distance,
                col(Forecasts.HORIZON_START).desc(),
                col(Forecasts.RUN_ID))
            .limit(1)
            .collectAsList();
    if (runs.isEmpty()) {
      if (objects.isEmpty()) {
        return new ChosenForecast("", context.at(), context.at(), all);
      }
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot plan: table %s has no rows; run forecast first"
              .formatted(context.lake().path(Forecasts.TABLE)));
    }
    Row run = runs.get(0);
    String runId = run.getAs(Forecasts.RUN_ID);
    Timestamp start = run.getAs(Forecasts.HORIZON_START);
    return new ChosenForecast(
        runId,
        start.toInstant(),
        run.<Timestamp>getAs(Forecasts.HORIZON_END).toInstant(),
        all.where(
            col(Forecasts.RUN_DATE)
                .equalTo(lit(run.<Date>getAs(Forecasts.RUN_DATE)))
                .and(col(Forecasts.RUN_ID).equalTo(runId))
                .and(col(Forecasts.HORIZON_START).equalTo(lit(start)))));
  }
}
