package io.metashard.report;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;

/** Moments as people write them, in UTC. */
final class Times {
  private static final DateTimeFormatter MINUTE = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");
  private static final DateTimeFormatter DAY = DateTimeFormatter.ISO_LOCAL_DATE;

  private Times() {}

  /** {@code 2026-01-22 06:30}; at midnight {@code 2026-01-22}; a dash for null. */
  static String shown(Instant at) {
    if (at == null) {
      return "-";
    }
    ZonedDateTime utc = at.atZone(ZoneOffset.UTC);
    return (utc.toLocalTime().toSecondOfDay() == 0 ? DAY : MINUTE).format(utc);
  }
}
