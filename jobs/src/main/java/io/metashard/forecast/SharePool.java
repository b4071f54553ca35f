package io.metashard.forecast;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * The mean of what a mixture of shares says and what single half-lives say.
 *
 * <p>A mixture fits the days that it learned from best; one half-life, smoothed by the long run, is
 * coarser and steadier, and the errors of both cancel in part. Half-lives weigh by how well they
 * said who got the requests of past windows (exponential weights, as Vovk 1990; their mean is
 * geometric), and all of them together the less, the better the mixture did: where age or weekday
 * tell, as in a data lake, they know nothing and weigh nothing.
 *
 * @param weight of the half-lives together, 0 to {@link #MOST_WEIGHT}
 * @param weights of half-life and smoothing, by {@link #candidate}; they sum to 1
 */
record SharePool(double weight, List<Double> weights) implements Serializable {
  static final double MOST_WEIGHT = 0.5;

  /**
   * Nats per request by which one half-life must be better than another to weigh e times as much.
   */
  private static final double LOSS_SCALE = 0.005;

  /** Nats per request by which the mixture must be better to weigh the half-lives down by e. */
  private static final double GAP_SCALE = 0.1;

  /** Those that weigh less than this beside the best are left out: logarithms take time. */
  private static final double LEAST_WEIGHT = 0.02;

  /** Parts of a share that come from the long run. */
  private static final double[] SMOOTHINGS = {0.03, 0.1, 0.2, 0.35};

  /** Part of the long run that is spread evenly. */
  private static final double SPREAD = 0.02;

  private static final int CANDIDATES = Components.RECENT * SMOOTHINGS.length;

  static final SharePool NONE = new SharePool(0, List.of());

  SharePool {
    weights = List.copyOf(weights);
    if (!(weight >= 0 && weight <= MOST_WEIGHT)
        || weights.size() != (weight > 0 ? CANDIDATES : weights.size())) {
      throw new IllegalArgumentException(
          "Cannot pool with weight %s and %d half-lives".formatted(weight, weights.size()));
    }
  }

  /**
   * Learns the weights from who got the requests of past windows.
   *
   * @param observed a sample, as {@link ShareMixture#fit} takes
   * @param mixed the mixture's share of each
   */
  static SharePool fit(List<ShareMixture.Observed> observed, double[] mixed) {
    double[] losses = new double[CANDIDATES];
    double mixture = 0;
    double requests = 0;
    for (int i = 0; i < mixed.length; i++) {
      ShareMixture.Observed o = observed.get(i);
      for (int c = 0; c < CANDIDATES; c++) {
        losses[c] -= o.requests() * Math.log(candidate(c, k -> o.shares()[k]));
      }
      mixture -= o.requests() * Math.log(mixed[i]);
      requests += o.requests();
    }
    if (!(requests > 0)) {
      return NONE;
    }
    double least = Arrays.stream(losses).min().orElseThrow();
    double sum = 0;
    List<Double> weights = new ArrayList<>(CANDIDATES);
    for (double loss : losses) {
      double weight = Math.exp((least - loss) / requests / LOSS_SCALE);
      weights.add(weight < LEAST_WEIGHT ? 0 : weight);
      sum += weights.get(weights.size() - 1);
    }
    double all = sum;
    weights.replaceAll(weight -> weight / all);
    double gap = Math.max(0, (least - mixture) / requests);
    return new SharePool(MOST_WEIGHT * Math.exp(-gap / GAP_SCALE), weights);
  }

  /**
   * The mean of a mixture's share and those of the half-lives.
   *
   * @param shares of a segment, by {@link Components}
   */
  double pooled(double mixed, IntToDoubleFunction shares) {
    if (weight == 0) {
      return mixed;
    }
    double log = 0;
    for (int c = 0; c < CANDIDATES; c++) {
      if (weights.get(c) > 0) {
        log += weights.get(c) * Math.log(candidate(c, shares));
      }
    }
    return (1 - weight) * mixed + weight * Math.exp(log);
  }

  /** One half-life's share, smoothed; above 0. */
  private static double candidate(int candidate, IntToDoubleFunction shares) {
    double smoothing = SMOOTHINGS[candidate % SMOOTHINGS.length];
    double longRun =
        (1 - SPREAD) * shares.applyAsDouble(Components.LONG_RUN)
            + SPREAD * shares.applyAsDouble(Components.OBSERVED);
    return (1 - smoothing) * shares.applyAsDouble(candidate / SMOOTHINGS.length)
        + smoothing * longRun;
  }
}
