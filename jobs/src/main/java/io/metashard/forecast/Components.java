package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import java.time.Duration;
import java.util.List;
import org.apache.spark.sql.Column;

/**
 * The components of a segment's share of all requests: exponentially weighted shares from short to
 * long half-lives, the long run, the day before, the same hours of many days, and last the uniform
 * share.
 */
final class Components {
  /** Exponentially weighted ones. */
  static final int RECENT = 8;

  static final int LONG_RUN = RECENT;
  static final int DAY_BEFORE = RECENT + 1;
  static final int SAME_PHASE = RECENT + 2;

  /** How many are made of requests: all but the uniform one. */
  static final int OBSERVED = RECENT + 3;

  static final double SAME_PHASE_HALF_LIFE_DAYS = 3;

  private static final Duration LONGEST_HALF_LIFE = Duration.ofHours(96);

  /** What a mixture starts from: days weigh more than hours. */
  static final ShareMixture PRIOR =
      ShareMixture.of(new double[] {.02, .02, .04, .08, .12, .16, .16, .14, .09, .06, .09, .02});

  private Components() {}

  /** Half-lives in buckets: evenly spaced in the logarithm, from one bucket to 96 hours. */
  static double[] halfLives(Timeline timeline) {
    double longest = Math.max(2, timeline.buckets(LONGEST_HALF_LIFE));
    double[] halfLives = new double[RECENT];
    for (int k = 0; k < RECENT; k++) {
      halfLives[k] = Math.pow(longest, (double) k / (RECENT - 1));
    }
    return halfLives;
  }

  /** Column of {@link SegmentStates} with the segment's requests that the component counts. */
  static String sum(int component) {
    return "sum_" + component;
  }

  /** Share by one component; one that saw no request at all stands for the long run. */
  static Column share(int component) {
    Column uniform = lit(1.0).divide(col(OriginFacts.KNOWN));
    Column longRun =
        when(
                col(OriginFacts.total(LONG_RUN)).gt(0),
                col(sum(LONG_RUN)).divide(col(OriginFacts.total(LONG_RUN))))
            .otherwise(uniform);
    if (component == OBSERVED) {
      return uniform;
    }
    if (component == LONG_RUN) {
      return longRun;
    }
    return when(
            col(OriginFacts.total(component)).gt(0),
            col(sum(component)).divide(col(OriginFacts.total(component))))
        .otherwise(longRun);
  }

  /** Share by the mixture; above 0, sums to 1 over the known segments of an origin. */
  static Column share(ShareMixture mixture) {
    List<Double> weights = mixture.weights();
    Column share = share(OBSERVED).multiply(mixture.uniform());
    for (int k = 0; k < OBSERVED; k++) {
      share = share.plus(share(k).multiply(weights.get(k)));
    }
    return share;
  }
}
