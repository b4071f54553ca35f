package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class DaysOfMonthTest {
  private static final LocalDate FIRST = LocalDate.parse("2026-01-20");

  private double[] asked = steady(60);
  private double[] expected = steady(60);

  private static double[] steady(int days) {
    double[] requests = new double[days];
    Arrays.fill(requests, 100);
    return requests;
  }

  private DaysOfMonthTest asked(String day, double requests) {
    asked[(int) (LocalDate.parse(day).toEpochDay() - FIRST.toEpochDay())] = requests;
    return this;
  }

  private double factor(String day) {
    return DaysOfMonth.of(FIRST.toEpochDay(), asked, expected, 60)
        .factor(LocalDate.parse(day).toEpochDay());
  }

  @Test
  void aDayThatStoodOutOnceIsHalfBelievedAndOneThatDidTwiceTwoThirds() {
    // In logarithms: what a day is beyond three times the least deviation of 0.2.
    double excess = Math.log(1005 / 105.0) - 0.6;
    asked("2026-02-10", 1000).asked("2026-02-01", 1000).asked("2026-03-01", 1000);
    assertThat(factor("2026-04-01")).isCloseTo(Math.exp(excess * 2 / 3), within(1e-9));
    // Of the tenths of two months one stood out: its mean is half, and of that two thirds.
    assertThat(factor("2026-04-10")).isCloseTo(Math.exp(excess / 3), within(1e-9));
    assertThat(factor("2026-04-02")).isEqualTo(1);
  }

  @Test
  void theLastDayOfAMonthIsOneWhateverItsNumber() {
    asked("2026-01-31", 900).asked("2026-02-28", 900);
    assertThat(factor("2026-03-31")).isGreaterThan(2);
    assertThat(factor("2026-04-30")).isEqualTo(factor("2026-03-31"));
    assertThat(factor("2026-03-28")).isEqualTo(1);
  }

  @Test
  void aHolidayIsNotExpectedAgainNextMonth() {
    asked("2026-02-20", 3);
    assertThat(factor("2026-03-20")).isEqualTo(1);
    assertThat(factor("2026-04-20")).isEqualTo(1);
  }

  @Test
  void twoWeeksAreTheLeastToSayWhatIsUsual() {
    for (int days : new int[] {13, 14}) {
      asked = steady(days);
      expected = steady(days);
      asked("2026-01-25", 5000);
      assertThat(factor("2026-02-25") > 1.5).isEqualTo(days == 14);
    }
  }

  @Test
  void daysWithoutLogsSayNothing() {
    asked("2026-02-01", 1000);
    expected[(int) (LocalDate.parse("2026-02-01").toEpochDay() - FIRST.toEpochDay())] = 0;
    assertThat(factor("2026-03-01")).isEqualTo(1);
  }

  @Property
  void aFactorIsFiniteAndNeverBelowOne(@ForAll long seed) {
    Random random = new Random(seed);
    for (int d = 0; d < asked.length; d++) {
      asked[d] = random.nextInt(3) == 0 ? 0 : Math.exp(20 * random.nextDouble());
      expected[d] = random.nextInt(5) == 0 ? 0 : Math.exp(20 * random.nextDouble());
    }
    DaysOfMonth days = DaysOfMonth.of(FIRST.toEpochDay(), asked, expected, 60);
    for (int d = -1; d < asked.length + 41; d++) {
      assertThat(days.factor(FIRST.toEpochDay() + d)).isBetween(1.0, 20.0);
    }
  }
}
