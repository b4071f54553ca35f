package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class NegativeBinomialTest {
  private static final double Z = 1.2815515655446004;

  @Test
  void poissonChancesAreThoseOfTheTables() {
    NegativeBinomial two = new NegativeBinomial(2, 0);
    assertThat(two.zero()).isCloseTo(0.1353, within(1e-4));
    assertThat(two.requested()).isCloseTo(0.8647, within(1e-4));
    assertThat(two.quantile(0.1, -Z)).isEqualTo(0);
    assertThat(two.quantile(0.9, Z)).isEqualTo(4);
    assertThat(new NegativeBinomial(10, 0).quantile(0.1, -Z)).isEqualTo(6);
    assertThat(new NegativeBinomial(10, 0).quantile(0.9, Z)).isEqualTo(14);
  }

  @Test
  void oneOfDispersionOneIsGeometric() {
    NegativeBinomial geometric = new NegativeBinomial(1, 1);
    assertThat(geometric.zero()).isCloseTo(0.5, within(1e-12));
    assertThat(geometric.quantile(0.9, Z)).isEqualTo(3); // 1 - 2^-4 is the first above 0.9
  }

  @Test
  void summedAndApproximatedQuantilesMeet() {
    for (double dispersion : new double[] {0, 0.05, 0.3}) {
      for (double z : new double[] {-Z, Z}) {
        double chance = z < 0 ? 0.1 : 0.9;
        assertThat(new NegativeBinomial(100, dispersion).quantile(chance, z))
            .isCloseTo(
                new NegativeBinomial(99.999, dispersion).quantile(chance, z),
                Percentage.withPercentage(2));
      }
    }
  }

  @Test
  void aTinyMeanKeepsItsChance() {
    assertThat(new NegativeBinomial(1e-15, 0.5).requested())
        .isCloseTo(1e-15, Percentage.withPercentage(1e-6));
  }

  @Test
  void refusesWhatIsNoMean() {
    for (double mean : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new NegativeBinomial(mean, 0))
          .hasMessageContaining("Cannot use a count of mean " + mean);
    }
  }
}
