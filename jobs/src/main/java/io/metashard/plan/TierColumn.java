package io.metashard.plan;

import java.io.Serializable;
import java.util.Comparator;

/**
 * A class of columns that are alike to tiers: a histogram of them is small, however many there are.
 *
 * @param first the fastest tier that is of use to them
 * @param last the slowest that has domains for them
 * @param heat halves of an octave of the milliseconds of reading per byte; {@link #UNREAD}
 */
public record TierColumn(int first, int last, int heat)
    implements Comparable<TierColumn>, Serializable {
  private static final int PER_OCTAVE = 2;
  private static final int LEAST = -80 * PER_OCTAVE;
  private static final int MOST = 80 * PER_OCTAVE;

  /** Of what nobody is expected to read. */
  static final int UNREAD = LEAST - 1;

  /** What has the least choice first, of that the hottest. */
  private static final Comparator<TierColumn> ORDER =
      Comparator.comparingInt(TierColumn::last)
          .thenComparing(Comparator.comparingInt(TierColumn::heat).reversed())
          .thenComparingInt(TierColumn::first);

  /** Where tiers are not told apart. */
  static final TierColumn OF_ONE = new TierColumn(0, 0, UNREAD);

  static int heatOf(double readMillis, long bytes) {
    if (!(readMillis > 0)) {
      return UNREAD;
    }
    double octave = StrictMath.log(readMillis / Math.max(1, bytes)) / StrictMath.log(2);
    return (int) Math.max(LEAST, Math.min(MOST, StrictMath.floor(octave * PER_OCTAVE)));
  }

  /** Milliseconds per byte of the coldest of a class. */
  static double millisPerByte(int heat) {
    return heat == UNREAD ? 0 : StrictMath.pow(2, (double) heat / PER_OCTAVE);
  }

  @Override
  public int compareTo(TierColumn other) {
    return ORDER.compare(this, other);
  }
}
