package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class DatasetHistoryTest {
  private static final long START = Instant.parse("2026-03-02T00:00:00Z").getEpochSecond() / 3600;
  private static final double[] HALF_LIVES = {96 * 3600.0, Double.POSITIVE_INFINITY};

  private static DatasetHistory.Moment moment(int hour, int horizonHours, long... missing) {
    return new DatasetHistory.Moment(
        (START + hour) * 3600, horizonHours * 3600L, 3600, START, missing);
  }

  private static double[] one(int position) {
    double[] segments = new double[DatasetCurve.POSITIONS];
    segments[position] = 1;
    return segments;
  }

  /** A partition a day, of one segment, read so often on each day of its age. */
  private static DatasetHistory daily(int days, double... perDayOfAge) {
    List<DatasetHistory.Cohort> cohorts = new ArrayList<>();
    for (int d = 0; d < days; d++) {
      List<Long> units = new ArrayList<>();
      List<Double> requests = new ArrayList<>();
      for (int age = 0; age < perDayOfAge.length && d + age < days; age++) {
        for (int h = 0; h < 24; h++) {
          units.add(START + (d + age) * 24L + h);
          requests.add(perDayOfAge[age] / 24);
        }
      }
      cohorts.add(
          new DatasetHistory.Cohort(
              START + d * 24L,
              one(DatasetCurve.LAST_POSITION),
              units.stream().mapToLong(Long::longValue).toArray(),
              requests.stream().mapToDouble(Double::doubleValue).toArray()));
    }
    return new DatasetHistory(cohorts, List.of());
  }

  private static double ahead(DatasetHistory history, DatasetHistory.Moment moment, long born) {
    DatasetCurve all = DatasetCurve.ofAll(history.cells(moment));
    return history.expected(history.curve(all, moment), moment, HALF_LIVES).stream()
        .filter(e -> e.born() == START + born)
        .findFirst()
        .orElseThrow()
        .ahead();
  }

  @Test
  void aPartitionWrittenTodayIsHotThoughNobodyHasAskedForIt() {
    List<DatasetHistory.Cohort> cohorts = new ArrayList<>(daily(40, 240, 24, 2).cohorts());
    cohorts.add(
        new DatasetHistory.Cohort(
            START + 40 * 24, one(DatasetCurve.LAST_POSITION), new long[0], new double[0]));
    DatasetHistory history = new DatasetHistory(cohorts, List.of());
    DatasetHistory.Moment now = moment(40 * 24, 24);
    assertThat(ahead(history, now, 40 * 24)).isCloseTo(240, within(25.0));
    assertThat(ahead(history, now, 39 * 24)).isCloseTo(24, within(4.0));
    assertThat(ahead(history, now, 38 * 24)).isCloseTo(2, within(1.0));
    assertThat(ahead(history, now, 20 * 24)).isLessThan(0.5).isPositive();
  }

  @Test
  void theFirstOfTheMonthIsReadMoreThanTheDayBefore() {
    // Twenty objects of many ages, read once an hour since 2 March, and ten times an hour on 1
    // April: what of 1 May?
    int days = 60;
    long[] units = new long[24 * days];
    double[] requests = new double[units.length];
    for (int h = 0; h < units.length; h++) {
      units[h] = START + h;
      requests[h] = h / 24 == 30 ? 10 : 1;
    }
    List<DatasetHistory.Cohort> cohorts = new ArrayList<>();
    for (int o = 0; o < 20; o++) {
      cohorts.add(
          new DatasetHistory.Cohort(
              START - o * 5 * 24, one(DatasetCurve.LAST_POSITION), units, requests));
    }
    DatasetHistory history = new DatasetHistory(cohorts, List.of());
    double first = ahead(history, moment(24 * days, 24), 0);
    double second = ahead(history, moment(24 * days, 48), 0) - first;
    assertThat(first).isBetween(1.6 * second, 3 * second);
    assertThat(second).isBetween(20.0, 36.0);
  }

  @Test
  void mondaysReportReadsWhatNobodyReadOnSunday() {
    long[] units = new long[6];
    double[] requests = new double[6];
    for (int week = 0; week < 6; week++) {
      units[week] = START + week * 168L + 6; // Mondays at 6
      requests[week] = 30;
    }
    DatasetHistory.Cohort table =
        new DatasetHistory.Cohort(
            START - DatasetCurve.OLDEST_HOURS, one(DatasetCurve.LAST_POSITION), units, requests);
    DatasetHistory history = new DatasetHistory(List.of(table), List.of());
    long born = -DatasetCurve.OLDEST_HOURS;
    assertThat(ahead(history, moment(42 * 24, 24), born)).isBetween(20.0, 32.0);
    assertThat(ahead(history, moment(41 * 24, 24), born)).isLessThan(3);
    assertThat(ahead(history, moment(42 * 24 + 6, 1), born)).isGreaterThan(15);
  }

  @Test
  void aPlaceInTheObjectsHasItsOwnShare() {
    double[] segments = new double[DatasetCurve.POSITIONS];
    segments[0] = 50;
    segments[DatasetCurve.LAST_POSITION] = 50;
    long[] units = new long[100];
    double[] requests = new double[100];
    List<DatasetHistory.Asked> asked = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      units[i] = START + i;
      requests[i] = 10;
      asked.add(new DatasetHistory.Asked(DatasetCurve.LAST_POSITION, START + i, 9));
      asked.add(new DatasetHistory.Asked(0, START + i, 1));
    }
    DatasetHistory history =
        new DatasetHistory(
            List.of(new DatasetHistory.Cohort(START - 100, segments, units, requests)), asked);
    DatasetHistory.Moment now = moment(100, 24);
    DatasetCurve curve = history.curve(DatasetCurve.ofAll(history.cells(now)), now);
    assertThat(curve.position(DatasetCurve.LAST_POSITION)).isBetween(1.7, 1.9);
    assertThat(curve.position(0)).isBetween(0.15, 0.3);
    assertThat(curve.position(3)).isEqualTo(1);
  }

  @Test
  void missingLogsAreNoSilence() {
    List<DatasetHistory.Cohort> cohorts = new ArrayList<>();
    long[] units = new long[24 * 11];
    double[] requests = new double[units.length];
    long[] missing = new long[24];
    for (int t = 0, i = 0; t < 12 * 24; t++) {
      if (t / 24 == 5) {
        missing[t % 24] = START + t;
      } else {
        units[i] = START + t;
        requests[i++] = 5;
      }
    }
    cohorts.add(
        new DatasetHistory.Cohort(
            START - DatasetCurve.OLDEST_HOURS, one(DatasetCurve.LAST_POSITION), units, requests));
    DatasetHistory gap = new DatasetHistory(cohorts, List.of());
    long born = -DatasetCurve.OLDEST_HOURS;
    assertThat(ahead(gap, moment(12 * 24, 24, missing), born)).isCloseTo(120, within(6.0));
    assertThat(ahead(gap, moment(12 * 24, 24), born)).isLessThan(112);
  }

  @Property(tries = 60)
  void whatFollowsAMomentChangesNothing(@ForAll long seed) {
    Random random = new Random(seed);
    int origin = 24 + random.nextInt(200);
    List<DatasetHistory.Cohort> once = new ArrayList<>();
    List<DatasetHistory.Cohort> again = new ArrayList<>();
    List<DatasetHistory.Asked> askedOnce = new ArrayList<>();
    List<DatasetHistory.Asked> askedAgain = new ArrayList<>();
    for (int c = 0; c < 5; c++) {
      long born = START - 50 + random.nextInt(origin + 50);
      long[] units = new long[40];
      double[] requests = new double[40];
      double[] changed = new double[40];
      for (int i = 0; i < 40; i++) {
        units[i] = START + random.nextInt(300);
        requests[i] = 1 + random.nextInt(9);
        changed[i] = units[i] < START + origin ? requests[i] : 1000 * random.nextDouble();
        askedOnce.add(new DatasetHistory.Asked(c, units[i], requests[i]));
        askedAgain.add(new DatasetHistory.Asked(c, units[i], changed[i]));
      }
      once.add(new DatasetHistory.Cohort(born, one(c), units, requests));
      again.add(new DatasetHistory.Cohort(born, one(c), units, changed));
    }
    DatasetHistory.Moment now = moment(origin, 24);
    DatasetHistory before = new DatasetHistory(once, askedOnce);
    DatasetHistory after = new DatasetHistory(again, askedAgain);
    DatasetCurve all = DatasetCurve.ofAll(before.cells(now));
    List<DatasetHistory.Expected> told = before.expected(before.curve(all, now), now, HALF_LIVES);
    List<DatasetHistory.Expected> retold =
        after.expected(after.curve(DatasetCurve.ofAll(after.cells(now)), now), now, HALF_LIVES);
    for (int i = 0; i < told.size(); i++) {
      assertThat(retold.get(i).ahead()).isEqualTo(told.get(i).ahead()).isFinite().isPositive();
      assertThat(retold.get(i).past()).isEqualTo(told.get(i).past());
    }
  }

  @Test
  void placesCoverEverySegmentAndTellTheLastApart() {
    for (int segments : new int[] {1, 2, 15, 16, 17, 40, 5000, Integer.MAX_VALUE}) {
      assertThat(DatasetCurve.position(segments - 1, segments))
          .isEqualTo(DatasetCurve.LAST_POSITION);
      assertThat(DatasetCurve.position(0, Math.max(2, segments))).isZero();
      int before = segments > 1 ? DatasetCurve.position(segments - 2, segments) : 0;
      assertThat(before).isBetween(0, DatasetCurve.LAST_POSITION - 1);
    }
  }
}
