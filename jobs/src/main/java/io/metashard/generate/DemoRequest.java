package io.metashard.generate;

import java.time.Instant;
import java.util.Comparator;

/**
 * One request of a made-up log. Times are whole seconds, as an S3 access log has them, so that both
 * forms of the log say the same.
 *
 * @param start first byte; null for a whole object
 * @param end first byte after the range; null for a whole object
 * @param bytesSent null when none were
 * @param objectBytes size of the object; null when there is none
 */
record DemoRequest(
    Instant ts,
    String objectId,
    Long start,
    Long end,
    int status,
    Long bytesSent,
    Long objectBytes,
    String operation,
    String client) {
  static final String GET = "GET";
  static final String HEAD = "HEAD";

  static final Comparator<DemoRequest> IN_ORDER =
      Comparator.comparing(DemoRequest::ts)
          .thenComparing(DemoRequest::objectId)
          .thenComparing(DemoRequest::start, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(DemoRequest::end, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(DemoRequest::operation)
          .thenComparing(DemoRequest::client)
          .thenComparing(DemoRequest::status)
          .thenComparing(DemoRequest::bytesSent, Comparator.nullsFirst(Comparator.naturalOrder()));

  static DemoRequest whole(Instant ts, DemoObject object, String operation, String client) {
    return new DemoRequest(
        ts, object.id(), null, null, 200, object.bytes(), object.bytes(), operation, client);
  }

  /** The range is cut to the object; an empty one becomes its last byte. */
  static DemoRequest range(Instant ts, DemoObject object, long start, long end, String client) {
    long to = Math.max(1, Math.min(end, object.bytes()));
    long from = Math.max(0, Math.min(start, to - 1));
    return new DemoRequest(ts, object.id(), from, to, 206, to - from, object.bytes(), GET, client);
  }

  static DemoRequest head(Instant ts, DemoObject object, String client) {
    return new DemoRequest(ts, object.id(), null, null, 200, null, object.bytes(), HEAD, client);
  }

  static DemoRequest notFound(Instant ts, String objectId, String operation, String client) {
    return new DemoRequest(ts, objectId, null, null, 404, null, null, operation, client);
  }
}
