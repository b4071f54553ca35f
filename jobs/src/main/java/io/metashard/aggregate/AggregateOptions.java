package io.metashard.aggregate;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;

/**
 * How requests are counted.
 *
 * @param bucket length of a time bucket; a day is a whole number of them
 * @param reopenDays days whose requests grew are counted again if they ended at most this many days
 *     before the moment of planning
 */
public record AggregateOptions(Duration bucket, int reopenDays) {
  private static final long DAY_MICROS = Duration.ofDays(1).toNanos() / 1000;

  public AggregateOptions {
    long micros = bucket.toNanos() / 1000;
    if (micros < 1 || bucket.toNanos() % 1000 != 0 || DAY_MICROS % micros != 0) {
      throw new SettingsException(
          "Cannot use forecast.bucket = %s: a day must be a whole number of buckets; use 1m, 5m, 1h or another part of a day"
              .formatted(bucket));
    }
    if (reopenDays < 0) {
      throw new SettingsException(
          "Cannot use aggregate.reopen-days = %d: negative".formatted(reopenDays));
    }
  }

  public static AggregateOptions from(Settings settings) {
    return new AggregateOptions(
        settings.duration("forecast.bucket"), settings.integer("aggregate.reopen-days"));
  }

  long bucketMicros() {
    return bucket.toNanos() / 1000;
  }
}
