package io.metashard.catalogue;

import io.metashard.lake.TableDefinition;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per object that a source root holds or held: what its source was like last. */
public final class Objects {
  public static final String OBJECT_ID = "object_id";
  public static final String URI = "uri";

  /** Name of the root. */
  public static final String ROOT = "root";

  public static final String OBJECT_BYTES = "object_bytes";

  /** ETag, or size and modification time in milliseconds. */
  public static final String OBJECT_VERSION = "object_version";

  public static final String MODIFIED_AT = "modified_at";
  public static final String FIRST_SEEN = "first_seen";
  public static final String SEGMENTS = "segments";
  public static final String SEGMENT_BYTES = "segment_bytes";

  /** {@link #PRESENT}, {@link #MISSING} or {@link #RELEASED}. */
  public static final String SOURCE_STATE = "source_state";

  public static final String MISSING_SINCE = "missing_since";

  /** {@link #PENDING} (no live rows in the map), {@link #ENCODED} or {@link #STALE}. */
  public static final String STATE = "state";

  public static final String PRESENT = "present";
  public static final String MISSING = "missing";
  public static final String RELEASED = "released";
  public static final String PENDING = "pending";
  public static final String ENCODED = "encoded";
  public static final String STALE = "stale";

  public static final StructType SCHEMA =
      new StructType()
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(URI, DataTypes.StringType, false)
          .add(ROOT, DataTypes.StringType, false)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(OBJECT_VERSION, DataTypes.StringType, false)
          .add(MODIFIED_AT, DataTypes.TimestampType, false)
          .add(FIRST_SEEN, DataTypes.TimestampType, false)
          .add(SEGMENTS, DataTypes.IntegerType, false)
          .add(SEGMENT_BYTES, DataTypes.LongType, false)
          .add(SOURCE_STATE, DataTypes.StringType, false)
          .add(MISSING_SINCE, DataTypes.TimestampType, true)
          .add(STATE, DataTypes.StringType, false);

  public static final TableDefinition TABLE = new TableDefinition("objects", SCHEMA, List.of());

  private Objects() {}
}
