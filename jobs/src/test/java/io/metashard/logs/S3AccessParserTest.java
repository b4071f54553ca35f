package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class S3AccessParserTest {
  private static final Instant LIMIT = Instant.parse("2026-02-01T00:00:00Z");
  private static final String LINE =
      "79a5 lake [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a5 3E57427F3EXAMPLE REST.GET.OBJECT KEY"
          + " \"GET /lake/KEY HTTP/1.1\" 200 - 2662 3462992 70 10 REFERRER \"AGENT\" - s9lz= SigV4"
          + " ECDHE AuthHeader lake.s3.us-west-1.amazonaws.com TLSV1.2 arn:aws:s3 Yes";

  private final S3AccessParser parser = parser("objects.roots = [data/objects]");

  @Test
  void readsEveryFieldOfALine() {
    assertThat(parser.parse(line("photos/2019/puppy.jpg", "\"-\"", "S3Console/0.4")))
        .isEqualTo(
            new ParsedLine.Request(
                Instant.parse("2019-02-06T00:00:38Z"),
                "photos/2019/puppy.jpg",
                null,
                null,
                200,
                2662L,
                "GET",
                "192.0.2.3"));
  }

  @Test
  void takesTheRangeFromTheAuditReferrer() {
    assertThat(range("rg=100-199")).containsExactly(100L, 200L);
    assertThat(range("ts=1&rg=0-0&x=y")).containsExactly(0L, 1L);
    assertThat(range("rg=100-")).containsExactly(100L, 3462992L);
    assertThat(range("rg=-500")).containsExactly(3462492L, 3462992L);
    assertThat(range("rg=-9999999999")).containsExactly(0L, 3462992L);
    assertThat(range("op=op_open")).containsExactly(null, null);
    ParsedLine.Request foreign =
        request(parser.parse(line("a", "\"https://example.com/?rg=1-2\"", "x")));
    assertThat(foreign.rangeStart()).isNull();
  }

  @Test
  void refusesRangesThatAreNone() {
    assertThat(refusedRange("rg=199-100")).isEqualTo(Reasons.RANGE_REVERSED);
    assertThat(refusedRange("rg=5-4")).isEqualTo(Reasons.RANGE_REVERSED);
    assertThat(refusedRange("rg=-5-4")).isEqualTo(Reasons.RANGE_NEGATIVE);
    assertThat(refusedRange("rg=0-9223372036854775807")).isEqualTo(Reasons.RANGE_TOO_LARGE);
    assertThat(refusedRange("rg=9223372036854775808-9223372036854775809"))
        .isEqualTo(Reasons.RANGE_TOO_LARGE);
    assertThat(refusedRange("rg=0-1e999999999")).isEqualTo(Reasons.RANGE_TOO_LARGE);
    assertThat(refusedRange("rg=a-b")).isEqualTo(Reasons.RANGE_NOT_A_NUMBER);
    assertThat(refusedRange("rg=17")).isEqualTo(Reasons.RANGE_NOT_A_NUMBER);
    assertThat(refusedRange("rg=0-1,5-6")).isEqualTo(Reasons.RANGE_NOT_A_NUMBER);
  }

  @Test
  void decodesKeysStrictlyAndKeepsStrangeOnes() {
    assertThat(id("a%20b%2Fc")).isEqualTo("a b/c");
    assertThat(id("%C3%9Cber+all")).isEqualTo("Über+all");
    assertThat(id("../..//x")).isEqualTo("../..//x");
    assertThat(id("a%0Ab")).isEqualTo("a\nb");
    assertThat(id("x';DROP%20TABLE%20requests;--")).isEqualTo("x';DROP TABLE requests;--");
    assertThat(id("k".repeat(1024))).hasSize(1024);
    assertThat(reason(line("k".repeat(1025), "-", "x"))).isEqualTo("object-id-too-long");
    assertThat(reason(line("%FF", "-", "x"))).isEqualTo(Reasons.NOT_UTF8);
    assertThat(reason(line("%00", "-", "x"))).isEqualTo("object-id-has-nul");
    assertThat(reason(line("%4", "-", "x"))).isEqualTo(Reasons.ESCAPE_MALFORMED);
    assertThat(reason(line("%zz", "-", "x"))).isEqualTo(Reasons.ESCAPE_MALFORMED);
    assertThat(reason(line("-", "-", "x"))).isEqualTo(Reasons.NO_OBJECT);
  }

  @Test
  void tellsWhatIsDoneToAnObjectFromTheRest() {
    assertThat(operation("REST.HEAD.OBJECT")).isEqualTo("HEAD");
    assertThat(operation("REST.PUT.OBJECT")).isEqualTo("PUT");
    assertThat(operation("WEBSITE.GET.OBJECT")).isEqualTo("GET");
    assertThat(operation("REST.GET.OBJECT_TAGGING")).isEqualTo("REST.GET.OBJECT_TAGGING");
    assertThat(reason(line("a", "-", "x").replace("REST.GET.OBJECT", "<script>")))
        .isEqualTo(Reasons.OPERATION_MALFORMED);
  }

  @Test
  void keepsOwnAndExcludedClientsAsMaintenance() {
    S3AccessParser excluding =
        new S3AccessParser(
            new RequestChecks(LIMIT),
            BucketMapping.from(Settings.defaults()),
            new ClientRules(List.of("backup-bot")));
    assertThat(request(excluding.parse(line("a", "-", "Metashard/0.1.0"))).operation())
        .isEqualTo(Requests.MAINTENANCE);
    assertThat(request(excluding.parse(line("a", "-", "the backup-bot 2"))).operation())
        .isEqualTo(Requests.MAINTENANCE);
    assertThat(request(excluding.parse(line("a", "-", "not Metashard/0.1.0"))).operation())
        .isEqualTo("GET");
  }

  @Test
  void findsObjectsByBucketAndPrefix() {
    S3AccessParser under =
        parser(
            "objects.roots = [\"s3a://lake/data\", {uri = \"file:///mnt\", log-uri ="
                + " \"s3://lake/data/inner/\"}]");
    assertThat(request(under.parse(line("data/a/b", "-", "x"))).objectId()).isEqualTo("a/b");
    assertThat(request(under.parse(line("data/inner/b", "-", "x"))).objectId()).isEqualTo("b");
    assertThat(reason(under, line("database/a", "-", "x"))).isEqualTo(Reasons.OUTSIDE);
    assertThat(reason(under, line("data/", "-", "x"))).isEqualTo("object-id-empty");
    assertThat(reason(under, line("data/a", "-", "x").replace(" lake ", " other ")))
        .isEqualTo(Reasons.OUTSIDE);
    S3AccessParser mixed = parser("objects.roots = [\"s3a://lake/data\", data/objects]");
    assertThat(request(mixed.parse(line("database/a", "-", "x"))).objectId())
        .isEqualTo("database/a");
    Assertions.assertThatThrownBy(() -> parser("objects.roots = [{uri = x, log-uri = \"x\"}]"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("it must be s3://BUCKET or s3://BUCKET/PREFIX");
  }

  @Test
  void refusesBrokenLinesAndToleratesShortOnes() {
    assertThat(reason("")).isEqualTo(Reasons.LINE_MALFORMED);
    assertThat(reason("a b [c d")).isEqualTo(Reasons.LINE_MALFORMED);
    String line = line("a", "-", "x");
    assertThat(reason(line.substring(0, 60))).isEqualTo(Reasons.LINE_MALFORMED);
    assertThat(reason(line.replace("06/Feb/2019", "31/Feb/2019")))
        .isEqualTo(Reasons.TIMESTAMP_UNPARSABLE);
    assertThat(reason(line.replace("06/Feb/2019", "06/Feb/2096")))
        .isEqualTo(Reasons.TIMESTAMP_IN_THE_FUTURE);
    assertThat(reason(line.replace("06/Feb/2019", "06/Feb/1969")))
        .isEqualTo(Reasons.TIMESTAMP_TOO_EARLY);
    assertThat(reason(line.replace(" 200 ", " OK "))).isEqualTo(Reasons.STATUS_NOT_A_NUMBER);
    assertThat(reason(line.replace(" 200 ", " - "))).isEqualTo(Reasons.STATUS_NOT_A_NUMBER);
    assertThat(reason(line.replace(" 200 ", " 999 "))).isEqualTo(Reasons.STATUS_OUT_OF_RANGE);
    assertThat(reason(line.replace(" 2662 ", " many "))).isEqualTo(Reasons.BYTES_NOT_A_NUMBER);
    assertThat(reason(line.replace(" 2662 ", " -1 "))).isEqualTo(Reasons.BYTES_NEGATIVE);
    ParsedLine.Request shortest =
        request(parser.parse(line.substring(0, line.indexOf(" 200 ") + 4)));
    assertThat(shortest.bytesSent()).isNull();
    assertThat(shortest.status()).isEqualTo(200);
  }

  @Property
  void givesARequestOrAReasonForAnyText(@ForAll String text, @ForAll String key) {
    assertThat(parser.parse(text)).isInstanceOf(ParsedLine.Rejected.class);
    assertThat(parser.parse(line(key, text, text))).isNotNull();
  }

  @FuzzTest
  void givesAnyTextASoundRequestOrAReason(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    String referrer = "\"https://audit.example.org/hadoop/1/?rg=" + text + "\"";
    for (String line :
        List.of(text, line(text, "\"" + text + "\"", "x"), line("a", referrer, "x"))) {
      ParsedLine parsed = parser.parse(line);
      SoundLines.require(parsed, line.length(), LIMIT);
      assertThat(parser.parse(line)).isEqualTo(parsed);
    }
    if (ObjectIds.problem(text).isEmpty()) {
      String key = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
      if (!key.equals("-")) {
        assertThat(request(parser.parse(line(key, "\"-\"", "x"))).objectId()).isEqualTo(text);
      }
    }
  }

  private static S3AccessParser parser(String hocon) {
    return new S3AccessParser(
        new RequestChecks(LIMIT),
        BucketMapping.from(Settings.parse("test", hocon, List.of())),
        new ClientRules(List.of()));
  }

  private static String line(String key, String referrer, String agent) {
    return LINE.replace("KEY", key).replace("REFERRER", referrer).replace("AGENT", agent);
  }

  private static String audited(String query) {
    return line("a", "\"https://audit.example.org/hadoop/1/op_open/7/?" + query + "\"", "x");
  }

  private Long[] range(String query) {
    ParsedLine.Request request = request(parser.parse(audited(query)));
    return new Long[] {request.rangeStart(), request.rangeEnd()};
  }

  private String refusedRange(String query) {
    return reason(audited(query));
  }

  private String id(String key) {
    return request(parser.parse(line(key, "-", "x"))).objectId();
  }

  private String operation(String name) {
    return request(parser.parse(line("a", "-", "x").replace("REST.GET.OBJECT", name))).operation();
  }

  private String reason(String line) {
    return reason(parser, line);
  }

  private static String reason(LineParser parser, String line) {
    assertThat(parser.parse(line)).isInstanceOf(ParsedLine.Rejected.class);
    return ((ParsedLine.Rejected) parser.parse(line)).reason();
  }

  private static ParsedLine.Request request(ParsedLine parsed) {
    assertThat(parsed).isInstanceOf(ParsedLine.Request.class);
    return (ParsedLine.Request) parsed;
  }
}
