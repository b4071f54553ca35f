package io.metashard.forecast;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;

/**
 * What is forecast, from what, and how the model is chosen.
 *
 * @param bucket in which requests are counted; whole seconds, a day is a whole number of them
 * @param horizon the span forecast; a multiple of the bucket
 * @param history how much of the past is used at most; at least one bucket
 * @param backtestOrigins most rolling origins that train and choose the model; 0: no back-test
 * @param seed of the samples that training draws
 * @param parameters half-lives, windows and the like
 */
public record ForecastOptions(
    Duration bucket,
    Duration horizon,
    Duration history,
    int backtestOrigins,
    ModelChoice model,
    long seed,
    ForecastParameters parameters) {
  /** The total of every bucket comes to the driver: this bounds how many there are. */
  public static final int MAX_BUCKETS = 60_000;

  /** Every back-test origin multiplies the rows that are aggregated. */
  public static final int MAX_BACKTEST_ORIGINS = 100;

  private static final long DAY_SECONDS = Duration.ofDays(1).toSeconds();

  public ForecastOptions {
    if (bucket.getNano() != 0
        || bucket.toSeconds() < 1
        || DAY_SECONDS % Math.max(1, bucket.toSeconds()) != 0) {
      throw new SettingsException(
          "Cannot count in buckets of %s: a day must be a whole number of them; set forecast.bucket to 1m, 5m, 1h or the like"
              .formatted(bucket));
    }
    if (horizon.getNano() != 0
        || horizon.toSeconds() < 1
        || horizon.toSeconds() % bucket.toSeconds() != 0) {
      throw new SettingsException(
          "Cannot forecast %s: it must be a positive multiple of the bucket of %s; set forecast.horizon"
              .formatted(horizon, bucket));
    }
    if (history.compareTo(bucket) < 0) {
      throw new SettingsException(
          "Cannot forecast from a history of %s: it must be at least one bucket of %s; set forecast.history"
              .formatted(history, bucket));
    }
    requireFewBuckets("a history", history, bucket, "forecast.history");
    requireFewBuckets("a horizon", horizon, bucket, "forecast.horizon");
    if (backtestOrigins < 0 || backtestOrigins > MAX_BACKTEST_ORIGINS) {
      throw new SettingsException(
          "Cannot back-test from %d origins: it must be 0 to %d; set forecast.backtest-origins"
              .formatted(backtestOrigins, MAX_BACKTEST_ORIGINS));
    }
    if (parameters.span(Tunable.WINDOW).compareTo(bucket) < 0) {
      throw new SettingsException(
          "Cannot learn from a window of %s: it must be at least one bucket of %s; set forecast.parameters.window"
              .formatted(parameters.span(Tunable.WINDOW), bucket));
    }
  }

  /** With the usual half-lives, windows and the like. */
  public ForecastOptions(
      Duration bucket,
      Duration horizon,
      Duration history,
      int backtestOrigins,
      ModelChoice model,
      long seed) {
    this(bucket, horizon, history, backtestOrigins, model, seed, ForecastParameters.usual(history));
  }

  /** The same, made by another model. */
  public ForecastOptions with(ModelChoice other) {
    return new ForecastOptions(bucket, horizon, history, backtestOrigins, other, seed, parameters);
  }

  /** The same with other half-lives, windows and the like. */
  public ForecastOptions with(ForecastParameters others) {
    return new ForecastOptions(bucket, horizon, history, backtestOrigins, model, seed, others);
  }

  /** How much of the past is learned from. */
  Duration learnedFrom() {
    Duration window = parameters.span(Tunable.WINDOW);
    return window.compareTo(history) < 0 ? window : history;
  }

  /** The same forecast of another span. */
  public ForecastOptions withHorizon(Duration other) {
    return new ForecastOptions(bucket, other, history, backtestOrigins, model, seed, parameters);
  }

  static void requireFewBuckets(String what, Duration span, Duration bucket, String key) {
    if (span.toSeconds() / bucket.toSeconds() > MAX_BUCKETS) {
      throw new SettingsException(
          "Cannot use %s of %s in buckets of %s: that is more than %d buckets; shorten %s or lengthen forecast.bucket"
              .formatted(what, span, bucket, MAX_BUCKETS, key));
    }
  }

  public static ForecastOptions from(Settings settings) {
    return new ForecastOptions(
        settings.duration("forecast.bucket"),
        settings.duration("forecast.horizon"),
        settings.duration("forecast.history"),
        settings.integer("forecast.backtest-origins"),
        ModelChoice.parse(settings.oneOf("forecast.model", ModelChoice.words())),
        settings.longInteger("forecast.seed"),
        ForecastParameters.from(settings, settings.duration("forecast.history")));
  }
}
