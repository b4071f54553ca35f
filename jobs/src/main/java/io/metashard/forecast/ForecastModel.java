package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.exp;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.map;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.types.DataTypes;
import scala.collection.Seq;

/** A way to say how many requests each segment will get within the horizon. */
interface ForecastModel {
  /** Parts that a total is cut into for sums. */
  double GRAINS = 1L << 44;

  ModelChoice name();

  /**
   * Adds a column of expected requests, finite and above 0.
   *
   * @param states as {@link CorrectionFeatures#with} gives for the base of all models and the
   *     expected total: it is looked at once, however many models predict
   */
  Dataset<Row> predict(Dataset<Row> states, String column);

  /** The same model, scaled as {@link #reconciled(List, Dataset, List)} does. */
  default Reconciled reconciled(Dataset<Row> states, List<OriginFacts> facts) {
    return reconciled(List.of(this), states, facts).get(0);
  }

  /**
   * Models, each scaled so that its predictions sum to the expected total of each origin.
   *
   * @param states as {@link #predict} takes, all segments of these origins
   */
  static List<Reconciled> reconciled(
      List<ForecastModel> models, Dataset<Row> states, List<OriginFacts> facts) {
    Dataset<Row> predicted = states;
    List<Column> sums = new ArrayList<>();
    for (int i = 0; i < models.size(); i++) {
      String column = "predicted_" + i;
      predicted = models.get(i).predict(predicted, column);
      // Multiples of a power of two of the total: exact in whatever order.
      sums.add(
          sum(
              rint(col(column).divide(col(OriginFacts.EXPECTED_TOTAL)).multiply(GRAINS))
                  .divide(GRAINS)));
    }
    Map<Integer, Row> found = new TreeMap<>();
    predicted
        .groupBy(col(SegmentStates.ORIGIN))
        .agg(sums.get(0), sums.subList(1, sums.size()).toArray(Column[]::new))
        .collectAsList() // one row per origin
        .forEach(row -> found.put(row.getInt(0), row));
    List<Reconciled> reconciled = new ArrayList<>();
    for (int i = 0; i < models.size(); i++) {
      Map<Integer, Double> scales = new TreeMap<>();
      for (OriginFacts f : facts) {
        Row row = found.get(f.origin());
        double all = row == null ? 0 : row.getDouble(1 + i);
        scales.put(f.origin(), all > 0 ? 1 / all : 1.0);
      }
      reconciled.add(new Reconciled(models.get(i), scales));
    }
    return reconciled;
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

  /**
   * The total of all segments times each one's share of it, by a mixture per class of volume and
   * single half-lives.
   */
  record TotalShare(ClassMixtures mixtures, SharePool pool)
      implements ForecastModel, java.io.Serializable {
    @Override
    public ModelChoice name() {
      return ModelChoice.TOTAL_SHARE;
    }

    /** The sum over an origin is near its total; {@link #reconciled} makes it that. */
    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      return states.withColumn(column, col(CorrectionFeatures.EXPECTED));
    }

    /** What is expected of a segment when that many requests come in all; above 0. */
    Column expected(Column total) {
      TotalShare model = this;
      UDF2<Seq<Double>, Double, Double> expect =
          (shares, all) -> all * model.share(shares::apply, all);
      return udf(expect, DataTypes.DoubleType).apply(col(Components.SHARES), total);
    }

    private double share(IntToDoubleFunction shares, double total) {
      return pool.pooled(mixtures.share(shares, total), shares);
    }
  }

  /** The geometric mean of others: what each learned wrongly by chance weighs half. */
  record GeometricMean(List<ForecastModel> models) implements ForecastModel {
    public GeometricMean {
      models = List.copyOf(models);
    }

    @Override
    public ModelChoice name() {
      return ModelChoice.GEOMETRIC_MEAN;
    }

    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      Dataset<Row> predicted = states;
      Column logs = lit(0.0);
      for (int i = 0; i < models.size(); i++) {
        String one = column + "_of_" + i;
        predicted = models.get(i).predict(predicted, one);
        logs = logs.plus(log(col(one)));
      }
      return predicted.select(
          CorrectionFeatures.and(states, exp(logs.divide(models.size())).as(column)));
    }
  }

  /**
   * Each class of volume by a model of its own.
   *
   * @param base what sorts segments into classes
   * @param models by class, each of them
   */
  record PerClass(ForecastModel base, Map<VolumeClass, ForecastModel> models)
      implements ForecastModel {
    public PerClass {
      models = new TreeMap<>(models);
    }

    @Override
    public ModelChoice name() {
      return ModelChoice.PER_CLASS;
    }

    @Override
    public Dataset<Row> predict(Dataset<Row> states, String column) {
      String sorting = column + "_base";
      Dataset<Row> predicted = base.predict(states, sorting);
      Column volume = VolumeClass.nameOf(col(sorting));
      Map<ModelChoice, String> made = new TreeMap<>();
      made.put(base.name(), sorting);
      Column chosen = col(sorting);
      for (Map.Entry<VolumeClass, ForecastModel> entry : models.entrySet()) {
        ForecastModel model = entry.getValue();
        if (!made.containsKey(model.name())) {
          String one = column + "_by_" + model.name().name();
          predicted = model.predict(predicted, one);
          made.put(model.name(), one);
        }
        chosen =
            when(volume.equalTo(entry.getKey().name()), col(made.get(model.name())))
                .otherwise(chosen);
      }
      return predicted.select(CorrectionFeatures.and(states, chosen.as(column)));
    }
  }
}
