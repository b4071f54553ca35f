package io.metashard.forecast;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What may come of an expected count: the middle 80 % and the chance of any request.
 *
 * <p>Counts are taken for negative binomial with the spread that forecasts of such a volume had in
 * the back-test; the chance of a request is then moved, monotonically, to how often segments with
 * such a chance were requested (pool adjacent violators).
 *
 * @param dispersions per {@link VolumeClass}
 * @param raw chances by the distribution alone, ascending
 * @param calibrated what they are moved to, ascending; linear in between
 */
record Outcomes(List<Double> dispersions, List<Double> raw, List<Double> calibrated)
    implements UDF1<Double, Row>, Serializable {
  static final String LOW = "low";
  static final String HIGH = "high";
  static final String REQUESTED = "requested";

  static final StructType SCHEMA =
      new StructType()
          .add(LOW, DataTypes.DoubleType, false)
          .add(HIGH, DataTypes.DoubleType, false)
          .add(REQUESTED, DataTypes.DoubleType, false);

  /** With nothing to learn from: half again as uncertain as the mean. */
  static final Outcomes UNCALIBRATED =
      new Outcomes(List.of(0.5, 0.5, 0.5, 0.5), List.of(), List.of());

  private static final double NORMAL_90_PERCENT = 1.2815515655446004;
  private static final double MOST_DISPERSION = 50;
  private static final double PRIOR_SEGMENTS = 20;
  private static final double NEVER = 1e-12;

  Outcomes {
    dispersions = List.copyOf(dispersions);
    raw = List.copyOf(raw);
    calibrated = List.copyOf(calibrated);
    if (dispersions.size() != VolumeClass.values().length || raw.size() != calibrated.size()) {
      throw new IllegalArgumentException(
          "Cannot use %d dispersions and %d chances for %d"
              .formatted(dispersions.size(), calibrated.size(), raw.size()));
    }
  }

  /** Learns from what one model forecast in a back-test and what came of it. */
  static Outcomes of(Scorecard model) {
    double[] excess = new double[VolumeClass.values().length];
    double[] squares = new double[excess.length];
    TreeMap<Integer, double[]> octaves = new TreeMap<>();
    for (Scorecard.Bin bin : model.bins()) {
      if (bin.segments() > 0) {
        double mean = bin.expected() / bin.segments();
        int volume = VolumeClass.of(mean).ordinal();
        excess[volume] += bin.squaredError() - bin.expected();
        squares[volume] += bin.segments() * mean * mean;
        double[] sums =
            octaves.computeIfAbsent(
                Math.floorDiv(bin.bin(), Scorecard.BINS_PER_OCTAVE), octave -> new double[3]);
        sums[0] += bin.segments();
        sums[1] += bin.expected();
        sums[2] += bin.requested();
      }
    }
    List<Double> dispersions = new ArrayList<>();
    for (int c = 0; c < excess.length; c++) {
      dispersions.add(
          squares[c] > 0
              ? Math.min(MOST_DISPERSION, Math.max(0, excess[c] / squares[c]))
              : UNCALIBRATED.dispersions.get(c));
    }
    Outcomes distribution = new Outcomes(dispersions, List.of(), List.of());
    List<double[]> pools = new ArrayList<>();
    for (double[] sums : octaves.values()) {
      double chance = distribution.count(sums[1] / sums[0]).requested();
      double weight = sums[0] + PRIOR_SEGMENTS;
      pools.add(new double[] {chance, (sums[2] + PRIOR_SEGMENTS * chance) / weight, weight});
    }
    pools.sort(java.util.Comparator.comparingDouble(pool -> pool[0]));
    double[] fitted = poolAdjacentViolators(pools);
    List<Double> raw = new ArrayList<>();
    List<Double> calibrated = new ArrayList<>();
    for (int i = 0; i < fitted.length; i++) {
      raw.add(pools.get(i)[0]);
      calibrated.add(fitted[i]);
    }
    return new Outcomes(dispersions, raw, calibrated);
  }

  /** Least-squares ascending fit of {@code [x, y, weight]}, in order of x. */
  static double[] poolAdjacentViolators(List<double[]> points) {
    List<double[]> pools = new ArrayList<>();
    for (double[] point : points) {
      double[] pool = {point[1], point[2], 1};
      while (!pools.isEmpty() && pools.get(pools.size() - 1)[0] >= pool[0]) {
        double[] before = pools.remove(pools.size() - 1);
        double weight = before[1] + pool[1];
        pool =
            new double[] {
              (before[0] * before[1] + pool[0] * pool[1]) / weight, weight, before[2] + pool[2]
            };
      }
      pools.add(pool);
    }
    return pools.stream()
        .flatMapToDouble(
            pool -> java.util.stream.DoubleStream.generate(() -> pool[0]).limit((long) pool[2]))
        .toArray();
  }

  private NegativeBinomial count(double expected) {
    return new NegativeBinomial(expected, dispersions.get(VolumeClass.of(expected).ordinal()));
  }

  @Override
  public Row call(Double expected) {
    NegativeBinomial count = count(expected);
    return RowFactory.create(
        Math.min(expected, count.quantile(0.1, -NORMAL_90_PERCENT)),
        Math.max(expected, count.quantile(0.9, NORMAL_90_PERCENT)),
        Math.min(1 - NEVER, Math.max(NEVER, calibrated(count.requested()))));
  }

  /** Piecewise linear through (0, 0), the knots and (1, 1). */
  double calibrated(double chance) {
    double x0 = 0;
    double y0 = 0;
    for (int i = 0; i <= raw.size(); i++) {
      double x1 = i < raw.size() ? raw.get(i) : 1;
      double y1 = i < raw.size() ? calibrated.get(i) : 1;
      if (chance <= x1) {
        return x1 > x0 ? y0 + (y1 - y0) * (chance - x0) / (x1 - x0) : y1;
      }
      x0 = x1;
      y0 = y1;
    }
    return 1;
  }
}
