package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Amounts;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.encode.PlannedBlocks;
import io.metashard.simulate.Move;
import io.metashard.simulate.Prices;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/**
 * What carrying plans out takes and costs, and the most that it may cost.
 *
 * @param mostPerRun in the currency of the prices; 0: no limit
 */
record MovePlan(Prices prices, double mostPerRun, EncodeOptions encoding) {
  private static final String BLOCKS = "blocks";
  private static final String BYTES = "bytes";
  private static final String DATA_BLOCKS = "data_blocks";
  private static final String WRITES = "writes";

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
   * What a plan will ask of stores. Sources are read by a request a data block at most, and asked
   * for their version once; commits of the map and its backups are not counted.
   *
   * @param plan as {@link Plans#SCHEMA}
   */
  Move of(Dataset<Row> plan) {
    Plans.Totals totals = Plans.Totals.of(plan);
    long tasks = Math.max(1, totals.sourceBytes() / encoding.taskBytes());
    // Groups never share a container, and there may be many of them.
    Row sums =
        plan.groupBy(col(PlannedBlocks.LOCATION), col(PlannedBlocks.GROUP))
            .agg(
                count(lit(1)).as(BLOCKS),
                sum(col(PlannedBlocks.LENGTH)).as(BYTES),
                count(col(PlannedBlocks.OBJECT_ID)).as(DATA_BLOCKS))
            .select(
                col(DATA_BLOCKS),
                functions
                    .udf(new Writes(tasks, encoding.containerBytes()), DataTypes.LongType)
                    .apply(col(BYTES), col(BLOCKS))
                    .as(WRITES))
            .agg(coalesce(sum(col(DATA_BLOCKS)), lit(0L)), coalesce(sum(col(WRITES)), lit(0L)))
            .first();
    long readBack =
        switch (encoding.readBack()) {
          case "none" -> 0;
          case "sample" -> totals.blocks() / Encoding.SAMPLE_ONE_IN;
          default -> totals.blocks();
        };
    return new Move(
        sums.getLong(0) + totals.objects(),
        readBack,
        sums.getLong(1),
        totals.sourceBytes(),
        totals.writtenBytes());
  }

  private record Writes(long tasks, long containerBytes) implements UDF2<Long, Long, Long> {
    @Override
    public Long call(Long bytes, Long blocks) {
      return Move.writes(bytes, blocks, tasks, containerBytes);
    }
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
