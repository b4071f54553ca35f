package io.metashard.logs;

import java.time.Instant;

/** What a log line is: a request, or refused for a reason. */
public sealed interface ParsedLine {

  /**
   * A request that holds to the {@link Requests} schema; made by {@link RequestChecks} only.
   *
   * @param rangeStart first byte; null with {@code rangeEnd}
   * @param rangeEnd first byte after the range
   * @param bytesSent null when the log does not say
   * @param client null when the log does not say
   */
  record Request(
      Instant ts,
      String objectId,
      Long rangeStart,
      Long rangeEnd,
      int status,
      Long bytesSent,
      String operation,
      String client)
      implements ParsedLine {}

  /**
   * @param reason one of {@link Reasons}, or an object id's problem
   */
  record Rejected(String reason) implements ParsedLine {}
}
