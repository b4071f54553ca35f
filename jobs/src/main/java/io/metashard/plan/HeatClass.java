package io.metashard.plan;

/**
 * Powers of two of heat: what is compared between nights, so that noise in a forecast moves
 * nothing.
 */
public final class HeatClass {
  /** Class of heat 2^-20 and below, 0 included. */
  public static final int MIN = -20;

  public static final int MAX = 40;

  /** Below 1/16 request in the horizon, segments are equally cold: no change there is a reason. */
  private static final int COLD = -4;

  private HeatClass() {}

  /** floor(log2(requests)), held between {@link #MIN} and {@link #MAX}. */
  public static int of(double requests) {
    if (!(requests >= 0) || Double.isInfinite(requests)) {
      throw new IllegalArgumentException(
          "Cannot classify %s requests: a forecast is finite and not negative".formatted(requests));
    }
    return Math.max(MIN, Math.min(MAX, Math.getExponent(requests)));
  }

  /** How many classes lie between two, where everything cold is one class. */
  static int distance(int a, int b) {
    return Math.abs(Math.max(a, COLD) - Math.max(b, COLD));
  }
}
