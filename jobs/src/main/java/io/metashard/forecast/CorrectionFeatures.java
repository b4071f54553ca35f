package io.metashard.forecast;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.log1p;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.VectorAssembler;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What the corrections of "total x share" learn from: how a segment's shares differ by half-life,
 * how much it is asked for, how recently, how whole and since when.
 *
 * <p>What is the same for all segments of an origin (hour, day of week, level) is no feature:
 * predictions are reconciled to the total, and it would cancel.
 *
 * @param base what is corrected
 * @param perDay buckets of a day
 */
record CorrectionFeatures(ForecastModel.TotalShare base, int perDay) {
  /** Logarithm of what the base expects. */
  static final String OFFSET = "correction_offset";

  /** What the base expects. */
  static final String EXPECTED = "correction_base";

  private static final double MOST_LOG = 4;

  private static final int[] RATIOS = {
    0, 2, 4, 6, 7, Components.LONG_RUN, Components.DAY_BEFORE, Components.SAME_PHASE
  };

  static String[] names() {
    List<String> names = new ArrayList<>();
    for (int k : RATIOS) {
      names.add("f_ratio_" + k);
    }
    names.addAll(List.of("f_recency", "f_active", "f_volume", "f_whole", "f_age", "f_age_known"));
    return names.toArray(String[]::new);
  }

  /**
   * Adds the features, {@link #EXPECTED} and {@link #OFFSET}; all finite.
   *
   * @param states as {@link SegmentStates#with} gives
   * @param total of all segments: the true one to learn from, the expected one to predict
   */
  Dataset<Row> with(Dataset<Row> states, Column total) {
    Dataset<Row> rows = states.withColumn(EXPECTED, base.expected(total));
    Column share = col(EXPECTED).divide(total);
    List<Column> columns = new ArrayList<>();
    for (String column : rows.columns()) {
      columns.add(col(column));
    }
    for (int k : RATIOS) {
      // One request added to both sides: where few were to be expected, the ratio says little.
      Column ratio =
          log(Components.sum(k).plus(1).divide(OriginFacts.total(k).multiply(share).plus(1)));
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
    columns.add(bounded(log(col(EXPECTED).plus(0.01)).divide(2)).as("f_volume"));
    columns.add(col(SegmentStates.WHOLE).plus(0.5).divide(longRun.plus(1)).as("f_whole"));
    columns.add(bounded(coalesce(log1p(age).divide(2), lit(0.0))).as("f_age"));
    columns.add(when(col(SegmentStates.BORN).isNull(), 0.0).otherwise(1.0).as("f_age_known"));
    columns.add(log(col(EXPECTED)).as(OFFSET));
    return rows.select(columns.toArray(Column[]::new));
  }

  /** Trains an MLlib regressor on features that tell rows apart, as one vector. */
  static PipelineModel trained(
      Dataset<Row> training, String[] varying, String vector, PipelineStage regressor) {
    VectorAssembler assembler = new VectorAssembler().setInputCols(varying).setOutputCol(vector);
    return new Pipeline().setStages(new PipelineStage[] {assembler, regressor}).fit(training);
  }

  /**
   * Adds what a model makes of the base; segments that nobody has asked for keep their base.
   *
   * @param states as {@link #with} gives
   * @param corrected by the model's prediction and {@link #EXPECTED}
   */
  static Dataset<Row> predicted(
      PipelineModel model, Dataset<Row> states, Column corrected, String column) {
    Column predicted =
        when(Components.sum(Components.LONG_RUN).gt(0), corrected).otherwise(col(EXPECTED));
    return model.transform(states).select(and(states, predicted.as(column)));
  }

  /** Columns of states and one more. */
  static Column[] and(Dataset<Row> states, Column more) {
    Column[] columns = Arrays.stream(states.columns()).map(c -> col(c)).toArray(Column[]::new);
    Column[] all = Arrays.copyOf(columns, columns.length + 1);
    all[columns.length] = more;
    return all;
  }

  private static Column bounded(Column value) {
    return greatest(least(value, lit(MOST_LOG)), lit(-MOST_LOG));
  }
}
