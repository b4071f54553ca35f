package io.metashard.logs;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Lines of Amazon S3 server access logs.
 *
 * <p>Fields are separated by spaces, times are in brackets, some fields in quotes; older logs have
 * fewer fields at the end. Keys are URL-encoded. S3 does not log byte ranges: they are taken from
 * {@code rg=} of the referrer that Hadoop's S3A client sends for auditing; without it a 206 is a
 * part of unknown place. See "Amazon S3 server access log format" in Amazon's user guide and
 * "Auditing" in Hadoop's S3A documentation.
 */
public final class S3AccessParser implements LineParser, Serializable {
  private static final int BUCKET = 1;
  private static final int TIME = 2;
  private static final int REMOTE_IP = 3;
  private static final int OPERATION = 6;
  private static final int KEY = 7;
  private static final int STATUS = 9;
  private static final int BYTES_SENT = 11;
  private static final int OBJECT_SIZE = 12;
  private static final int REFERRER = 15;
  private static final int USER_AGENT = 16;

  /** No more are looked at: Amazon appends new ones. */
  private static final int FIELDS = 17;

  private static final String AUDIT_REFERRER = "https://audit.example.org/hadoop/";

  private final RequestChecks checks;
  private final BucketMapping buckets;
  private final ClientRules clients;

  public S3AccessParser(RequestChecks checks, BucketMapping buckets, ClientRules clients) {
    this.checks = checks;
    this.buckets = buckets;
    this.clients = clients;
  }

  @Override
  public ParsedLine parse(String line) {
    try {
      return request(fields(line));
    } catch (RefusedLineException e) {
      return new ParsedLine.Rejected(e.reason());
    }
  }

  private ParsedLine request(List<String> fields) {
    if (fields.size() <= STATUS) {
      throw new RefusedLineException(Reasons.LINE_MALFORMED);
    }
    String time = fields.get(TIME);
    if (!time.startsWith("[")) {
      throw new RefusedLineException(Reasons.LINE_MALFORMED);
    }
    String key = field(fields, KEY);
    if (key == null) {
      throw new RefusedLineException(Reasons.NO_OBJECT);
    }
    String objectId =
        buckets
            .objectId(fields.get(BUCKET), Escapes.percentDecoded(key))
            .orElseThrow(() -> new RefusedLineException(Reasons.OUTSIDE));
    Long[] range = range(field(fields, REFERRER), field(fields, OBJECT_SIZE));
    return checks.request(
        Timestamps.common(time.substring(1)),
        objectId,
        range[0],
        range[1],
        RequestChecks.status(field(fields, STATUS)),
        RequestChecks.bytes(field(fields, BYTES_SENT)),
        clients.operation(operation(fields.get(OPERATION)), field(fields, USER_AGENT)),
        field(fields, REMOTE_IP));
  }

  /** {@code REST.GET.OBJECT} is GET; what is not done to an object itself keeps its name. */
  private static String operation(String name) {
    String[] parts = name.split("\\.", -1);
    return parts.length == 3 && parts[2].equals("OBJECT") ? parts[1] : name;
  }

  /**
   * The range as the client asked for it. {@code a-} goes to the object's end, {@code -n} is its
   * last n bytes; of unknown place when the log does not give the object's size.
   */
  private static Long[] range(String referrer, String objectSize) {
    String asked = auditRange(referrer);
    if (asked == null) {
      return new Long[] {null, null};
    }
    int dash = asked.indexOf('-', 1);
    boolean suffix = asked.startsWith("-") && dash < 0;
    if (!suffix && dash < 0) {
      throw new RefusedLineException(Reasons.RANGE_NOT_A_NUMBER);
    }
    if (suffix || dash == asked.length() - 1) {
      Long size = RequestChecks.bytes(objectSize);
      Long bound =
          RequestChecks.rangeBound(asked.substring(suffix ? 1 : 0, suffix ? asked.length() : dash));
      if (size == null || bound == null) {
        return new Long[] {null, null};
      }
      return new Long[] {suffix ? Math.max(0, size - bound) : bound, size};
    }
    Long first = RequestChecks.rangeBound(asked.substring(0, dash));
    Long last = RequestChecks.rangeBound(asked.substring(dash + 1));
    if (first == null || last == null) {
      throw new RefusedLineException(Reasons.RANGE_NOT_A_NUMBER);
    }
    if (last == Long.MAX_VALUE) {
      throw new RefusedLineException(Reasons.RANGE_TOO_LARGE);
    }
    // "5-4" would be an empty range rather than a reversed one.
    if (first >= 0 && last >= 0 && last < first) {
      throw new RefusedLineException(Reasons.RANGE_REVERSED);
    }
    return new Long[] {first, last < 0 ? last : last + 1};
  }

  private static String auditRange(String referrer) {
    if (referrer == null || !referrer.startsWith(AUDIT_REFERRER)) {
      return null;
    }
    int query = referrer.indexOf('?');
    if (query < 0) {
      return null;
    }
    for (String parameter : referrer.substring(query + 1).split("&")) {
      if (parameter.startsWith("rg=") && parameter.length() > 3) {
        return Escapes.percentDecoded(parameter.substring(3));
      }
    }
    return null;
  }

  /** The field, or null when it is missing or a dash. */
  private static String field(List<String> fields, int index) {
    String field = index < fields.size() ? fields.get(index) : null;
    return field == null || field.equals("-") || field.isEmpty() ? null : field;
  }

  /** Quotes are dropped; the opening bracket of a time stays, as its mark. */
  private static List<String> fields(String line) {
    List<String> fields = new ArrayList<>(FIELDS);
    int at = 0;
    while (at < line.length() && fields.size() < FIELDS) {
      char first = line.charAt(at);
      int end;
      if (first == '"') {
        end = closingQuote(line, at + 1);
        fields.add(line.substring(at + 1, end));
        end++;
      } else if (first == '[') {
        end = line.indexOf(']', at);
        if (end < 0) {
          throw new RefusedLineException(Reasons.LINE_MALFORMED);
        }
        fields.add(line.substring(at, end));
        end++;
      } else {
        end = line.indexOf(' ', at);
        end = end < 0 ? line.length() : end;
        fields.add(line.substring(at, end));
      }
      if (end < line.length() && line.charAt(end) != ' ') {
        throw new RefusedLineException(Reasons.LINE_MALFORMED);
      }
      at = end + 1;
    }
    return fields;
  }

  /** A quote that a space or the line's end follows: S3 does not escape quotes inside. */
  private static int closingQuote(String line, int from) {
    for (int at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 1)) {
      if (at + 1 == line.length() || line.charAt(at + 1) == ' ') {
        return at;
      }
    }
    throw new RefusedLineException(Reasons.LINE_MALFORMED);
  }
}
