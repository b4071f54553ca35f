package io.metashard.forecast;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per value that the tuner tried, and per change that was made or taken back. */
public final class Tuning {
  public static final String RUN_DATE = "run_date";
  public static final String RUN_ID = "run_id";

  /** The run's moment of planning: a change counts for runs planned then or later. */
  public static final String PLANNED_AT = "planned_at";

  /** A word of {@link Tunable}. */
  public static final String PARAMETER = "parameter";

  public static final String UNIT = "unit";
  public static final String FROM_VALUE = "from_value";
  public static final String TO_VALUE = "to_value";

  /** Mean over origins of the mean Poisson deviance over segments; null when not measured. */
  public static final String DEVIANCE_BEFORE = "deviance_before";

  public static final String DEVIANCE_AFTER = "deviance_after";

  /** 1 - after / before; null when not measured. */
  public static final String GAIN = "gain";

  /** Origins that both values were judged from. */
  public static final String ORIGINS = "origins";

  /** Of them, those from which the new value was better. */
  public static final String WINS = "wins";

  /** A word of {@link TuningLog.Action}. */
  public static final String ACTION = "action";

  public static final String REASON = "reason";

  /** Of {@code undone} only: the run whose change is taken back. */
  public static final String UNDONE_RUN_ID = "undone_run_id";

  /** When the row was written. */
  public static final String AT = "at";

  public static final StructType SCHEMA =
      new StructType()
          .add(RUN_DATE, DataTypes.DateType, false)
          .add(RUN_ID, DataTypes.StringType, false)
          .add(PLANNED_AT, DataTypes.TimestampType, false)
          .add(PARAMETER, DataTypes.StringType, false)
          .add(UNIT, DataTypes.StringType, false)
          .add(FROM_VALUE, DataTypes.DoubleType, false)
          .add(TO_VALUE, DataTypes.DoubleType, false)
          .add(DEVIANCE_BEFORE, DataTypes.DoubleType, true)
          .add(DEVIANCE_AFTER, DataTypes.DoubleType, true)
          .add(GAIN, DataTypes.DoubleType, true)
          .add(ORIGINS, DataTypes.IntegerType, false)
          .add(WINS, DataTypes.IntegerType, false)
          .add(ACTION, DataTypes.StringType, false)
          .add(REASON, DataTypes.StringType, false)
          .add(UNDONE_RUN_ID, DataTypes.StringType, true)
          .add(AT, DataTypes.TimestampType, false);

  public static final TableDefinition TABLE = new TableDefinition("tuning", SCHEMA, List.of());

  private Tuning() {}
}
