package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DemandDriftTest {
  /** Of counts by span (0 the newest) and segment. */
  private static DemandDrift of(double[][] counts) {
    double[] totals = new double[counts.length];
    double[] overlaps = new double[counts.length - 1];
    for (int span = 0; span < counts.length; span++) {
      for (int segment = 0; segment < counts[span].length; segment++) {
        totals[span] += counts[span][segment];
        if (span + 1 < counts.length) {
          overlaps[span] += Math.sqrt(counts[span][segment] * counts[span + 1][segment]);
        }
      }
    }
    return DemandDrift.of(totals, overlaps, 0);
  }

  @Test
  void sameSharesAreNoDistanceHoweverManyRequests() {
    DemandDrift drift = of(new double[][] {{30, 10}, {3, 1}, {6, 2}});
    assertThat(drift.distance()).isCloseTo(0, within(1e-7));
    assertThat(drift.requests()).isEqualTo(40);
    assertThat(drift.usualRequests()).isEqualTo(6);
    assertThat(drift.growth()).isCloseTo(40 / 6.0, within(1e-12));
    assertThat(drift.spans()).isEqualTo(2);
  }

  @Test
  void nothingInCommonIsOneAndTheUsualIsTheMedianOfEarlierPairs() {
    double[][] counts = {{0, 8}, {4, 0}, {3, 1}, {4, 0}, {1, 3}, {4, 0}};
    DemandDrift drift = of(counts);
    assertThat(drift.distance()).isEqualTo(1);
    double near = Math.sqrt(1 - Math.sqrt(0.75));
    double far = Math.sqrt(1 - Math.sqrt(0.25));
    // Near twice, far twice: half between.
    assertThat(drift.usual()).isCloseTo((near + far) / 2, within(1e-12));
    assertThat(drift.ratio()).isCloseTo(2 / (near + far), within(1e-12));
  }

  @Test
  void spansWithoutRequestsAreLeftOut() {
    DemandDrift drift = of(new double[][] {{1, 1}, {0, 0}, {2, 2}, {0, 0}, {2, 0}});
    assertThat(drift.distance()).isNaN();
    assertThat(drift.usual()).isNaN();
    assertThat(drift.ratio()).isNaN();
    assertThat(drift.usualRequests()).isEqualTo(3);
    assertThat(drift.spans()).isEqualTo(2);
    DemandDrift first = of(new double[][] {{1, 1}, {0, 0}});
    assertThat(first.growth()).isNaN();
    assertThat(first.unseenShare()).isNaN();
    DemandDrift silent = of(new double[][] {{0, 0}, {1, 1}});
    assertThat(silent.unseenShare()).isNaN();
    assertThat(silent.growth()).isZero();
  }
}
