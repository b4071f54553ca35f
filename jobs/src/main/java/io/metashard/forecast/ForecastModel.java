package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** A way to say how many requests each segment will get within the horizon. */
sealed interface ForecastModel
    permits ForecastModel.SeasonalNaive, ForecastModel.TotalShare, GlmCorrection {
  ModelChoice name();

  /**
   * Adds a column of expected requests, finite and above 0.
   *
   * @param states as {@link SegmentStates#with} gives
   */
  Dataset<Row> predict(Dataset<Row> states, String column);

  /** Expected requests of a segment that had none before the origin; above 0. */
  double unseen(OriginFacts facts);

  /**
   * The counts of the same hours one day before. A twentieth of them is spread by the long run: a
   * count of zero would call any request impossible.
   */
  record SeasonalNaive() implements ForecastModel {
    private static final double SPREAD = 0.05;
    private static final double UNIFORM = 0.1;

    @Override
    public ModelChoice name() {
      return ModelChoice.SEASONAL_NAIVE;
    }

    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      Column total = col(OriginFacts.total(Components.DAY_BEFORE));
      Column spread =
          Components.share(Components.LONG_RUN)
              .multiply(1 - UNIFORM)
              .plus(Components.share(Components.OBSERVED).multiply(UNIFORM));
      return states.withColumn(
          column,
          col(Components.sum(Components.DAY_BEFORE))
              .multiply(1 - SPREAD)
              .plus(
                  when(total.gt(1), total).otherwise(lit(1.0)).multiply(SPREAD).multiply(spread)));
    }

    @Override
    public double unseen(OriginFacts facts) {
      double uniform = facts.totals().get(Components.LONG_RUN) > 0 ? UNIFORM : 1;
      return Math.max(1, facts.totals().get(Components.DAY_BEFORE))
          * SPREAD
          * uniform
          / Math.max(1, facts.known());
    }
  }

  /** The total of all segments times each one's smoothed share of it. */
  record TotalShare(ShareMixture mixture) implements ForecastModel {
    @Override
    public ModelChoice name() {
      return ModelChoice.TOTAL_SHARE;
    }

    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      return states.withColumn(
          column, col(OriginFacts.EXPECTED_TOTAL).multiply(Components.share(mixture)));
    }

    @Override
    public double unseen(OriginFacts facts) {
      return facts.expectedTotal() * facts.unseenShare(mixture);
    }
  }
}
