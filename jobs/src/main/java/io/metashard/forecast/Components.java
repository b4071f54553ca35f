package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import java.time.Duration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import scala.collection.Seq;

/**
 * The components of a segment's share of all requests: exponentially weighted shares from short to
 * long half-lives, the long run, the day before, the same hours of many days, steady means of days
 * in which one busy day weighs little, what the curve of the segment's dataset says, the same with
 * the segment's own past against it, and last the uniform share.
 */
final class Components {
  /** Array of the segment's requests that each component counts. */
  static final String SUMS = "sums";

  /** Array of the segment's shares by each component, and last the uniform one. */
  static final String SHARES = "shares";

  /** Exponentially weighted ones. */
  static final int RECENT = 8;

  static final int LONG_RUN = RECENT;
  static final int DAY_BEFORE = RECENT + 1;
  static final int SAME_PHASE = RECENT + 2;
  static final int STEADY_SHORT = RECENT + 3;
  static final int STEADY_LONG = RECENT + 4;

  /** How many are made of a segment's own requests alone. */
  static final int COUNTED = RECENT + 5;

  /** What the dataset's curve expects of such a segment. */
  static final int CURVE = COUNTED;

  /**
   * The same times (own requests + prior) / (requests expected of it + prior): gamma posterior of
   * the segment's own level, by recent or all requests and with a weak or strong prior.
   */
  static final int CURVE_RECENT = COUNTED + 1;

  static final int CURVE_LONG_RUN = COUNTED + 2;
  static final int CURVE_STRONG_PRIOR = COUNTED + 3;

  /** How many are made of requests: all but the uniform one. */
  static final int OBSERVED = COUNTED + 4;

  static final double STEADY_SHORT_DAYS = 1;
  static final double STEADY_LONG_DAYS = 3;
  static final double WEAK_PRIOR_REQUESTS = 4;
  static final double STRONG_PRIOR_REQUESTS = 16;

  /** What a mixture starts from: days weigh more than hours. */
  static final ShareMixture PRIOR =
      ShareMixture.of(
          new double[] {
            .01,
            .01,
            .03,
            .06,
            .09,
            .12,
            .12,
            .10, // recent
            .06,
            .05,
            .06,
            .06,
            .06, // long run, day before, same phase, steady
            .03,
            .04,
            .04,
            .04, // curve
            .02 // uniform
          });

  private Components() {}

  /** Half-lives in buckets: evenly spaced in the logarithm, from one bucket to the longest. */
  static double[] halfLives(Timeline timeline, Duration longestHalfLife) {
    double longest = Math.max(2, timeline.buckets(longestHalfLife));
    double[] halfLives = new double[RECENT];
    for (int k = 0; k < RECENT; k++) {
      halfLives[k] = Math.pow(longest, (double) k / (RECENT - 1));
    }
    return halfLives;
  }

  /** The segment's requests that a component counts. */
  static Column sum(int component) {
    return col(SUMS).getItem(component);
  }

  /** The segment's share by a component. */
  static Column share(int component) {
    return col(SHARES).getItem(component);
  }

  /** {@link #SHARES} of a state with the facts of its origin. */
  static Column shares() {
    UDF3<Seq<Double>, Seq<Double>, Double, double[]> shares =
        (sums, totals, known) -> shares(sums, totals, known);
    return udf(shares, new ArrayType(DataTypes.DoubleType, false))
        .apply(col(SUMS), col(OriginFacts.TOTALS), col(OriginFacts.KNOWN));
  }

  /** A component that saw no request at all stands for the long run, and that for the uniform. */
  private static double[] shares(Seq<Double> sums, Seq<Double> totals, double known) {
    double[] shares = new double[OBSERVED + 1];
    shares[OBSERVED] = 1 / known;
    double all = totals.apply(LONG_RUN);
    double longRun = all > 0 ? sums.apply(LONG_RUN) / all : shares[OBSERVED];
    for (int k = 0; k < OBSERVED; k++) {
      double total = totals.apply(k);
      shares[k] = total > 0 ? sums.apply(k) / total : longRun;
    }
    return shares;
  }
}
