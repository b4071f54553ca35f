package io.metashard.plan;

import io.metashard.plan.Tally.Measure;
import java.util.Comparator;
import java.util.Set;

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

  private static final int RANKS_OF_ONE = BINS * PARTS;

  /** How many domains a meta-shard survives, and how many days it is late, is told apart so far. */
  static final int LEVELS = 8;

  /** A histogram over all ranks has at most this many entries, whatever the number of objects. */
  public static final int RANKS = Priority.values().length * RANKS_OF_ONE;

  /** Why an object is encoded, the most urgent first. */
  public enum Priority {
    /** The source changed since; the most expected requests per byte first. */
    STALE(Measure.CHOSEN_STALE, Measure.WAITING_STALE),
    /**
     * Its meta-shards survive the loss of fewer domains than is asked for now; those that survive
     * the fewest first.
     */
    UNSAFE(Measure.CHOSEN_UNSAFE, Measure.WAITING_UNSAFE),
    /**
     * Its meta-shards keep bytes that have been dead for almost as long as they may; those of the
     * longest dead first. Before objects that are new: these are read from their sources until
     * their night comes, and could put erasing off for ever.
     */
    ERASE(Measure.CHOSEN_ERASE, Measure.WAITING_ERASE),
    /** Never encoded; the most expected requests per byte first. */
    NEW(Measure.CHOSEN_NEW, Measure.WAITING_NEW),
    /**
     * Its meta-shards keep dead bytes, or take more than the storage budget has; the most bytes
     * freed per byte first. Before what only makes reads faster: the budget is a limit.
     */
    TIDY(Measure.CHOSEN_TIDY, Measure.WAITING_TIDY),
    /** Its meta-shards have blocks at a location that drains or is gone. */
    DRAIN(Measure.CHOSEN_DRAIN, Measure.WAITING_DRAIN),
    /** Another form saves more than the move costs; the most milliseconds saved per byte first. */
    RESHAPE(Measure.CHOSEN_RESHAPE, Measure.WAITING_RESHAPE),
    /** Nothing asks for it but the user. */
    FULL(Measure.CHOSEN_FULL, Measure.WAITING_FULL);

    private final Measure chosen;
    private final Measure waiting;

    Priority(Measure chosen, Measure waiting) {
      this.chosen = chosen;
      this.waiting = waiting;
    }

    /** Whether the map does not hold the source as it is now. */
    boolean isFirstEncoding() {
      return this == STALE || this == NEW;
    }

    /** Whether it must be done some night, and not only is of use. */
    boolean isDue() {
      return this != TIDY && this != RESHAPE && this != FULL;
    }

    /** What counts objects that are, or are not, encoded for this reason. */
    Measure measure(boolean isChosen) {
      return isChosen ? chosen : waiting;
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
    int rank = priority.ordinal() * RANKS_OF_ONE + bin * PARTS + part;
    return new Candidate(object.id(), priority, rank, object.bytes());
  }

  /**
   * One of those that should leave meta-shards together, so that these end: objects of one come one
   * after the other, and of an object in several the first counts.
   *
   * @param level lower ones come first
   * @param shards what they are placed as
   */
  static Candidate leaving(PlanObject object, Priority priority, int level, Set<String> shards) {
    int ranks = RANKS_OF_ONE / LEVELS;
    int first = ranks;
    for (String shard : shards) {
      first = Math.min(first, (int) Math.floorMod(Hash.of(shard), (long) ranks));
    }
    int rank = priority.ordinal() * RANKS_OF_ONE + Math.min(level, LEVELS - 1) * ranks + first;
    return new Candidate(object.id(), priority, rank, object.bytes());
  }

  /** The first rank of a priority. */
  static int firstRank(Priority priority) {
    return priority.ordinal() * RANKS_OF_ONE;
  }
}
