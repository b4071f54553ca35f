package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TotalForecasterTest {
  private static double[] series(int buckets, java.util.function.IntToDoubleFunction value) {
    return IntStream.range(0, buckets).mapToDouble(value).toArray();
  }

  private static double forecast(double[] series, int horizon) {
    int first = TotalForecaster.first(series);
    return TotalForecaster.forecast(series, first, 24, horizon, 7).expected();
  }

  private static double cycle(int t) {
    return 1000 * (1 + Math.sin(2 * Math.PI * t / 24));
  }

  @Test
  void followsTheDailyCycle() {
    for (int hour = 0; hour < 24; hour++) {
      double expected = cycle(hour);
      assertThat(forecast(series(14 * 24 + hour, TotalForecasterTest::cycle), 1))
          .as("hour %d", hour)
          .isCloseTo(expected, within(2 + 0.05 * expected));
    }
  }

  @Test
  void followsALevelThatDoubled() {
    double[] doubled = series(15 * 24, t -> cycle(t) * (t < 13 * 24 ? 1 : 2));
    assertThat(forecast(doubled, 24)).isBetween(36_000.0, 60_000.0);
  }

  @Test
  void aLevelWithNoiseIsSmoothed() {
    Random random = new Random(1);
    double[] noisy = series(10 * 24, t -> 50 + random.nextInt(100));
    assertThat(forecast(noisy, 24)).isCloseTo(24 * 99.5, within(240.0));
  }

  @Test
  void oneBucketIsEnough() {
    assertThat(forecast(new double[] {7}, 3)).isCloseTo(21, within(1e-6));
    assertThat(forecast(new double[] {0, 0, 7}, 1)).isCloseTo(7, within(1e-6));
  }

  @Test
  void nothingRequestedIsForecastAsHalfARequest() {
    double[] silent = new double[100];
    assertThat(TotalForecaster.first(silent)).isEqualTo(100);
    assertThat(forecast(silent, 24)).isEqualTo(0.5);
    assertThat(forecast(new double[0], 24)).isEqualTo(0.5);
  }

  @Test
  void aDayOfMissingLogsIsSkipped() {
    double[] gap = series(10 * 24, t -> t >= 8 * 24 && t < 9 * 24 ? 0 : 100);
    assertThat(forecast(gap, 24)).isCloseTo(2400, within(1.0));
    assertThat(forecast(Arrays.copyOf(gap, 9 * 24), 24)).isCloseTo(2400, within(1.0));
  }

  @Test
  void silenceOfAFewHoursIsNoGap() {
    double[] nights = series(10 * 24, t -> t % 24 < 8 ? 0 : 100);
    assertThat(forecast(nights, 24)).isCloseTo(1600, within(80.0));
    assertThat(forecast(nights, 6)).isLessThan(60);
  }

  @Test
  void isFiniteOnAnySeries() {
    Random random = new Random(5);
    int cases = 0;
    for (int length = 1; length < 400; length += 13) {
      double[] series =
          series(length, t -> random.nextInt(4) == 0 ? random.nextInt(1 << random.nextInt(20)) : 0);
      for (int horizon : new int[] {1, 5, 24, 168}) {
        assertThat(forecast(series, horizon)).as("length %d", length).isFinite().isPositive();
        cases++;
      }
    }
    assertThat(cases).isEqualTo(31 * 4);
  }
}
