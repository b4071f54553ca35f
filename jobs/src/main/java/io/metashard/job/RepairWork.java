package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import io.metashard.catalogue.Objects;
import io.metashard.encode.Findings;
import io.metashard.encode.RepairBlocks;
import io.metashard.plan.Isolation;
import io.metashard.shardmap.ShardMapTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Table-to-table steps of a repair: from findings to the blocks that are written again. */
final class RepairWork {
  /** Number of the batch that a meta-shard is repaired in, from 0. */
  static final String BATCH = "batch";

  /** Each is a Spark job and a commit to what is staged. */
  static final int MOST_BATCHES = 64;

  private static final String BYTES = "bytes_again";

  /** Which block: the columns of a damaged one. */
  private static final String[] BLOCK = {ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX};

  private RepairWork() {}

  /**
   * The blocks that findings say are to be written again: {@code meta_shard_id}, {@code
   * block_index}, {@code problem}. Blocks of meta-shards that are beyond repair are left alone.
   *
   * @param rows of the map that were looked at
   * @param findings as {@link Findings#SCHEMA}
   */
  static Dataset<Row> damaged(Dataset<Row> rows, Dataset<Row> findings) {
    Dataset<Row> bad =
        findings
            .where(
                col(Findings.BLOCK_INDEX)
                    .isNotNull()
                    .and(
                        col(Findings.PROBLEM)
                            .isin(Findings.UNREADABLE, Findings.MISSING, Findings.CORRUPT)))
            .select(Findings.META_SHARD_ID, Findings.BLOCK_INDEX, Findings.PROBLEM);
    Dataset<Row> footers =
        findings
            .where(col(Findings.PROBLEM).equalTo(Findings.FOOTER))
            .select(Findings.LOCATION, Findings.PATH)
            .distinct();
    Dataset<Row> ofFooters =
        rows.join(footers, new String[] {ShardMapTable.LOCATION, ShardMapTable.PATH}, "left_semi")
            .select(
                col(ShardMapTable.META_SHARD_ID),
                col(ShardMapTable.BLOCK_INDEX),
                lit(Findings.FOOTER).as(Findings.PROBLEM));
    Dataset<Row> hopeless =
        findings
            .where(col(Findings.PROBLEM).isin(Findings.LOST, Findings.INCOMPLETE))
            .select(Findings.META_SHARD_ID)
            .distinct();
    Column isBad = not(col(Findings.PROBLEM).equalTo(Findings.FOOTER));
    return bad.union(ofFooters)
        .groupBy(ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX)
        // What is bad is rebuilt, whatever its footer is like.
        .agg(
            coalesce(min(when(isBad, col(Findings.PROBLEM))), lit(Findings.FOOTER))
                .as(Findings.PROBLEM))
        .join(hopeless, new String[] {ShardMapTable.META_SHARD_ID}, "left_anti");
  }

  /** All blocks that are at a location, as if none could be read. */
  static Dataset<Row> at(Dataset<Row> rows, String location) {
    return rows.where(col(ShardMapTable.LOCATION).equalTo(location))
        .select(
            col(ShardMapTable.META_SHARD_ID),
            col(ShardMapTable.BLOCK_INDEX),
            lit(Findings.UNREADABLE).as(Findings.PROBLEM));
  }

  /** All blocks in some containers, which are read where they are and written again. */
  static Dataset<Row> in(Dataset<Row> rows, Dataset<Row> containers) {
    return rows.join(
            containers, new String[] {ShardMapTable.LOCATION, ShardMapTable.PATH}, "left_semi")
        .select(
            col(ShardMapTable.META_SHARD_ID),
            col(ShardMapTable.BLOCK_INDEX),
            lit(Findings.FOOTER).as(Findings.PROBLEM));
  }

  /** Rows of the meta-shards that a table names. */
  static Dataset<Row> metaShards(Dataset<Row> rows, Dataset<Row> named) {
    return rows.join(
        named.select(ShardMapTable.META_SHARD_ID).distinct(),
        new String[] {ShardMapTable.META_SHARD_ID},
        "left_semi");
  }

  /**
   * All blocks of the damaged meta-shards, as {@link RepairBlocks#SCHEMA}.
   *
   * @param objects of the catalogue, by whose roots meta-shards are isolated
   */
  static Dataset<Row> blocks(
      Dataset<Row> rows, Dataset<Row> damaged, Dataset<Row> objects, Isolation isolation) {
    String[] id = {ShardMapTable.META_SHARD_ID};
    Dataset<Row> spare =
        damaged
            .groupBy(ShardMapTable.META_SHARD_ID)
            .agg(
                sum(when(col(Findings.PROBLEM).equalTo(Findings.FOOTER), 0).otherwise(1))
                    .cast(DataTypes.IntegerType)
                    .as(BYTES));
    Dataset<Row> affected = rows.join(spare, id);
    return affected
        .join(groups(metaShards(rows, damaged), objects, isolation), id)
        .join(damaged, BLOCK, "left")
        .withColumn(RepairBlocks.SPARE_BLOCKS, col(ShardMapTable.M).minus(col(BYTES)))
        .select(
            Arrays.stream(RepairBlocks.SCHEMA.fieldNames())
                .map(name -> col(name))
                .toArray(Column[]::new));
  }

  /** The group of each meta-shard, from any object of it that the catalogue still knows. */
  private static Dataset<Row> groups(
      Dataset<Row> affected, Dataset<Row> objects, Isolation isolation) {
    Column group;
    Dataset<Row> known = affected;
    if (isolation.equals(Isolation.NONE)) {
      group = lit("all");
    } else {
      UserDefinedFunction ofObject =
          udf((UDF2<String, String, String>) isolation::group, DataTypes.StringType);
      known =
          affected.join(
              objects.select(Objects.OBJECT_ID, Objects.ROOT),
              new String[] {Objects.OBJECT_ID},
              "left");
      group =
          max(
              when(
                  col(Objects.ROOT).isNotNull(),
                  ofObject.apply(col(Objects.ROOT), col(Objects.OBJECT_ID))));
    }
    return known
        .groupBy(ShardMapTable.META_SHARD_ID)
        .agg(
            // Of what nobody knows any more: a container of its own, to be safe.
            coalesce(
                    isolation.equals(Isolation.NONE) ? max(group) : group,
                    concat(lit("meta-shard "), col(ShardMapTable.META_SHARD_ID)))
                .as(RepairBlocks.GROUP));
  }

  /**
   * Work in batches, what is most in danger first.
   *
   * @param rows the blocks of those meta-shards that are repaired in this run, with {@link #BATCH}
   * @param batches how many there are
   * @param bytes logical ones of the blocks that are written
   */
  record Batches(Dataset<Row> rows, int batches, long bytes) {}

  /**
   * Cuts work into batches of about so many bytes, and leaves out what is more than a run may do.
   *
   * @param blocks as {@link RepairBlocks#SCHEMA}
   * @param maxBytes the meta-shard that passes it is the last
   */
  static Batches batches(Dataset<Row> blocks, long batchBytes, long maxBytes) {
    Column again = when(col(RepairBlocks.PROBLEM).isNotNull(), col(ShardMapTable.LENGTH));
    // Buckets are few; so are levels of danger: what was lost is lost alike.
    List<Row> parts =
        blocks
            .groupBy(col(RepairBlocks.SPARE_BLOCKS), col(ShardMapTable.BUCKET))
            .agg(coalesce(sum(again), lit(0L)))
            .orderBy(RepairBlocks.SPARE_BLOCKS, ShardMapTable.BUCKET)
            .collectAsList();
    long all = parts.stream().mapToLong(row -> row.getLong(2)).sum();
    long perBatch = Math.max(batchBytes, Math.min(all, maxBytes) / MOST_BATCHES + 1);
    StructType schema =
        new StructType()
            .add(RepairBlocks.SPARE_BLOCKS, DataTypes.IntegerType, false)
            .add(ShardMapTable.BUCKET, DataTypes.IntegerType, false)
            .add(BATCH, DataTypes.IntegerType, false)
            .add(BYTES, DataTypes.LongType, false);
    List<Row> cut = new ArrayList<>();
    long before = 0;
    long inBatch = 0;
    int batch = 0;
    for (Row part : parts) {
      if (before < maxBytes) {
        if (inBatch >= perBatch) {
          batch++;
          inBatch = 0;
        }
        inBatch += part.getLong(2);
        cut.add(RowFactory.create(part.getInt(0), part.getInt(1), batch, maxBytes - before));
      }
      before += part.getLong(2);
    }
    String id = "within_id";
    Dataset<Row> chosen =
        blocks.join(
            blocks.sparkSession().createDataFrame(cut, schema),
            new String[] {RepairBlocks.SPARE_BLOCKS, ShardMapTable.BUCKET});
    if (before > maxBytes) {
      // Of the part that is cut: as many of its meta-shards as fit, in order of their ids.
      chosen =
          chosen
              .withColumn(
                  id,
                  coalesce(
                      sum(again)
                          .over(
                              Window.partitionBy(
                                      col(RepairBlocks.SPARE_BLOCKS), col(ShardMapTable.BUCKET))
                                  .orderBy(col(ShardMapTable.META_SHARD_ID))
                                  .rangeBetween(Window.unboundedPreceding(), Window.currentRow())),
                      lit(0L)))
              .withColumn(
                  id,
                  col(id)
                      .minus(
                          coalesce(
                              sum(again).over(Window.partitionBy(col(ShardMapTable.META_SHARD_ID))),
                              lit(0L))))
              .where(col(id).lt(col(BYTES)));
    }
    Column[] columns =
        java.util.stream.Stream.concat(
                Arrays.stream(RepairBlocks.SCHEMA.fieldNames()), java.util.stream.Stream.of(BATCH))
            .map(name -> col(name))
            .toArray(Column[]::new);
    int batches = cut.isEmpty() ? 0 : batch + 1;
    return new Batches(chosen.select(columns), batches, Math.min(all, maxBytes));
  }

  /** The rows of the map with some blocks written elsewhere. */
  static Dataset<Row> replaced(Dataset<Row> rows, Dataset<Row> written) {
    return rows.join(written.select(BLOCK[0], BLOCK[1]), BLOCK, "left_anti")
        .select(mapColumns())
        .unionByName(written.select(mapColumns()));
  }

  /** Without what other rows say of the same blocks. */
  static Dataset<Row> without(Dataset<Row> rows, Dataset<Row> others) {
    return rows.join(others.select(BLOCK[0], BLOCK[1]).distinct(), BLOCK, "left_anti");
  }

  static Column[] mapColumns() {
    return Arrays.stream(ShardMapTable.SCHEMA.fieldNames())
        .map(name -> col(name))
        .toArray(Column[]::new);
  }

  /** Of a table of blocks: meta-shards, blocks and logical bytes. */
  record Totals(long metaShards, long blocks, long bytes) {
    static Totals of(Dataset<Row> blocks) {
      Row row =
          blocks
              .agg(
                  org.apache.spark.sql.functions.countDistinct(col(ShardMapTable.META_SHARD_ID)),
                  count(lit(1)),
                  coalesce(sum(col(ShardMapTable.LENGTH)), lit(0L)))
              .first();
      return new Totals(row.getLong(0), row.getLong(1), row.getLong(2));
    }
  }
}
