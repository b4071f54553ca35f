package io.metashard.logs;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * One row per log file taken. It is a promise until {@code requests} holds its transaction; see
 * {@code job.IngestJob}.
 */
public final class IngestedFiles {
  public static final String PATH = "path";
  public static final String BYTES = "bytes";
  public static final String MODIFIED_AT = "modified_at";

  /** Lines, records or rows; a CSV header is none. */
  public static final String LINES = "lines";

  public static final String REQUESTS = "requests";
  public static final String REJECTED = "rejected";

  /** Version of the transaction {@code metashard-ingest} of {@code requests} that has its rows. */
  public static final String TRANSACTION = "transaction";

  public static final String RUN_ID = "run_id";

  /** Tells two attempts of one run apart. */
  public static final String ATTEMPT = "attempt";

  /** Requests stamped later were refused: who finishes the transaction refuses the same. */
  public static final String NOT_AFTER = "not_after";

  public static final StructType SCHEMA =
      new StructType()
          .add(PATH, DataTypes.StringType, false)
          .add(BYTES, DataTypes.LongType, false)
          .add(MODIFIED_AT, DataTypes.TimestampType, false)
          .add(LINES, DataTypes.LongType, false)
          .add(REQUESTS, DataTypes.LongType, false)
          .add(REJECTED, DataTypes.LongType, false)
          .add(TRANSACTION, DataTypes.LongType, false)
          .add(RUN_ID, DataTypes.StringType, false)
          .add(ATTEMPT, DataTypes.StringType, false)
          .add(NOT_AFTER, DataTypes.TimestampType, false);

  public static final TableDefinition TABLE =
      new TableDefinition("ingested_files", SCHEMA, List.of());

  private IngestedFiles() {}
}
