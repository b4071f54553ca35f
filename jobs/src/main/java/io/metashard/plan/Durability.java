package io.metashard.plan;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;

/**
 * How likely it is that bytes are lost for good, by a model; its rates are assumptions.
 *
 * <p>The model is that of Backblaze's {@code erasure-coding-durability}: time is cut into periods
 * as long as a repair takes; in each, every one of n = k + m blocks is lost with probability q = 1
 * - exp(-rate x period), whatever becomes of the others; a meta-shard is lost when more than m are.
 * That has probability p = sum over i &gt; m of C(n, i) q^i (1 - q)^(n - i), and in a year 1 - (1 -
 * p)^(periods of a year). Whole locations are counted with single blocks: the blocks of a
 * meta-shard are in different domains, so a location that is lost takes one block of each, and the
 * two rates add up.
 *
 * <p>Its limits: losses are taken as independent, between blocks and between domains (a region that
 * burns, or one operator that deletes everything, is no such loss); repair is taken to be done in
 * time, every time; bytes that rot unseen count as lost only if {@code verify} finds them within a
 * period; software that writes wrong bytes is not in it. Nines beyond ten say that something else
 * will be the end of the data.
 *
 * @param blockLossesPerYear of one block by itself, on average
 * @param locationLossesPerYear of all blocks at a location, on average
 * @param repairDays from a loss until what was lost is stored anew
 */
public record Durability(
    double blockLossesPerYear, double locationLossesPerYear, double repairDays) {
  private static final double DAYS_PER_YEAR = 365.25;
  private static final double MILLIS_PER_DAY = 86_400_000;

  public Durability {
    if (!(blockLossesPerYear >= 0 && locationLossesPerYear >= 0)
        || Double.isInfinite(blockLossesPerYear + locationLossesPerYear)) {
      throw new SettingsException(
          "Cannot use durability.block-losses-per-year = %s, durability.location-losses-per-year = %s: both must be 0 or more"
              .formatted(blockLossesPerYear, locationLossesPerYear));
    }
    if (!(repairDays > 0 && repairDays <= DAYS_PER_YEAR)) {
      throw new SettingsException(
          "Cannot use durability.repair = %s days: it must be above 0 and at most a year"
              .formatted(repairDays));
    }
  }

  public static Durability from(Settings settings) {
    return new Durability(
        settings.number("durability.block-losses-per-year"),
        settings.number("durability.location-losses-per-year"),
        settings.duration("durability.repair").toMillis() / MILLIS_PER_DAY);
  }

  /** Probability that a meta-shard of k data and m parity blocks loses bytes within a year. */
  public double annualLoss(int k, int m) {
    double q =
        -Math.expm1(-(blockLossesPerYear + locationLossesPerYear) * repairDays / DAYS_PER_YEAR);
    double lost = moreThan(m, k + m, q);
    return -Math.expm1(DAYS_PER_YEAR / repairDays * Math.log1p(-lost));
  }

  /** 11 of a chance of 10^-11 to lose something; infinite where nothing is ever lost. */
  public static double nines(double annualLoss) {
    return annualLoss >= 1 ? 0 : -Math.log10(annualLoss);
  }

  /** Binomial: the chance of more than {@code most} of {@code n} losses, summed from its terms. */
  private static double moreThan(int most, int n, double q) {
    if (q >= 1) {
      return n > most ? 1 : 0;
    }
    // The first term by logarithms: coefficients of wide codes do not fit a double's exponent.
    double term = n * Math.log1p(-q);
    for (int i = 1; i <= most + 1 && i <= n; i++) {
      term += Math.log((double) (n - i + 1) / i) + Math.log(q) - Math.log1p(-q);
    }
    double sum = 0;
    double each = most < n ? Math.exp(term) : 0;
    for (int i = most + 1; i <= n; i++) {
      sum += each;
      each *= (double) (n - i) / (i + 1) * q / (1 - q);
    }
    return Math.min(1, sum);
  }
}
