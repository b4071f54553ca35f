package io.metashard.forecast;

import java.io.Serializable;
import java.util.Arrays;

/**
 * How often a segment of a dataset's objects is requested in an hour, by the object's age, the
 * weekday, the hour of the day and the segment's place in the object.
 *
 * <p>A product of factors, each learned with the ones before it as exposure and shrunk to 1 by a
 * gamma prior that counts for some requests, so that a dataset with few of them keeps the curve of
 * all datasets: level, age, hour, weekday, and weekday at each age (Monday's report reads what is a
 * week old at most). Days of the month that stand out come on top. Past requests weigh less the
 * longer ago they were.
 */
final class DatasetCurve implements Serializable {
  private static final long serialVersionUID = 1;

  /** Ages in hours that begin a new class; below the first is the first class. */
  private static final int[] AGE_HOURS = {
    1, 2, 4, 8, 16, 24, 48, 72, 96, 120, 144, 168, 192, 216, 240, 264, 288, 312, 336, 504, 672,
    1008, 1440, 2160
  };

  static final int AGES = AGE_HOURS.length + 1;
  static final int DAYS = 7;

  /** Places of a segment in its object: the first ones by number, the last one apart. */
  static final int POSITIONS = 17;

  static final int LAST_POSITION = POSITIONS - 1;

  /** Objects older than this are all alike: no object's age needs more. */
  static final int OLDEST_HOURS = 2160 + 24;

  // Requests that each prior counts for.
  private static final double LEVEL_PRIOR = 3;
  private static final double AGE_PRIOR = 3;
  private static final double HOUR_PRIOR = 10;
  private static final double DAY_PRIOR = 5;
  private static final double DAY_AT_AGE_PRIOR = 5;
  private static final double POSITION_PRIOR = 3;

  /** Rates never reach 0, so that every segment keeps a share. */
  private static final double LEAST_RATE = 1e-9;

  private final double[] byAgeAndDay;
  private final double[] byHour;
  private final double[] byPosition = new double[POSITIONS];
  private DaysOfMonth daysOfMonth = DaysOfMonth.NONE;

  private DatasetCurve(double[] byAgeAndDay, double[] byHour) {
    this.byAgeAndDay = byAgeAndDay;
    this.byHour = byHour;
    Arrays.fill(byPosition, 1);
  }

  /**
   * Requests and exposure (segments times hours) by age, weekday and hour, both with the same
   * weights.
   */
  static final class Cells implements Serializable {
    private static final long serialVersionUID = 1;

    /** Terms are multiples of this, so that sums are exact, in whatever order. */
    private static final double GRAIN = 1.0 / (1 << 16);

    private final int hours;
    private final double[] requests;
    private final double[] exposure;

    /**
     * @param hours units of time in a day: 24, or fewer where requests are counted in longer ones
     */
    Cells(int hours) {
      this.hours = hours;
      this.requests = new double[AGES * DAYS * hours];
      this.exposure = new double[requests.length];
    }

    int at(int age, int day, int hour) {
      return (age * DAYS + day) * hours + hour;
    }

    void request(int cell, double weighted) {
      requests[cell] += Math.rint(weighted / GRAIN) * GRAIN;
    }

    void expose(int cell, double weighted) {
      exposure[cell] += Math.rint(weighted / GRAIN) * GRAIN;
    }

    void add(Cells other) {
      for (int c = 0; c < requests.length; c++) {
        requests[c] += other.requests[c];
        exposure[c] += other.exposure[c];
      }
    }

    private double requests() {
      return Arrays.stream(requests).sum();
    }

    private double exposure() {
      return Arrays.stream(exposure).sum();
    }
  }

  /** The class of an age. */
  static int age(double hours) {
    int age = 0;
    while (age < AGE_HOURS.length && hours >= AGE_HOURS[age]) {
      age++;
    }
    return age;
  }

  /** The place of a segment in an object of so many. */
  static int position(int segment, int segments) {
    if (segment == segments - 1) {
      return LAST_POSITION;
    }
    return segments <= LAST_POSITION
        ? segment
        : (int) Math.min(LAST_POSITION - 1, (long) segment * LAST_POSITION / segments);
  }

  /** The curve of all datasets together; what each one is shrunk to. */
  static DatasetCurve ofAll(Cells all) {
    double rate =
        all.exposure() > 0 ? Math.max(LEAST_RATE, all.requests() / all.exposure()) : LEAST_RATE;
    double[] flat = new double[AGES * DAYS];
    Arrays.fill(flat, rate);
    double[] hours = new double[all.hours];
    Arrays.fill(hours, 1);
    return new DatasetCurve(flat, hours).learned(all);
  }

  /** This curve as the prior of a dataset's. */
  DatasetCurve learned(Cells cells) {
    int hours = byHour.length;
    double[] rate = byAgeAndDay.clone();
    double[] hour = byHour.clone();
    double[] expected = new double[AGES * DAYS];
    double[] asked = new double[AGES * DAYS];
    for (int c = 0; c < rate.length; c++) {
      for (int h = 0; h < hours; h++) {
        expected[c] += rate[c] * hour[h] * cells.exposure[c * hours + h];
        asked[c] += cells.requests[c * hours + h];
      }
    }
    scale(rate, expected, factor(sum(asked), sum(expected), LEVEL_PRIOR), 0, rate.length);
    for (int age = 0; age < AGES; age++) {
      int from = age * DAYS;
      double f = factor(sum(asked, from, DAYS), sum(expected, from, DAYS), AGE_PRIOR);
      scale(rate, expected, f, from, from + DAYS);
    }
    double[] hourExpected = new double[hours];
    double[] hourAsked = new double[hours];
    for (int c = 0; c < rate.length; c++) {
      for (int h = 0; h < hours; h++) {
        hourExpected[h] += rate[c] * hour[h] * cells.exposure[c * hours + h];
        hourAsked[h] += cells.requests[c * hours + h];
      }
    }
    for (int h = 0; h < hours; h++) {
      hour[h] *= factor(hourAsked[h], hourExpected[h], HOUR_PRIOR);
    }
    Arrays.fill(expected, 0);
    for (int c = 0; c < rate.length; c++) {
      for (int h = 0; h < hours; h++) {
        expected[c] += rate[c] * hour[h] * cells.exposure[c * hours + h];
      }
    }
    for (int day = 0; day < DAYS; day++) {
      double a = 0;
      double e = 0;
      for (int c = day; c < rate.length; c += DAYS) {
        a += asked[c];
        e += expected[c];
      }
      double f = factor(a, e, DAY_PRIOR);
      for (int c = day; c < rate.length; c += DAYS) {
        scale(rate, expected, f, c, c + 1);
      }
    }
    for (int c = 0; c < rate.length; c++) {
      rate[c] = Math.max(LEAST_RATE, rate[c] * factor(asked[c], expected[c], DAY_AT_AGE_PRIOR));
    }
    return new DatasetCurve(rate, hour);
  }

  private static double factor(double asked, double expected, double prior) {
    return (asked + prior) / (expected + prior);
  }

  private static void scale(double[] rate, double[] expected, double by, int from, int to) {
    for (int c = from; c < to; c++) {
      rate[c] *= by;
      expected[c] *= by;
    }
  }

  private static double sum(double[] values) {
    return sum(values, 0, values.length);
  }

  private static double sum(double[] values, int from, int count) {
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += values[i];
    }
    return sum;
  }

  /**
   * Learns what each place in an object gets more or less than the average segment.
   *
   * @param asked weighted requests by position
   * @param expected what this curve expected of them, with the same weights
   */
  void learnPositions(double[] asked, double[] expected) {
    for (int p = 0; p < POSITIONS; p++) {
      byPosition[p] = factor(asked[p], expected[p], POSITION_PRIOR);
    }
  }

  /** Takes what days of the month add. */
  void learnDaysOfMonth(DaysOfMonth learned) {
    daysOfMonth = learned;
  }

  /** By what {@link #rate} is multiplied on a day since 1970. */
  double dayOfMonth(long day) {
    return daysOfMonth.factor(day);
  }

  /** Requests in an hour, of an average segment. */
  double rate(int age, int day, int hour) {
    return byAgeAndDay[age * DAYS + day] * byHour[hour];
  }

  /** What a place gets of an average segment's rate. */
  double position(int position) {
    return byPosition[position];
  }
}
