package io.metashard.forecast;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * What the tuner may do, and what it may cost.
 *
 * @param every least time between two tunings
 * @param afterNights days with a forecast before the first tuning
 * @param trials values tried in one tuning; each costs a forecast from each origin
 * @param origins that values are compared from
 * @param minGain least share of the deviance that a change must save
 * @param maxDuration no further forecast is begun after that long
 */
public record TunerOptions(
    Mode mode,
    Duration every,
    int afterNights,
    int trials,
    int origins,
    double minGain,
    Duration maxDuration) {
  /** With fewer, a gain is luck. */
  static final int LEAST_ORIGINS = 3;

  static final int MOST_ORIGINS = 20;

  /** What becomes of a value that is better. */
  public enum Mode {
    /** The next forecast uses it. */
    AUTO,
    /** It is written down. */
    SUGGEST,
    /** None is looked for. */
    OFF;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    static Mode of(String word) {
      return valueOf(word.toUpperCase(Locale.ROOT));
    }

    static String[] words() {
      return Arrays.stream(values()).map(Mode::word).toArray(String[]::new);
    }
  }

  public TunerOptions {
    within("tuner.after-nights", afterNights, 0, 1000);
    within("tuner.trials", trials, 1, 20);
    within("tuner.origins", origins, LEAST_ORIGINS, MOST_ORIGINS);
    within("tuner.min-gain", minGain, 0, 1);
  }

  private static void within(String key, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new SettingsException(
          "Cannot tune with %s = %s: it must be %.0f to %.0f; set %s"
              .formatted(key, Double.toString(value).replaceAll("\\.0$", ""), least, most, key));
    }
  }

  public static TunerOptions from(Settings settings) {
    return new TunerOptions(
        Mode.of(settings.oneOf("tuner.mode", Mode.words())),
        settings.duration("tuner.every"),
        settings.integer("tuner.after-nights"),
        settings.integer("tuner.trials"),
        settings.integer("tuner.origins"),
        settings.number("tuner.min-gain"),
        settings.duration("tuner.max-duration"));
  }
}
