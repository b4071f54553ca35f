package io.metashard.job;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per simulated night, model of a location and layout: how long reading would take. */
public final class Simulations {
  public static final String RUN_ID = "run_id";
  public static final String FORECAST_RUN_ID = "forecast_run_id";
  public static final String HORIZON_START = "horizon_start";
  public static final String HORIZON_END = "horizon_end";
  public static final String BYTES_FACTOR = "bytes_factor";
  public static final String RATE_FACTOR = "rate_factor";
  public static final String LOCATIONS = "locations";
  public static final String LOCATION_MODEL = "location_model";
  public static final String LAYOUT = "layout";
  public static final String READS = "reads";
  public static final String MEAN_MILLIS = "mean_millis";
  public static final String P50_MILLIS = "p50_millis";
  public static final String P95_MILLIS = "p95_millis";
  public static final String P99_MILLIS = "p99_millis";
  public static final String IMBALANCE = "imbalance";
  public static final String BUSY_SHARE = "busy_share";
  public static final String STORAGE_RATIO = "storage_ratio";
  public static final String MOVED_BYTES = "moved_bytes";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_ID, DataTypes.StringType, false)
          .add(FORECAST_RUN_ID, DataTypes.StringType, false)
          .add(HORIZON_START, DataTypes.TimestampType, false)
          .add(HORIZON_END, DataTypes.TimestampType, false)
          .add(BYTES_FACTOR, DataTypes.LongType, false)
          .add(RATE_FACTOR, DataTypes.DoubleType, false)
          .add(LOCATIONS, DataTypes.IntegerType, false)
          .add(LOCATION_MODEL, DataTypes.StringType, false)
          .add(LAYOUT, DataTypes.StringType, false)
          .add(READS, DataTypes.LongType, false)
          .add(MEAN_MILLIS, DataTypes.DoubleType, false)
          .add(P50_MILLIS, DataTypes.DoubleType, false)
          .add(P95_MILLIS, DataTypes.DoubleType, false)
          .add(P99_MILLIS, DataTypes.DoubleType, false)
          .add(IMBALANCE, DataTypes.DoubleType, false)
          .add(BUSY_SHARE, DataTypes.DoubleType, false)
          .add(STORAGE_RATIO, DataTypes.DoubleType, false)
          .add(MOVED_BYTES, DataTypes.LongType, false);

  public static final TableDefinition TABLE = new TableDefinition("simulations", SCHEMA, List.of());

  private Simulations() {}
}
