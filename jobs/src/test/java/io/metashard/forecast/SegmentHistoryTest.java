package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SegmentHistoryTest {
  private static final double[] HALF_LIVES = {1, 2, 4, 8, 16, 32, 64, 96};

  private static SegmentHistory.View view(int origin, int horizon, double... scales) {
    return new SegmentHistory.View(origin, 24, 24, horizon, HALF_LIVES, 3, scales);
  }

  private static SegmentHistory history(double[] series) {
    int[] buckets = IntStream.range(0, series.length).filter(t -> series[t] > 0).toArray();
    return new SegmentHistory(
        buckets,
        Arrays.stream(buckets).mapToDouble(t -> series[t]).toArray(),
        Arrays.stream(buckets).mapToDouble(t -> series[t] / 2).toArray());
  }

  private static double[] random(long seed, int length) {
    Random random = new Random(seed);
    return IntStream.range(0, length)
        .mapToDouble(t -> random.nextInt(3) == 0 ? random.nextInt(20) : 0)
        .toArray();
  }

  @Property(tries = 200)
  void whatFollowsAnOriginChangesOnlyWhatIsObserved(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 199) int origin) {
    double[] series = random(seed, 200);
    double[] changed = series.clone();
    for (int t = origin; t < 200; t++) {
      changed[t] = 1000 - changed[t];
    }
    SegmentHistory.View view = view(origin, 24, 1, 1, 1);
    SegmentHistory.State once = history(series).at(view);
    SegmentHistory.State again = history(changed).at(view);
    assertThat(again.sums()).isEqualTo(once.sums());
    assertThat(again.whole()).isEqualTo(once.whole());
    assertThat(again.activeBuckets()).isEqualTo(once.activeBuckets());
    assertThat(again.lastBucket()).isEqualTo(once.lastBucket());
    assertThat(again.observed()).isNotEqualTo(once.observed());
  }

  @Property(tries = 100)
  void sumsAreThoseOfTheirDefinitions(@ForAll long seed) {
    double[] series = random(seed, 150);
    int origin = 120;
    SegmentHistory.State state = history(series).at(view(origin, 24, 1, 1, 1, 1, 1));
    for (int k = 0; k < HALF_LIVES.length; k++) {
      double sum = 0;
      for (int t = 0; t < origin; t++) {
        sum += series[t] * Math.pow(0.5, (origin - 1 - t) / HALF_LIVES[k]);
      }
      assertThat(state.sums()[k]).isCloseTo(sum, within(1e-4));
    }
    assertThat(state.sums()[Components.LONG_RUN]).isEqualTo(sum(series, 0, origin));
    assertThat(state.sums()[Components.DAY_BEFORE]).isEqualTo(sum(series, 96, 120));
    assertThat(state.observed()).isEqualTo(sum(series, 120, 144));
    double logs = 0;
    double weights = 0;
    for (int d = 0; d < 5; d++) {
      double weight = Math.pow(0.5, d / Components.STEADY_LONG_DAYS);
      logs += weight * Math.log1p(sum(series, origin - 24 * (d + 1), origin - 24 * d));
      weights += weight;
    }
    assertThat(state.sums()[Components.STEADY_LONG])
        .isCloseTo(Math.expm1(logs / weights), within(1e-4));
  }

  private static double sum(double[] series, int from, int to) {
    return Arrays.stream(series, from, to).sum();
  }

  @Test
  void aHorizonOfDaysRepeatsTheDayBefore() {
    double[] series = new double[48];
    series[30] = 2;
    assertThat(history(series).at(view(48, 72, 1)).sums()[Components.DAY_BEFORE]).isEqualTo(6);
  }

  @Test
  void aBusyDayMovesTheSteadySharesLittle() {
    double[] series = new double[240];
    Arrays.fill(series, 1);
    series[235] = 1000;
    double[] sums = history(series).at(view(240, 24, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)).sums();
    assertThat(sums[Components.DAY_BEFORE]).isEqualTo(1023);
    assertThat(sums[Components.STEADY_LONG]).isBetween(24.0, 100.0);
  }
}
