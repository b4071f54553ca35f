package io.metashard.plan;

/**
 * What it would bring to encode an object anew, and what it would take: both in milliseconds.
 *
 * @param savedMillis that all reads expected in the forecast's horizon would take less
 * @param moveMillis that the source and the locations would be busy with the move
 */
record Gain(double savedMillis, double moveMillis) {
  /** Nothing changed so much that anything is to be gained. */
  static final Gain NONE = new Gain(0, 0);

  /** Both by one move. */
  Gain plus(Gain other) {
    return new Gain(savedMillis + other.savedMillis, Math.max(moveMillis, other.moveMillis));
  }

  /**
   * @param moveCost milliseconds of reading that a millisecond of moving must save
   */
  boolean isWorthIt(double moveCost) {
    return savedMillis > 0 && savedMillis > moveCost * moveMillis;
  }
}
