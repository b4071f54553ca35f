package io.metashard.plan;

import java.util.Comparator;

/**
 * An object that should be encoded, and when: lower ranks first.
 *
 * @param rank by priority, then what is gained per byte, then a hash of the id; below {@link
 *     #RANKS}
 * @param bytes logical bytes of the object
 */
public record Candidate(String objectId, Priority priority, int rank, long bytes) {
  /** In rank order; ties go to the smaller id. */
  public static final Comparator<Candidate> ORDER =
      Comparator.comparingInt(Candidate::rank).thenComparing(Candidate::objectId);

  private static final int BINS_PER_OCTAVE = 2;
  private static final int LEAST_OCTAVE = -64;
  private static final int MOST_OCTAVE = 40;
  private static final int BINS = (MOST_OCTAVE - LEAST_OCTAVE) * BINS_PER_OCTAVE + 1;

  /** Objects of equal gain are told apart by a hash, so that a limit can cut between them. */
  private static final int PARTS = 32;

  /** A histogram over all ranks has at most this many entries, whatever the number of objects. */
  public static final int RANKS = Priority.values().length * BINS * PARTS;

  /** Why an object is encoded, the most urgent first. */
  public enum Priority {
    /** The source changed since; the most expected requests per byte first. */
    STALE,
    /** Never encoded; the most expected requests per byte first. */
    NEW,
    /**
     * Its meta-shards keep dead bytes, or take more than the storage budget has; the most bytes
     * freed per byte first. Before what only makes reads faster: the budget is a limit.
     */
    TIDY,
    /** Another form saves more than the move costs; the most milliseconds saved per byte first. */
    RESHAPE;

    /** Whether the map does not hold the source as it is now. */
    boolean isFirstEncoding() {
      return this == STALE || this == NEW;
    }
  }

  /**
   * @param gain of encoding the object, in what its priority counts; 0 or less is the least
   */
  static Candidate of(PlanObject object, Priority priority, double gain) {
    double perByte = gain / Math.max(1, object.bytes());
    double octave = perByte > 0 ? StrictMath.log(perByte) / StrictMath.log(2) : LEAST_OCTAVE;
    double held = Math.max(LEAST_OCTAVE, Math.min(MOST_OCTAVE, octave));
    int bin = (int) StrictMath.floor((MOST_OCTAVE - held) * BINS_PER_OCTAVE);
    int part = (int) Math.floorMod(Hash.of(object.id()), (long) PARTS);
    int rank = (priority.ordinal() * BINS + bin) * PARTS + part;
    return new Candidate(object.id(), priority, rank, object.bytes());
  }
}
