package io.metashard.aggregate;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per object, segment and time bucket in which the segment was read at least once. */
public final class Demand {
  /** UTC day of the bucket. */
  public static final String DATE = "date";

  public static final String OBJECT_ID = "object_id";
  public static final String SEGMENT = "segment";

  /** Segment length that {@link #SEGMENT} counts in. */
  public static final String SEGMENT_BYTES = "segment_bytes";

  public static final String BUCKET_START = "bucket_start";
  public static final String REQUESTS = "requests";

  /** The requests among them that read the whole object. */
  public static final String WHOLE_REQUESTS = "whole_requests";

  public static final String BYTES = "bytes";

  public static final StructType SCHEMA =
      new StructType()
          .add(DATE, DataTypes.DateType, false)
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(SEGMENT, DataTypes.IntegerType, false)
          .add(SEGMENT_BYTES, DataTypes.LongType, false)
          .add(BUCKET_START, DataTypes.TimestampType, false)
          .add(REQUESTS, DataTypes.DoubleType, false)
          .add(WHOLE_REQUESTS, DataTypes.DoubleType, false)
          .add(BYTES, DataTypes.LongType, false);

  public static final TableDefinition TABLE = new TableDefinition("demand", SCHEMA, List.of(DATE));

  private Demand() {}
}
