package io.metashard.forecast;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per run, horizon, model, class of volume and metric: how good its back-test was. */
public final class ForecastQuality {
  public static final String RUN_DATE = "run_date";
  public static final String RUN_ID = "run_id";

  /** Start of the first bucket forecast. */
  public static final String ORIGIN = "origin";

  public static final String HORIZON_SECONDS = "horizon_seconds";
  public static final String MODEL = "model";

  /** {@link #ALL}, or a word of {@link VolumeClass}. */
  public static final String CLASS = "class";

  public static final String METRIC = "metric";
  public static final String VALUE = "value";

  /** Whether the run's forecast was made by this model. */
  public static final String CHOSEN = "chosen";

  public static final String ALL = "all";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_DATE, DataTypes.DateType, false)
          .add(RUN_ID, DataTypes.StringType, false)
          .add(ORIGIN, DataTypes.TimestampType, false)
          .add(HORIZON_SECONDS, DataTypes.LongType, false)
          .add(MODEL, DataTypes.StringType, false)
          .add(CLASS, DataTypes.StringType, false)
          .add(METRIC, DataTypes.StringType, false)
          .add(VALUE, DataTypes.DoubleType, false)
          .add(CHOSEN, DataTypes.BooleanType, false);

  public static final TableDefinition TABLE =
      new TableDefinition("forecast_quality", SCHEMA, List.of(RUN_DATE));

  private ForecastQuality() {}
}
