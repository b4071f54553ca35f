package io.metashard.logs;

import io.metashard.ObjectIds;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * The rules that every request must hold to, whatever format it came in. Ranges that go past their
 * object's end are no error here: a log does not know sizes.
 *
 * @param notAfter requests stamped later are refused
 */
public record RequestChecks(Instant notAfter) implements java.io.Serializable {
  private static final int LONGEST_OPERATION = 64;

  /** Longest text that is looked at as a number: what a double or a long prints, with room. */
  private static final int LONGEST_NUMBER = 40;

  private static final int MICROS_PER_MILLI = 1000;

  /**
   * A request of checked parts.
   *
   * @throws RefusedLineException with the first reason found
   */
  ParsedLine.Request request(
      Instant ts,
      String objectId,
      Long rangeStart,
      Long rangeEnd,
      long status,
      Long bytesSent,
      String operation,
      String client) {
    if (ts == null) {
      throw new RefusedLineException(Reasons.TIMESTAMP_MISSING);
    }
    if (ts.isAfter(notAfter)) {
      throw new RefusedLineException(Reasons.TIMESTAMP_IN_THE_FUTURE);
    }
    if (ts.isBefore(Instant.EPOCH)) {
      throw new RefusedLineException(Reasons.TIMESTAMP_TOO_EARLY);
    }
    ObjectIds.problem(objectId)
        .ifPresent(
            problem -> {
              throw new RefusedLineException(problem);
            });
    checkRange(rangeStart, rangeEnd);
    if (status < 100 || status > 599) {
      throw new RefusedLineException(Reasons.STATUS_OUT_OF_RANGE);
    }
    if (bytesSent != null && bytesSent < 0) {
      throw new RefusedLineException(Reasons.BYTES_NEGATIVE);
    }
    return new ParsedLine.Request(
        ts.truncatedTo(ChronoUnit.MICROS),
        objectId,
        rangeStart,
        rangeEnd,
        (int) status,
        bytesSent,
        operation(operation),
        client);
  }

  private static void checkRange(Long start, Long end) {
    if (start == null && end == null) {
      return;
    }
    if (start == null || end == null) {
      throw new RefusedLineException(Reasons.RANGE_INCOMPLETE);
    }
    if (start < 0 || end < 0) {
      throw new RefusedLineException(Reasons.RANGE_NEGATIVE);
    }
    if (end < start) {
      throw new RefusedLineException(Reasons.RANGE_REVERSED);
    }
    if (end.longValue() == start.longValue()) {
      throw new RefusedLineException(Reasons.RANGE_EMPTY);
    }
  }

  /** Methods in capitals, so that one word is one operation. */
  private static String operation(String operation) {
    boolean plain =
        !operation.isEmpty()
            && operation.length() <= LONGEST_OPERATION
            && operation.chars().allMatch(RequestChecks::isOperationChar);
    if (!plain) {
      throw new RefusedLineException(Reasons.OPERATION_MALFORMED);
    }
    return operation.equals(Requests.MAINTENANCE) ? operation : operation.toUpperCase(Locale.ROOT);
  }

  private static boolean isOperationChar(int c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '_'
        || c == '-'
        || c == '.';
  }

  /**
   * A whole number; {@code 4096.0} is one (pandas writes columns that have gaps so).
   *
   * @return null for null and for the empty text
   * @throws RefusedLineException with {@code notANumber} or {@code tooLarge}
   */
  static Long number(String text, String notANumber, String tooLarge) {
    if (text == null || text.isEmpty()) {
      return null;
    }
    if (text.length() > LONGEST_NUMBER) {
      boolean digits = text.chars().allMatch(c -> c >= '0' && c <= '9');
      throw new RefusedLineException(digits ? tooLarge : notANumber);
    }
    BigDecimal value;
    try {
      value = new BigDecimal(text);
    } catch (NumberFormatException e) {
      throw new RefusedLineException(notANumber);
    }
    return whole(value, notANumber, tooLarge);
  }

  /** The same of a double; null for NaN, which is how pandas writes a gap. */
  static Long number(double value, String notANumber, String tooLarge) {
    if (Double.isNaN(value)) {
      return null;
    }
    if (Double.isInfinite(value)) {
      throw new RefusedLineException(tooLarge);
    }
    return whole(BigDecimal.valueOf(value), notANumber, tooLarge);
  }

  private static Long whole(BigDecimal value, String notANumber, String tooLarge) {
    // Long before it is expanded: 1e999999999 is a short text.
    long integerDigits = (long) value.precision() - value.scale();
    if (integerDigits > 19) {
      throw new RefusedLineException(value.signum() == 0 ? notANumber : tooLarge);
    }
    if (value.signum() != 0 && value.stripTrailingZeros().scale() > 0) {
      throw new RefusedLineException(notANumber);
    }
    try {
      return value.longValueExact();
    } catch (ArithmeticException e) {
      throw new RefusedLineException(tooLarge);
    }
  }

  static Long rangeBound(String text) {
    return number(text, Reasons.RANGE_NOT_A_NUMBER, Reasons.RANGE_TOO_LARGE);
  }

  static Long bytes(String text) {
    return number(text, Reasons.BYTES_NOT_A_NUMBER, Reasons.BYTES_TOO_LARGE);
  }

  /** The status, or a default when there is none. */
  static long status(String text, long otherwise) {
    Long status = number(text, Reasons.STATUS_NOT_A_NUMBER, Reasons.STATUS_OUT_OF_RANGE);
    return status == null ? otherwise : status;
  }

  /** The status that must be there. */
  static long status(String text) {
    if (text == null || text.isEmpty()) {
      throw new RefusedLineException(Reasons.STATUS_NOT_A_NUMBER);
    }
    return status(text, 0);
  }

  /** Microseconds since 1970, as Spark counts them. */
  static long micros(Instant ts) {
    return Math.addExact(
        Math.multiplyExact(ts.toEpochMilli(), (long) MICROS_PER_MILLI),
        ts.getNano() / 1000 % MICROS_PER_MILLI);
  }
}
