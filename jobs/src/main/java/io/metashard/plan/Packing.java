package io.metashard.plan;

import java.util.ArrayDeque;
import java.util.List;

/**
 * Cuts a sequence of segments into meta-shards so that parity takes the fewest bytes.
 *
 * <p>A meta-shard's parity is m times its longest data block. Over all ways to cut the sequence
 * into runs of at most k, dynamic programming finds the least sum in O(n k). Among equals it takes
 * the most even runs: 4 + 3 rather than 6 + 1.
 */
final class Packing {
  private Packing() {}

  /** When a segment may be cut into slices that are a meta-shard of its own. */
  enum Slicing {
    NEVER(0),
    /** Where it saves a fifth of the parity or more. */
    WHERE_IT_SAVES_MUCH(5),
    /** Wherever it saves anything. */
    WHERE_IT_SAVES(4);

    /** What a sliced segment's parity counts, in quarters. */
    private final int quarters;

    Slicing(int quarters) {
      this.quarters = quarters;
    }
  }

  /**
   * Positions {@code from} up to {@code to} are one meta-shard; when sliced, it is one position.
   */
  record Run(int from, int to, boolean sliced) {
    int size() {
      return to - from;
    }
  }

  /**
   * @param lengths of the segments, in sequence, all above 0
   * @param k most segments of a run
   * @param m parity blocks
   */
  static List<Run> cut(long[] lengths, int k, int m, Slicing slicing) {
    int n = lengths.length;
    Cost[] best = new Cost[n + 1];
    int[] size = new int[n + 1]; // of the run that ends here; 0: a sliced segment
    best[0] = new Cost(0, 0, 0);
    for (int end = 1; end <= n; end++) {
      long longest = 0;
      for (int run = 1; run <= Math.min(k, end); run++) {
        longest = Math.max(longest, lengths[end - run]);
        Cost cost = best[end - run].plus(4 * m * longest, 0, (long) run * run);
        if (best[end] == null || cost.isBelow(best[end])) {
          best[end] = cost;
          size[end] = run;
        }
      }
      if (slicing != Slicing.NEVER) {
        long parity = slicing.quarters * m * MetaShard.sliceBytes(lengths[end - 1], k);
        Cost cost = best[end - 1].plus(parity, 1, 1);
        if (cost.isBelow(best[end])) {
          best[end] = cost;
          size[end] = 0;
        }
      }
    }
    ArrayDeque<Run> runs = new ArrayDeque<>();
    for (int end = n; end > 0; end -= Math.max(1, size[end])) {
      runs.addFirst(new Run(end - Math.max(1, size[end]), end, size[end] == 0));
    }
    return List.copyOf(runs);
  }

  /** Compared in this order. Parity is in quarters of a byte, so that no rounding decides. */
  private record Cost(long parity, long sliced, long squares) {
    Cost plus(long moreParity, long moreSliced, long moreSquares) {
      return new Cost(parity + moreParity, sliced + moreSliced, squares + moreSquares);
    }

    boolean isBelow(Cost other) {
      if (parity != other.parity) {
        return parity < other.parity;
      }
      if (sliced != other.sliced) {
        return sliced < other.sliced;
      }
      return squares < other.squares;
    }
  }
}
