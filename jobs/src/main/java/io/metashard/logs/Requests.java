package io.metashard.logs;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * One row per request, whatever its method and status.
 *
 * <p>Both range columns null: with status 200 the whole object, with 206 a part whose place is
 * unknown.
 */
public final class Requests {
  public static final String DATE = "date";
  public static final String TS = "ts";
  public static final String OBJECT_ID = "object_id";

  /** First byte, inclusive. */
  public static final String RANGE_START = "range_start";

  /** First byte after the range. */
  public static final String RANGE_END = "range_end";

  public static final String STATUS = "status";
  public static final String BYTES_SENT = "bytes_sent";

  /** {@code GET}, {@code HEAD}, ...; {@link #MAINTENANCE} for requests that do not count. */
  public static final String OPERATION = "operation";

  /** Null unless {@code ingest.keep-client}: personal data. */
  public static final String CLIENT = "client";

  public static final String SOURCE_FILE = "source_file";

  /** Operation of our own and of excluded clients' requests. */
  public static final String MAINTENANCE = "maintenance";

  public static final StructType SCHEMA =
      new StructType()
          .add(DATE, DataTypes.DateType, false)
          .add(TS, DataTypes.TimestampType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(RANGE_START, DataTypes.LongType, true)
          .add(RANGE_END, DataTypes.LongType, true)
          .add(STATUS, DataTypes.IntegerType, false)
          .add(BYTES_SENT, DataTypes.LongType, true)
          .add(OPERATION, DataTypes.StringType, false)
          .add(CLIENT, DataTypes.StringType, true)
          .add(SOURCE_FILE, DataTypes.StringType, false);

  public static final TableDefinition TABLE =
      new TableDefinition("requests", SCHEMA, List.of(DATE));

  private Requests() {}
}
