package io.metashard.logs;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.TemporalAccessor;

/** The forms of time in logs. */
final class Timestamps {
  private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

  /** {@code 10/Oct/2000:13:55:36 -0700}. */
  private static final int COMMON_LENGTH = 26;

  private static final int LONGEST_ISO = 40;

  private static final DateTimeFormatter ISO =
      new DateTimeFormatterBuilder()
          .append(DateTimeFormatter.ISO_LOCAL_DATE_TIME)
          .optionalStart()
          .appendOffset("+HH:MM", "Z")
          .optionalEnd()
          .optionalStart()
          .appendOffset("+HHMM", "+0000")
          .optionalEnd()
          .toFormatter(java.util.Locale.ROOT);

  private Timestamps() {}

  /**
   * The form of Apache's, nginx's and S3's logs; written out, since it is read on every line.
   *
   * @throws RefusedLineException if it is not one
   */
  static Instant common(String text) {
    if (text.length() != COMMON_LENGTH
        || text.charAt(2) != '/'
        || text.charAt(6) != '/'
        || text.charAt(11) != ':'
        || text.charAt(14) != ':'
        || text.charAt(17) != ':'
        || text.charAt(20) != ' ') {
      throw unparsable();
    }
    int month = MONTHS.indexOf(text.substring(3, 6));
    char sign = text.charAt(21);
    if (month < 0 || month % 3 != 0 || sign != '+' && sign != '-') {
      throw unparsable();
    }
    try {
      LocalDateTime local =
          LocalDateTime.of(
              digits(text, 7, 11),
              month / 3 + 1,
              digits(text, 0, 2),
              digits(text, 12, 14),
              digits(text, 15, 17),
              digits(text, 18, 20));
      int seconds = digits(text, 22, 24) * 3600 + digits(text, 24, 26) * 60;
      return local.toInstant(ZoneOffset.ofTotalSeconds(sign == '-' ? -seconds : seconds));
    } catch (DateTimeException e) {
      throw unparsable();
    }
  }

  private static int digits(String text, int from, int to) {
    int value = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        throw unparsable();
      }
      value = value * 10 + c - '0';
    }
    return value;
  }

  /**
   * ISO 8601, with a space in place of the T allowed; without an offset it is UTC.
   *
   * @return null for null and for the empty text
   * @throws RefusedLineException if it is not one
   */
  static Instant iso(String text) {
    if (text == null || text.isEmpty()) {
      return null;
    }
    if (text.length() > LONGEST_ISO) {
      throw unparsable();
    }
    try {
      TemporalAccessor parsed =
          ISO.parseBest(text.replace(' ', 'T'), OffsetDateTime::from, LocalDateTime::from);
      return parsed instanceof OffsetDateTime at
          ? at.toInstant()
          : ((LocalDateTime) parsed).toInstant(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      throw unparsable();
    }
  }

  static RefusedLineException unparsable() {
    return new RefusedLineException(Reasons.TIMESTAMP_UNPARSABLE);
  }
}
