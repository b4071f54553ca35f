package io.metashard.report;

import io.metashard.Amounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An axis from 0 to a round number.
 *
 * @param ticks ascending, the first is 0, the last the end of the axis
 */
record Axis(Unit unit, List<Double> ticks) {
  /** What is counted along an axis. */
  enum Unit {
    PLAIN,
    BYTES,
    MILLIS,
    PERCENT;

    /** As people write it. */
    String shown(double value) {
      return switch (this) {
        case PLAIN -> Amounts.number(value);
        case BYTES -> Amounts.bytes(Math.round(value));
        case MILLIS ->
            value < 1000
                ? Amounts.number(value) + " ms"
                : String.format(Locale.ROOT, "%.3g s", value / 1000);
        case PERCENT -> Amounts.percent(value);
      };
    }
  }

  private static final int MOST_STEPS = 5;

  Axis {
    ticks = List.copyOf(ticks);
  }

  /** The smallest axis of at most five round steps that holds {@code largest}. */
  static Axis upTo(double largest, Unit unit) {
    double most = largest > 0 && Double.isFinite(largest) ? largest : 1;
    double base = unit == Unit.BYTES ? powerOf1024(most) : 1;
    double step = roundStep(most / base / MOST_STEPS) * base;
    List<Double> ticks = new ArrayList<>();
    int steps = (int) Math.ceil(most / step - 1e-9);
    for (int i = 0; i <= steps; i++) {
      ticks.add(i * step);
    }
    return new Axis(unit, ticks);
  }

  private static double powerOf1024(double value) {
    double power = 1;
    while (value / power >= 1024) {
      power *= 1024;
    }
    return power;
  }

  /** 1, 2 or 5 times a power of ten, at least {@code step}. */
  private static double roundStep(double step) {
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    for (double round : new double[] {1, 2, 5}) {
      if (round * power >= step * (1 - 1e-9)) {
        return round * power;
      }
    }
    return 10 * power;
  }

  double end() {
    return ticks.get(ticks.size() - 1);
  }

  String label(double tick) {
    return tick == 0 && unit != Unit.PERCENT ? "0" : unit.shown(tick);
  }
}
