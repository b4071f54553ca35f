package io.metashard.forecast;

import io.metashard.config.Settings;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * What the tuner may set: how fast a forecast forgets, how far it looks back, how much it doubts
 * what it learned.
 *
 * <p>Each has a ladder of values: the tuner goes up or down one rung at a time and never leaves it.
 * A value that is fixed in the configuration may lie between rungs or beyond them.
 */
public enum Tunable {
  /** Longest half-life of the recent shares; shorter ones are spread evenly below it. */
  RECENT_HALF_LIFE("recent-half-life", Unit.HOURS, 96, 12, 24, 48, 96, 192, 384),

  /** Half-life of the share by the same hours of former days. */
  SAME_PHASE_HALF_LIFE("same-phase-half-life", Unit.HOURS, 72, 24, 48, 72, 120, 192, 336),

  /** Half-life of the errors by which the candidates of the total weigh. */
  TOTAL_ERROR_HALF_LIFE("total-error-half-life", Unit.HOURS, 168, 48, 96, 168, 336, 672),

  /** Requests that the weights of all segments count for in the weights of a class of volume. */
  CLASS_PRIOR("class-prior", Unit.REQUESTS, 100, 25, 50, 100, 200, 400),

  /** Ridge (L2) penalty of the Poisson regression. */
  RIDGE("ridge", Unit.RATIO, 0.01, 0.001, 0.003, 0.01, 0.03, 0.1),

  /** How much of {@code forecast.history} is learned from; without a change, all of it. */
  WINDOW("window", Unit.HOURS, Double.NaN, 168, 336, 504, 672, 840, 1080, 1440, 2160);

  /** What values are counted in. */
  public enum Unit {
    HOURS,
    REQUESTS,
    RATIO;

    /** What it is called in tables. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final String SETTINGS = "forecast.parameters.";
  private static final String AUTO = "auto";
  private static final double MOST_FIXED = 1e6;
  private static final double SECONDS_PER_HOUR = 3600;
  private static final double SHORTEST = 1 / SECONDS_PER_HOUR;

  private final String word;
  private final Unit unit;
  private final double usual;
  private final double[] rungs;

  Tunable(String word, Unit unit, double usual, double... rungs) {
    this.word = word;
    this.unit = unit;
    this.usual = usual;
    this.rungs = rungs;
  }

  /** What it is called in settings and tables. */
  public String word() {
    return word;
  }

  public Unit unit() {
    return unit;
  }

  /** The one of that name; empty if this version has none. */
  public static Optional<Tunable> of(String word) {
    return Arrays.stream(values()).filter(tunable -> tunable.word.equals(word)).findFirst();
  }

  /** The value without a change. */
  double usual(Duration history) {
    return this == WINDOW ? Math.max(SHORTEST, hours(history)) : usual;
  }

  /**
   * Values that the tuner chooses from, ascending; one at least.
   *
   * @param history how much of the past may be used
   */
  double[] ladder(Duration history) {
    if (this != WINDOW) {
      return rungs.clone();
    }
    double all = usual(history);
    return DoubleStream.concat(
            Arrays.stream(rungs).filter(rung -> rung < all), DoubleStream.of(all))
        .toArray();
  }

  /** The next value below, or above; empty at the end of the ladder. */
  OptionalDouble next(double value, Direction direction, Duration history) {
    DoubleStream ladder = Arrays.stream(ladder(history));
    return direction == Direction.DOWN
        ? ladder.filter(rung -> rung < value).max()
        : ladder.filter(rung -> rung > value).min();
  }

  /** A way along the ladder. */
  enum Direction {
    DOWN,
    UP
  }

  /** The value, or the end of the ladder that lies nearer; the usual one in place of NaN. */
  double within(double value, Duration history) {
    double[] ladder = ladder(history);
    return Double.isNaN(value)
        ? usual(history)
        : Math.max(ladder[0], Math.min(ladder[ladder.length - 1], value));
  }

  /**
   * The value that the configuration fixes; empty if it says {@code auto}.
   *
   * @throws IllegalArgumentException if it is none that a forecast could be made with
   */
  OptionalDouble fixed(Settings settings) {
    String key = SETTINGS + word;
    if (settings.string(key).strip().equalsIgnoreCase(AUTO)) {
      return OptionalDouble.empty();
    }
    double value = unit == Unit.HOURS ? hours(settings.duration(key)) : settings.number(key);
    if (!(value > 0 && value <= MOST_FIXED)) {
      throw new IllegalArgumentException(
          "Cannot forecast with %s = %s: it must be above 0 and at most %s; set %s, or auto"
              .formatted(key, settings.string(key), text(MOST_FIXED), key));
    }
    return OptionalDouble.of(value);
  }

  private static double hours(Duration span) {
    return span.toSeconds() / SECONDS_PER_HOUR;
  }

  /**
   * A value for people, as one writes it in a configuration: {@code 48h}, {@code 4d}, {@code 100}.
   */
  public String text(double value) {
    if (unit == Unit.HOURS && value >= 72 && value % 24 == 0) {
      return number(value / 24) + "d";
    }
    return number(value) + (unit == Unit.HOURS ? "h" : "");
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
