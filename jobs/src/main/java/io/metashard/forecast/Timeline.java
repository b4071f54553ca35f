package io.metashard.forecast;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Time counted in buckets: bucket 0 is the first of the history, {@code origin} the first that is
 * forecast.
 *
 * <p>A moment of planning inside a bucket rounds down: that bucket is not whole, so it is forecast
 * and not learned from.
 *
 * @param start when bucket 0 begins
 * @param origin number of history buckets
 * @param horizon number of buckets forecast
 */
record Timeline(Instant start, long bucketSeconds, int origin, int horizon)
    implements java.io.Serializable {
  private static final long HOUR_SECONDS = 3600;

  static Timeline of(Instant at, ForecastOptions options) {
    long bucketSeconds = options.bucket().toSeconds();
    long originSeconds = Math.floorDiv(at.getEpochSecond(), bucketSeconds) * bucketSeconds;
    int history = Math.toIntExact(options.learnedFrom().toSeconds() / bucketSeconds);
    return new Timeline(
        Instant.ofEpochSecond(originSeconds - history * bucketSeconds),
        bucketSeconds,
        history,
        Math.toIntExact(options.horizon().toSeconds() / bucketSeconds));
  }

  /** When a bucket begins. */
  Instant at(int bucket) {
    return start.plusSeconds(bucket * bucketSeconds);
  }

  Instant originAt() {
    return at(origin);
  }

  Instant horizonEnd() {
    return at(origin + horizon);
  }

  /** What the curves of datasets count time in: hours, or buckets where these are longer. */
  long unitSeconds() {
    return Math.max(HOUR_SECONDS, bucketSeconds);
  }

  /** Buckets of a day. */
  int perDay() {
    return Math.toIntExact(Duration.ofDays(1).toSeconds() / bucketSeconds);
  }

  /** A span in buckets; may be a fraction. */
  double buckets(Duration span) {
    return (double) span.toSeconds() / bucketSeconds;
  }

  /**
   * Origins of the back-test, the newest first; each horizon ends before this origin.
   *
   * <p>They overlap where the horizon is long, so that the last days weigh, and are spread over a
   * day where it is short. The oldest quarter of the history is left to learn from.
   *
   * @param first first bucket with a request
   * @param most how many there may be
   */
  List<Integer> backtestOrigins(int first, int most) {
    List<Integer> origins = new ArrayList<>();
    if (most == 0) {
      return origins;
    }
    int span = origin - first;
    int oldest = first + Math.max(1, span / 4);
    int spread = Math.min(perDay(), origin - oldest) / most;
    int stride = Math.max(1, Math.max(spread, horizon / 4));
    for (int at = origin - horizon; at >= oldest && origins.size() < most; at -= stride) {
      origins.add(at);
    }
    return origins;
  }
}
