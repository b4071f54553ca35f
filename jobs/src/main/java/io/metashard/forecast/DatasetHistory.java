package io.metashard.forecast;

import java.util.ArrayList;
import java.util.List;

/**
 * What is known of one dataset: its objects by when they came to be, and what was asked of them.
 *
 * <p>Time is counted in units since 1970: hours, or buckets where these are longer. At most some
 * thousand cohorts: births before the history are told apart by days only.
 */
final class DatasetHistory {
  /** Past requests weigh half after this. */
  private static final double HALF_LIFE_DAYS = 21;

  /** Requests at the beginning of 1970 were on a Thursday, the fourth day from Monday. */
  private static final int FIRST_DAY = 3;

  /**
   * Objects that came to be in the same unit of time.
   *
   * @param born unit
   * @param segments by {@link DatasetCurve#position}
   * @param units of the requests of all of them together, in any order
   * @param requests in each of those units
   */
  record Cohort(long born, double[] segments, long[] units, double[] requests) {
    double size() {
      double size = 0;
      for (double n : segments) {
        size += n;
      }
      return size;
    }
  }

  /** Requests for the segments at one place in the dataset's objects. */
  record Asked(int position, long unit, double requests) {}

  /** A moment to forecast from. */
  static final class Moment implements java.io.Serializable {
    private static final long serialVersionUID = 1;

    private final long originSeconds;
    private final long horizonSeconds;
    private final long unitSeconds;
    private final long first;
    private final long[] missing;

    /** By unit from the first; 0 where there are no logs. The same for all datasets. */
    private final double[] weights;

    /**
     * A moment.
     *
     * @param originSeconds since 1970; only units that ended before are learned from
     * @param horizonSeconds from there
     * @param unitSeconds length of a unit; a day is a whole number of them
     * @param first first unit for which there are logs
     * @param missing units without logs, ascending
     */
    Moment(long originSeconds, long horizonSeconds, long unitSeconds, long first, long[] missing) {
      this.originSeconds = originSeconds;
      this.horizonSeconds = horizonSeconds;
      this.unitSeconds = unitSeconds;
      this.first = first;
      this.missing = missing.clone();
      this.weights =
          new double[(int) Math.max(0, Math.floorDiv(originSeconds, unitSeconds) - first)];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = known(first + i) ? weight(first + i) : 0;
      }
    }

    long originSeconds() {
      return originSeconds;
    }

    long horizonSeconds() {
      return horizonSeconds;
    }

    long unitSeconds() {
      return unitSeconds;
    }

    long first() {
      return first;
    }

    /** The unit that the origin lies in or begins. */
    long origin() {
      return Math.floorDiv(originSeconds, unitSeconds);
    }

    int perDay() {
      return Math.toIntExact(86_400 / unitSeconds);
    }

    int hour(long unit) {
      return (int) Math.floorMod(unit, (long) perDay());
    }

    int day(long unit) {
      return (int) Math.floorMod(Math.floorDiv(unit, (long) perDay()) + FIRST_DAY, 7L);
    }

    int age(long unit, long born) {
      return DatasetCurve.age((unit - born) * (unitSeconds / 3600.0));
    }

    private double weight(long unit) {
      return Math.pow(0.5, (origin() - 1 - unit) / (HALF_LIFE_DAYS * perDay()));
    }

    /** Units, in part or whole, from the origin to the end of the horizon. */
    int units() {
      long end = originSeconds + horizonSeconds;
      return Math.toIntExact(Math.floorDiv(end - 1, unitSeconds) + 1 - origin());
    }

    /** How much a past unit weighs: less the longer ago, 0 where there are no logs. */
    double weighs(long unit) {
      return unit >= first && unit < origin() ? weights[(int) (unit - first)] : 0;
    }

    /** Whether there are logs of a unit. */
    boolean known(long unit) {
      return unit >= first && java.util.Arrays.binarySearch(missing, unit) < 0;
    }
  }

  /**
   * What the curve expects of an average segment of a cohort.
   *
   * @param ahead requests over the horizon
   * @param past requests until the origin, exponentially weighted by each half-life
   */
  record Expected(long born, double ahead, double[] past) {}

  private final List<Cohort> cohorts;
  private final List<Asked> asked;

  DatasetHistory(List<Cohort> cohorts, List<Asked> asked) {
    this.cohorts = List.copyOf(cohorts);
    this.asked = List.copyOf(asked);
  }

  List<Cohort> cohorts() {
    return cohorts;
  }

  /** What a curve is learned from. */
  DatasetCurve.Cells cells(Moment moment) {
    DatasetCurve.Cells cells = new DatasetCurve.Cells(moment.perDay());
    double[] weights = moment.weights;
    for (Cohort cohort : cohorts) {
      double size = cohort.size();
      for (long u = Math.max(moment.first(), cohort.born()); u < moment.origin(); u++) {
        double weight = weights[(int) (u - moment.first())];
        if (weight > 0) {
          cells.expose(cell(cells, moment, u, cohort.born()), size * weight);
        }
      }
      for (int i = 0; i < cohort.units().length; i++) {
        long u = cohort.units()[i];
        // What was asked before the object came to be was asked of another of its name.
        if (u >= Math.max(moment.first(), cohort.born()) && u < moment.origin()) {
          double weight = weights[(int) (u - moment.first())];
          cells.request(cell(cells, moment, u, cohort.born()), cohort.requests()[i] * weight);
        }
      }
    }
    return cells;
  }

  private static int cell(DatasetCurve.Cells cells, Moment moment, long unit, long born) {
    return cells.at(moment.age(unit, born), moment.day(unit), moment.hour(unit));
  }

  /** The curve of this dataset, with what is known before a moment. */
  DatasetCurve curve(DatasetCurve all, Moment moment) {
    DatasetCurve curve = all.learned(cells(moment));
    double[] weights = moment.weights;
    double[] requests = new double[DatasetCurve.POSITIONS];
    double[] expected = new double[DatasetCurve.POSITIONS];
    curve.learnDaysOfMonth(daysOfMonth(curve, moment));
    for (Cohort cohort : cohorts) {
      double each = 0;
      for (long u = Math.max(moment.first(), cohort.born()); u < moment.origin(); u++) {
        double weight = weights[(int) (u - moment.first())];
        each += weight > 0 ? weight * rate(curve, moment, u, cohort.born()) : 0;
      }
      for (int p = 0; p < expected.length; p++) {
        expected[p] += each * cohort.segments()[p];
      }
    }
    for (Asked a : asked) {
      if (a.unit() >= moment.first() && a.unit() < moment.origin()) {
        requests[a.position()] += a.requests() * weights[(int) (a.unit() - moment.first())];
      }
    }
    curve.learnPositions(requests, expected);
    return curve;
  }

  private DaysOfMonth daysOfMonth(DatasetCurve curve, Moment moment) {
    int perDay = moment.perDay();
    long firstDay = Math.floorDiv(moment.first(), (long) perDay);
    // A day that is not whole yet is compared with what was to be expected until now.
    int days =
        Math.max(
            0, Math.toIntExact(Math.floorDiv(moment.origin() - 1, (long) perDay) - firstDay + 1));
    double[] asked = new double[days];
    double[] expected = new double[days];
    for (Cohort cohort : cohorts) {
      double size = cohort.size();
      for (long u = Math.max(moment.first(), cohort.born()); u < moment.origin(); u++) {
        if (moment.weighs(u) > 0) {
          expected[(int) (Math.floorDiv(u, (long) perDay) - firstDay)] +=
              size * rate(curve, moment, u, cohort.born());
        }
      }
      for (int i = 0; i < cohort.units().length; i++) {
        long u = cohort.units()[i];
        if (u >= Math.max(moment.first(), cohort.born()) && u < moment.origin()) {
          asked[(int) (Math.floorDiv(u, (long) perDay) - firstDay)] += cohort.requests()[i];
        }
      }
    }
    return DaysOfMonth.of(firstDay, asked, expected, moment.units() / perDay + 2);
  }

  private static double rate(DatasetCurve curve, Moment moment, long unit, long born) {
    return curve.rate(moment.age(unit, born), moment.day(unit), moment.hour(unit))
        * curve.dayOfMonth(Math.floorDiv(unit, (long) moment.perDay()));
  }

  /**
   * What a curve expects of every cohort.
   *
   * @param halfLivesSeconds of the past sums; infinite: everything weighs alike
   */
  List<Expected> expected(DatasetCurve curve, Moment moment, double[] halfLivesSeconds) {
    List<Expected> found = new ArrayList<>();
    long units = Math.max(0, moment.origin() - moment.first());
    double[][] decays = new double[halfLivesSeconds.length][(int) units + 1];
    for (int k = 0; k < halfLivesSeconds.length; k++) {
      for (int back = 0; back <= units; back++) {
        decays[k][back] = Math.pow(0.5, back * moment.unitSeconds() / halfLivesSeconds[k]);
      }
    }
    for (Cohort cohort : cohorts) {
      double[] past = new double[halfLivesSeconds.length];
      for (long u = Math.max(moment.first(), cohort.born()); u < moment.origin(); u++) {
        if (moment.known(u)) {
          double rate = rate(curve, moment, u, cohort.born());
          for (int k = 0; k < past.length; k++) {
            past[k] += rate * decays[k][(int) (moment.origin() - 1 - u)];
          }
        }
      }
      found.add(new Expected(cohort.born(), ahead(curve, moment, cohort.born()), past));
    }
    return found;
  }

  /**
   * What the curve expects of an average segment of a cohort by the hour.
   *
   * @param past by hour of the day until the origin, weighing less the longer ago
   * @param ahead of each whole unit from the one that the origin lies in
   */
  record Hours(long born, double[] past, double[] ahead) {}

  /** What a curve expects of every cohort, hour by hour. */
  List<Hours> hours(DatasetCurve curve, Moment moment) {
    List<Hours> found = new ArrayList<>();
    for (Cohort cohort : cohorts) {
      double[] past = new double[moment.perDay()];
      for (long u = Math.max(moment.first(), cohort.born()); u < moment.origin(); u++) {
        past[moment.hour(u)] += moment.weighs(u) * rate(curve, moment, u, cohort.born());
      }
      double[] ahead = new double[moment.units()];
      for (int i = 0; i < ahead.length; i++) {
        ahead[i] = rate(curve, moment, moment.origin() + i, cohort.born());
      }
      found.add(new Hours(cohort.born(), past, ahead));
    }
    return found;
  }

  private static double ahead(DatasetCurve curve, Moment moment, long born) {
    double sum = 0;
    long end = moment.originSeconds() + moment.horizonSeconds();
    for (long u = moment.origin(); u * moment.unitSeconds() < end; u++) {
      long from = Math.max(moment.originSeconds(), u * moment.unitSeconds());
      long to = Math.min(end, (u + 1) * moment.unitSeconds());
      sum += rate(curve, moment, u, born) * (to - from) / moment.unitSeconds();
    }
    return sum;
  }
}
