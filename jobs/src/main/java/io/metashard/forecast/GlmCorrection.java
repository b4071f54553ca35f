package io.metashard.forecast;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.log1p;
import static org.apache.spark.sql.functions.stddev_pop;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.VectorAssembler;
import org.apache.spark.ml.regression.GeneralizedLinearRegression;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * "Total x share" times a factor that a Poisson regression learned with the base as its offset.
 *
 * <p>What is the same for all segments of an origin (hour, day of week, level) is no feature:
 * predictions are reconciled to the total, and it would cancel. Segments that nobody has asked for
 * keep their base.
 */
record GlmCorrection(ForecastModel.TotalShare base, PipelineModel model, int perDay)
    implements ForecastModel {
  /** A prediction is between the base over this and the base times this. */
  static final double CAP = 4;

  private static final double RIDGE = 0.01;
  private static final double LEAST_SPREAD = 1e-4;
  private static final int ROUNDS = 15;
  private static final double TOLERANCE = 1e-4;
  private static final double MOST_LOG = 4;

  private static final String OFFSET = "glm_offset";
  private static final String FEATURES = "glm_features";
  private static final String PREDICTION = "glm_prediction";
  private static final String SHARE = "glm_share";

  private static final int[] RATIOS = {
    0, 2, 4, 6, 7, Components.LONG_RUN, Components.DAY_BEFORE, Components.SAME_PHASE
  };

  @Override
  public ModelChoice name() {
    return ModelChoice.GLM_CORRECTION;
  }

  /**
   * Learns the factor, with the true total as the offset: the error of the total's forecast is none
   * of the shares'.
   *
   * @param states of past origins, as {@link SegmentStates#with} gives
   * @return empty if no feature tells the rows apart
   */
  static Optional<GlmCorrection> fit(
      Dataset<Row> states, ForecastModel.TotalShare base, int perDay) {
    GeneralizedLinearRegression regression =
        new GeneralizedLinearRegression()
            .setFamily("poisson")
            .setLink("log")
            .setFeaturesCol(FEATURES)
            .setLabelCol(SegmentStates.OBSERVED)
            .setOffsetCol(OFFSET)
            .setPredictionCol(PREDICTION)
            .setRegParam(RIDGE)
            .setMaxIter(ROUNDS)
            .setTol(TOLERANCE);
    Dataset<Row> rows = features(states, base, perDay, col(OriginFacts.OBSERVED_TOTAL));
    List<Column> used = new ArrayList<>();
    List<Column> spreads = new ArrayList<>();
    for (String feature : featureNames()) {
      used.add(col(feature));
      spreads.add(stddev_pop(col(feature)));
    }
    used.add(col(OFFSET));
    used.add(col(SegmentStates.OBSERVED));
    Dataset<Row> training =
        rows.select(used.toArray(Column[]::new)).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      String[] varying = varying(training.select(spreads.toArray(Column[]::new)).head());
      if (varying.length == 0) {
        return Optional.empty();
      }
      VectorAssembler assembler =
          new VectorAssembler().setInputCols(varying).setOutputCol(FEATURES);
      PipelineModel model =
          new Pipeline().setStages(new PipelineStage[] {assembler, regression}).fit(training);
      return Optional.of(new GlmCorrection(base, model, perDay));
    } finally {
      training.unpersist();
    }
  }

  /** A feature that is the same in all rows would make the equations singular. */
  private static String[] varying(Row spreads) {
    List<String> varying = new ArrayList<>();
    for (int i = 0; i < featureNames().length; i++) {
      if (!spreads.isNullAt(i) && spreads.getDouble(i) > LEAST_SPREAD) {
        varying.add(featureNames()[i]);
      }
    }
    return varying.toArray(String[]::new);
  }

  /** The base times the capped factor. */
  @Override
  public Dataset<Row> predict(Dataset<Row> states, String column) {
    Column expected = col(OriginFacts.EXPECTED_TOTAL).multiply(col(SHARE));
    Column factor = greatest(least(col(PREDICTION).divide(expected), lit(CAP)), lit(1 / CAP));
    Column[] kept =
        java.util.stream.Stream.concat(
                java.util.Arrays.stream(states.columns()).map(c -> col(c)),
                java.util.stream.Stream.of(
                    when(Components.sum(Components.LONG_RUN).gt(0), expected.multiply(factor))
                        .otherwise(expected)
                        .as(column)))
            .toArray(Column[]::new);
    return model
        .transform(features(states, base, perDay, col(OriginFacts.EXPECTED_TOTAL)))
        .select(kept);
  }

  static String[] featureNames() {
    List<String> names = new ArrayList<>();
    for (int k : RATIOS) {
      names.add("f_ratio_" + k);
    }
    names.addAll(List.of("f_recency", "f_active", "f_volume", "f_whole", "f_age", "f_age_known"));
    return names.toArray(String[]::new);
  }

  /** Adds the features, {@link #OFFSET} and {@link #SHARE}; all finite. */
  static Dataset<Row> features(
      Dataset<Row> states, ForecastModel.TotalShare base, int perDay, Column total) {
    Dataset<Row> rows = states.withColumn(SHARE, base.mixtures().expected(total).divide(total));
    List<Column> columns = new ArrayList<>();
    for (String column : rows.columns()) {
      columns.add(col(column));
    }
    for (int k : RATIOS) {
      // One request added to both sides: where few were to be expected, the ratio says little.
      Column ratio =
          log(Components.sum(k).plus(1).divide(OriginFacts.total(k).multiply(col(SHARE)).plus(1)));
      columns.add(bounded(ratio).as("f_ratio_" + k));
    }
    Column idle =
        col(SegmentStates.ORIGIN)
            .minus(1)
            .minus(coalesce(col(SegmentStates.LAST_BUCKET), col(SegmentStates.ORIGIN).minus(1)));
    Column age =
        greatest(col(SegmentStates.ORIGIN).minus(col(SegmentStates.BORN)), lit(0)).divide(perDay);
    Column longRun = Components.sum(Components.LONG_RUN);
    columns.add(bounded(log1p(idle.divide(perDay / 24.0)).divide(2)).as("f_recency"));
    columns.add(bounded(log1p(col(SegmentStates.ACTIVE_BUCKETS)).divide(2)).as("f_active"));
    columns.add(bounded(log(total.multiply(col(SHARE)).plus(0.01)).divide(2)).as("f_volume"));
    columns.add(col(SegmentStates.WHOLE).plus(0.5).divide(longRun.plus(1)).as("f_whole"));
    columns.add(bounded(coalesce(log1p(age).divide(2), lit(0.0))).as("f_age"));
    columns.add(when(col(SegmentStates.BORN).isNull(), 0.0).otherwise(1.0).as("f_age_known"));
    columns.add(log(total.multiply(col(SHARE))).as(OFFSET));
    return rows.select(columns.toArray(Column[]::new));
  }

  private static Column bounded(Column value) {
    return greatest(least(value, lit(MOST_LOG)), lit(-MOST_LOG));
  }
}
