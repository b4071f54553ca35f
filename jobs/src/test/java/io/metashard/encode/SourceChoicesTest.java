package io.metashard.encode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SourceChoicesTest {
  private static List<Integer> range(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
  }

  @Test
  void dataComesFirstAndEveryParityBlockIsOnceLeftOut() {
    // Of 4+3 the first data block is lost.
    List<BitSet> choices = SourceChoices.of(range(1, 7), 4);
    assertThat(choices).doesNotHaveDuplicates();
    assertThat(choices.get(0)).hasToString("{1, 2, 3, 4}");
    assertThat(choices).allMatch(choice -> choice.cardinality() == 4);
    // One of three parity blocks beside three data blocks.
    assertThat(choices).hasSize(3);
    for (int parity = 4; parity < 7; parity++) {
      int out = parity;
      assertThat(choices).anyMatch(choice -> !choice.get(out));
    }
  }

  @Test
  void withNothingToSpareThereIsOneChoice() {
    assertThat(SourceChoices.of(List.of(1, 2, 5, 6), 4)).hasSize(1);
  }

  @Test
  void choicesAreFewHoweverManyThereCouldBe() {
    List<BitSet> choices = SourceChoices.of(range(10, 60), 20);
    assertThat(choices).hasSize(SourceChoices.MOST);
    assertThat(new HashSet<>(choices)).hasSize(SourceChoices.MOST);
  }
}
