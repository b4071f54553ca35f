package io.metashard.forecast;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per run, horizon and segment of every present object: its requests over the horizon. */
public final class Forecasts {
  public static final String RUN_DATE = "run_date";
  public static final String RUN_ID = "run_id";
  public static final String OBJECT_ID = "object_id";
  public static final String SEGMENT = "segment";
  public static final String SEGMENT_BYTES = "segment_bytes";
  public static final String HORIZON_START = "horizon_start";
  public static final String HORIZON_END = "horizon_end";
  public static final String EXPECTED_REQUESTS = "expected_requests";
  public static final String LOW_80 = "low_80";
  public static final String HIGH_80 = "high_80";

  /** Chance of at least one request within the horizon. */
  public static final String P_REQUESTED = "p_requested";

  /** Of the object's requests; sums to 1 over an object's segments, never 0. */
  public static final String SHARE = "share";

  public static final String MODEL = "model";

  /** Share of the segment's requests that read the whole object, 0 to 1; what striping looks at. */
  public static final String WHOLE_SHARE = "whole_share";

  /**
   * Whether the horizon is {@code forecast.horizon}, which is planned by, and not one of {@code
   * forecast.more-horizons}; null, in rows of versions that knew no others, is yes.
   */
  public static final String MAIN_HORIZON = "main_horizon";

  /**
   * {@link #EXPECTED_REQUESTS} by hour of the horizon, or by bucket where these are longer; null
   * unless {@code forecast.profile} is on.
   */
  public static final String PROFILE = "profile";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_DATE, DataTypes.DateType, false)
          .add(RUN_ID, DataTypes.StringType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(SEGMENT, DataTypes.IntegerType, false)
          .add(SEGMENT_BYTES, DataTypes.LongType, false)
          .add(HORIZON_START, DataTypes.TimestampType, false)
          .add(HORIZON_END, DataTypes.TimestampType, false)
          .add(EXPECTED_REQUESTS, DataTypes.DoubleType, false)
          .add(LOW_80, DataTypes.DoubleType, false)
          .add(HIGH_80, DataTypes.DoubleType, false)
          .add(P_REQUESTED, DataTypes.DoubleType, false)
          .add(SHARE, DataTypes.DoubleType, false)
          .add(MODEL, DataTypes.StringType, false)
          .add(WHOLE_SHARE, DataTypes.DoubleType, false)
          .add(MAIN_HORIZON, DataTypes.BooleanType, true)
          .add(PROFILE, new ArrayType(DataTypes.DoubleType, false), true);

  public static final TableDefinition TABLE =
      new TableDefinition("forecast", SCHEMA, List.of(RUN_DATE));

  /** Holds for the rows that plans, scores and reports look at. */
  public static Column ofMainHorizon() {
    return coalesce(col(MAIN_HORIZON), lit(true));
  }

  private Forecasts() {}
}
