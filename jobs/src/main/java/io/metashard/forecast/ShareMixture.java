package io.metashard.forecast;

import java.util.List;

/**
 * Weights of the components of a segment's share of all requests; they sum to 1.
 *
 * <p>The last component is the uniform share, whose weight never falls below {@link #LEAST_UNIFORM}
 * so that a segment nobody has asked for still has a share.
 */
record ShareMixture(List<Double> weights) implements java.io.Serializable {
  static final double LEAST_UNIFORM = 0.002;

  /** Requests that the prior counts for: little data moves the weights little. */
  private static final double PRIOR_REQUESTS = 40;

  private static final int ROUNDS = 300;

  ShareMixture {
    weights = List.copyOf(weights);
    double sum = 0;
    for (double weight : weights) {
      if (!(weight >= 0)) {
        throw new IllegalArgumentException("Cannot mix shares by weights " + weights);
      }
      sum += weight;
    }
    if (Math.abs(sum - 1) > 1e-9) {
      throw new IllegalArgumentException(
          "Cannot mix shares by weights %s: they sum to %s, not 1".formatted(weights, sum));
    }
  }

  double uniform() {
    return weights.get(weights.size() - 1);
  }

  /** What one segment got of a back-test's requests, and what each component had given it. */
  record Observed(double[] shares, double requests) {}

  /**
   * Maximises the likelihood of who got the requests, by expectation maximisation, with the prior
   * as a Dirichlet distribution.
   *
   * @param observed each with as many shares as the prior has weights
   */
  static ShareMixture fit(List<Observed> observed, ShareMixture prior) {
    int n = prior.weights.size();
    double[] w = prior.weights.stream().mapToDouble(Double::doubleValue).toArray();
    for (int round = 0; round < ROUNDS; round++) {
      double[] next = new double[n];
      double total = 0;
      for (Observed o : observed) {
        double mixed = 0;
        for (int k = 0; k < n; k++) {
          mixed += w[k] * o.shares()[k];
        }
        if (mixed > 0 && o.requests() > 0) {
          for (int k = 0; k < n; k++) {
            next[k] += o.requests() * w[k] * o.shares()[k] / mixed;
          }
          total += o.requests();
        }
      }
      double moved = 0;
      for (int k = 0; k < n; k++) {
        double weight =
            (next[k] + PRIOR_REQUESTS * prior.weights.get(k)) / (total + PRIOR_REQUESTS);
        moved += Math.abs(weight - w[k]);
        w[k] = weight;
      }
      if (moved < 1e-7) {
        break;
      }
    }
    return of(w);
  }

  /** Scales the weights to 1 with at least {@link #LEAST_UNIFORM} for the last. */
  static ShareMixture of(double[] parts) {
    double sum = 0;
    for (double part : parts) {
      sum += part;
    }
    int last = parts.length - 1;
    double uniform = Math.max(LEAST_UNIFORM, parts[last] / sum);
    double others = sum - parts[last];
    Double[] weights = new Double[parts.length];
    for (int k = 0; k < last; k++) {
      weights[k] = others > 0 ? parts[k] / others * (1 - uniform) : (1 - uniform) / last;
    }
    weights[last] = uniform;
    return new ShareMixture(List.of(weights));
  }
}
