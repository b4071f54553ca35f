package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;

import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.regression.GeneralizedLinearRegression;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * "Total x share" times a factor that a Poisson regression learned with the base as its offset.
 * Segments that nobody has asked for keep their base.
 */
record GlmCorrection(PipelineModel model) implements ForecastModel {
  /** A prediction is between the base over this and the base times this. */
  static final double CAP = 4;

  private static final int ROUNDS = 15;
  private static final double TOLERANCE = 1e-4;

  private static final String VECTOR = "glm_features";
  private static final String PREDICTION = "glm_prediction";

  @Override
  public ModelChoice name() {
    return ModelChoice.GLM_CORRECTION;
  }

  /**
   * Learns the factor.
   *
   * @param training with features by the true totals: the error of the total's forecast is none of
   *     the shares'
   * @param varying features that tell rows apart
   * @param ridge L2 penalty
   */
  static GlmCorrection fit(Dataset<Row> training, String[] varying, double ridge) {
    GeneralizedLinearRegression regression =
        new GeneralizedLinearRegression()
            .setFamily("poisson")
            .setLink("log")
            .setFeaturesCol(VECTOR)
            .setLabelCol(SegmentStates.OBSERVED)
            .setOffsetCol(CorrectionFeatures.OFFSET)
            .setPredictionCol(PREDICTION)
            .setRegParam(ridge)
            .setMaxIter(ROUNDS)
            .setTol(TOLERANCE);
    return new GlmCorrection(CorrectionFeatures.trained(training, varying, VECTOR, regression));
  }

  /** The base times the capped factor. */
  @Override
  public Dataset<Row> predict(Dataset<Row> states, String column) {
    Column base = col(CorrectionFeatures.EXPECTED);
    Column factor = greatest(least(col(PREDICTION).divide(base), lit(CAP)), lit(1 / CAP));
    return CorrectionFeatures.predicted(model, states, base.multiply(factor), column);
  }
}
