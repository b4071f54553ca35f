package io.metashard.forecast;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;

/**
 * What the monitor looks at, and from where on it speaks.
 *
 * @param nights successive judged nights that lost by {@code fallBackMargin}: fall back
 * @param degradedNights successive judged nights with a complaint: degraded; as many good ones lift
 *     a fall-back
 * @param fallBackMargin how far the deviance lies above persistence's, as a share of it
 * @param grossMargin the same, by which one night alone is degraded
 * @param maxCalibrationError of {@code p_requested}, beyond what chance alone gives; 0 to 1
 * @param minCoverage least share within [low_80, high_80] of segments expected to be read; 0 to 1
 * @param maxDrift times the usual distance, above which the reason names the drift
 * @param minRequests nights with fewer are not judged
 * @param spans of the horizon's length before a night: what is usual, and base rates
 */
public record MonitorOptions(
    int nights,
    int degradedNights,
    double fallBackMargin,
    double grossMargin,
    double maxCalibrationError,
    double minCoverage,
    double maxDrift,
    double minRequests,
    int spans) {
  /** Every span is a column of a sum. */
  public static final int MAX_SPANS = 60;

  public static final int MAX_NIGHTS = 30;

  public MonitorOptions {
    within("monitor.nights", nights, 1, MAX_NIGHTS);
    within("monitor.degraded-nights", degradedNights, 1, MAX_NIGHTS);
    within("monitor.fall-back-margin", fallBackMargin, 0, 100);
    within("monitor.gross-margin", grossMargin, fallBackMargin, 1000);
    within("monitor.max-calibration-error", maxCalibrationError, 0, 1);
    within("monitor.min-coverage", minCoverage, 0, 1);
    within("monitor.max-drift", maxDrift, 1, 1000);
    within("monitor.min-requests", minRequests, 1, 1e15);
    within("monitor.spans", spans, 2, MAX_SPANS);
  }

  private static void within(String key, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new SettingsException(
          "Cannot monitor with %s = %s: it must be %s to %s; set %s"
              .formatted(key, text(value), text(least), text(most), key));
    }
  }

  private static String text(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  public static MonitorOptions from(Settings settings) {
    return new MonitorOptions(
        settings.integer("monitor.nights"),
        settings.integer("monitor.degraded-nights"),
        settings.number("monitor.fall-back-margin"),
        settings.number("monitor.gross-margin"),
        settings.number("monitor.max-calibration-error"),
        settings.number("monitor.min-coverage"),
        settings.number("monitor.max-drift"),
        settings.number("monitor.min-requests"),
        settings.integer("monitor.spans"));
  }
}
