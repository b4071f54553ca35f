package io.metashard.catalogue;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per object that a source root was found to hold: staged, never a table of the lake. */
public final class Listing {
  public static final String OBJECT_ID = Objects.OBJECT_ID;
  public static final String URI = Objects.URI;
  public static final String ROOT = Objects.ROOT;
  public static final String OBJECT_BYTES = Objects.OBJECT_BYTES;
  public static final String OBJECT_VERSION = Objects.OBJECT_VERSION;

  /** Modification time, milliseconds since 1970 UTC. */
  public static final String MODIFIED_MILLIS = "modified_millis";

  /** Too young to be taken: what the catalogue holds of it stays. */
  public static final String WAITING = "waiting";

  public static final StructType SCHEMA =
      new StructType()
          .add(OBJECT_ID, DataTypes.StringType, false)
          .add(URI, DataTypes.StringType, false)
          .add(ROOT, DataTypes.StringType, false)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(OBJECT_VERSION, DataTypes.StringType, false)
          .add(MODIFIED_MILLIS, DataTypes.LongType, false)
          .add(WAITING, DataTypes.BooleanType, false);

  private Listing() {}
}
