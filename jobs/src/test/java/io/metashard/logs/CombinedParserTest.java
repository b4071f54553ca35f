package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.metashard.ObjectIds;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class CombinedParserTest {
  private static final Instant LIMIT = Instant.parse("2026-02-01T00:00:00Z");
  private static final String LINE =
      "192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] \"%s\" 200 2326"
          + " \"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\"";

  private final CombinedParser parser = parser("");

  @Test
  void readsEveryFieldOfALine() {
    assertThat(parser.parse(LINE.formatted("GET /apache_pb.gif HTTP/1.0")))
        .isEqualTo(
            new ParsedLine.Request(
                Instant.parse("2000-10-10T20:55:36Z"),
                "apache_pb.gif",
                null,
                null,
                200,
                2326L,
                "GET",
                "192.0.2.7"));
  }

  @Test
  void readsTheCommonFormatAndLinesWithMoreAtTheEnd() {
    String start = "h - - [10/Oct/2000:13:55:36 +0000] \"HEAD /a HTTP/1.1\" 206 -";
    ParsedLine.Request common = request(parser.parse(start));
    assertThat(common.operation()).isEqualTo("HEAD");
    assertThat(common.status()).isEqualTo(206);
    assertThat(common.bytesSent()).isNull();
    assertThat(
            request(parser.parse(start + " \"-\" \"Metashard/1\" 0.012 \"upstream\"")).operation())
        .isEqualTo(Requests.MAINTENANCE);
  }

  @Test
  void decodesPaths() {
    assertThat(id("GET /a%20b/c.pdf?version=2#x HTTP/1.1")).isEqualTo("a b/c.pdf");
    assertThat(id("GET /\\xc3\\x9cber HTTP/1.1")).isEqualTo("Über");
    assertThat(id("GET /say\\\"hi\\\" HTTP/1.1")).isEqualTo("say\"hi\"");
    assertThat(id("GET /back\\\\slash HTTP/1.1")).isEqualTo("back\\slash");
    assertThat(id("GET //a/../b HTTP/1.1")).isEqualTo("/a/../b");
    assertThat(id("GET http://example.com/a/b?c HTTP/1.1")).isEqualTo("a/b");
    assertThat(id("GET /with raw space HTTP/1.1")).isEqualTo("with raw space");
    assertThat(id("GET /Über+1 HTTP/1.1")).isEqualTo("Über+1");
    assertThat(id("GET /a%0Ab HTTP/1.1")).isEqualTo("a\nb");
  }

  @Test
  void refusesRequestsThatNameNoObject() {
    assertThat(reason("-")).isEqualTo(Reasons.REQUEST_MALFORMED);
    assertThat(reason("\\x16\\x03\\x01")).isEqualTo(Reasons.REQUEST_MALFORMED);
    assertThat(reason("OPTIONS * HTTP/1.1")).isEqualTo(Reasons.REQUEST_MALFORMED);
    assertThat(reason("GET /a")).isEqualTo(Reasons.REQUEST_MALFORMED);
    assertThat(reason("GET / HTTP/1.1")).isEqualTo("object-id-empty");
    assertThat(reason("G\\xff /a HTTP/1.1")).isEqualTo(Reasons.OPERATION_MALFORMED);
    assertThat(reason("GET /%ff HTTP/1.1")).isEqualTo(Reasons.NOT_UTF8);
    assertThat(reason("GET /\\xff HTTP/1.1")).isEqualTo(Reasons.NOT_UTF8);
    assertThat(reason("GET /100% HTTP/1.1")).isEqualTo(Reasons.ESCAPE_MALFORMED);
    assertThat(reason("GET /\\q HTTP/1.1")).isEqualTo(Reasons.ESCAPE_MALFORMED);
    assertThat(reason("GET /" + "k".repeat(1025) + " HTTP/1.1")).isEqualTo("object-id-too-long");
  }

  @Test
  void takesThePrefixOffWholeFolderNames() {
    CombinedParser files = parser("/files");
    assertThat(request(files.parse(LINE.formatted("GET /files/a HTTP/1.1"))).objectId())
        .isEqualTo("a");
    assertThat(files.parse(LINE.formatted("GET /filesystem HTTP/1.1")))
        .isEqualTo(new ParsedLine.Rejected(Reasons.OUTSIDE));
    assertThat(parser("files/").parse(LINE.formatted("GET /files/a HTTP/1.1")))
        .isEqualTo(files.parse(LINE.formatted("GET /files/a HTTP/1.1")));
  }

  @Test
  void refusesBrokenLines() {
    String line = LINE.formatted("GET /a HTTP/1.1");
    int cuts = 0;
    for (int end = 0; end < line.indexOf(" 200"); end++) {
      assertThat(parser.parse(line.substring(0, end))).isInstanceOf(ParsedLine.Rejected.class);
      cuts++;
    }
    assertThat(cuts).isEqualTo(64);
    assertThat(parser.parse(line.replace("10/Oct/2000", "10/Okt/2000")))
        .isEqualTo(new ParsedLine.Rejected(Reasons.TIMESTAMP_UNPARSABLE));
    assertThat(parser.parse(line.replace("-0700", "-9900")))
        .isEqualTo(new ParsedLine.Rejected(Reasons.TIMESTAMP_UNPARSABLE));
  }

  @Property
  void givesARequestOrAReasonForAnyText(@ForAll String text) {
    assertThat(parser.parse(text)).isInstanceOf(ParsedLine.Rejected.class);
    assertThat(parser.parse(LINE.formatted("GET /" + text + " HTTP/1.1"))).isNotNull();
  }

  @FuzzTest
  void givesAnyTextASoundRequestOrAReason(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    String open = "h - - [10/Oct/2000:13:55:36 +0000] \"GET /a HTTP/1.1\"" + text;
    for (String line : List.of(text, LINE.formatted(text), open)) {
      ParsedLine parsed = parser.parse(line);
      SoundLines.require(parsed, line.length(), LIMIT);
      assertThat(parser.parse(line)).isEqualTo(parsed);
    }
    if (ObjectIds.problem(text).isEmpty()) {
      String path = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
      assertThat(id("GET /" + path + " HTTP/1.1")).isEqualTo(text);
    }
  }

  private static CombinedParser parser(String prefix) {
    return new CombinedParser(new RequestChecks(LIMIT), prefix, new ClientRules(List.of()));
  }

  private String id(String request) {
    return request(parser.parse(LINE.formatted(request))).objectId();
  }

  private String reason(String request) {
    ParsedLine parsed = parser.parse(LINE.formatted(request));
    assertThat(parsed).as(request).isInstanceOf(ParsedLine.Rejected.class);
    return ((ParsedLine.Rejected) parsed).reason();
  }

  private static ParsedLine.Request request(ParsedLine parsed) {
    assertThat(parsed).isInstanceOf(ParsedLine.Request.class);
    return (ParsedLine.Request) parsed;
  }
}
