package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.exp;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.sqrt;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.regression.GBTRegressor;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * "Total x share" times a factor that boosted trees learned: they fit the logarithm of observed
 * over expected, since MLlib's trees have no Poisson loss. Segments that nobody has asked for keep
 * their base.
 *
 * <p>The mean of a logarithm is below the logarithm of the mean, the more so the fewer requests are
 * expected: what the trees expect of a class of volume is scaled to what the class got.
 *
 * @param scales by {@link VolumeClass}
 */
record GbtCorrection(PipelineModel model, List<Double> scales) implements ForecastModel {
  /** Requests added to both sides of the ratio: zeroes have logarithms, small counts weigh less. */
  private static final double ADDED = 0.5;

  /** One for so many rows: few rows say little, and trees learn them by heart. */
  private static final long ROWS_A_TREE = 100;

  private static final int FEWEST_TREES = 3;
  private static final int MOST_TREES = 12;
  private static final int DEPTH = 3;
  private static final double STEP = 0.3;
  private static final int LEAST_ROWS_A_LEAF = 20;

  /** Sums are of multiples of this: exact in whatever order. */
  private static final double GRAIN = 1.0 / (1 << 16);

  private static final String VECTOR = "gbt_features";
  private static final String LABEL = "gbt_label";
  private static final String WEIGHT = "gbt_weight";
  private static final String PREDICTION = "gbt_prediction";

  GbtCorrection {
    scales = List.copyOf(scales);
  }

  @Override
  public ModelChoice name() {
    return ModelChoice.GBT_CORRECTION;
  }

  /**
   * Learns the factor.
   *
   * @param training with features by the true totals, in a settled order
   * @param rows how many those are
   * @param varying features that tell rows apart
   */
  static GbtCorrection fit(Dataset<Row> training, long rows, String[] varying, long seed) {
    Column base = col(CorrectionFeatures.EXPECTED);
    GBTRegressor trees =
        new GBTRegressor()
            .setFeaturesCol(VECTOR)
            .setLabelCol(LABEL)
            .setWeightCol(WEIGHT)
            .setPredictionCol(PREDICTION)
            .setMaxIter((int) Math.max(FEWEST_TREES, Math.min(MOST_TREES, rows / ROWS_A_TREE)))
            .setMaxDepth(DEPTH)
            .setStepSize(STEP)
            .setMinInstancesPerNode(LEAST_ROWS_A_LEAF)
            .setSeed(seed);
    Dataset<Row> labelled =
        training
            .withColumn(
                LABEL, log(col(SegmentStates.OBSERVED).plus(ADDED).divide(base.plus(ADDED))))
            .withColumn(WEIGHT, sqrt(base));
    PipelineModel model = CorrectionFeatures.trained(labelled, varying, VECTOR, trees);
    return new GbtCorrection(model, scales(model.transform(labelled)));
  }

  private static List<Double> scales(Dataset<Row> predicted) {
    String volume = "volume";
    Double[] scales = new Double[VolumeClass.values().length];
    Arrays.fill(scales, 1.0);
    predicted
        .groupBy(VolumeClass.nameOf(col(CorrectionFeatures.EXPECTED)).as(volume))
        .agg(
            sum(rint(col(SegmentStates.OBSERVED).divide(GRAIN)).multiply(GRAIN)),
            sum(rint(corrected().divide(GRAIN)).multiply(GRAIN)))
        .collectAsList() // one row per class
        .forEach(
            row -> {
              double ratio = (row.getDouble(1) + 1) / (row.getDouble(2) + 1);
              scales[VolumeClass.valueOf(row.getString(0)).ordinal()] =
                  Math.max(1 / GlmCorrection.CAP, Math.min(GlmCorrection.CAP, ratio));
            });
    return List.of(scales);
  }

  /** What the trees make of the base, within the cap, before it is scaled. */
  private static Column corrected() {
    Column base = col(CorrectionFeatures.EXPECTED);
    return capped(exp(col(PREDICTION)).multiply(base.plus(ADDED)).minus(ADDED));
  }

  private static Column capped(Column expected) {
    Column base = col(CorrectionFeatures.EXPECTED);
    return greatest(
        least(expected, base.multiply(GlmCorrection.CAP)), base.divide(GlmCorrection.CAP));
  }

  @Override
  public Dataset<Row> predict(Dataset<Row> states, String column) {
    Column base = col(CorrectionFeatures.EXPECTED);
    Column volume = VolumeClass.nameOf(base);
    List<VolumeClass> classes = new ArrayList<>(List.of(VolumeClass.values()));
    Column scale = lit(scales.get(classes.remove(classes.size() - 1).ordinal()));
    for (VolumeClass c : classes) {
      scale = when(volume.equalTo(c.name()), scales.get(c.ordinal())).otherwise(scale);
    }
    return CorrectionFeatures.predicted(model, states, capped(corrected().multiply(scale)), column);
  }
}
