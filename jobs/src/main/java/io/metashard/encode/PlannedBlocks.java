package io.metashard.encode;

import io.metashard.plan.PlannedBlock;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per block to be written: {@link PlannedBlock} as a table. */
public final class PlannedBlocks {
  public static final String BUCKET = "bucket";
  public static final String META_SHARD_ID = "meta_shard_id";
  public static final String CODEC = "codec";
  public static final String K = "k";
  public static final String M = "m";
  public static final String BLOCK_INDEX = "block_index";
  public static final String OBJECT_ID = "object_id";
  public static final String OBJECT_VERSION = "object_version";
  public static final String URI = "uri";
  public static final String OBJECT_BYTES = "object_bytes";
  public static final String SEGMENT = "segment";
  public static final String OBJECT_OFFSET = "object_offset";
  public static final String LENGTH = "length";
  public static final String BLOCK_BYTES = "block_bytes";
  public static final String LOCATION = "location";

  /** {@link PlannedBlock#group}; not {@code group}, which SQL keeps for itself. */
  public static final String GROUP = "object_group";

  public static final String FORM = "form";
  public static final String EXPECTED_REQUESTS = "expected_requests";
  public static final String HEAT_CLASS = "heat_class";

  public static final StructType SCHEMA =
      new StructType()
          .add(BUCKET, DataTypes.IntegerType, false)
          .add(META_SHARD_ID, DataTypes.StringType, false)
          .add(CODEC, DataTypes.StringType, false)
          .add(K, DataTypes.IntegerType, false)
          .add(M, DataTypes.IntegerType, false)
          .add(BLOCK_INDEX, DataTypes.IntegerType, false)
          .add(OBJECT_ID, DataTypes.StringType, true)
          .add(OBJECT_VERSION, DataTypes.StringType, true)
          .add(URI, DataTypes.StringType, true)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(SEGMENT, DataTypes.IntegerType, false)
          .add(OBJECT_OFFSET, DataTypes.LongType, false)
          .add(LENGTH, DataTypes.LongType, false)
          .add(BLOCK_BYTES, DataTypes.LongType, false)
          .add(LOCATION, DataTypes.StringType, false)
          .add(GROUP, DataTypes.StringType, false)
          .add(FORM, DataTypes.StringType, false)
          .add(EXPECTED_REQUESTS, DataTypes.DoubleType, false)
          .add(HEAT_CLASS, DataTypes.IntegerType, false);

  private PlannedBlocks() {}

  /** The block of a row that has the columns of {@link #SCHEMA}. */
  public static PlannedBlock plannedBlock(Row row) {
    return new PlannedBlock(
        row.<Integer>getAs(BUCKET),
        row.getAs(META_SHARD_ID),
        row.getAs(CODEC),
        row.<Integer>getAs(K),
        row.<Integer>getAs(M),
        row.<Integer>getAs(BLOCK_INDEX),
        row.getAs(OBJECT_ID),
        row.getAs(OBJECT_VERSION),
        row.getAs(URI),
        row.<Long>getAs(OBJECT_BYTES),
        row.<Integer>getAs(SEGMENT),
        row.<Long>getAs(OBJECT_OFFSET),
        row.<Long>getAs(LENGTH),
        row.<Long>getAs(BLOCK_BYTES),
        row.getAs(LOCATION),
        row.getAs(GROUP),
        row.getAs(FORM),
        row.<Double>getAs(EXPECTED_REQUESTS),
        row.<Integer>getAs(HEAT_CLASS));
  }
}
