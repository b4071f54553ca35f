package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SharePoolTest {
  private static final int SEGMENTS = 100;

  /** Shares of a segment by all components: the given one by one half-life, the rest even. */
  private static double[] shares(int halfLife, double share) {
    double[] shares = new double[Components.OBSERVED + 1];
    Arrays.fill(shares, 1.0 / SEGMENTS);
    shares[halfLife] = share;
    return shares;
  }

  /** Half of the segments get all requests, as one half-life says. */
  private static List<ShareMixture.Observed> told(int halfLife) {
    List<ShareMixture.Observed> observed = new ArrayList<>();
    for (int s = 0; s < SEGMENTS / 2; s++) {
      observed.add(new ShareMixture.Observed(shares(halfLife, 2.0 / SEGMENTS), 10));
    }
    return observed;
  }

  private static double[] mixed(double share) {
    double[] mixed = new double[SEGMENTS / 2];
    Arrays.fill(mixed, share);
    return mixed;
  }

  @Test
  void theHalfLifeThatToldWhoGotTheRequestsWeighsMost() {
    SharePool pool = SharePool.fit(told(3), mixed(1.0 / SEGMENTS));
    assertThat(pool.weight()).isEqualTo(SharePool.MOST_WEIGHT);
    // The half-life of number 3 with its least smoothing comes after three of four smoothings each.
    assertThat(pool.weights().get(3 * 4)).isGreaterThan(0.9);
    assertThat(pool.weights().stream().mapToDouble(w -> w).sum()).isCloseTo(1, within(1e-12));
    double[] cold = shares(3, 0);
    // Half of the mixture's, and next to nothing by the half-life.
    assertThat(pool.pooled(0.01, k -> cold[k])).isBetween(0.005, 0.0053);
  }

  @Test
  void whereTheMixtureKnowsMoreHalfLivesWeighNothing() {
    // As for partitions that nobody has asked for yet: a nat per request.
    SharePool pool = SharePool.fit(told(0), mixed(2.0 / SEGMENTS * Math.E));
    assertThat(pool.weight()).isLessThan(1e-4);
    double[] unseen = shares(0, 0);
    assertThat(pool.pooled(0.02, k -> unseen[k])).isCloseTo(0.02, within(1e-4));
  }

  @Test
  void withoutRequestsThereIsNoPool() {
    SharePool pool = SharePool.fit(List.of(), new double[0]);
    assertThat(pool).isEqualTo(SharePool.NONE);
    assertThat(pool.pooled(0.3, k -> 0)).isEqualTo(0.3);
  }

  @Property
  void aPooledShareIsAboveZeroAndBetweenWhatItIsMadeOf(
      @ForAll @Size(Components.RECENT) List<@DoubleRange(max = 1) Double> recent,
      @ForAll @DoubleRange(min = 0.01, max = 1) double mixed) {
    SharePool pool = SharePool.fit(told(2), mixed(1.5 / SEGMENTS));
    double[] shares = shares(0, 0);
    for (int k = 0; k < Components.RECENT; k++) {
      shares[k] = recent.get(k);
    }
    double least = Math.min(mixed, Arrays.stream(shares).min().orElseThrow());
    double most = Math.max(mixed, Arrays.stream(shares).max().orElseThrow());
    assertThat(pool.pooled(mixed, k -> shares[k])).isPositive().isBetween(least, most * (1 + 1e-9));
  }
}
