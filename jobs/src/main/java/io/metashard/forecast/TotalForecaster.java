package io.metashard.forecast;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Forecasts the requests of all segments together.
 *
 * <p>Candidates are the last values, exponentially weighted means, the same hours of the day before
 * or the week before, a profile of the day (or week) times the recent level over the profile's, and
 * a linear model of trend and seasons. They are tried on windows that ended before the origin, and
 * pooled by how well they did. A run of a day or more without any request, where many were to be
 * expected, is taken for missing logs: it is skipped, not learned from.
 */
final class TotalForecaster {
  /** Which candidates made a forecast, and the forecast; finite, above 0. */
  record Total(double expected, String method) {}

  private static final int WINDOWS = 120;
  private static final double IMPROBABLE_GAP = 50;

  /** Tried windows that the prior of a candidate's error counts for. */
  private static final double PRIOR_WINDOWS = 3;

  /** Squared logarithmic error of what nothing is known of. */
  private static final double UNTRIED_ERROR = 0.05;

  private static final double LEAST_ERROR = 1e-6;

  /** A week that was this much busier or quieter than another says nothing of the next. */
  private static final double MOST_LEVEL = 20;

  private static final double[] HALF_LIVES_HOURS = {1, 3, 6, 12, 24, 48, 96};

  private final double[] series;
  private final int first;
  private final int perDay;
  private final int horizon;
  private final double errorHalfLifeDays;
  private final boolean[] missing;
  private final double[] sums;
  private final int[] present;
  private final List<Candidate> candidates = new ArrayList<>();

  /** Forecast made from the buckets before one; NaN where there is too little history. */
  private record Candidate(String name, double[] forecasts) {}

  private TotalForecaster(
      double[] series, int first, int perDay, int horizon, double errorHalfLifeDays) {
    this.series = series;
    this.first = first;
    this.perDay = perDay;
    this.horizon = horizon;
    this.errorHalfLifeDays = errorHalfLifeDays;
    this.missing = gaps(this.series, first, perDay);
    this.sums = new double[series.length + 1];
    this.present = new int[series.length + 1];
    for (int t = 0; t < series.length; t++) {
      boolean counts = t >= first && !missing[t];
      sums[t + 1] = sums[t] + (counts ? series[t] : 0);
      present[t + 1] = present[t] + (counts ? 1 : 0);
    }
  }

  /** First bucket with a request; the length of the series if none has. */
  static int first(double[] series) {
    return IntStream.range(0, series.length)
        .filter(t -> series[t] > 0)
        .findFirst()
        .orElse(series.length);
  }

  /** Buckets that are taken for missing logs, ascending. */
  static IntStream missing(double[] series, int first, int perDay) {
    boolean[] missing = gaps(series, first, perDay);
    return IntStream.range(0, missing.length).filter(t -> missing[t]);
  }

  private static boolean[] gaps(double[] series, int first, int perDay) {
    boolean[] missing = new boolean[series.length];
    double seen = 0;
    int buckets = 0;
    for (int t = first; t < series.length; ) {
      int end = t;
      while (end < series.length && series[end] == 0) {
        end++;
      }
      int run = end - t;
      if (run >= perDay && seen / buckets * run > IMPROBABLE_GAP) {
        java.util.Arrays.fill(missing, t, end, true);
      } else {
        buckets += run;
      }
      if (end < series.length) {
        seen += series[end];
        buckets++;
      }
      t = end + 1;
    }
    return missing;
  }

  /**
   * Forecasts what follows a series.
   *
   * @param series requests per bucket, all before the origin
   * @param first first bucket with a request; the length of the series if none has
   * @param perDay buckets of a day
   * @param horizon buckets to sum over
   * @param errorHalfLifeDays of the errors that candidates weigh by
   */
  static Total forecast(
      double[] series, int first, int perDay, int horizon, double errorHalfLifeDays) {
    TotalForecaster forecaster =
        new TotalForecaster(series, first, perDay, horizon, errorHalfLifeDays);
    List<Integer> windows = forecaster.windows();
    TreeSet<Integer> needed = new TreeSet<>(windows);
    needed.add(series.length);
    forecaster.makeCandidates(needed);
    return forecaster.best(windows);
  }

  /** Where windows begin that ended before the origin, the newest first. */
  private List<Integer> windows() {
    int origin = series.length;
    int oldest = first + Math.max(1, (origin - first) / 4);
    int step = Math.max(1, horizon / 8);
    List<Integer> windows = new ArrayList<>();
    for (int t = origin - horizon; t >= oldest && windows.size() < WINDOWS; t -= step) {
      if (present[t + horizon] - present[t] == horizon) {
        windows.add(t);
      }
    }
    return windows;
  }

  /**
   * Geometric mean of the candidates, each weighing by the inverse of its mean squared logarithmic
   * error, squared; errors are shrunk to the median candidate's, so that one that could be tried a
   * few times only is trusted as the others are.
   */
  private Total best(List<Integer> windows) {
    int origin = series.length;
    double least = 0.5 * horizon / (Math.max(0, origin - first) + horizon);
    List<Candidate> able =
        candidates.stream().filter(c -> Double.isFinite(c.forecasts[origin])).toList();
    if (able.isEmpty()) {
      return new Total(least, "nothing requested yet");
    }
    double[][] errors = able.stream().map(c -> errors(c, windows)).toArray(double[][]::new);
    double usual = usual(errors);
    double[] weights = new double[able.size()];
    double all = 0;
    double log = 0;
    int best = 0;
    for (int c = 0; c < weights.length; c++) {
      double error =
          (errors[c][0] + PRIOR_WINDOWS * usual) / (errors[c][1] + PRIOR_WINDOWS) + LEAST_ERROR;
      weights[c] = 1 / (error * error);
      all += weights[c];
      log += weights[c] * Math.log(Math.max(able.get(c).forecasts[origin], least));
      best = weights[c] > weights[best] ? c : best;
    }
    return new Total(
        Math.exp(log / all),
        able.size() == 1
            ? able.get(0).name()
            : "mean of %d, most of it %s (%.0f %%)"
                .formatted(able.size(), able.get(best).name(), 100 * weights[best] / all));
  }

  /** Weighted sum of squared logarithmic errors, and the sum of the weights. */
  private double[] errors(Candidate candidate, List<Integer> windows) {
    double sum = 0;
    double weights = 0;
    for (int t : windows) {
      if (Double.isFinite(candidate.forecasts[t])) {
        double actual = Math.max(sums[t + horizon] - sums[t], 0.5);
        double error = Math.log(actual / Math.max(candidate.forecasts[t], 0.5));
        double weight = Math.pow(0.5, (series.length - t) / (errorHalfLifeDays * perDay));
        sum += weight * error * error;
        weights += weight;
      }
    }
    return new double[] {sum, weights};
  }

  private static double usual(double[][] errors) {
    double[] means =
        java.util.Arrays.stream(errors)
            .filter(e -> e[1] > 1)
            .mapToDouble(e -> e[0] / e[1])
            .sorted()
            .toArray();
    return means.length == 0 ? UNTRIED_ERROR : means[means.length / 2];
  }

  /** In order of trust: with nothing to judge by, the first ones that can are taken. */
  private void makeCandidates(TreeSet<Integer> needed) {
    int perHour = Math.max(1, perDay / 24);
    profiles(needed, "day", perDay, 4);
    profiles(needed, "week", 7 * perDay, 3);
    for (double hours : HALF_LIVES_HOURS) {
      candidates.add(ewma("ewma-%.0fh".formatted(hours), Math.max(1, hours * perDay / 24)));
    }
    candidates.add(last("last-horizon", horizon));
    candidates.add(last("last-value", 1));
    candidates.add(last("last-hour", perHour));
    candidates.add(dayBefore(needed));
    weekBefore(needed, 0.5);
    weekBefore(needed, 1);
    candidates.add(trendAndSeasons(needed));
  }

  private double[] unknown() {
    double[] forecasts = new double[series.length + 1];
    java.util.Arrays.fill(forecasts, Double.NaN);
    return forecasts;
  }

  private Candidate ewma(String name, double halfLife) {
    double[] forecasts = unknown();
    double keep = Math.pow(0.5, 1 / halfLife);
    double sum = 0;
    double weight = 0;
    for (int t = first; t < series.length; t++) {
      if (!missing[t]) {
        sum = sum * keep + series[t];
        weight = weight * keep + 1;
      }
      forecasts[t + 1] = sum / weight * horizon;
    }
    return new Candidate(name, forecasts);
  }

  /** Mean of the last buckets that are not missing. */
  private Candidate last(String name, int window) {
    double[] forecasts = unknown();
    for (int t = first + 1; t <= series.length; t++) {
      int from = Math.max(first, t - window);
      int count = present[t] - present[from];
      if (count > 0) {
        forecasts[t] = (sums[t] - sums[from]) / count * horizon;
      }
    }
    return new Candidate(name, forecasts);
  }

  private Candidate dayBefore(TreeSet<Integer> needed) {
    double[] forecasts = unknown();
    for (int t : needed) {
      if (t - first >= perDay && present[t] - present[t - perDay] == perDay) {
        int days = horizon / perDay;
        double rest = sums[t - perDay + horizon % perDay] - sums[t - perDay];
        forecasts[t] = days * (sums[t] - sums[t - perDay]) + rest;
      }
    }
    return new Candidate("day-before", forecasts);
  }

  /** By the hour where buckets are shorter; what does not fill the first hour is left out. */
  private Candidate trendAndSeasons(TreeSet<Integer> needed) {
    double[] forecasts = unknown();
    int block = Math.max(1, perDay / 24);
    for (int t : needed) {
      double[] hours = new double[Math.max(0, t - first) / block];
      for (int h = 0; h < hours.length; h++) {
        int to = t - (hours.length - 1 - h) * block;
        int known = present[to] - present[to - block];
        hours[h] = known > 0 ? (sums[to] - sums[to - block]) * block / known : Double.NaN;
      }
      forecasts[t] = TrendAndSeasons.ahead(hours, perDay / block, (double) horizon / block);
    }
    return new Candidate("trend-and-seasons", forecasts);
  }

  /**
   * The same hours a week before, times (the last day's level / the same day's then) to a power.
   */
  private void weekBefore(TreeSet<Integer> needed, double power) {
    int week = 7 * perDay;
    double[] forecasts = unknown();
    for (int t : needed) {
      int level = Math.min(perDay, t - week - first);
      if (level < Math.max(1, perDay / 4)
          || present[t] - present[t - week - level] < week + level) {
        continue;
      }
      double then = 0;
      for (int i = 0; i < horizon; i++) {
        then += series[t - week * (i / week + 1) + i % week];
      }
      double now = sums[t] - sums[t - level];
      double was = sums[t - week] - sums[t - week - level];
      double ratio = Math.min(MOST_LEVEL, Math.max(1 / MOST_LEVEL, (now + 1) / (was + 1)));
      forecasts[t] = then * Math.pow(ratio, power);
    }
    candidates.add(new Candidate("week-before*level^%.1f".formatted(power), forecasts));
  }

  /**
   * Mean per phase of a period, newer periods weighing more, times (recent level / the profile's
   * level then) to a power.
   */
  private void profiles(TreeSet<Integer> needed, String name, int period, double halfLifePeriods) {
    int[] windowHours = {0, 3, 12, 24};
    double[] powers = {0.5, 1};
    List<Candidate> made = new ArrayList<>();
    for (int hours : windowHours) {
      for (double power : hours == 0 ? new double[] {0} : powers) {
        String label =
            hours == 0
                ? name + "-profile"
                : "%s-profile*level-%dh^%.1f".formatted(name, hours, power);
        made.add(new Candidate(label, unknown()));
      }
    }
    double keep = Math.pow(0.5, 1 / halfLifePeriods);
    double[] sum = new double[period];
    double[] weight = new double[period];
    int done = first;
    for (int t : needed) {
      for (; done < t && done < series.length; done++) {
        if (!missing[done]) {
          int phase = done % period;
          sum[phase] = sum[phase] * keep + series[done];
          weight[phase] = weight[phase] * keep + 1;
        }
      }
      if (present[t] < period) {
        continue;
      }
      double ahead = profileSum(sum, weight, t, horizon);
      int index = 0;
      made.get(index++).forecasts[t] = ahead;
      for (int k = 1; k < windowHours.length; k++) {
        int window = Math.max(1, windowHours[k] * perDay / 24);
        double level = 0;
        double usual = 0;
        for (int past = Math.max(first, t - window); past < t; past++) {
          if (!missing[past]) {
            level += series[past];
            usual += profileSum(sum, weight, past, 1);
          }
        }
        for (double power : powers) {
          made.get(index++).forecasts[t] = ahead * Math.pow((level + 1) / (usual + 1), power);
        }
      }
    }
    candidates.addAll(made);
  }

  private static double profileSum(double[] sum, double[] weight, int from, int buckets) {
    double total = 0;
    for (int t = from; t < from + buckets; t++) {
      int phase = t % sum.length;
      total += weight[phase] > 0 ? sum[phase] / weight[phase] : 0;
    }
    return total;
  }
}
