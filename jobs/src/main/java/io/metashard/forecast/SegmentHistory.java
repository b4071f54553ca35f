package io.metashard.forecast;

import java.util.Arrays;

/**
 * The requests of one segment, sparse: buckets in which there were any.
 *
 * @param buckets ascending, each once
 * @param requests in each
 * @param whole those of them that read the whole object
 */
record SegmentHistory(int[] buckets, double[] requests, double[] whole) {
  /** Values are multiples of this, so that sums below 10^11 are exact, in whatever order. */
  private static final double GRAIN = 1.0 / (1 << 16);

  /** Days that the steady shares are made of. */
  static final int STEADY_DAYS = 14;

  /**
   * An origin, and what of it is the same for all segments.
   *
   * @param origin bucket
   * @param back how many buckets back the season lies
   * @param perDay buckets of a day
   * @param horizon buckets
   * @param halfLives of the recent sums, in buckets
   * @param samePhaseHalfLifeDays of the sum over the same hours of former days
   * @param dayScales the day before the origin, the day before that, ...: what makes that day as
   *     busy as all of them are on average; 0 for a day without requests
   */
  record View(
      int origin,
      int back,
      int perDay,
      int horizon,
      double[] halfLives,
      double samePhaseHalfLifeDays,
      double[] dayScales)
      implements java.io.Serializable {}

  /** What is known at an origin, and what came. */
  record State(
      int origin, double observed, double[] sums, double whole, int activeBuckets, int lastBucket) {
    /** {@link #lastBucket} of a segment that nobody had asked for. */
    static final int NEVER = -1;
  }

  /** Sums by component of what lies before the origin; what lies after is only observed. */
  State at(View view) {
    double[] sums = new double[Components.COUNTED];
    double[] days = new double[view.dayScales().length];
    double observed = 0;
    double wholes = 0;
    int active = 0;
    int last = State.NEVER;
    for (int i = 0; i < buckets.length && buckets[i] < view.origin() + view.horizon(); i++) {
      int bucket = buckets[i];
      if (bucket >= view.origin()) {
        observed += requests[i];
        continue;
      }
      int lag = view.origin() - 1 - bucket;
      for (int k = 0; k < Components.RECENT; k++) {
        sums[k] += requests[i] * Math.pow(0.5, lag / view.halfLives()[k]);
      }
      sums[Components.LONG_RUN] += requests[i];
      int season = bucket - view.origin() + view.back();
      if (season >= 0 && season < view.horizon()) {
        sums[Components.DAY_BEFORE] +=
            requests[i] * ((view.horizon() - 1 - season) / view.back() + 1);
      }
      if (Math.floorMod(bucket - view.origin(), view.perDay()) < view.horizon()) {
        sums[Components.SAME_PHASE] +=
            requests[i] * Math.pow(0.5, lag / (view.samePhaseHalfLifeDays() * view.perDay()));
      }
      if (lag / view.perDay() < days.length) {
        days[lag / view.perDay()] += requests[i];
      }
      wholes += whole[i];
      active++;
      last = bucket;
    }
    sums[Components.STEADY_SHORT] = steady(days, view.dayScales(), Components.STEADY_SHORT_DAYS);
    sums[Components.STEADY_LONG] = steady(days, view.dayScales(), Components.STEADY_LONG_DAYS);
    return new State(
        view.origin(),
        rounded(observed),
        Arrays.stream(sums).map(SegmentHistory::rounded).toArray(),
        rounded(wholes),
        active,
        last);
  }

  /** A mean of days in which one busy day weighs little: of logarithms of one and the count. */
  private static double steady(double[] days, double[] scales, double halfLifeDays) {
    double sum = 0;
    double weights = 0;
    for (int d = 0; d < days.length; d++) {
      // A day without any request in all logs tells nothing.
      double weight = scales[d] > 0 ? Math.pow(0.5, d / halfLifeDays) : 0;
      sum += weight * Math.log1p(days[d] * scales[d]);
      weights += weight;
    }
    return weights > 0 ? Math.expm1(sum / weights) : 0;
  }

  private static double rounded(double value) {
    return Math.rint(value / GRAIN) * GRAIN;
  }
}
