package io.metashard.plan;

import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which candidates are encoded in this run: all below a rank, and some more that fill what is left.
 *
 * @param belowRank candidates of lower rank are chosen
 * @param longestBytes longer objects are never chosen: they do not fit the run at all
 * @param further ids of more, few
 */
public record Selection(int belowRank, long longestBytes, Set<String> further)
    implements Serializable {
  /** Candidates looked at to fill what the ranks leave: bounds what the driver holds. */
  public static final int MOST_FURTHER = 10_000;

  public Selection {
    // A set that Java serialization knows; order does not matter to contains.
    further = Set.copyOf(further);
  }

  /**
   * All ranks from the first on whose bytes fit.
   *
   * @param bytesByRank bytes of the candidates that are not longer than the limit, by rank
   */
  public static Selection of(NavigableMap<Integer, Long> bytesByRank, long maxBytes) {
    long left = maxBytes;
    for (var rank : bytesByRank.entrySet()) {
      if (rank.getValue() > left) {
        return new Selection(rank.getKey(), maxBytes, Set.of());
      }
      left -= rank.getValue();
    }
    return new Selection(Candidate.RANKS, maxBytes, Set.of());
  }

  /**
   * The same and those of the next candidates that fit what is left, in their order.
   *
   * @param bytesLeft limit less the bytes already chosen
   */
  public Selection filled(List<Candidate> next, long bytesLeft) {
    Set<String> ids = new TreeSet<>();
    long left = bytesLeft;
    for (Candidate candidate : next.stream().sorted(Candidate.ORDER).toList()) {
      if (candidate.bytes() <= left) {
        ids.add(candidate.objectId());
        left -= candidate.bytes();
      }
    }
    return new Selection(belowRank, longestBytes, new HashSet<>(ids));
  }

  /** Whether every candidate that fits at all was chosen. */
  public boolean isEverything() {
    return belowRank == Candidate.RANKS;
  }

  boolean contains(Candidate candidate) {
    return candidate.bytes() <= longestBytes
        && (candidate.rank() < belowRank || further.contains(candidate.objectId()));
  }
}
