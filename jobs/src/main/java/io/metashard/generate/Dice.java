package io.metashard.generate;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/**
 * Seeded draws. Only {@link StrictMath}: {@link Math} may differ in the last bit between machines,
 * and the same seed must give the same bytes on all of them.
 */
final class Dice {
  /** Above this mean a Poisson draw is taken from the normal distribution. */
  private static final double NORMAL_FROM = 50;

  private final SplittableRandom random;

  /**
   * @param purpose keeps what one part draws independent of how much another part draws
   */
  Dice(long seed, String purpose) {
    CRC32 crc = new CRC32();
    crc.update(purpose.getBytes(StandardCharsets.UTF_8));
    random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + crc.getValue());
  }

  double uniform() {
    return random.nextDouble();
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  long below(long bound) {
    return random.nextLong(bound);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  void fill(byte[] bytes) {
    random.nextBytes(bytes);
  }

  /** Standard normal (Marsaglia's polar method). */
  double normal() {
    while (true) {
      double x = 2 * random.nextDouble() - 1;
      double y = 2 * random.nextDouble() - 1;
      double s = x * x + y * y;
      if (s > 0 && s < 1) {
        return x * StrictMath.sqrt(-2 * StrictMath.log(s) / s);
      }
    }
  }

  /** A Poisson count (Knuth's method for small means). */
  int poisson(double mean) {
    if (mean > NORMAL_FROM) {
      return (int) Math.max(0, StrictMath.rint(mean + StrictMath.sqrt(mean) * normal()));
    }
    double limit = StrictMath.exp(-mean);
    double product = random.nextDouble();
    int count = 0;
    while (product > limit) {
      count++;
      product *= random.nextDouble();
    }
    return count;
  }

  /** A draw from the interval whose logarithm is uniform. */
  long logUniform(long from, long to) {
    return Math.round(from * StrictMath.exp(uniform() * StrictMath.log((double) to / from)));
  }

  /** An index, by weights. */
  int pick(double[] weights) {
    double total = 0;
    for (double weight : weights) {
      total += weight;
    }
    double left = uniform() * total;
    for (int i = 0; i < weights.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return weights.length - 1;
  }

  /** A random order of {@code 0 ... n - 1}. */
  int[] permutation(int n) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
