package io.metashard.forecast;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.log2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * How good models were from past origins, kept as sums per bin of the forecast.
 *
 * <p>A bin is a sixteenth of a factor of two: all metrics, the calibration of chances and the
 * ranking by heat come from one small table, however many segments there are.
 */
record Scorecard(List<Bin> bins) {
  static final int BINS_PER_OCTAVE = 16;

  private static final int LOWEST_BIN = -60 * BINS_PER_OCTAVE;
  private static final int HIGHEST_BIN = 60 * BINS_PER_OCTAVE;
  private static final double HOTTEST = 0.1;

  /** Stands beside the models: what came to be, as if it had been forecast. */
  static final String ORACLE = "oracle";

  static final String DEVIANCE = "poisson_deviance";
  static final String WAPE = "wape";
  static final String LOG_LOSS = "share_log_loss";
  static final String CAPTURE = "heat_capture_top_10_percent";

  /** Of the chosen model only: the share of segments whose count lay in the interval. */
  static final String COVERAGE = ForecastMonitor.COVERAGE;

  static final String SEGMENTS = "segments";
  static final String OBSERVED_REQUESTS = "observed_requests";
  static final String EXPECTED_REQUESTS = "expected_requests";

  /**
   * Segments of one origin that a model forecast nearly alike.
   *
   * @param volume class by the base model's forecast, the same for all models
   * @param observedLog sum of observed x ln(expected)
   * @param requested how many got at least one request
   */
  record Bin(
      int origin,
      String model,
      VolumeClass volume,
      int bin,
      double segments,
      double observed,
      double expected,
      double absoluteError,
      double squaredError,
      double deviance,
      double observedLog,
      double requested) {
    private Bin by(String other) {
      return new Bin(
          origin,
          other,
          volume,
          bin,
          segments,
          observed,
          expected,
          absoluteError,
          squaredError,
          deviance,
          observedLog,
          requested);
    }
  }

  Scorecard {
    bins = List.copyOf(bins);
  }

  /**
   * Scores models on past origins.
   *
   * @param states as {@link ForecastModel#predict} takes, of past origins
   * @param base what sorts segments into classes of volume; one of the models
   */
  static Scorecard of(Dataset<Row> states, List<ForecastModel> models, ForecastModel base) {
    Dataset<Row> predicted = states;
    List<Column> pairs = new ArrayList<>();
    for (ForecastModel model : models) {
      predicted = model.predict(predicted, model.name().word());
      pairs.add(pair(model.name().word(), col("`" + model.name().word() + "`")));
    }
    Column observed = col(SegmentStates.OBSERVED);
    pairs.add(pair(ORACLE, greatest(observed, lit(1e-9))));
    Column volume = VolumeClass.nameOf(col("`" + base.name().word() + "`"));
    Column expected = col("expected");
    Column error = observed.minus(expected);
    Column observedLog = observed.multiply(log(expected));
    Column bin =
        least(
            greatest(floor(log2(expected).multiply(BINS_PER_OCTAVE)), lit(LOWEST_BIN)),
            lit(HIGHEST_BIN));
    List<Bin> bins = new ArrayList<>();
    Dataset<Row> sums =
        predicted
            .select(
                col(SegmentStates.ORIGIN),
                observed,
                volume.as("volume"),
                explode(array(pairs.toArray(Column[]::new))).as("pair"))
            .select(
                col(SegmentStates.ORIGIN),
                observed,
                col("volume"),
                col("pair.model").as("model"),
                col("pair.expected").as("expected"))
            .withColumn("bin", bin.cast("int"))
            .groupBy(SegmentStates.ORIGIN, "model", "volume", "bin")
            .agg(
                count(lit(1)).cast("double"),
                sum(observed),
                sum(expected),
                sum(abs(error)),
                sum(error.multiply(error)),
                sum(PoissonDeviance.of(observed, expected)),
                sum(observedLog),
                sum(when(observed.gt(0), 1.0).otherwise(0.0)));
    for (Row row : sums.collectAsList()) {
      bins.add(bin(row));
    }
    // Sums of doubles depend on their order.
    bins.sort(
        Comparator.comparingInt(Bin::origin)
            .thenComparing(Bin::model)
            .thenComparing(Bin::volume)
            .thenComparingInt(Bin::bin)
            .thenComparingDouble(Bin::segments));
    return new Scorecard(bins);
  }

  private static Column pair(String model, Column expected) {
    return struct(lit(model).as("model"), expected.as("expected"));
  }

  private static Bin bin(Row row) {
    return new Bin(
        row.getInt(0),
        row.getString(1),
        VolumeClass.valueOf(row.getString(2)),
        row.getInt(3),
        row.getDouble(4),
        row.getDouble(5),
        row.getDouble(6),
        row.getDouble(7),
        row.getDouble(8),
        row.getDouble(9),
        row.getDouble(10),
        row.getDouble(11));
  }

  Scorecard only(String model) {
    return where(b -> b.model().equals(model));
  }

  /** The bins of a class of volume. */
  Scorecard of(VolumeClass volume) {
    return where(b -> b.volume() == volume);
  }

  /** The same with a model that forecasts each class as others do. */
  Scorecard with(ModelChoice name, Map<VolumeClass, ModelChoice> models) {
    List<Bin> all = new ArrayList<>(bins);
    for (Bin bin : bins) {
      if (bin.model().equals(models.get(bin.volume()).word())) {
        all.add(bin.by(name.word()));
      }
    }
    return new Scorecard(all);
  }

  boolean has(ModelChoice model) {
    return bins.stream().anyMatch(b -> b.model().equals(model.word()));
  }

  /** What was forecast from some origins. */
  Scorecard from(Collection<Integer> origins) {
    return where(b -> origins.contains(b.origin()));
  }

  private Scorecard where(Predicate<Bin> filter) {
    return new Scorecard(bins.stream().filter(filter).toList());
  }

  private double total(java.util.function.ToDoubleFunction<Bin> value) {
    return bins.stream().mapToDouble(value).sum();
  }

  /** Mean Poisson deviance of a model over segments and origins; NaN without any. */
  double deviance(ModelChoice model) {
    Scorecard own = only(model.word());
    return own.total(Bin::deviance) / own.total(Bin::segments);
  }

  /** From how many origins a model was better than another. */
  int wins(ModelChoice model, ModelChoice other) {
    int wins = 0;
    for (int origin : origins()) {
      Scorecard at = where(b -> b.origin() == origin);
      wins += at.deviance(model) < at.deviance(other) ? 1 : 0;
    }
    return wins;
  }

  /**
   * Every metric of a model; those that have no value (nothing was requested) are left out.
   *
   * @param volume null for all segments, with the metrics that rank or share among all
   */
  Map<String, Double> metrics(ModelChoice model, VolumeClass volume) {
    Scorecard own =
        where(b -> b.model().equals(model.word()) && (volume == null || b.volume() == volume));
    Map<String, Double> metrics = new LinkedHashMap<>();
    double segments = own.total(Bin::segments);
    double observed = own.total(Bin::observed);
    metrics.put(SEGMENTS, segments);
    metrics.put(OBSERVED_REQUESTS, observed);
    metrics.put(EXPECTED_REQUESTS, own.total(Bin::expected));
    if (segments > 0) {
      metrics.put(DEVIANCE, own.total(Bin::deviance) / segments);
    }
    if (observed > 0) {
      metrics.put(WAPE, own.total(Bin::absoluteError) / observed);
      if (volume == null) {
        metrics.put(LOG_LOSS, own.logLoss(observed));
        metrics.put(CAPTURE, own.captured() / only(ORACLE).captured());
      }
    }
    return metrics;
  }

  /** Nats per request, of the forecast as a distribution over segments. */
  private double logLoss(double observed) {
    double sum = 0;
    for (int origin : origins()) {
      Scorecard at = where(b -> b.origin() == origin);
      sum +=
          at.total(Bin::observed) * Math.log(at.total(Bin::expected)) - at.total(Bin::observedLog);
    }
    return sum / observed;
  }

  TreeSet<Integer> origins() {
    TreeSet<Integer> origins = new TreeSet<>();
    bins.forEach(b -> origins.add(b.origin()));
    return origins;
  }

  /** Requests that the hottest tenth of the segments got; a bin that is cut counts in part. */
  private double captured() {
    double captured = 0;
    for (int origin : origins()) {
      List<Bin> hottest =
          bins.stream()
              .filter(b -> b.origin() == origin && b.segments() > 0)
              .sorted(Comparator.comparingInt(Bin::bin).reversed())
              .toList();
      double left =
          Math.max(1, Math.rint(HOTTEST * hottest.stream().mapToDouble(Bin::segments).sum()));
      for (int i = 0; i < hottest.size() && left > 0; ) {
        double segments = 0;
        double observed = 0;
        int bin = hottest.get(i).bin();
        for (; i < hottest.size() && hottest.get(i).bin() == bin; i++) {
          segments += hottest.get(i).segments();
          observed += hottest.get(i).observed();
        }
        captured += observed * Math.min(1, left / segments);
        left -= segments;
      }
    }
    return captured;
  }
}
