package io.metashard.forecast;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * One row per night scored, class of volume, bin of chances and metric: whether the forecast can be
 * relied on.
 */
public final class ForecastMonitor {
  /** The run that scored. */
  public static final String RUN_ID = "run_id";

  /** The run whose forecast is scored. */
  public static final String SCORED_RUN_ID = "scored_run_id";

  /** {@code real} or {@code shadow}. */
  public static final String MODE = "mode";

  public static final String HORIZON_START = "horizon_start";
  public static final String HORIZON_END = "horizon_end";

  /** {@link ForecastQuality#ALL}, or a word of {@link VolumeClass} by the scored forecast. */
  public static final String CLASS = "class";

  /** Tenth of the chance of a request, 0 to 9; null of all of them. */
  public static final String BIN = "bin";

  public static final String METRIC = "metric";
  public static final String VALUE = "value";
  public static final String UNIT = "unit";

  /** In words; only of {@link #VERDICT}. */
  public static final String REASON = "reason";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(SCORED_RUN_ID, DataTypes.StringType, false)
          .add(MODE, DataTypes.StringType, false)
          .add(HORIZON_START, DataTypes.TimestampType, false)
          .add(HORIZON_END, DataTypes.TimestampType, false)
          .add(CLASS, DataTypes.StringType, false)
          .add(BIN, DataTypes.IntegerType, true)
          .add(METRIC, DataTypes.StringType, false)
          .add(VALUE, DataTypes.DoubleType, false)
          .add(UNIT, DataTypes.StringType, false)
          .add(REASON, DataTypes.StringType, true);

  public static final TableDefinition TABLE =
      new TableDefinition("forecast_monitor", SCHEMA, List.of());

  // Of all segments and of each class.
  public static final String SEGMENTS = "segments";
  public static final String REQUESTS_ACTUAL = "requests_actual";
  public static final String REQUESTS_FORECAST = "requests_forecast";
  public static final String POISSON_DEVIANCE = "poisson_deviance";
  public static final String WAPE = "wape";
  public static final String LOG_LOSS = "share_log_loss";
  public static final String BRIER = "brier_score";
  public static final String BRIER_BASE_RATE = "brier_score_base_rate";
  public static final String BRIER_SKILL = "brier_skill";
  public static final String CALIBRATION_ERROR = "calibration_error";
  public static final String CALIBRATION_BY_CHANCE = "calibration_error_by_chance";
  public static final String COVERAGE = "coverage_80";

  /** Added to the name of a metric: the same of the counts of the span before. */
  public static final String PERSISTENCE = "_persistence";

  // Of bins; SEGMENTS, too.
  public static final String CHANCE = "p_requested_mean";
  public static final String REQUESTED = "requested_share";

  // Of all segments alone.
  public static final String DRIFT = "drift_distance";
  public static final String DRIFT_USUAL = "drift_distance_usual";
  public static final String DRIFT_RATIO = "drift_ratio";
  public static final String GROWTH = "requests_to_usual";
  public static final String UNSEEN_SHARE = "requests_unseen_share";

  /** {@link Verdict.Standing#code}. */
  public static final String VERDICT = "verdict";

  private ForecastMonitor() {}
}
