package io.metashard.encode;

import io.metashard.Block;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per thing found wrong with a block, a meta-shard or a source. */
public final class Findings {
  /** Null when the finding is about a source. */
  public static final String META_SHARD_ID = "meta_shard_id";

  public static final String BLOCK_INDEX = "block_index";
  public static final String OBJECT_ID = "object_id";
  public static final String SEGMENT = "segment";
  public static final String LOCATION = "location";
  public static final String PATH = "path";

  /** {@link #UNREADABLE}, {@link #CORRUPT}, {@link #DECODE_MISMATCH}, {@link #LOST}, ... */
  public static final String PROBLEM = "problem";

  public static final String DETAIL = "detail";

  /** Blocks of the meta-shard that may still be lost; negative: it cannot be decoded. */
  public static final String SPARE_BLOCKS = "spare_blocks";

  /** The container is missing, too short, or its location does not answer. */
  public static final String UNREADABLE = "unreadable";

  /** A frame or the block's checksum does not fit. */
  public static final String CORRUPT = "corrupt";

  /** Decoding from parity gave other bytes than the source had. */
  public static final String DECODE_MISMATCH = "decode-mismatch";

  /** Fewer than k blocks of the meta-shard are good. */
  public static final String LOST = "lost";

  /** The map has too few or too many rows for the meta-shard. */
  public static final String INCOMPLETE = "incomplete";

  /** A source is not at the version that was encoded. */
  public static final String SOURCE_CHANGED = "source-changed";

  public static final StructType SCHEMA =
      new StructType()
          .add(META_SHARD_ID, DataTypes.StringType, true)
          .add(BLOCK_INDEX, DataTypes.IntegerType, true)
          .add(OBJECT_ID, DataTypes.StringType, true)
          .add(SEGMENT, DataTypes.IntegerType, true)
          .add(LOCATION, DataTypes.StringType, true)
          .add(PATH, DataTypes.StringType, true)
          .add(PROBLEM, DataTypes.StringType, false)
          .add(DETAIL, DataTypes.StringType, false)
          .add(SPARE_BLOCKS, DataTypes.IntegerType, true);

  private Findings() {}

  static Encoder<Row> encoder() {
    return Encoders.row(SCHEMA);
  }

  static Row of(Block block, String problem, String detail, Integer spareBlocks) {
    return RowFactory.create(
        block.metaShardId(),
        block.blockIndex(),
        block.objectId(),
        block.isParity() ? null : (Integer) block.segment(),
        block.location(),
        block.path(),
        problem,
        detail,
        spareBlocks);
  }

  static Row source(String objectId, String detail) {
    return RowFactory.create(null, null, objectId, null, null, null, SOURCE_CHANGED, detail, null);
  }
}
