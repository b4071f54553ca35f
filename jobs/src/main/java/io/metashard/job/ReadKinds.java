package io.metashard.job;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * The kinds of reads of layouts.
 *
 * @param rows one a layout and kind, as {@link ReadTimeTask#KINDS}
 */
record ReadKinds(Dataset<Row> rows) implements AutoCloseable {
  /** Kinds of a layout that are drawn, whatever the lake's size. */
  static final int MOST_DRAWN = 4096;

  private static final String REQUESTS = ReadTimeTask.REQUESTS;

  /**
   * Puts reads of the same kind together.
   *
   * @param reads as {@link ReadTimeTask#KINDS}, any number of rows a kind
   */
  static ReadKinds of(Dataset<Row> reads) {
    return new ReadKinds(
        reads
            .groupBy(ReadTimeTask.LAYOUT, ReadTimeTask.PARTS)
            .agg(
                sum(col(REQUESTS)).as(REQUESTS),
                sum(col(ReadTimeTask.BLOCK_READS)).as(ReadTimeTask.BLOCK_READS))
            .persist(StorageLevel.MEMORY_AND_DISK()));
  }

  /** Requests to locations and sources, by layout. */
  Map<String, Double> blockReads() {
    Map<String, Double> blockReads = new TreeMap<>();
    rows.groupBy(ReadTimeTask.LAYOUT)
        .agg(sum(col(ReadTimeTask.BLOCK_READS)))
        .collectAsList() // two layouts
        .forEach(row -> blockReads.put(row.getString(0), row.getDouble(1)));
    return blockReads;
  }

  /**
   * All kinds of a layout, or of very many some that stand for all: those of more than {@code 1 /
   * most} of the requests, and of the others each with a chance as large as it has requests of
   * that, then with so many requests (threshold sampling; Duffield, Lund and Thorup, 2005). Sums
   * are right on average, and the same kinds are always chosen alike.
   *
   * @param most kinds of a layout, on average
   */
  Dataset<Row> drawn(int most) {
    String kinds = "kinds";
    String all = "requests_of_all";
    double halfLongs = 0x1.0p32;
    Column threshold = when(col(kinds).gt(most), col(all).divide(most)).otherwise(lit(0.0));
    Column chance =
        pmod(xxhash64(col(ReadTimeTask.LAYOUT), col(ReadTimeTask.PARTS)), lit((long) halfLongs))
            .divide(halfLongs);
    Dataset<Row> sums =
        rows.groupBy(ReadTimeTask.LAYOUT).agg(sum(col(REQUESTS)).as(all), count(lit(1)).as(kinds));
    return rows.join(broadcast(sums), ReadTimeTask.LAYOUT)
        .where(col(REQUESTS).gt(threshold.multiply(chance)))
        .withColumn(REQUESTS, greatest(col(REQUESTS), threshold))
        .select(
            java.util.Arrays.stream(ReadTimeTask.KINDS.fieldNames())
                .map(name -> col(name))
                .toArray(Column[]::new));
  }

  @Override
  public void close() {
    rows.unpersist();
  }
}
