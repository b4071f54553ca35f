package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class HourProfileTest {
  private static final long START = Instant.parse("2026-03-02T00:00:00Z").getEpochSecond();
  private static final long HOUR = 3600;

  private static DatasetHistory.Moment moment(double hours, double horizonHours) {
    return new DatasetHistory.Moment(
        START + Math.round(hours * HOUR),
        Math.round(horizonHours * HOUR),
        HOUR,
        START / HOUR,
        new long[0]);
  }

  /** What a curve expects that has one value per hour of the day. */
  private static double[] profile(
      DatasetHistory.Moment moment, TreeMap<Long, Double> asked, double[] byHour) {
    double[] past = new double[24];
    for (long u = moment.first(); u < moment.origin(); u++) {
      past[moment.hour(u)] += moment.weighs(u) * byHour[moment.hour(u)];
    }
    double[] ahead = new double[moment.units()];
    for (int i = 0; i < ahead.length; i++) {
      ahead[i] = byHour[moment.hour(moment.origin() + i)];
    }
    double[] profile = new HourProfile(moment).profile(10, asked, past, ahead);
    assertThat(Arrays.stream(profile)).allMatch(hour -> hour >= 0 && Double.isFinite(hour));
    assertThat(Arrays.stream(profile).sum()).isCloseTo(10, within(1e-9));
    return profile;
  }

  private static double[] even() {
    double[] byHour = new double[24];
    Arrays.fill(byHour, 0.5);
    return byHour;
  }

  private static double[] office() {
    double[] byHour = new double[24];
    Arrays.fill(byHour, 0.1);
    Arrays.fill(byHour, 9, 18, 2);
    return byHour;
  }

  private static TreeMap<Long, Double> each(int days, int hour, double requests) {
    TreeMap<Long, Double> asked = new TreeMap<>();
    for (int day = 0; day < days; day++) {
      asked.put(START / HOUR + day * 24L + hour, requests);
    }
    return asked;
  }

  @Test
  void aSegmentThatNobodyHasAskedForFollowsItsDatasetsCurve() {
    double[] profile = profile(moment(240, 48), new TreeMap<>(), office());
    assertThat(profile).hasSize(48);
    double day = Arrays.stream(office()).sum();
    for (int hour = 0; hour < 48; hour++) {
      assertThat(profile[hour]).isCloseTo(5 * office()[hour % 24] / day, within(1e-9));
    }
  }

  @Test
  void aSegmentThatIsReadAtThreeOnlyIsExpectedThen() {
    for (double[] curve : new double[][] {even(), office()}) {
      double[] few = profile(moment(14 * 24, 24), each(14, 3, 1), curve);
      double[] many = profile(moment(14 * 24, 24), each(14, 3, 20), curve);
      assertThat(few[3]).isGreaterThan(6);
      assertThat(many[3]).isGreaterThan(9);
    }
    // From noon on, three o'clock is the fifteenth hour.
    assertThat(profile(moment(14 * 24 + 12, 24), each(14, 3, 20), even())[15]).isGreaterThan(9);
  }

  @Test
  void aFewRequestsAtRandomLeaveTheCurveAlone() {
    double[] curve = office();
    double day = Arrays.stream(curve).sum();
    double worst = 0;
    double worstCounts = 0;
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      TreeMap<Long, Double> asked = new TreeMap<>();
      for (int n = 0; n < 12; n++) {
        // Two a day on average, when the curve says.
        asked.merge(
            START / HOUR + random.nextInt(14) * 24L + 9 + random.nextInt(9), 2.0, Double::sum);
      }
      double[] profile = profile(moment(14 * 24, 24), asked, curve);
      for (int hour = 9; hour < 18; hour++) {
        worst = Math.max(worst, Math.abs(profile[hour] / (10 * curve[hour] / day) - 1));
        int of = hour;
        double counted =
            asked.entrySet().stream()
                .filter(e -> e.getKey() % 24 == of)
                .mapToDouble(java.util.Map.Entry::getValue)
                .sum();
        worstCounts = Math.max(worstCounts, counted / (24 / 9.0) - 1);
      }
    }
    assertThat(worst).isPositive().isLessThan(0.7).isLessThan(worstCounts / 2);
  }

  @Test
  void hoursOfTheDayThatTheLogsDoNotCoverAreNotTakenForQuiet() {
    TreeMap<Long, Double> asked = new TreeMap<>();
    asked.put(START / HOUR, 500.0);
    asked.put(START / HOUR + 1, 500.0);
    double[] profile = profile(moment(2, 24), asked, even());
    assertThat(profile[10]).isCloseTo(10 / 24.0, within(0.05));
    assertThat(profile[22]).isCloseTo(10 / 24.0, within(0.05));
  }

  @Test
  void hoursCountFromAnOriginWithinAnHour() {
    double[] curve = new double[24];
    Arrays.fill(curve, 1e-9);
    curve[11] = 1;
    // From 10:30: the first hour has half of what is read from 11 to 12, the second the rest.
    double[] profile = profile(moment(240 + 10.5, 2.25), new TreeMap<>(), curve);
    assertThat(profile).hasSize(3);
    assertThat(profile[0]).isCloseTo(5, within(1e-6));
    assertThat(profile[1]).isCloseTo(5, within(1e-6));
    assertThat(profile[2]).isCloseTo(0, within(1e-6));
    assertThat(profile(moment(240 + 10.5, 5 / 60.0), new TreeMap<>(), curve)).containsExactly(10);
  }

  @Test
  void countsOfAnySizeGiveNumbers() {
    for (double requests : new double[] {1e-4, 1e9}) {
      for (int hour : new int[] {0, 3, 23}) {
        assertThat(profile(moment(35 * 24, 168), each(35, hour, requests), office())).hasSize(168);
      }
    }
    // Before there were logs, and after the origin: neither is known.
    TreeMap<Long, Double> elsewhere = each(3, 3, 50);
    elsewhere.keySet().removeIf(unit -> unit < START / HOUR + 48);
    elsewhere.put(START / HOUR - 5, 1000.0);
    double[] known = profile(moment(48, 24), elsewhere, even());
    assertThat(known).isEqualTo(profile(moment(48, 24), new TreeMap<>(), even()));
  }
}
