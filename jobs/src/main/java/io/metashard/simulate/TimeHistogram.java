package io.metashard.simulate;

import java.util.Arrays;

/**
 * Times, counted in bins of a 256th of a factor of two: any percentile to within 0.3 %, however
 * many there are.
 */
public final class TimeHistogram {
  private static final int BINS_PER_OCTAVE = 256;
  private static final int LOWEST_OCTAVE = -20;
  private static final int HIGHEST_OCTAVE = 44;

  private final long[] counts = new long[(HIGHEST_OCTAVE - LOWEST_OCTAVE) * BINS_PER_OCTAVE];
  private long total;
  private double sum;

  /**
   * @param millis finite, 0 or more
   */
  public void add(double millis) {
    if (!(millis >= 0) || Double.isInfinite(millis)) {
      throw new IllegalArgumentException("Cannot count a time of %s ms".formatted(millis));
    }
    double octaves = Math.log(Math.max(millis, 1e-9)) / Math.log(2) - LOWEST_OCTAVE;
    int bin = (int) Math.floor(octaves * BINS_PER_OCTAVE);
    counts[Math.max(0, Math.min(counts.length - 1, bin))]++;
    total++;
    sum += millis;
  }

  public long count() {
    return total;
  }

  /** NaN without any. */
  public double mean() {
    return sum / total;
  }

  /**
   * The time that this share of the reads do not exceed: the upper end of its bin; NaN without any.
   */
  public double percentile(double share) {
    if (total == 0) {
      return Double.NaN;
    }
    long rank = Math.max(1, (long) Math.ceil(share * total));
    long seen = 0;
    for (int bin = 0; bin < counts.length; bin++) {
      seen += counts[bin];
      if (seen >= rank) {
        return Math.pow(2, (bin + 1.0) / BINS_PER_OCTAVE + LOWEST_OCTAVE);
      }
    }
    throw new IllegalStateException(
        "Counts do not add up: %d of %d".formatted(Arrays.stream(counts).sum(), total));
  }
}
