package io.metashard.logs;

/**
 * A line, record or row of a log file.
 *
 * @param number of the line (of a CSV record: of its first line) or row, from 1
 * @param text what it said; null for a request
 */
record NumberedLine(long number, ParsedLine parsed, String text) {
  static NumberedLine of(long number, ParsedLine parsed, String text) {
    return new NumberedLine(number, parsed, parsed instanceof ParsedLine.Request ? null : text);
  }

  static NumberedLine rejected(long number, String reason, String text) {
    return new NumberedLine(number, new ParsedLine.Rejected(reason), text);
  }
}
