package io.metashard.logs;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What {@link ReadLogFiles} gives: one row per line, a request where {@link #REASON} is null; and
 * after a file's last line one row with only {@link #LINES}, the file's own count.
 */
public final class ParsedRows {
  public static final String SOURCE_FILE = "source_file";
  public static final String LINE = "line";
  public static final String LINES = "lines";
  public static final String REASON = "reason";
  public static final String TEXT = "text";
  public static final String TS_MICROS = "ts_micros";

  public static final StructType SCHEMA =
      new StructType()
          .add(SOURCE_FILE, DataTypes.StringType, false)
          .add(LINE, DataTypes.LongType, true)
          .add(LINES, DataTypes.LongType, true)
          .add(REASON, DataTypes.StringType, true)
          .add(TEXT, DataTypes.StringType, true)
          .add(TS_MICROS, DataTypes.LongType, true)
          .add(Requests.OBJECT_ID, DataTypes.StringType, true)
          .add(Requests.RANGE_START, DataTypes.LongType, true)
          .add(Requests.RANGE_END, DataTypes.LongType, true)
          .add(Requests.STATUS, DataTypes.IntegerType, true)
          .add(Requests.BYTES_SENT, DataTypes.LongType, true)
          .add(Requests.OPERATION, DataTypes.StringType, true)
          .add(Requests.CLIENT, DataTypes.StringType, true);

  private ParsedRows() {}
}
