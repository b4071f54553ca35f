package io.metashard.forecast;

/**
 * A count with variance {@code mean + dispersion * mean^2}; dispersion 0 is Poisson.
 *
 * @param mean finite, above 0
 * @param dispersion finite, 0 or more
 */
record NegativeBinomial(double mean, double dispersion) {
  /** Above it the gamma approximation of the quantile is off by less than one request in 100. */
  private static final double EXACT_BELOW = 100;

  private static final double NEARLY_POISSON = 1e-9;

  NegativeBinomial {
    if (!(mean > 0) || !Double.isFinite(mean) || !(dispersion >= 0) || dispersion > 1e9) {
      throw new IllegalArgumentException(
          "Cannot use a count of mean %s and dispersion %s: the first must be above 0, the second 0 or more"
              .formatted(mean, dispersion));
    }
  }

  /** Chance of no request. */
  double zero() {
    return Math.exp(logZero());
  }

  /** Chance of one request or more, without the rounding of 1 - zero() for small means. */
  double requested() {
    return -Math.expm1(logZero());
  }

  private double logZero() {
    return dispersion < NEARLY_POISSON ? -mean : -Math.log1p(dispersion * mean) / dispersion;
  }

  /**
   * The least count that is not exceeded with this chance; a fraction where it is approximated.
   *
   * @param standardNormal the same quantile of the standard normal distribution
   */
  double quantile(double chance, double standardNormal) {
    return mean < EXACT_BELOW ? summed(chance) : wilsonHilferty(standardNormal);
  }

  private double summed(double chance) {
    double term = zero();
    double below = term;
    int count = 0;
    // Terms decay at least as fast as a geometric series; the bound stops what rounding would not.
    while (below < chance && count < 100_000) {
      term *=
          dispersion < NEARLY_POISSON
              ? mean / (count + 1)
              : (count * dispersion + 1) * mean / ((count + 1) * (1 + dispersion * mean));
      below += term;
      count++;
    }
    return count;
  }

  /** Cube-root normal approximation of a gamma distribution with the same mean and variance. */
  private double wilsonHilferty(double standardNormal) {
    double shape = mean / (1 + dispersion * mean);
    double root = 1 - 1 / (9 * shape) + standardNormal / (3 * Math.sqrt(shape));
    return mean * Math.pow(Math.max(0, root), 3);
  }
}
