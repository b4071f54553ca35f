package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.encode.PlannedBlocks;
import io.metashard.lake.TableDefinition;
import io.metashard.plan.PlannedBlock;
import io.metashard.shardmap.ShardMapTable;
import java.sql.Date;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One row per run and block that its plan wants written; columns as in {@link PlannedBlock}. */
public final class Plans {
  public static final String META_SHARD_ID = PlannedBlocks.META_SHARD_ID;
  public static final String BLOCK_INDEX = PlannedBlocks.BLOCK_INDEX;
  public static final String FORM = PlannedBlocks.FORM;

  public static final String RUN_ID = "run_id";

  /** Day of the moment of planning, UTC. */
  public static final String PLAN_DATE = "plan_date";

  /** Sequence of the shard map that was planned from; executed on no other. */
  public static final String MAP_SEQUENCE = "map_sequence";

  public static final String POLICY = "policy";

  /** Number of buckets of the shard map that the plan is for. */
  public static final String BUCKETS = "buckets";

  /** Name of the map that was planned from; null in older rows: the shard map. */
  public static final String MAP_TABLE = "map_table";

  public static final StructType SCHEMA =
      PlannedBlocks.SCHEMA
          .add(RUN_ID, DataTypes.StringType, false)
          .add(PLAN_DATE, DataTypes.DateType, false)
          .add(MAP_SEQUENCE, DataTypes.LongType, false)
          .add(POLICY, DataTypes.StringType, false)
          .add(BUCKETS, DataTypes.IntegerType, false)
          // Later than the others: null in older rows.
          .add(MAP_TABLE, DataTypes.StringType, true);

  public static final TableDefinition TABLE = new TableDefinition("plans", SCHEMA, List.of(RUN_ID));

  private Plans() {}

  /**
   * Sums over a plan.
   *
   * @param sourceBytes of its data blocks
   * @param writtenBytes of all its blocks
   */
  record Totals(long blocks, long sourceBytes, long metaShards, long objects, long writtenBytes) {
    static Totals of(Dataset<Row> planned) {
      Row sums =
          planned
              .agg(
                  count(lit(1)),
                  coalesce(
                      sum(
                          when(
                              col(PlannedBlocks.OBJECT_ID).isNotNull(), col(PlannedBlocks.LENGTH))),
                      lit(0L)),
                  countDistinct(col(PlannedBlocks.META_SHARD_ID)),
                  countDistinct(col(PlannedBlocks.OBJECT_ID)),
                  coalesce(sum(col(PlannedBlocks.LENGTH)), lit(0L)))
              .first();
      return new Totals(
          sums.getLong(0), sums.getLong(1), sums.getLong(2), sums.getLong(3), sums.getLong(4));
    }
  }

  /**
   * Refuses a plan that was made from another map.
   *
   * @param planned rows of the plan, at least one
   */
  static void requireFor(TableDefinition map, Dataset<Row> planned, String planId) {
    Row first = planned.select(MAP_TABLE).first();
    String madeFrom = first.isNullAt(0) ? ShardMapTable.TABLE.name() : first.getString(0);
    if (!madeFrom.equals(map.name())) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot execute plan %s on %s: it was made from %s, and what that map holds already is not in the plan; make a plan of its own, under another --run-id"
              .formatted(planId, map.name(), madeFrom));
    }
  }

  /** A row of {@link #SCHEMA}. */
  static Row row(
      PlannedBlock block,
      String runId,
      Date date,
      long mapSequence,
      String policy,
      int buckets,
      String mapTable) {
    return RowFactory.create(
        block.bucket(),
        block.metaShardId(),
        block.codec(),
        block.k(),
        block.m(),
        block.blockIndex(),
        block.objectId(),
        block.objectVersion(),
        block.uri(),
        block.objectBytes(),
        block.segment(),
        block.objectOffset(),
        block.length(),
        block.blockBytes(),
        block.location(),
        block.group(),
        block.form(),
        block.expectedRequests(),
        block.heatClass(),
        runId,
        date,
        mapSequence,
        policy,
        buckets,
        mapTable);
  }
}
