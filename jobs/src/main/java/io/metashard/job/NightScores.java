package io.metashard.job;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per night scored, layout, model of a location and metric: how good that night was. */
public final class NightScores {
  /** The run that scored. */
  public static final String RUN_ID = "run_id";

  /** The run whose forecast and layout are scored. */
  public static final String SCORED_RUN_ID = "scored_run_id";

  /** {@link #REAL} or {@link #SHADOW}. */
  public static final String MODE = "mode";

  public static final String HORIZON_START = "horizon_start";
  public static final String HORIZON_END = "horizon_end";

  /** {@link #FORECAST}, {@link #PLANNED} or {@link #SOURCE}. */
  public static final String LAYOUT = "layout";

  /** {@link #DISK} or {@link #OBJECT_STORE}; null where none applies. */
  public static final String LOCATION_MODEL = "location_model";

  public static final String METRIC = "metric";
  public static final String VALUE = "value";
  public static final String UNIT = "unit";

  /** Mode of a night that moves bytes. */
  public static final String REAL = "real";

  /** Mode of a night that only says what it would move. */
  public static final String SHADOW = "shadow";

  /** Stands for the forecast: no layout. */
  public static final String FORECAST = "forecast";

  /** The layout that the map says. */
  public static final String PLANNED = "planned";

  /** The objects as they are. */
  public static final String SOURCE = "source";

  public static final String DISK = "disk";
  public static final String OBJECT_STORE = "object-store";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(SCORED_RUN_ID, DataTypes.StringType, false)
          .add(MODE, DataTypes.StringType, false)
          .add(HORIZON_START, DataTypes.TimestampType, false)
          .add(HORIZON_END, DataTypes.TimestampType, false)
          .add(LAYOUT, DataTypes.StringType, false)
          .add(LOCATION_MODEL, DataTypes.StringType, true)
          .add(METRIC, DataTypes.StringType, false)
          .add(VALUE, DataTypes.DoubleType, false)
          .add(UNIT, DataTypes.StringType, false);

  public static final TableDefinition TABLE =
      new TableDefinition("night_scores", SCHEMA, List.of());

  // Metrics of layout forecast; the errors stand beside those of yesterday's counts.
  public static final String REQUESTS_ACTUAL = "requests_actual";
  public static final String REQUESTS_FORECAST = "requests_forecast";
  public static final String REQUESTS_UNFORECAST = "requests_unforecast";
  public static final String POISSON_DEVIANCE = "poisson_deviance";
  public static final String WAPE = "wape";
  public static final String HOT_SHARE_FOUND_1 = "hot_share_found_top_1_percent";
  public static final String HOT_SHARE_FOUND_10 = "hot_share_found_top_10_percent";

  /** Added to the name of a metric: the same of yesterday's counts taken for a forecast. */
  public static final String PERSISTENCE = "_persistence";

  // Metrics of layouts.
  public static final String MOVED_BYTES = "moved_bytes";
  public static final String STORED_BYTES = "stored_bytes";
  public static final String LOGICAL_BYTES = "logical_bytes";
  public static final String STORAGE_RATIO = "storage_ratio";
  public static final String OBJECTS_MOVED = "objects_moved";
  public static final String OBJECTS_ENCODED = "objects_encoded";
  public static final String LOAD_IMBALANCE = "load_imbalance";
  public static final String READ_MEAN_MILLIS = "read_mean_millis";
  public static final String READ_P99_MILLIS = "read_p99_millis";
  public static final String COST_STORAGE_PER_MONTH = "cost_storage_per_month";
  public static final String COST_REQUESTS = "cost_requests";

  private NightScores() {}
}
