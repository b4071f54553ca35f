package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.stddev_pop;

import io.metashard.aggregate.Demand;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * Corrections of "total x share" that MLlib learned from the same rows; none if there was too
 * little to learn from.
 *
 * @param rows that they learned from
 */
record Corrections(List<ForecastModel> models, Map<ModelChoice, PipelineModel> trained, long rows) {
  static final Corrections NONE = new Corrections(List.of(), Map.of(), 0);

  private static final double LEAST_SPREAD = 1e-4;

  Corrections {
    models = List.copyOf(models);
    trained = new TreeMap<>(trained);
  }

  /**
   * @param states of past origins, as {@link SegmentStates#with} gives
   * @param ridge L2 penalty of the regression
   * @param seed of what the trees sample
   */
  static Corrections fit(
      Dataset<Row> states, CorrectionFeatures features, double ridge, long seed) {
    List<Column> used = new ArrayList<>();
    List<Column> spreads = new ArrayList<>();
    for (String feature : CorrectionFeatures.names()) {
      used.add(col(feature));
      spreads.add(stddev_pop(col(feature)));
    }
    used.add(col(CorrectionFeatures.EXPECTED));
    used.add(col(CorrectionFeatures.OFFSET));
    used.add(col(SegmentStates.OBSERVED));
    used.add(col(Demand.OBJECT_ID));
    used.add(col(Demand.SEGMENT));
    used.add(col(SegmentStates.ORIGIN));
    // The bounds of the trees' bins are sampled: the order of rows is settled.
    Dataset<Row> training =
        features
            .with(states, col(OriginFacts.OBSERVED_TOTAL))
            .select(used.toArray(Column[]::new))
            .sortWithinPartitions(
                col(SegmentStates.ORIGIN), col(Demand.OBJECT_ID), col(Demand.SEGMENT))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      spreads.add(count(lit(1)));
      Row row = training.select(spreads.toArray(Column[]::new)).head();
      String[] varying = varying(row);
      if (varying.length == 0) {
        return NONE;
      }
      GlmCorrection glm = GlmCorrection.fit(training, varying, ridge);
      long rows = row.getLong(row.size() - 1);
      GbtCorrection gbt = GbtCorrection.fit(training, rows, varying, seed);
      return new Corrections(
          List.of(glm, gbt), Map.of(glm.name(), glm.model(), gbt.name(), gbt.model()), rows);
    } finally {
      training.unpersist();
    }
  }

  /** A feature that is the same in all rows would make the equations singular. */
  private static String[] varying(Row spreads) {
    String[] names = CorrectionFeatures.names();
    List<String> varying = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      if (!spreads.isNullAt(i) && spreads.getDouble(i) > LEAST_SPREAD) {
        varying.add(names[i]);
      }
    }
    return varying.toArray(String[]::new);
  }
}
