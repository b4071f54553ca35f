package io.metashard.forecast;

import java.io.Serializable;
import java.time.LocalDate;
import java.util.Arrays;

/**
 * Days of the month on which a dataset is read much more than its curve says: the report on the
 * first, the closing on the last.
 *
 * <p>Some weeks of logs hold a day of the month once or twice. So only what stands out counts: the
 * part of a day's excess beyond what days of this dataset usually are off, and of that a half after
 * one such day, two thirds after two. A day that is read less than usual (a holiday, missing logs)
 * says nothing of the next month.
 */
final class DaysOfMonth implements Serializable {
  private static final long serialVersionUID = 1;

  static final DaysOfMonth NONE = new DaysOfMonth(0, new double[0]);

  /** Of the 31; the last day of every month counts as the 31st. */
  private static final int DAYS = 31;

  private static final int FEWEST_DAYS = 14;

  /** Requests added to both sides of a ratio: where few were to be expected, it says little. */
  private static final double PRIOR_REQUESTS = 5;

  /** Deviations beyond which a day stands out, in times the usual one, and that at least. */
  private static final double STANDS_OUT = 3;

  private static final double LEAST_DEVIATION = 0.2;

  /** Median of absolute values of a normal deviation, as a part of the standard one. */
  private static final double NORMAL_MEDIAN = 0.6745;

  private static final double MOST = Math.log(20);

  private final long firstDay;
  private final double[] factors;

  private DaysOfMonth(long firstDay, double[] factors) {
    this.firstDay = firstDay;
    this.factors = factors;
  }

  /**
   * Learns from days since 1970.
   *
   * @param firstDay of the days
   * @param asked requests of each day
   * @param expected of each day by a curve that knows no days of the month; 0: nothing was to be
   *     asked for, or there are no logs
   * @param ahead how many days after them are asked for
   */
  static DaysOfMonth of(long firstDay, double[] asked, double[] expected, int ahead) {
    double[] deviations = new double[asked.length];
    int known = 0;
    for (int d = 0; d < asked.length; d++) {
      if (expected[d] > 0) {
        deviations[known++] =
            Math.log((asked[d] + PRIOR_REQUESTS) / (expected[d] + PRIOR_REQUESTS));
      }
    }
    if (known < FEWEST_DAYS) {
      return NONE;
    }
    double[] absolute = Arrays.stream(deviations, 0, known).map(Math::abs).sorted().toArray();
    double usual = Math.max(LEAST_DEVIATION, absolute[known / 2] / NORMAL_MEDIAN);
    double[] excess = new double[DAYS];
    int[] days = new int[DAYS];
    int i = 0;
    for (int d = 0; d < asked.length; d++) {
      if (expected[d] > 0) {
        int of = of(firstDay + d);
        excess[of] += Math.min(MOST, Math.max(0, deviations[i++] - STANDS_OUT * usual));
        days[of]++;
      }
    }
    if (Arrays.stream(excess).noneMatch(e -> e > 0)) {
      return NONE;
    }
    double[] factors = new double[asked.length + ahead];
    for (int d = 0; d < factors.length; d++) {
      int of = of(firstDay + d);
      // excess / days is the mean, and days / (days + 1) what of it is believed.
      factors[d] = Math.exp(excess[of] / (days[of] + 1));
    }
    return new DaysOfMonth(firstDay, factors);
  }

  private static int of(long day) {
    LocalDate date = LocalDate.ofEpochDay(day);
    return date.getDayOfMonth() == date.lengthOfMonth() ? DAYS - 1 : date.getDayOfMonth() - 1;
  }

  /** By what the curve's rate is multiplied on a day since 1970; 1 or more. */
  double factor(long day) {
    long index = day - firstDay;
    return index >= 0 && index < factors.length ? factors[(int) index] : 1;
  }
}
