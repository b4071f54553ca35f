package io.metashard.generate;

import java.time.DayOfWeek;
import java.time.LocalDate;

/** How busy an hour is, relative to an average one. */
final class Clocks {
  private Clocks() {}

  /**
   * People on the web: a low at 4 in the morning, a high in the evening, a third less at weekends.
   * The ratio of about 4 between both is that of Breslau et al. (INFOCOM 1999) and of the log of
   * paper downloads that the forecasts are tested on.
   */
  static double web(LocalDate day, int hour) {
    double phase = 2 * StrictMath.PI * (hour - 4) / 24;
    double ofDay = 1 - 0.6 * StrictMath.cos(phase) + 0.12 * StrictMath.sin(2 * phase);
    return ofDay * (isWeekend(day) ? 0.72 : 1.11);
  }

  /** Analysts: office hours of working days. */
  static double office(LocalDate day, int hour) {
    double ofDay = hour >= 8 && hour < 18 ? 2.1 : 0.2;
    return ofDay * (isWeekend(day) ? 0.15 : 1.34);
  }

  static boolean isWeekend(LocalDate day) {
    return day.getDayOfWeek() == DayOfWeek.SATURDAY || day.getDayOfWeek() == DayOfWeek.SUNDAY;
  }
}
