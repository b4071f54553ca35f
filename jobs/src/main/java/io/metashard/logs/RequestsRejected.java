package io.metashard.logs;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per log line that could not be used. */
public final class RequestsRejected {
  /** Day of the moment of planning it was read for: its own time may be what is wrong. */
  public static final String DATE = "date";

  /** One of {@link Reasons}, or an object id's problem. */
  public static final String REASON = "reason";

  public static final String SOURCE_FILE = "source_file";

  /** Line or row in the file, from 1. */
  public static final String LINE = "line";

  /** The first 200 characters, with control characters escaped. */
  public static final String TEXT = "text";

  /** Transaction of {@link IngestedFiles} that took the file. */
  public static final String TRANSACTION = "transaction";

  public static final StructType SCHEMA =
      new StructType()
          .add(DATE, DataTypes.DateType, false)
          .add(REASON, DataTypes.StringType, false)
          .add(SOURCE_FILE, DataTypes.StringType, false)
          .add(LINE, DataTypes.LongType, false)
          .add(TEXT, DataTypes.StringType, false)
          .add(TRANSACTION, DataTypes.LongType, false);

  public static final TableDefinition TABLE =
      new TableDefinition("requests_rejected", SCHEMA, List.of(DATE));

  private RequestsRejected() {}
}
