package io.metashard.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.config.SettingsException;
import org.junit.jupiter.api.Test;

class MoveTest {
  private static final long MIB = 1 << 20;

  @Test
  void aContainerIsOneRequestUpToAPartAndThenItsPartsAndTwo() {
    assertThat(Move.writes(0, 0, 4, 128 * MIB)).isZero();
    assertThat(Move.writes(MIB, 1, 4, 128 * MIB)).isEqualTo(1);
    // Each of four tasks has a container of its own.
    assertThat(Move.writes(MIB, 100, 4, 128 * MIB)).isEqualTo(4);
    assertThat(Move.writes(1280 * MIB, 1000, 4, 128 * MIB)).isEqualTo(10 * (2 + 2));
    // An empty object's block is in a container, too.
    assertThat(Move.writes(0, 1, 4, 128 * MIB)).isEqualTo(1);
  }

  @Test
  void costsWhatAPencilFinds() {
    Move move = new Move(3000, 2000, 500, 2048 * MIB, 1024 * MIB);
    Move bytes = new Move(0, 0, 0, 2048 * MIB, 3072 * MIB);
    assertThat(move.cost(new Prices("EUR", 9, 0.4, 5, 0))).isCloseTo(2 + 2.5, within(1e-12));
    assertThat(bytes.cost(new Prices("EUR", 9, 0.4, 5, 0.02))).isCloseTo(0.1, within(1e-12));
    assertThat(Move.NOTHING.cost(new Prices("EUR", 9, 0.4, 5, 0.02))).isZero();
  }

  @Test
  void pricesOfWritingNeedACurrency() {
    assertThatThrownBy(() -> new Prices("", 0, 0, 5, 0))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("prices.per-1000-writes = 5.0")
        .hasMessageContaining("prices.currency is not set");
    assertThatThrownBy(() -> new Prices("EUR", 0, 0, 0, -1)).hasMessageEndingWith("0 or more");
  }
}
