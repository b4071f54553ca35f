package io.metashard.plan;

import java.util.Comparator;

/**
 * An object that should be encoded, and when: lower ranks first.
 *
 * @param rank by priority, then heat per byte, then a hash of the id; below {@link #RANKS}
 * @param bytes logical bytes of the object
 */
public record Candidate(String objectId, Priority priority, int rank, long bytes) {
  /** In rank order; ties go to the smaller id. */
  public static final Comparator<Candidate> ORDER =
      Comparator.comparingInt(Candidate::rank).thenComparing(Candidate::objectId);

  private static final int BINS_PER_OCTAVE = 2;
  private static final int COLDEST_OCTAVE = -64;
  private static final int HOTTEST_OCTAVE = 40;
  private static final int BINS = (HOTTEST_OCTAVE - COLDEST_OCTAVE) * BINS_PER_OCTAVE + 1;

  /** Objects of equal heat are told apart by a hash, so that a limit can cut between them. */
  private static final int PARTS = 32;

  /** A histogram over all ranks has at most this many entries, whatever the number of objects. */
  public static final int RANKS = Priority.values().length * BINS * PARTS;

  /** Why an object is encoded, the most urgent first. */
  public enum Priority {
    /** The source changed since. */
    STALE,
    /** Never encoded. */
    NEW,
    /** Another form serves it better, or its blocks keep dead bytes. */
    RESHAPE
  }

  static Candidate of(PlanObject object, Priority priority) {
    double heat = object.expectedRequests() / Math.max(1, object.bytes());
    double octave = heat > 0 ? StrictMath.log(heat) / StrictMath.log(2) : COLDEST_OCTAVE;
    double held = Math.max(COLDEST_OCTAVE, Math.min(HOTTEST_OCTAVE, octave));
    int coldness = (int) StrictMath.floor((HOTTEST_OCTAVE - held) * BINS_PER_OCTAVE);
    int part = (int) Math.floorMod(Hash.of(object.id()), (long) PARTS);
    int rank = (priority.ordinal() * BINS + coldness) * PARTS + part;
    return new Candidate(object.id(), priority, rank, object.bytes());
  }
}
