package io.metashard.upkeep;

import static org.apache.spark.sql.functions.array_sort;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_set;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.substring_index;
import static org.apache.spark.sql.functions.when;

import io.metashard.shardmap.ShardMapTable;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/**
 * Chooses, from what footers say, the rows that a map can be made of: for each object one version,
 * as one run encoded it, that is there in every byte. Blocks that were written again since, by a
 * repair, are of later generations, and as good.
 *
 * <p>Footers are not signed: whoever can write at a location can write valid ones. What one
 * location says alone therefore counts less than what two agree on, and a meta-shard is believed
 * only as far as its blocks, each at a location of its own, tell the same of it. {@code
 * OPERATIONS.md} has the rules in words.
 */
public final class MapFromFooters {
  private static final String ID = ShardMapTable.META_SHARD_ID;
  private static final String OBJECT_ID = ShardMapTable.OBJECT_ID;
  private static final String OBJECT_VERSION = ShardMapTable.OBJECT_VERSION;
  private static final String GENERATION = ShardMapTable.GENERATION;

  /** Locations that agree on a meta-shard. */
  private static final String WITNESSES = "witnesses";

  private static final String TOLD = "told";

  /** Of a meta-shard: what its id says of the run that encoded it. */
  private static final String RUN = "encoded_by";

  private static final int RUN_DIGITS = 12;

  /** Of a meta-shard: that of its oldest block. */
  private static final String SINCE = "since";

  private static final String RANK = "choice";
  private static final String BEST = "best";
  private static final String COMMITTED = "committed";
  private static final String CURRENT = "current";
  private static final String IS_WHOLE = "is_whole";

  private MapFromFooters() {}

  /**
   * The blocks that agree with the others of their meta-shard: one row per block, of meta-shards of
   * which at least k are there.
   *
   * @param rows blocks as {@link Footers#read} gives them
   * @return as {@link ShardMapTable#SCHEMA}, and {@code witnesses}
   */
  public static Dataset<Row> metaShards(Dataset<Row> rows) {
    Column told =
        struct(
            col(ShardMapTable.BUCKET),
            col(ShardMapTable.BUCKETS),
            col(ShardMapTable.K),
            col(ShardMapTable.M),
            col(ShardMapTable.CODEC),
            col(ShardMapTable.BLOCK_BYTES));
    Dataset<Row> all = rows.withColumn(TOLD, told);
    // No run writes two blocks of a meta-shard to a location: one that says so is not believed.
    Dataset<Row> alone =
        all.groupBy(col(ID), col(TOLD), col(GENERATION), col(ShardMapTable.LOCATION))
            .agg(countDistinct(col(ShardMapTable.BLOCK_INDEX)).as("blocks"))
            .where(col("blocks").equalTo(1))
            .select(col(ID), col(TOLD), col(GENERATION), col(ShardMapTable.LOCATION));
    Dataset<Row> honest =
        all.join(alone, new String[] {ID, TOLD, GENERATION, ShardMapTable.LOCATION}, "left_semi");
    // What most locations tell of a meta-shard; of equally many, the older generation.
    Dataset<Row> agreed =
        honest
            .groupBy(col(ID), col(TOLD))
            .agg(
                countDistinct(col(ShardMapTable.LOCATION)).as(WITNESSES),
                countDistinct(col(ShardMapTable.BLOCK_INDEX)).as("blocks"),
                min(col(GENERATION)).as(SINCE))
            .withColumn(
                RANK,
                row_number()
                    .over(
                        Window.partitionBy(ID)
                            .orderBy(col(WITNESSES).desc(), col(SINCE), col(TOLD))))
            .where(col(RANK).equalTo(1).and(col("blocks").geq(col(TOLD).getField("k"))))
            .select(col(ID), col(TOLD), col(WITNESSES));
    // A task that was tried again has written its blocks twice; a repair, what was there before.
    return honest
        .join(agreed, new String[] {ID, TOLD})
        .withColumn(
            RANK,
            row_number()
                .over(
                    Window.partitionBy(ID, ShardMapTable.BLOCK_INDEX)
                        .orderBy(
                            col(GENERATION).desc(),
                            col(ShardMapTable.WRITTEN_AT).desc(),
                            col(ShardMapTable.PATH).desc())))
        .where(col(RANK).equalTo(1))
        .select(withSchema(col(WITNESSES)));
  }

  private static Column[] withSchema(Column more) {
    Column[] columns = Arrays.copyOf(schema(), ShardMapTable.SCHEMA.size() + 1);
    columns[columns.length - 1] = more;
    return columns;
  }

  private static Column[] schema() {
    return Arrays.stream(ShardMapTable.SCHEMA.fieldNames())
        .map(functions::col)
        .toArray(Column[]::new);
  }

  /**
   * One row per object of which a version is whole: {@code object_id}, {@code object_version},
   * {@code encoded_by}, {@code generation} and {@code witnesses}, the fewest locations that vouch
   * for a part of it.
   *
   * @param metaShards as {@link #metaShards} gives them
   * @param committed generations that are known to have been committed; empty: nothing is known
   * @param current {@code object_id} and {@code object_version}: what the map is known to have
   *     served; possibly no rows
   */
  public static Dataset<Row> objects(
      Dataset<Row> metaShards, List<String> committed, Dataset<Row> current) {
    Dataset<Row> candidates =
        metaShards
            .where(col(OBJECT_ID).isNotNull())
            .groupBy(col(OBJECT_ID), col(OBJECT_VERSION), run().as(RUN))
            .agg(
                min(col(WITNESSES)).as(WITNESSES),
                min(col(GENERATION)).as(GENERATION),
                min(col(ShardMapTable.OBJECT_BYTES)).as("least_bytes"),
                max(col(ShardMapTable.OBJECT_BYTES)).as(ShardMapTable.OBJECT_BYTES),
                array_sort(
                        collect_set(
                            struct(col(ShardMapTable.OBJECT_OFFSET), col(ShardMapTable.LENGTH))))
                    .as("parts"))
            .withColumn(
                IS_WHOLE,
                functions
                    .udf(new Covers(), DataTypes.BooleanType)
                    .apply(col("parts"), col(ShardMapTable.OBJECT_BYTES)))
            .where(col(IS_WHOLE).and(col("least_bytes").equalTo(col(ShardMapTable.OBJECT_BYTES))));
    Column isCommitted =
        committed.isEmpty() ? lit(true) : col(GENERATION).isInCollection(committed);
    return candidates
        .join(
            current.select(col(OBJECT_ID), col(OBJECT_VERSION)).withColumn(CURRENT, lit(true)),
            new String[] {OBJECT_ID, OBJECT_VERSION},
            "left")
        .groupBy(col(OBJECT_ID))
        .agg(
            max(struct(
                    when(col(WITNESSES).geq(2), 1).otherwise(0).as("agreed"),
                    when(isCommitted, 1).otherwise(0).as(COMMITTED),
                    coalesce(col(CURRENT), lit(false)).as(CURRENT),
                    col(GENERATION),
                    col(OBJECT_VERSION),
                    col(RUN),
                    col(WITNESSES)))
                .as(BEST))
        .select(
            col(OBJECT_ID),
            col(BEST).getField(OBJECT_VERSION).as(OBJECT_VERSION),
            col(BEST).getField(GENERATION).as(GENERATION),
            col(BEST).getField(RUN).as(RUN),
            col(BEST).getField(WITNESSES).as(WITNESSES),
            col(BEST).getField(COMMITTED).equalTo(1).as(COMMITTED));
  }

  /** How many of the chosen objects rest on what cannot be known. */
  public static Row doubts(Dataset<Row> objects) {
    return objects
        .agg(
            count(lit(1)),
            count(when(col(WITNESSES).lt(2), 1)),
            count(when(functions.not(col(COMMITTED)), 1)))
        .first();
  }

  /**
   * The rows of a map that serves the objects: all blocks of every meta-shard that has a part of
   * them; what is in these of others is not served.
   *
   * @param objects as {@link #objects} gives them
   * @return as {@link ShardMapTable#SCHEMA}
   */
  public static Dataset<Row> rows(Dataset<Row> metaShards, Dataset<Row> objects) {
    String served = "served";
    Dataset<Row> marked =
        metaShards
            .withColumn(RUN, run())
            .join(
                objects
                    .select(col(OBJECT_ID), col(OBJECT_VERSION), col(RUN))
                    .withColumn(served, lit(true)),
                new String[] {OBJECT_ID, OBJECT_VERSION, RUN},
                "left");
    Dataset<Row> needed = marked.where(col(served)).select(col(ID)).distinct();
    return marked
        .join(needed, new String[] {ID}, "left_semi")
        .withColumn(ShardMapTable.LIVE, col(OBJECT_ID).isNull().or(col(served).isNotNull()))
        .withColumn(ShardMapTable.DEAD_SINCE, lit(null).cast(DataTypes.TimestampType))
        .select(schema());
  }

  /** Meta-shards of one run have it in common: an object is encoded by one run, all of it. */
  private static Column run() {
    return substring(substring_index(col(ID), "-", -1), 1, RUN_DIGITS);
  }

  /** Whether parts, sorted, cover an object from its first byte to its last. */
  private record Covers() implements UDF2<scala.collection.Seq<Row>, Long, Boolean> {
    @Override
    public Boolean call(scala.collection.Seq<Row> parts, Long bytes) {
      long end = 0;
      for (Row part : scala.jdk.javaapi.CollectionConverters.asJava(parts)) {
        if (part.getLong(0) > end) {
          return false;
        }
        end = Math.max(end, part.getLong(0) + part.getLong(1));
      }
      return end == bytes;
    }
  }
}
