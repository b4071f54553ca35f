package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
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

/**
 * The mixture of shares of all segments, and its weights for each class of volume: what is often
 * asked for is told by its last hours, what is seldom asked for by its long run.
 *
 * <p>A class's weights maximise the Poisson likelihood of its counts, with a gamma prior around the
 * weights of all; they need not sum to 1, so a class that as a whole gets less than its shares is
 * brought down. Rounds are those of Richardson (1972) and Lucy (1974): weights stay positive.
 *
 * @param all weights of all segments; says which class one is in
 * @param byClass by {@link VolumeClass}, each as long as those of all
 */
record ClassMixtures(ShareMixture all, List<List<Double>> byClass) implements Serializable {
  private static final int ROUNDS = 200;
  private static final double SHARE_GRAINS = 1L << 48;

  ClassMixtures {
    byClass = byClass.stream().map(List::copyOf).toList();
  }

  /** The same weights in all classes. */
  static ClassMixtures of(ShareMixture all) {
    return new ClassMixtures(
        all, java.util.Collections.nCopies(VolumeClass.values().length, all.weights()));
  }

  /**
   * One that got requests in a back-test.
   *
   * @param expected by each component, were the total known
   */
  record Counted(double[] expected, double requests) {}

  /**
   * Learns the weights of each class.
   *
   * @param sums by class: what each component expects of all its segments, were the totals known
   * @param counted by class: those with requests, or a sample of them with their requests weighted
   * @param priorRequests that the weights of all count for
   */
  static ClassMixtures fit(
      ShareMixture all, double[][] sums, List<List<Counted>> counted, double priorRequests) {
    List<List<Double>> byClass = new ArrayList<>();
    for (int c = 0; c < VolumeClass.values().length; c++) {
      byClass.add(fit(all.weights(), sums[c], counted.get(c), priorRequests));
    }
    return new ClassMixtures(all, byClass);
  }

  private static List<Double> fit(
      List<Double> prior, double[] sums, List<Counted> counted, double priorRequests) {
    int n = prior.size();
    double[] w = prior.stream().mapToDouble(Double::doubleValue).toArray();
    if (Arrays.stream(sums).noneMatch(sum -> sum > 0)) {
      return prior;
    }
    for (int round = 0; round < ROUNDS; round++) {
      double[] next = new double[n];
      for (Counted c : counted) {
        double mixed = 0;
        for (int k = 0; k < n; k++) {
          mixed += w[k] * c.expected()[k];
        }
        if (mixed > 0) {
          for (int k = 0; k < n; k++) {
            next[k] += c.requests() * c.expected()[k] / mixed;
          }
        }
      }
      double moved = 0;
      for (int k = 0; k < n; k++) {
        double weight = (w[k] * next[k] + priorRequests * prior.get(k)) / (sums[k] + priorRequests);
        moved += Math.abs(weight - w[k]);
        w[k] = weight;
      }
      if (moved < 1e-7) {
        break;
      }
    }
    return Arrays.stream(w).boxed().toList();
  }

  /** A segment's share when that many requests come in all; above 0. */
  double share(IntToDoubleFunction shares, double total) {
    VolumeClass volume = VolumeClass.of(total * weighted(all.weights(), shares));
    return weighted(byClass.get(volume.ordinal()), shares);
  }

  private static double weighted(List<Double> weights, IntToDoubleFunction shares) {
    double sum = 0;
    for (int k = 0; k < weights.size(); k++) {
      sum += weights.get(k) * shares.applyAsDouble(k);
    }
    return sum;
  }

  /** The class of a segment by the mixture of all, as its ordinal. */
  private static Column volume(ShareMixture all, Column total) {
    UDF2<Seq<Double>, Double, Integer> volume =
        (shares, sum) -> VolumeClass.of(sum * weighted(all.weights(), shares::apply)).ordinal();
    return udf(volume, DataTypes.IntegerType).apply(col(Components.SHARES), total);
  }

  /** By class and component: what is expected of all its segments, were the totals known. */
  static double[][] sums(Dataset<Row> states, ShareMixture all, Map<Integer, OriginFacts> facts) {
    Column[] columns = new Column[Components.OBSERVED + 1];
    for (int k = 0; k < columns.length; k++) {
      // Multiples of a power of two that sum to 1 at most: exact in whatever order.
      columns[k] = sum(rint(Components.share(k).multiply(SHARE_GRAINS)).divide(SHARE_GRAINS));
    }
    double[][] sums = new double[VolumeClass.values().length][columns.length];
    TreeMap<Integer, List<Row>> byOrigin = new TreeMap<>();
    states
        .groupBy(
            col(SegmentStates.ORIGIN), volume(all, col(OriginFacts.OBSERVED_TOTAL)).as("volume"))
        .agg(columns[0], Arrays.copyOfRange(columns, 1, columns.length))
        .collectAsList() // some rows per origin
        .forEach(row -> byOrigin.computeIfAbsent(row.getInt(0), o -> new ArrayList<>()).add(row));
    byOrigin.forEach(
        (origin, rows) -> {
          for (Row row : rows) {
            for (int k = 0; k < columns.length; k++) {
              sums[row.getInt(1)][k] += facts.get(origin).observedTotal() * row.getDouble(2 + k);
            }
          }
        });
    return sums;
  }

  /** The class of what a mixture of all expects, as {@link #volume} says. */
  static VolumeClass volume(ShareMixture all, double[] shares, double total) {
    return VolumeClass.of(total * weighted(all.weights(), k -> shares[k]));
  }
}
