package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShareMixtureTest {
  private static final ShareMixture EVEN = ShareMixture.of(new double[] {1, 1, 1});

  private static List<ShareMixture.Observed> drawnFrom(double[][] components, double[] weights) {
    List<ShareMixture.Observed> observed = new ArrayList<>();
    for (double[] shares : components) {
      double mixed = 0;
      for (int k = 0; k < weights.length; k++) {
        mixed += weights[k] * shares[k];
      }
      observed.add(new ShareMixture.Observed(shares, 1e6 * mixed));
    }
    return observed;
  }

  @Test
  void findsTheWeightsThatMadeTheRequests() {
    double[][] segments = {{.7, .1, .25}, {.1, .7, .25}, {.1, .1, .25}, {.1, .1, .25}};
    ShareMixture mixture = ShareMixture.fit(drawnFrom(segments, new double[] {.6, .3, .1}), EVEN);
    assertThat(mixture.weights().get(0)).isCloseTo(.6, within(.01));
    assertThat(mixture.weights().get(1)).isCloseTo(.3, within(.01));
    assertThat(mixture.uniform()).isCloseTo(.1, within(.01));
  }

  @Test
  void littleDataKeepsThePrior() {
    List<ShareMixture.Observed> one =
        List.of(new ShareMixture.Observed(new double[] {1, 0, 0.1}, 1));
    assertThat(ShareMixture.fit(one, EVEN).weights().get(0)).isBetween(1 / 3.0, 0.36);
    assertThat(ShareMixture.fit(List.of(), EVEN).weights().get(0)).isCloseTo(1 / 3.0, within(1e-9));
  }

  @Test
  void theUniformShareNeverVanishes() {
    List<ShareMixture.Observed> sure =
        List.of(new ShareMixture.Observed(new double[] {1, 0, 0}, 1e9));
    assertThat(ShareMixture.fit(sure, EVEN).uniform()).isEqualTo(ShareMixture.LEAST_UNIFORM);
  }

  @Test
  void refusesWeightsThatAreNoMixture() {
    assertThatThrownBy(() -> new ShareMixture(List.of(.5, .6)))
        .hasMessageContaining("they sum to 1.1, not 1");
    assertThatThrownBy(() -> new ShareMixture(List.of(1.5, -.5)))
        .hasMessageContaining("Cannot mix shares");
  }
}
