package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.util.List;
import org.junit.jupiter.api.Test;

class DurabilityTest {
  /** Backblaze's own figures: 17 + 3, 0.405 % of drives a year, 156 hours to rebuild one. */
  @Test
  void findsTheElevenNinesThatBackblazePublished() {
    double loss = new Durability(0.00405, 0, 6.5).annualLoss(17, 3);
    // C(20, 4) q^4 (1 - q)^16 in 56.19 periods, 4845 x (7.2071e-5)^4 x 0.99885 x 56.19 = 7.337e-12,
    // and two parts in ten thousand for five losses and more.
    assertThat(loss).isCloseTo(7.3387e-12, within(0.0005e-12));
    assertThat(Durability.nines(loss)).isBetween(11.0, 11.2);
  }

  @Test
  void aSingleCopyIsLostAsOftenAsItsLocation() {
    // Of one block without parity: 1 - exp(-rate).
    assertThat(new Durability(0.2, 0.3, 1).annualLoss(1, 0))
        .isCloseTo(1 - Math.exp(-0.5), within(1e-12));
  }

  @Test
  void twoCopiesAreLostWhenBothGoWithinOneRepair() {
    double q = 1 - Math.exp(-0.5 / 365.25);
    assertThat(new Durability(0, 0.5, 1).annualLoss(1, 1))
        .isCloseTo(1 - Math.pow(1 - q * q, 365.25), within(1e-12));
  }

  @Test
  void theWidestCodesAreSummedToo() {
    // The binomial sums of 256 blocks at q = 0.2395, by exact arithmetic elsewhere.
    Durability often = new Durability(100, 0, 1);
    assertThat(often.annualLoss(246, 10)).isEqualTo(1);
    assertThat(often.annualLoss(177, 79)).isCloseTo(0.82146495580, within(1e-9));
    assertThat(often.annualLoss(56, 200)).isCloseTo(8.5788749556e-73, within(1e-81));
  }

  @Test
  void moreParityAndFasterRepairKeepMore() {
    double before = 1;
    for (int m = 0; m < 6; m++) {
      double loss = new Durability(0.005, 0.01, 1).annualLoss(10, m);
      assertThat(loss).isLessThan(before / 5);
      assertThat(new Durability(0.005, 0.01, 0.5).annualLoss(10, m)).isLessThanOrEqualTo(loss);
      before = loss;
    }
    assertThat(Durability.nines(new Durability(0, 0, 1).annualLoss(10, 2))).isInfinite();
    assertThat(Durability.nines(1)).isZero();
  }

  @Test
  void assumptionsAreSettingsAndWrongOnesAreRefused() {
    assertThat(Durability.from(Settings.defaults())).isEqualTo(new Durability(0.005, 0.01, 1));
    for (String wrong :
        List.of("block-losses-per-year=-1", "location-losses-per-year=-0.1", "repair=0s")) {
      Settings settings = Settings.parse("test", "", List.of("durability." + wrong));
      assertThatThrownBy(() -> Durability.from(settings))
          .isInstanceOf(SettingsException.class)
          .hasMessageStartingWith("Cannot use durability.");
    }
  }
}
