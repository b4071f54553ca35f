package io.metashard.aggregate;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * One row per day that is in {@code demand}, with what became of its requests.
 *
 * <p>{@link #REQUESTS} = {@link #READS} + {@link #PAST_END} + {@link #UNKNOWN_OBJECT} + {@link
 * #NOT_READS}.
 */
public final class DemandDays {
  public static final String DATE = "date";

  /** Rows of {@code requests} before {@link #COVERED_UNTIL}. */
  public static final String REQUESTS = "requests";

  /** The settings that the day was aggregated by. */
  public static final String FINGERPRINT = "fingerprint";

  /** The day's end, or an earlier moment of planning. */
  public static final String COVERED_UNTIL = "covered_until";

  /** Reads that are in the day's demand. */
  public static final String READS = "reads";

  /** Of {@link #READS}: those of a whole object. */
  public static final String WHOLE_READS = "whole_reads";

  /** Of {@link #READS}: those of a part whose place the log does not tell. */
  public static final String RANGE_UNKNOWN = "range_unknown";

  /** Reads whose range touches no byte of the object. */
  public static final String PAST_END = "past_end";

  /** Reads of ids that were not in the catalogue. */
  public static final String UNKNOWN_OBJECT = "unknown_object";

  /** Other methods, other answers, and maintenance. */
  public static final String NOT_READS = "not_reads";

  public static final String DEMAND_ROWS = "demand_rows";

  public static final StructType SCHEMA =
      new StructType()
          .add(DATE, DataTypes.DateType, false)
          .add(REQUESTS, DataTypes.LongType, false)
          .add(FINGERPRINT, DataTypes.StringType, false)
          .add(COVERED_UNTIL, DataTypes.TimestampType, false)
          .add(READS, DataTypes.LongType, false)
          .add(WHOLE_READS, DataTypes.LongType, false)
          .add(RANGE_UNKNOWN, DataTypes.LongType, false)
          .add(PAST_END, DataTypes.LongType, false)
          .add(UNKNOWN_OBJECT, DataTypes.LongType, false)
          .add(NOT_READS, DataTypes.LongType, false)
          .add(DEMAND_ROWS, DataTypes.LongType, false);

  public static final TableDefinition TABLE = new TableDefinition("demand_days", SCHEMA, List.of());

  private DemandDays() {}
}
