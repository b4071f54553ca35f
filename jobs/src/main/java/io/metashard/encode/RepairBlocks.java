package io.metashard.encode;

import io.metashard.Block;
import io.metashard.shardmap.ShardMapTable;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** All blocks of the meta-shards that a repair works on, and what is wrong with some of them. */
public final class RepairBlocks {
  /** Null of blocks that stay; {@link Findings#FOOTER} of good ones that are written again. */
  public static final String PROBLEM = "problem";

  /** Blocks of the meta-shard that may still be lost: the fewest are repaired first. */
  public static final String SPARE_BLOCKS = "spare_blocks";

  /** Only meta-shards of one group may share containers ({@code plan.isolate-by}). */
  public static final String GROUP = "object_group";

  public static final StructType SCHEMA =
      ShardMapTable.SCHEMA
          .add(PROBLEM, DataTypes.StringType, true)
          .add(SPARE_BLOCKS, DataTypes.IntegerType, false)
          .add(GROUP, DataTypes.StringType, false);

  /** What became of it: a new row of the map, or what was found. */
  public static final String WRITTEN = "written";

  public static final String FINDING = "finding";

  public static final StructType RESULT =
      new StructType().add(WRITTEN, ShardMapTable.SCHEMA, true).add(FINDING, Findings.SCHEMA, true);

  private RepairBlocks() {}

  static Encoder<Row> resultEncoder() {
    return Encoders.row(RESULT);
  }

  /**
   * A block of a meta-shard under repair.
   *
   * @param problem null if it stays
   */
  record RepairBlock(Block block, String problem, String group) {
    static RepairBlock of(Row row) {
      return new RepairBlock(ShardMapTable.block(row), row.getAs(PROBLEM), row.getAs(GROUP));
    }

    /** Whether its bytes are to be read where they are. */
    boolean isGood() {
      return problem == null || problem.equals(Findings.FOOTER);
    }

    boolean isWrittenAgain() {
      return problem != null;
    }
  }
}
