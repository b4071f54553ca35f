package io.metashard.forecast;

import io.metashard.config.Settings;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * The half-lives, windows and hyper-parameters that a forecast is made with.
 *
 * @param values one of each
 * @param fixed those that the configuration names: the tuner leaves them alone
 */
public record ForecastParameters(Map<Tunable, Double> values, Set<Tunable> fixed) {
  public ForecastParameters {
    // Enum maps and sets, so that their text, which goes into fingerprints, is always the same.
    values = Collections.unmodifiableMap(new EnumMap<>(values));
    EnumSet<Tunable> named = EnumSet.noneOf(Tunable.class);
    named.addAll(fixed);
    fixed = Collections.unmodifiableSet(named);
    for (Tunable tunable : Tunable.values()) {
      Double value = values.get(tunable);
      if (value == null || !(value > 0) || value.isInfinite()) {
        throw new IllegalArgumentException(
            "Cannot forecast with %s = %s: it must be above 0 and finite; set %s%s"
                .formatted(tunable.word(), value, Tunable.SETTINGS, tunable.word()));
      }
    }
  }

  /** What is used unless the configuration or the tuner says otherwise. */
  static ForecastParameters usual(Duration history) {
    EnumMap<Tunable, Double> values = new EnumMap<>(Tunable.class);
    for (Tunable tunable : Tunable.values()) {
      values.put(tunable, tunable.usual(history));
    }
    return new ForecastParameters(values, Set.of());
  }

  static ForecastParameters from(Settings settings, Duration history) {
    EnumMap<Tunable, Double> values = new EnumMap<>(usual(history).values());
    EnumSet<Tunable> fixed = EnumSet.noneOf(Tunable.class);
    for (Tunable tunable : Tunable.values()) {
      tunable
          .fixed(settings)
          .ifPresent(
              value -> {
                values.put(tunable, value);
                fixed.add(tunable);
              });
    }
    return new ForecastParameters(values, fixed);
  }

  /** The same with another value; what is fixed stays as it is. */
  ForecastParameters with(Tunable tunable, double value) {
    if (fixed.contains(tunable)) {
      return this;
    }
    EnumMap<Tunable, Double> changed = new EnumMap<>(values);
    changed.put(tunable, value);
    return new ForecastParameters(changed, fixed);
  }

  public double value(Tunable tunable) {
    return values.get(tunable);
  }

  /** A value that is a span of time. */
  Duration span(Tunable tunable) {
    if (tunable.unit() != Tunable.Unit.HOURS) {
      throw new IllegalArgumentException(
          "Cannot take %s for a span: it is counted in %s"
              .formatted(tunable.word(), tunable.unit().word()));
    }
    return Duration.ofSeconds(Math.round(value(tunable) * 3600));
  }

  double days(Tunable tunable) {
    return span(tunable).toSeconds() / (double) Duration.ofDays(1).toSeconds();
  }
}
