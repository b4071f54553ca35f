package io.metashard.logs;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Lines of the NCSA combined format, as Apache and nginx write it; referrer, user agent and what
 * follows may be missing.
 *
 * <p>The object id is the path of the request: unescaped, without query, percent-decoded, without
 * its first slash and without the configured prefix.
 */
public final class CombinedParser implements LineParser, Serializable {
  private final RequestChecks checks;
  private final String prefix;
  private final ClientRules clients;

  /**
   * @param stripPrefix removed from paths; what is not under it is outside
   */
  public CombinedParser(RequestChecks checks, String stripPrefix, ClientRules clients) {
    this.checks = checks;
    String prefix = stripPrefix.startsWith("/") ? stripPrefix.substring(1) : stripPrefix;
    this.prefix = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
    this.clients = clients;
  }

  @Override
  public ParsedLine parse(String line) {
    try {
      return request(line);
    } catch (RefusedLineException e) {
      return new ParsedLine.Rejected(e.reason());
    }
  }

  private ParsedLine request(String line) {
    int hostEnd = line.indexOf(' ');
    int timeStart = line.indexOf(" [");
    int timeEnd = line.indexOf("] \"", Math.max(0, timeStart));
    if (hostEnd < 1 || timeStart < 0 || timeEnd < 0) {
      throw new RefusedLineException(Reasons.LINE_MALFORMED);
    }
    int requestStart = timeEnd + 3;
    int requestEnd = closingQuote(line, requestStart);
    String[] after = words(line, requestEnd + 1);
    byte[] request = Escapes.backslashDecoded(line.substring(requestStart, requestEnd));
    // Bytes as characters, so that it can be cut before it is decoded.
    String bytes = new String(request, StandardCharsets.ISO_8859_1);
    int methodEnd = bytes.indexOf(' ');
    int targetEnd = bytes.lastIndexOf(' ');
    if (methodEnd < 1 || targetEnd <= methodEnd || !bytes.startsWith("HTTP/", targetEnd + 1)) {
      throw new RefusedLineException(Reasons.REQUEST_MALFORMED);
    }
    return checks.request(
        Timestamps.common(line.substring(timeStart + 2, timeEnd)),
        objectId(bytes.substring(methodEnd + 1, targetEnd)),
        null,
        null,
        RequestChecks.status(after[0]),
        after[1] == null || after[1].equals("-") ? null : RequestChecks.bytes(after[1]),
        clients.operation(bytes.substring(0, methodEnd), userAgent(line, requestEnd + 1)),
        line.substring(0, hostEnd));
  }

  private String objectId(String target) {
    String path = target;
    int scheme = path.indexOf("://");
    if (scheme > 0 && path.lastIndexOf('/', scheme) < 0 && !path.startsWith("/")) {
      int slash = path.indexOf('/', scheme + 3); // a request to a proxy
      path = slash < 0 ? "/" : path.substring(slash);
    }
    if (!path.startsWith("/")) {
      throw new RefusedLineException(Reasons.REQUEST_MALFORMED); // as in "OPTIONS *"
    }
    int query = path.indexOf('?');
    path = path.substring(1, query < 0 ? path.length() : query);
    String id = Escapes.percentDecoded(path.getBytes(StandardCharsets.ISO_8859_1));
    if (!id.startsWith(prefix)) {
      throw new RefusedLineException(Reasons.OUTSIDE);
    }
    return id.substring(prefix.length());
  }

  /** Status and bytes: the two words after the request. */
  private static String[] words(String line, int from) {
    int quote = line.indexOf('"', from);
    String[] words = line.substring(from, quote < 0 ? line.length() : quote).trim().split(" ");
    return Arrays.copyOf(words, 2);
  }

  /** The second quoted field after the request; null if there is none. */
  private static String userAgent(String line, int from) {
    int referrer = line.indexOf('"', from);
    if (referrer < 0) {
      return null;
    }
    int agent = line.indexOf('"', closingQuote(line, referrer + 1) + 1);
    return agent < 0 ? null : line.substring(agent + 1, closingQuote(line, agent + 1));
  }

  /** The next quote that no backslash escapes. */
  private static int closingQuote(String line, int from) {
    for (int i = from; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '\\') {
        i++;
      } else if (c == '"') {
        return i;
      }
    }
    throw new RefusedLineException(Reasons.LINE_MALFORMED);
  }
}
