package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PackingTest {
  private static final long SEED = 7;

  private static List<Integer> sizes(int n, int k) {
    long[] lengths = new long[n];
    Arrays.fill(lengths, 100);
    return Packing.cut(lengths, k, 2, Packing.Slicing.NEVER).stream()
        .map(Packing.Run::size)
        .sorted()
        .toList();
  }

  @Test
  void equalSegmentsAreCutIntoEvenRuns() {
    assertThat(sizes(7, 6)).containsExactly(3, 4);
    assertThat(sizes(13, 6)).containsExactly(4, 4, 5);
    assertThat(sizes(12, 6)).containsExactly(6, 6);
    assertThat(sizes(1, 6)).containsExactly(1);
    assertThat(sizes(0, 6)).isEmpty();
  }

  @Test
  void noOtherCutHasLessParity() {
    Random random = new Random(SEED);
    int cuts = 0;
    for (int round = 0; round < 50; round++) {
      int n = 9;
      long[] lengths = random.longs(n, 1, 1000).toArray();
      long least = Long.MAX_VALUE;
      for (int mask = 0; mask < 1 << (n - 1); mask++) { // bit i: a cut after position i
        least = Math.min(least, parity(lengths, mask, 4));
        cuts++;
      }
      long found = 0;
      for (Packing.Run run : Packing.cut(lengths, 4, 3, Packing.Slicing.NEVER)) {
        found += 3 * Arrays.stream(lengths, run.from(), run.to()).max().orElseThrow();
      }
      assertThat(found).as("seed %s, round %s", SEED, round).isEqualTo(least);
    }
    assertThat(cuts).isEqualTo(50 * 256);
  }

  private static long parity(long[] lengths, int mask, int k) {
    long sum = 0;
    long longest = 0;
    int size = 0;
    for (int i = 0; i < lengths.length; i++) {
      longest = Math.max(longest, lengths[i]);
      if (++size > k) {
        return Long.MAX_VALUE;
      }
      if (i == lengths.length - 1 || (mask >> i & 1) == 1) {
        sum += 3 * longest;
        longest = 0;
        size = 0;
      }
    }
    return sum;
  }

  @Test
  void slicesWhatFindsNoCompany() {
    long[] lengths = {6000, 10, 10, 10, 10, 10, 10};
    List<Packing.Run> runs = Packing.cut(lengths, 6, 2, Packing.Slicing.WHERE_IT_SAVES_MUCH);
    assertThat(runs).containsExactly(new Packing.Run(0, 1, true), new Packing.Run(1, 7, false));
  }
}
