package io.metashard.plan;

/**
 * What is read at once, as a class: objects that are read whole, or segments, of about the same
 * length and heat.
 *
 * <p>Decisions are made for classes: they are few, whatever the number of segments, and a forecast
 * that moves a little moves few of them. Powers of two, which lengths are more often than other
 * numbers, are in the middle of their class.
 *
 * @param parts segments that it consists of; 1: a segment by itself, which may be sliced
 * @param sizeClass quarters of an octave of its bytes
 * @param readsClass halves of an octave of the reads that are expected of it
 */
public record Unit(int parts, int sizeClass, int readsClass) implements Comparable<Unit> {
  private static final int SIZES_PER_OCTAVE = 4;
  private static final int READS_PER_OCTAVE = 2;
  private static final int READ_PART_BITS = 16;
  private static final double FEWEST_READS = 0x1p-20;
  private static final double MOST_READS = 0x1p40;

  /** Beyond it, the rounding of parts to columns no longer matters. */
  private static final int MOST_PARTS = 64;

  static Unit of(int parts, long bytes, double reads) {
    return new Unit(
        Math.min(parts, MOST_PARTS),
        octaves(Math.max(1, bytes), SIZES_PER_OCTAVE),
        octaves(Math.max(FEWEST_READS, Math.min(MOST_READS, reads)), READS_PER_OCTAVE));
  }

  private static int octaves(double value, int parts) {
    return (int) StrictMath.rint(StrictMath.log(value) / StrictMath.log(2) * parts);
  }

  /** Bytes in the middle of the class. */
  double bytes() {
    return StrictMath.pow(2, (double) sizeClass / SIZES_PER_OCTAVE);
  }

  /** The same unit, however often it is read. */
  Unit anyHeat() {
    return new Unit(parts, sizeClass, 0);
  }

  double reads() {
    return StrictMath.pow(2, (double) readsClass / READS_PER_OCTAVE);
  }

  /** What reads of the class are counted in, so that any sum of them is a whole number. */
  double readPart() {
    return StrictMath.pow(2, (double) readsClass / READS_PER_OCTAVE - READ_PART_BITS);
  }

  /** Reads of one of the class, in {@link #readPart()}. */
  long readParts(double reads) {
    return Math.round(Math.min(MOST_READS, reads) / readPart());
  }

  @Override
  public int compareTo(Unit other) {
    int order = Integer.compare(parts, other.parts);
    order = order != 0 ? order : Integer.compare(sizeClass, other.sizeClass);
    return order != 0 ? order : Integer.compare(readsClass, other.readsClass);
  }
}
