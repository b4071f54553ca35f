package io.metashard.simulate;

import java.util.SplittableRandom;

/** Chances that depend on a seed and on what they are drawn for, and on no order of drawing. */
final class Luck {
  private Luck() {}

  /**
   * Evenly spread over [0, 1): SplitMix64's finalizer (Steele, Lea and Flood, 2014) over counters.
   *
   * @param purpose tells apart what is drawn for the same draw and item
   */
  static double chance(long seed, long draw, long item, long purpose) {
    long z = mixed(seed * 0xD1342543DE82EF95L + purpose);
    z = mixed(z + draw * 0x9E3779B97F4A7C15L);
    z = mixed(z + item * 0xBF58476D1CE4E5B9L);
    return (z >>> 11) * 0x1.0p-53;
  }

  /** The numbers below {@code n} in a random order. */
  static int[] permutation(int n, SplittableRandom random) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  private static long mixed(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
