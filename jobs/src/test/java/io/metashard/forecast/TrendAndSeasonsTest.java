package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class TrendAndSeasonsTest {
  private static double ahead(int hours, int steps, IntToDoubleFunction value) {
    return TrendAndSeasons.ahead(IntStream.range(0, hours).mapToDouble(value).toArray(), 24, steps);
  }

  private static double sum(int from, int steps, IntToDoubleFunction value) {
    return IntStream.range(from, from + steps).mapToDouble(value).sum();
  }

  private static double daily(int t) {
    return 200 * Math.exp(Math.sin(2 * Math.PI * t / 24));
  }

  private static double weekend(int t) {
    return daily(t) * (t / 24 % 7 >= 5 ? 2 : 1);
  }

  private static double growing(int t) {
    return daily(t) * Math.exp(t / (24.0 * 20));
  }

  @Test
  void theDayIsFollowed() {
    for (int hour = 0; hour < 24; hour++) {
      double expected = sum(240 + hour, 3, TrendAndSeasonsTest::daily);
      assertThat(ahead(240 + hour, 3, TrendAndSeasonsTest::daily))
          .as("hour %d", hour)
          .isCloseTo(expected, within(0.08 * expected));
    }
  }

  @Test
  void theWeekIsFollowedOnceThereHaveBeenSome() {
    double saturday = sum(26 * 24, 24, TrendAndSeasonsTest::weekend);
    assertThat(ahead(26 * 24, 24, TrendAndSeasonsTest::weekend))
        .isCloseTo(saturday, within(0.2 * saturday));
  }

  @Test
  void growthGoesOn() {
    double next = sum(20 * 24, 24, TrendAndSeasonsTest::growing);
    assertThat(ahead(20 * 24, 24, TrendAndSeasonsTest::growing))
        .isCloseTo(next, within(0.08 * next));
  }

  @Test
  void missingValuesAreNoSilence() {
    double next = sum(240, 24, TrendAndSeasonsTest::daily);
    assertThat(ahead(240, 24, t -> t / 24 == 7 ? Double.NaN : daily(t)))
        .isCloseTo(next, within(0.08 * next));
  }

  @Test
  void lessThanTwoDaysAreTooFew() {
    assertThat(ahead(47, 24, TrendAndSeasonsTest::daily)).isNaN();
    assertThat(ahead(100, 24, t -> Double.NaN)).isNaN();
  }

  @Property(tries = 200)
  void whateverCameTheForecastIsFinite(@ForAll long seed) {
    Random random = new Random(seed);
    int scale = 1 << random.nextInt(24);
    double told =
        ahead(
            48 + random.nextInt(400),
            1 + random.nextInt(300),
            t -> random.nextInt(3) == 0 ? random.nextInt(scale) : 0);
    assertThat(told).isFinite().isNotNegative();
  }
}
