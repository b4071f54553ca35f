package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.octet_length;
import static org.apache.spark.sql.functions.sum;

import io.metashard.shardmap.ShardMapTable;
import io.metashard.upkeep.StoredFiles;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;

/**
 * Containers of which little is left: those of their blocks that the map names take up a small
 * share of their bytes.
 *
 * <p>A container can go only when the map names none of its blocks. Objects change one by one, so
 * without compaction a lake would keep many containers for one block each.
 */
final class Compaction {
  /** Bytes of the map's blocks in the container, with what the footer says of them at most. */
  static final String LIVE_BYTES = "live_bytes";

  /**
   * A block's part of the footer takes less, its object's id apart: what was written anew is never
   * found sparse, however small its blocks are.
   */
  private static final int MOST_FOOTER_BYTES = 1024;

  private Compaction() {}

  /**
   * The sparse ones, the most sparse first, until their blocks make up {@code maxBytes}.
   *
   * @param map rows of the newest version
   * @param stored as {@link StoredFiles#below}
   * @param below share of a container's bytes from which on it is not sparse
   * @return {@link StoredFiles#PLACE}, {@link StoredFiles#PATH}, {@link StoredFiles#BYTES}, {@link
   *     #LIVE_BYTES}
   */
  static Dataset<Row> sparse(Dataset<Row> map, Dataset<Row> stored, double below, long maxBytes) {
    String share = "share";
    String upTo = "up_to";
    Dataset<Row> live =
        map.groupBy(
                col(ShardMapTable.LOCATION).as(StoredFiles.PLACE),
                col(ShardMapTable.PATH).as(StoredFiles.PATH))
            .agg(
                sum(ShardMapTable.physicalBytes()
                        .plus(MOST_FOOTER_BYTES)
                        .plus(coalesce(octet_length(col(ShardMapTable.OBJECT_ID)), lit(0))))
                    .as(LIVE_BYTES));
    return stored
        .where(col(StoredFiles.KIND).equalTo(StoredFiles.CONTAINER))
        .join(live, new String[] {StoredFiles.PLACE, StoredFiles.PATH})
        .withColumn(share, col(LIVE_BYTES).divide(col(StoredFiles.BYTES)))
        .where(col(share).lt(below))
        // One partition: a row is a container, and few are sparse.
        .withColumn(
            upTo,
            sum(col(LIVE_BYTES))
                .over(
                    Window.orderBy(col(share), col(StoredFiles.PLACE), col(StoredFiles.PATH))
                        .rowsBetween(Window.unboundedPreceding(), Window.currentRow())))
        .where(col(upTo).leq(maxBytes))
        .select(StoredFiles.PLACE, StoredFiles.PATH, StoredFiles.BYTES, LIVE_BYTES);
  }

  /** Number of containers, and bytes of them and of what is left. */
  record Totals(long containers, long bytes, long liveBytes) {
    static Totals of(Dataset<Row> sparse) {
      Row row =
          sparse
              .agg(
                  count(lit(1)),
                  coalesce(sum(col(StoredFiles.BYTES)), lit(0L)),
                  coalesce(sum(col(LIVE_BYTES)), lit(0L)))
              .first();
      return new Totals(row.getLong(0), row.getLong(1), row.getLong(2));
    }
  }
}
