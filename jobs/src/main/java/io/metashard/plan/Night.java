package io.metashard.plan;

/**
 * What one run will do, decided over all buckets.
 *
 * @param step of storage spent, at which each bucket is planned
 * @param tally under the choice, with {@code step} among its steps
 * @param remark what is to be known of it, in words
 */
public record Night(Choice choice, int step, Tally tally, String remark) {
  /** Physical bytes that are written. */
  public long newBytes() {
    return tally.newBytes().get(step);
  }

  public double ratioAfter() {
    return tally.ratioAfter(step);
  }

  /** How much storage is spent beyond what safety needs, in words. */
  public String spending() {
    return switch (step) {
      case Step.NO_EXTRAS -> "nothing beyond safety";
      case Step.SLICED_ODD_ONES -> "segments of odd lengths are sliced to hold the budget";
      case Step.LEAST -> "the least: segments are sliced wherever it saves";
      default ->
          "what saves %.3g ms of reading or more per MiB, or sampling keys up to %.3g"
              .formatted(Step.bytePrice(step) * (1 << 20), Step.drawnUpTo(step));
    };
  }
}
