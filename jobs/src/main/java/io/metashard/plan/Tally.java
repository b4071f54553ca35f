package io.metashard.plan;

import java.util.EnumMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What buckets add up to under a choice of objects: few numbers, whatever the number of objects.
 *
 * @param sums by measure
 * @param newBytes physical bytes of the chosen objects' new meta-shards, by step
 * @param keptBytesAt physical bytes of kept blocks, by location
 */
public record Tally(
    Map<Measure, Long> sums, Map<Integer, Long> newBytes, Map<String, Long> keptBytesAt) {
  /** What is counted. Bytes are without the checksums of frames. */
  public enum Measure {
    /** Physical bytes in the map as it is. */
    STORED_PHYSICAL,
    /** Logical bytes of all objects served from it. */
    STORED_LOGICAL,
    /** Physical bytes of the meta-shards that stay. */
    KEPT_PHYSICAL,
    /** Logical bytes of the objects that stay as they are. */
    KEPT_LOGICAL,
    /** Logical bytes of the chosen objects. */
    CHOSEN_BYTES,
    /** Microseconds that all expected reads would take, were nothing coded. */
    READ_MICROS,
    OBJECTS_PRESENT,
    /** Encoded at the source's version. */
    OBJECTS_ENCODED,
    CHOSEN_STALE,
    CHOSEN_UNSAFE,
    /** Because of bytes that have been dead for almost as long as they may. */
    CHOSEN_ERASE,
    CHOSEN_NEW,
    /** Because of dead bytes, or for the storage budget. */
    CHOSEN_TIDY,
    CHOSEN_DRAIN,
    CHOSEN_RESHAPE,
    CHOSEN_FULL,
    WAITING_STALE,
    WAITING_UNSAFE,
    WAITING_ERASE,
    WAITING_NEW,
    WAITING_TIDY,
    WAITING_DRAIN,
    WAITING_RESHAPE,
    WAITING_FULL,
    /** Objects that must be encoded some night and are longer than one run may encode. */
    OBJECTS_TOO_LONG,
    /**
     * Objects that the catalogue does not know, in meta-shards that survive too little, or at
     * locations that drain or are gone.
     */
    OBJECTS_STUCK,
    /** Objects that the map serves and will no longer: their sources are missing for too long. */
    OBJECTS_DROPPED,
    /**
     * Meta-shards whose dead bytes are due to go and stay: objects that the catalogue does not know
     * are served from them.
     */
    META_SHARDS_STUCK
  }

  public static final Tally NOTHING = new Tally(Map.of(), Map.of(), Map.of());

  public Tally {
    sums = Map.copyOf(sums);
    newBytes = Map.copyOf(newBytes);
    keptBytesAt = Map.copyOf(keptBytesAt);
  }

  public long sum(Measure measure) {
    return sums.getOrDefault(measure, 0L);
  }

  /** Both together. */
  public Tally plus(Tally other) {
    return new Tally(
        added(sums, other.sums),
        added(newBytes, other.newBytes),
        added(keptBytesAt, other.keptBytesAt));
  }

  private static <K> Map<K, Long> added(Map<K, Long> a, Map<K, Long> b) {
    Map<K, Long> sum = new java.util.HashMap<>(a);
    b.forEach((key, value) -> sum.merge(key, value, Math::addExact));
    return sum;
  }

  /** Objects chosen for any reason. */
  public long chosen() {
    long sum = 0;
    for (Candidate.Priority priority : Candidate.Priority.values()) {
      sum += sum(priority.measure(true));
    }
    return sum;
  }

  /** Objects that must be encoded some night, and are not in this run. */
  long waiting() {
    long sum = 0;
    for (Candidate.Priority priority : Candidate.Priority.values()) {
      sum += priority.isDue() ? sum(priority.measure(false)) : 0;
    }
    return sum;
  }

  long physicalAfter(int step) {
    return Math.addExact(sum(Measure.KEPT_PHYSICAL), newBytes.get(step));
  }

  long logicalAfter() {
    return Math.addExact(sum(Measure.KEPT_LOGICAL), sum(Measure.CHOSEN_BYTES));
  }

  /** Physical per logical byte of the map as it is; 0 when it holds nothing. */
  public double ratioBefore() {
    return ratio(sum(Measure.STORED_PHYSICAL), sum(Measure.STORED_LOGICAL));
  }

  /** The same of the map once the chosen objects are encoded at a step that was evaluated. */
  public double ratioAfter(int step) {
    return ratio(physicalAfter(step), logicalAfter());
  }

  private static double ratio(long physical, long logical) {
    return logical == 0 ? 0 : (double) physical / logical;
  }

  /** Collects one bucket's. */
  static final class Counter {
    private final Map<Measure, Long> sums = new EnumMap<>(Measure.class);
    private final NavigableMap<Integer, Long> newBytes = new TreeMap<>();
    private final NavigableMap<String, Long> keptBytesAt = new TreeMap<>();

    void add(Measure measure, long value) {
      sums.merge(measure, value, Math::addExact);
    }

    void addNew(int step, long bytes) {
      newBytes.merge(step, bytes, Math::addExact);
    }

    void addKept(String location, long bytes) {
      keptBytesAt.merge(location, bytes, Math::addExact);
    }

    Tally tally() {
      return new Tally(sums, newBytes, keptBytesAt);
    }
  }
}
