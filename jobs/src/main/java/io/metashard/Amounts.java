package io.metashard;

import java.util.Locale;

/** Numbers as people write them. What is not known (NaN) is a dash. */
public final class Amounts {
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  private static final String UNKNOWN = "-";

  private Amounts() {}

  /** {@code 64 MiB}, {@code 1.50 MiB}; exact below 1 KiB. */
  public static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(
            Locale.ROOT,
            value == Math.rint(value) ? "%.0f %s" : value < 10 ? "%.2f %s" : "%.1f %s",
            value,
            UNITS[unit]);
  }

  /** {@code 0.3s}, {@code 12s}, {@code 1m 30s}, {@code 3h 5m}, {@code 24h}, {@code 12d 6h}. */
  public static String duration(double seconds) {
    if (!Double.isFinite(seconds) || seconds < 0) {
      return UNKNOWN;
    }
    if (seconds < 9.95) {
      return String.format(Locale.ROOT, "%.1fs", seconds);
    }
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + "s";
    }
    if (whole < 3600) {
      return two(whole / 60, "m", whole % 60, "s");
    }
    long minutes = Math.round(seconds / 60);
    // Two days are 48h, as in the configuration.
    return minutes < 72 * 60
        ? two(minutes / 60, "h", minutes % 60, "m")
        : two(minutes / 1440, "d", minutes % 1440 / 60, "h");
  }

  private static String two(long big, String bigUnit, long small, String smallUnit) {
    return small == 0 ? big + bigUnit : big + bigUnit + " " + small + smallUnit;
  }

  /** {@code 12,345}. */
  public static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** Three digits that count, more of large ones: {@code 12,345}, {@code 12.3}, {@code 0.00123}. */
  public static String number(double value) {
    if (!Double.isFinite(value)) {
      return UNKNOWN;
    }
    double size = Math.abs(value);
    if (value == Math.rint(value) && size < 1e15 || size >= 99.95) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    int decimals = size >= 9.995 ? 1 : size >= 0.9995 ? 2 : size >= 0.0995 ? 3 : 4;
    String text = String.format(Locale.ROOT, "%." + decimals + "f", value);
    return size < 0.00095 ? String.format(Locale.ROOT, "%.2e", value) : text;
  }

  /** {@code 12.3 %} of a share of 0.123; {@code 0 %}, {@code 100 %}. */
  public static String percent(double share) {
    if (!Double.isFinite(share)) {
      return UNKNOWN;
    }
    double percent = share * 100;
    // A sum of tenths is a hair off: 30 %, not 30.0 %.
    return Math.abs(percent - Math.rint(percent)) < 1e-9
        ? String.format(Locale.ROOT, "%,.0f %%", percent)
        : String.format(Locale.ROOT, "%,.1f %%", percent);
  }
}
