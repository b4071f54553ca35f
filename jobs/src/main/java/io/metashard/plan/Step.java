package io.metashard.plan;

/**
 * How much storage a plan spends, from the most to the least.
 *
 * <p>Steps below {@link #NO_EXTRAS} are prices of a stored byte: each is half an octave above the
 * one before. The search for the first that fits the budget is the search for the Lagrange
 * multiplier of stored bytes: with it known, every segment is decided by itself.
 */
final class Step {
  /** Nothing beyond what keeps the bytes safe. */
  static final int NO_EXTRAS = 120;

  /** Segments that find no others of similar length are cut into slices; nothing is striped. */
  static final int SLICED_ODD_ONES = NO_EXTRAS + 1;

  /** The fewest bytes. */
  static final int LEAST = NO_EXTRAS + 2;

  private static final int STEPS_PER_OCTAVE = 2;

  /** Milliseconds of reading that a byte must save at step 0, as a power of two. */
  private static final int CHEAPEST = -44;

  /** The largest sampling key at step 0, as a power of two. */
  private static final int MOST_DRAWN = 12;

  private Step() {}

  /** What a stored byte must save, in milliseconds of all reads in the horizon. */
  static double bytePrice(int step) {
    return StrictMath.pow(2, CHEAPEST + (double) step / STEPS_PER_OCTAVE);
  }

  /** Sampling keys up to this one are drawn. */
  static double drawnUpTo(int step) {
    return StrictMath.pow(2, MOST_DRAWN - (double) step / STEPS_PER_OCTAVE);
  }

  static Packing.Slicing slicing(int step) {
    return switch (step) {
      case SLICED_ODD_ONES -> Packing.Slicing.WHERE_IT_SAVES_MUCH;
      case LEAST -> Packing.Slicing.WHERE_IT_SAVES;
      default -> Packing.Slicing.NEVER;
    };
  }
}
