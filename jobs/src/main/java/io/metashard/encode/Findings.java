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

  /** {@link #UNREADABLE}, {@link #MISSING}, {@link #CORRUPT}, {@link #LOST}, ... */
  public static final String PROBLEM = "problem";

  public static final String DETAIL = "detail";

  /** Blocks of the meta-shard that may still be lost; negative: it cannot be decoded. */
  public static final String SPARE_BLOCKS = "spare_blocks";

  /** Of a data block: version of its object; null otherwise, as the next two. */
  public static final String OBJECT_VERSION = "object_version";

  /** Of a data block: where its bytes begin in the object. */
  public static final String OBJECT_OFFSET = "object_offset";

  /** Of a data block: its bytes; of a file that no map names, the file's. */
  public static final String LENGTH = "length";

  /** The block's location does not answer, holds nothing at all, or was declared gone. */
  public static final String UNREADABLE = "unreadable";

  /** The location answers, the container is not there. */
  public static final String MISSING = "missing";

  /** A frame or the block's checksum does not fit, or the container ends too early. */
  public static final String CORRUPT = "corrupt";

  /** A container's footer cannot be used, or does not say what the map says; blocks may be good. */
  public static final String FOOTER = "footer";

  /** A file at a location that no version of the map names: no damage. */
  public static final String ORPHAN = "orphan";

  /** A block that could be rebuilt has nowhere to go. */
  public static final String NO_PLACE = "no-place";

  /** Decoding from parity gave other bytes than the source had. */
  public static final String DECODE_MISMATCH = "decode-mismatch";

  /** Of a data block that cannot be had: it is bad, and fewer than k of its meta-shard are good. */
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
          .add(SPARE_BLOCKS, DataTypes.IntegerType, true)
          // Later than the others: null in older rows.
          .add(OBJECT_VERSION, DataTypes.StringType, true)
          .add(OBJECT_OFFSET, DataTypes.LongType, true)
          .add(LENGTH, DataTypes.LongType, true);

  private Findings() {}

  public static Encoder<Row> encoder() {
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
        spareBlocks,
        block.objectVersion(),
        block.isParity() ? null : (Long) block.objectOffset(),
        block.isParity() ? null : (Long) block.length());
  }

  /** About a container as a whole. */
  static Row container(String location, String path, String problem, String detail) {
    return RowFactory.create(
        null, null, null, null, location, path, problem, detail, null, null, null, null);
  }

  static Row source(String objectId, String detail) {
    return RowFactory.create(
        null, null, objectId, null, null, null, SOURCE_CHANGED, detail, null, null, null, null);
  }
}
