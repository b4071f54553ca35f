package io.metashard.shardmap;

import static org.apache.spark.sql.functions.ceil;
import static org.apache.spark.sql.functions.col;

import io.metashard.Block;
import io.metashard.lake.TableDefinition;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per block: what it holds, how it is coded, where it is. See {@link Block}. */
public final class ShardMapTable {
  public static final String FORMAT = "format";
  public static final String BUCKET = "bucket";
  public static final String BUCKETS = "buckets";
  public static final String OBJECT_ID = "object_id";
  public static final String OBJECT_VERSION = "object_version";
  public static final String OBJECT_BYTES = "object_bytes";
  public static final String LIVE = "live";
  public static final String SEGMENT = "segment";
  public static final String OBJECT_OFFSET = "object_offset";
  public static final String LENGTH = "length";
  public static final String META_SHARD_ID = "meta_shard_id";
  public static final String K = "k";
  public static final String M = "m";
  public static final String CODEC = "codec";
  public static final String BLOCK_INDEX = "block_index";
  public static final String BLOCK_BYTES = "block_bytes";
  public static final String LOCATION = "location";
  public static final String PATH = "path";
  public static final String CONTAINER_OFFSET = "container_offset";
  public static final String FRAME_BYTES = "frame_bytes";
  public static final String CRC32C = "crc32c";
  public static final String SHA256 = "sha256";
  public static final String ENCRYPTION = "encryption";
  public static final String GENERATION = "generation";
  public static final String WRITTEN_AT = "written_at";
  public static final String EXPECTED_REQUESTS = "expected_requests";
  public static final String HEAT_CLASS = "heat_class";
  public static final String DEAD_SINCE = "dead_since";

  public static final StructType SCHEMA =
      new StructType()
          .add(FORMAT, DataTypes.IntegerType, false)
          .add(BUCKET, DataTypes.IntegerType, false)
          .add(BUCKETS, DataTypes.IntegerType, false)
          .add(OBJECT_ID, DataTypes.StringType, true)
          .add(OBJECT_VERSION, DataTypes.StringType, true)
          .add(OBJECT_BYTES, DataTypes.LongType, false)
          .add(LIVE, DataTypes.BooleanType, false)
          .add(SEGMENT, DataTypes.IntegerType, false)
          .add(OBJECT_OFFSET, DataTypes.LongType, false)
          .add(LENGTH, DataTypes.LongType, false)
          .add(META_SHARD_ID, DataTypes.StringType, false)
          .add(K, DataTypes.IntegerType, false)
          .add(M, DataTypes.IntegerType, false)
          .add(CODEC, DataTypes.StringType, false)
          .add(BLOCK_INDEX, DataTypes.IntegerType, false)
          .add(BLOCK_BYTES, DataTypes.LongType, false)
          .add(LOCATION, DataTypes.StringType, false)
          .add(PATH, DataTypes.StringType, false)
          .add(CONTAINER_OFFSET, DataTypes.LongType, false)
          .add(FRAME_BYTES, DataTypes.IntegerType, false)
          .add(CRC32C, DataTypes.LongType, false)
          .add(SHA256, DataTypes.BinaryType, true)
          .add(ENCRYPTION, DataTypes.StringType, false)
          .add(GENERATION, DataTypes.StringType, false)
          .add(WRITTEN_AT, DataTypes.TimestampType, false)
          .add(EXPECTED_REQUESTS, DataTypes.DoubleType, false)
          .add(HEAT_CLASS, DataTypes.IntegerType, false)
          // Later than the others: null in older rows.
          .add(DEAD_SINCE, DataTypes.TimestampType, true);

  public static final TableDefinition TABLE =
      new TableDefinition("shard_map", SCHEMA, List.of(BUCKET));

  /**
   * The map as it would be if shadow nights had moved bytes. No byte was read or written: {@link
   * #PATH} is empty, {@link #CONTAINER_OFFSET} and {@link #CRC32C} are 0, {@link #SHA256} is null.
   */
  public static final TableDefinition SHADOW =
      new TableDefinition("shadow_map", SCHEMA, List.of(BUCKET));

  private ShardMapTable() {}

  /** Bytes that a block takes in its container: {@link Block#physicalBytes}. */
  public static Column physicalBytes() {
    return col(LENGTH)
        .plus(ceil(col(LENGTH).divide(col(FRAME_BYTES))).multiply(Block.FRAME_HEADER_BYTES));
  }

  /** Encoder of rows of {@link #SCHEMA}. */
  public static Encoder<Row> encoder() {
    return Encoders.row(SCHEMA);
  }

  /** A block as a row of {@link #SCHEMA}. */
  public static Row row(Block block) {
    return RowFactory.create(
        block.format(),
        block.bucket(),
        block.buckets(),
        block.objectId(),
        block.objectVersion(),
        block.objectBytes(),
        block.live(),
        block.segment(),
        block.objectOffset(),
        block.length(),
        block.metaShardId(),
        block.k(),
        block.m(),
        block.codec(),
        block.blockIndex(),
        block.blockBytes(),
        block.location(),
        block.path(),
        block.containerOffset(),
        block.frameBytes(),
        block.crc32c(),
        block.sha256(),
        block.encryption(),
        block.generation(),
        Timestamp.from(block.writtenAt()),
        block.expectedRequests(),
        block.heatClass(),
        block.deadSince() == null ? null : Timestamp.from(block.deadSince()));
  }

  /** A row of {@link #SCHEMA} as a block. */
  public static Block block(Row row) {
    return new Block(
        row.<Integer>getAs(FORMAT),
        row.<Integer>getAs(BUCKET),
        row.<Integer>getAs(BUCKETS),
        row.getAs(OBJECT_ID),
        row.getAs(OBJECT_VERSION),
        row.<Long>getAs(OBJECT_BYTES),
        row.<Boolean>getAs(LIVE),
        row.<Integer>getAs(SEGMENT),
        row.<Long>getAs(OBJECT_OFFSET),
        row.<Long>getAs(LENGTH),
        row.getAs(META_SHARD_ID),
        row.<Integer>getAs(K),
        row.<Integer>getAs(M),
        row.getAs(CODEC),
        row.<Integer>getAs(BLOCK_INDEX),
        row.<Long>getAs(BLOCK_BYTES),
        row.getAs(LOCATION),
        row.getAs(PATH),
        row.<Long>getAs(CONTAINER_OFFSET),
        row.<Integer>getAs(FRAME_BYTES),
        row.<Long>getAs(CRC32C),
        row.getAs(SHA256),
        row.getAs(ENCRYPTION),
        row.getAs(GENERATION),
        instant(row.getAs(WRITTEN_AT)),
        row.<Double>getAs(EXPECTED_REQUESTS),
        row.<Integer>getAs(HEAT_CLASS),
        instant(row.getAs(DEAD_SINCE)));
  }

  private static Instant instant(Object value) {
    return value == null || value instanceof Instant
        ? (Instant) value
        : ((Timestamp) value).toInstant();
  }
}
