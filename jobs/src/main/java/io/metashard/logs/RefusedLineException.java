package io.metashard.logs;

/** Carries a reason out of a parser; each parser's door turns it into a {@code Rejected}. */
final class RefusedLineException extends RuntimeException {
  private final String reason;

  RefusedLineException(String reason) {
    super(reason, null, false, false); // no stack trace: logs may hold millions of bad lines
    this.reason = reason;
  }

  String reason() {
    return reason;
  }
}
