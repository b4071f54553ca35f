package io.metashard.encode;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Which k blocks others are rebuilt from. All are equal unless parity was written wrong: then what
 * is rebuilt with it has the wrong checksum, and the next choice does without.
 */
final class SourceChoices {
  /** Wrong parity is rare, and a choice costs reading k blocks. */
  static final int MOST = 64;

  private SourceChoices() {}

  /**
   * Choices, the best first: data before parity, then with ever more parity blocks left out.
   *
   * @param good indices of blocks that can be read, in order
   * @param k how many are needed, at most as many as are good
   */
  static List<BitSet> of(List<Integer> good, int k) {
    List<Integer> parity = good.stream().filter(index -> index >= k).toList();
    Set<BitSet> choices = new LinkedHashSet<>();
    int spare = good.size() - k;
    for (int left = 0; left <= Math.min(spare, parity.size()) && choices.size() < MOST; left++) {
      leaveOut(good, k, parity, 0, left, new BitSet(), choices);
    }
    return new ArrayList<>(choices);
  }

  private static void leaveOut(
      List<Integer> good,
      int k,
      List<Integer> parity,
      int from,
      int left,
      BitSet out,
      Set<BitSet> choices) {
    if (choices.size() >= MOST) {
      return;
    }
    if (left == 0) {
      BitSet choice = new BitSet();
      for (int index : good) {
        if (!out.get(index) && choice.cardinality() < k) {
          choice.set(index);
        }
      }
      choices.add(choice);
      return;
    }
    for (int i = from; i <= parity.size() - left; i++) {
      out.set(parity.get(i));
      leaveOut(good, k, parity, i + 1, left - 1, out, choices);
      out.clear(parity.get(i));
    }
  }
}
