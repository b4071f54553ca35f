package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.map;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** A way to say how many requests each segment will get within the horizon. */
interface ForecastModel {
  /** Parts that a total is cut into for sums. */
  double GRAINS = 1L << 44;

  ModelChoice name();

  /**
   * Adds a column of expected requests, finite and above 0.
   *
   * @param states as {@link SegmentStates#with} gives
   */
  Dataset<Row> predict(Dataset<Row> states, String column);

  /**
   * The same model, scaled so that its predictions sum to the expected total of each origin.
   *
   * @param states as {@link SegmentStates#with} gives, all segments of these origins
   */
  default Reconciled reconciled(Dataset<Row> states, List<OriginFacts> facts) {
    String predicted = "predicted";
    Map<Integer, Double> sums = new TreeMap<>();
    // Multiples of a power of two of the total: exact in whatever order.
    Column ofTotal =
        rint(col(predicted).divide(col(OriginFacts.EXPECTED_TOTAL)).multiply(GRAINS))
            .divide(GRAINS);
    for (Row row :
        predict(states, predicted)
            .groupBy(col(SegmentStates.ORIGIN))
            .agg(sum(ofTotal))
            .collectAsList()) {
      sums.put(row.getInt(0), row.getDouble(1));
    }
    Map<Integer, Double> scales = new TreeMap<>();
    for (OriginFacts f : facts) {
      double all = sums.getOrDefault(f.origin(), 0.0);
      scales.put(f.origin(), all > 0 ? 1 / all : 1.0);
    }
    return new Reconciled(this, scales);
  }

  /**
   * A model whose predictions sum to the total.
   *
   * @param scales by origin; those of other origins are left alone
   */
  record Reconciled(ForecastModel model, Map<Integer, Double> scales) implements ForecastModel {
    public Reconciled {
      scales = Map.copyOf(scales);
    }

    @Override
    public ModelChoice name() {
      return model.name();
    }

    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      List<Column> pairs = new ArrayList<>();
      new TreeMap<>(scales)
          .forEach(
              (origin, scale) -> {
                pairs.add(lit(origin));
                pairs.add(lit(scale));
              });
      Column scale = element_at(map(pairs.toArray(Column[]::new)), col(SegmentStates.ORIGIN));
      return model.predict(states, column).withColumn(column, col(column).multiply(scale));
    }
  }

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
      Column total = OriginFacts.total(Components.DAY_BEFORE);
      Column spread =
          Components.share(Components.LONG_RUN)
              .multiply(1 - UNIFORM)
              .plus(Components.share(Components.OBSERVED).multiply(UNIFORM));
      return states.withColumn(
          column,
          Components.sum(Components.DAY_BEFORE)
              .multiply(1 - SPREAD)
              .plus(
                  when(total.gt(1), total).otherwise(lit(1.0)).multiply(SPREAD).multiply(spread)));
    }
  }

  /** The total of all segments times each one's share of it, by a mixture per class of volume. */
  record TotalShare(ClassMixtures mixtures) implements ForecastModel {
    @Override
    public ModelChoice name() {
      return ModelChoice.TOTAL_SHARE;
    }

    /** The sum over an origin is near its total; {@link #reconciled} makes it that. */
    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      return states.withColumn(column, mixtures.expected(col(OriginFacts.EXPECTED_TOTAL)));
    }
  }
}
