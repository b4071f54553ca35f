package io.metashard.logs;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per log file that was found. Not a table of the lake. */
public final class LogFiles {
  public static final String PATH = "path";
  public static final String BYTES = "bytes";
  public static final String MODIFIED_AT = "modified_at";

  /** Which item of {@code logs} it belongs to, from 0. */
  public static final String SOURCE = "source";

  public static final StructType SCHEMA =
      new StructType()
          .add(PATH, DataTypes.StringType, false)
          .add(BYTES, DataTypes.LongType, false)
          .add(MODIFIED_AT, DataTypes.TimestampType, false)
          .add(SOURCE, DataTypes.IntegerType, false);

  private LogFiles() {}
}
