package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.Amounts;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.PlannedBlocks;
import io.metashard.simulate.Move;
import io.metashard.simulate.Prices;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What carrying plans out takes and costs, and the most that it may cost.
 *
 * @param mostPerRun in the currency of the prices; 0: no limit
 */
record MovePlan(Prices prices, double mostPerRun, EncodeOptions encoding) {
  private static final String BLOCKS = "blocks";
  private static final String BYTES = "bytes";
  private static final String DATA_BLOCKS = "data_blocks";
  private static final String DATA_BYTES = "data_bytes";

  MovePlan {
    if (!(mostPerRun >= 0)) {
      throw new SettingsException(
          "Cannot use plan.max-cost-per-run = %s: it must be 0 (no limit) or more"
              .formatted(mostPerRun));
    }
    if (mostPerRun > 0 && !prices.areSet()) {
      throw new SettingsException(
          "Cannot use plan.max-cost-per-run = %s: no prices are set, so nothing has a cost; set prices.currency and prices"
              .formatted(mostPerRun));
    }
  }

  static MovePlan from(Settings settings) {
    return new MovePlan(
        Prices.from(settings),
        settings.number("plan.max-cost-per-run"),
        EncodeOptions.from(settings));
  }

  /**
   * What a plan will ask of stores. Sources are read by a request a data block at most; commits of
   * the map and its backups are not counted.
   *
   * @param plan as {@link Plans#SCHEMA}
   */
  Move of(Dataset<Row> plan) {
    Column isData = col(PlannedBlocks.OBJECT_ID).isNotNull();
    List<Row> locations =
        plan.groupBy(col(PlannedBlocks.LOCATION))
            .agg(
                count(lit(1)).as(BLOCKS),
                coalesce(sum(col(PlannedBlocks.LENGTH)), lit(0L)).as(BYTES),
                count(when(isData, 1)).as(DATA_BLOCKS),
                coalesce(sum(when(isData, col(PlannedBlocks.LENGTH))), lit(0L)).as(DATA_BYTES))
            .collectAsList(); // one a location
    long dataBytes = locations.stream().mapToLong(row -> row.<Long>getAs(DATA_BYTES)).sum();
    long tasks = Math.max(1, dataBytes / encoding.taskBytes());
    long blocks = 0;
    long written = 0;
    long writes = 0;
    long reads = plan.agg(countDistinct(col(PlannedBlocks.OBJECT_ID))).first().getLong(0);
    for (Row location : locations) {
      long here = location.<Long>getAs(BLOCKS);
      long bytes = location.<Long>getAs(BYTES);
      blocks += here;
      written += bytes;
      reads += location.<Long>getAs(DATA_BLOCKS);
      writes += Move.writes(bytes, here, tasks, encoding.containerBytes());
    }
    long readBack =
        switch (encoding.readBack()) {
          case "none" -> 0;
          case "sample" -> blocks / Encoding.SAMPLE_ONE_IN;
          default -> blocks;
        };
    return new Move(reads, readBack, writes, dataBytes, written);
  }

  /**
   * Refuses a plan that is too dear.
   *
   * @param logicalBytes of the objects that it encodes
   */
  void requireAffordable(Move move, long objects, long logicalBytes) {
    double cost = move.cost(prices);
    if (mostPerRun == 0 || cost <= mostPerRun) {
      return;
    }
    long fits = (long) (logicalBytes * (mostPerRun / cost));
    throw new MetashardException(
        MetashardException.USAGE,
        "Cannot keep to plan.max-cost-per-run = %s %s: to encode %d objects of %s would cost %s %s (%s reads, %s writes, %s read and written); reshard.max-bytes-per-run = \"%s\" would fit, about, or raise the limit"
            .formatted(
                Amounts.number(mostPerRun),
                prices.currency(),
                objects,
                Amounts.bytes(logicalBytes),
                Amounts.number(cost),
                prices.currency(),
                Amounts.count(move.sourceReads() + move.storedReads()),
                Amounts.count(move.writes()),
                Amounts.bytes(move.sourceBytes() + move.writtenBytes()),
                setting(fits)));
  }

  /** So many bytes or a little less, as a setting. */
  private static String setting(long bytes) {
    String[] units = {"GiB", "MiB", "KiB"};
    for (int i = 0; i < units.length; i++) {
      long unit = 1L << (10 * (units.length - i));
      if (bytes >= 10 * unit) {
        return bytes / unit + " " + units[i];
      }
    }
    return Math.max(1, bytes) + " B";
  }
}
