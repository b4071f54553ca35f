package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.metashard.ObjectIds;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class TextLogReaderTest {
  private static final int MAX_LINE_BYTES = 300;
  private static final String HEADER = "ts,object_id,range_start,range_end,status,operation\n";
  private static final Instant LIMIT = Instant.parse("2026-02-01T00:00:00Z");

  /** Takes every line. */
  private static final LineParser ANY =
      line -> new ParsedLine.Request(LIMIT, line, null, null, 200, null, "GET", null);

  @Test
  void numbersLinesWhateverTheyEndWith() throws Exception {
    assertThat(text("a\nb\r\n\nc")).containsExactly("1 a", "2 b", "3 empty-line", "4 c");
    assertThat(text("a\n")).containsExactly("1 a");
    assertThat(text("")).isEmpty();
  }

  @Test
  void refusesWhatIsNotText() throws Exception {
    byte[] bytes = {'a', '\n', 0, 1, '\n', (byte) 0xff, '\n', 'b'};
    assertThat(lines(bytes)).containsExactly("1 a", "2 binary", "3 not-utf8", "4 b");
  }

  @Test
  void skipsTooLongLinesWithoutHoldingThem() throws Exception {
    String fits = "x".repeat(MAX_LINE_BYTES);
    assertThat(text(fits + "\r\n" + fits + "y\nb\n"))
        .containsExactly("1 " + fits, "2 line-too-long", "3 b");
    long huge = 400L << 20;
    TextLogReader reader = TextLogReader.open(new Repeated('x', huge), MAX_LINE_BYTES, ANY);
    NumberedLine line = reader.next();
    assertThat(line.parsed()).isEqualTo(new ParsedLine.Rejected(Reasons.LINE_TOO_LONG));
    assertThat(line.text()).hasSize(MAX_LINE_BYTES + 1);
    assertThat(reader.next()).isNull();
  }

  @Test
  void readsAllMembersOfAGzipFileThatComesInSmallPieces() throws Exception {
    byte[] two = concat(gzip("a\nb\n"), gzip("c\n"));
    InputStream byByte =
        new ByteArrayInputStream(two) {
          @Override
          public synchronized int read(byte[] bytes, int offset, int length) {
            return super.read(bytes, offset, Math.min(1, length));
          }

          @Override
          public synchronized int available() {
            return 0;
          }
        };
    assertThat(all(TextLogReader.open(byByte, MAX_LINE_BYTES, ANY)))
        .containsExactly("1 a", "2 b", "3 c");
  }

  @Test
  void keepsWhatComesBeforeTheBreakOfAGzipFileWhereverItIsCut() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      text.append("line-").append(i * 7919 % 1000).append('\n');
    }
    List<String> whole = text(text.toString());
    byte[] gzip = gzip(text.toString());
    int cuts = 0;
    for (int end = 2; end < gzip.length; end++) {
      List<String> read = lines(Arrays.copyOf(gzip, end));
      String last = read.get(read.size() - 1);
      assertThat(last).as("cut at %d", end).isEqualTo(read.size() + " gzip-truncated");
      int kept = read.size() - 1;
      assertThat(read.subList(0, kept)).isEqualTo(whole.subList(0, kept));
      cuts++;
    }
    assertThat(cuts).isEqualTo(gzip.length - 2);
    gzip[gzip.length - 6] ^= 1; // the checksum: what it covers and was not handed out yet is not
    assertThat(lines(gzip)).containsExactly("1 gzip-truncated");
    assertThat(lines(concat(gzip("a\n"), "garbage".getBytes(StandardCharsets.UTF_8))))
        .containsExactly("1 a", "2 gzip-truncated");
  }

  @Test
  void doesNotTakeAFailureOfTheStorageForABrokenFile() throws Exception {
    byte[] gzip = gzip("a\nb\n");
    InputStream failing =
        new ByteArrayInputStream(Arrays.copyOf(gzip, gzip.length - 10)) {
          @Override
          public synchronized int read(byte[] bytes, int offset, int length) {
            int read = super.read(bytes, offset, length);
            if (read < 0) {
              throw new java.io.UncheckedIOException(new IOException("connection reset"));
            }
            return read;
          }
        };
    TextLogReader reader = TextLogReader.open(failing, MAX_LINE_BYTES, ANY);
    assertThatThrownBy(() -> all(reader))
        .isInstanceOf(IOException.class)
        .hasMessage("connection reset");
  }

  @Test
  void readsCsvRecordsWithNewlinesAndQuotes() throws Exception {
    String csv =
        HEADER
            + "2026-01-05T00:00:00.123456Z,a,,,200,GET\n"
            + "2026-01-05 00:00:01+01:00,\"b\n\"\"c\"\", d\",0.0,4096.0,206,get\n"
            + "2026-01-05T00:00:02,#e,,,,\n"
            + "2026-01-05T00:00:02,x\"y,,,,\n"
            + "2026-01-05T00:00:03Z,f,1\n"
            + "yesterday,g,,,200,GET\n"
            + "2026-01-05T00:00:04Z,,,,200,GET\n"
            + ",h,,,200,GET\n"
            + "\n"
            + "2026-01-05T00:00:05Z,\"i,,,200,GET\n";
    assertThat(csv(csv))
        .containsExactly(
            "2 a",
            "3 b\n\"c\", d",
            "5 #e",
            "6 x\"y",
            "7 field-count",
            "8 timestamp-unparsable",
            "9 object-id-empty",
            "10 timestamp-missing",
            "11 empty-line",
            "12 csv-malformed");
    LogReader reader = csvReader(csv.getBytes(StandardCharsets.UTF_8));
    assertThat(reader.next().parsed())
        .extracting("ts", "status")
        .containsExactly(Instant.parse("2026-01-05T00:00:00.123456Z"), 200);
    assertThat(reader.next().parsed())
        .extracting("ts", "rangeStart", "rangeEnd", "status", "operation")
        .containsExactly(Instant.parse("2026-01-04T23:00:01Z"), 0L, 4096L, 206, "GET");
  }

  @Test
  void refusesCsvValuesThatMakeNoSense() throws Exception {
    List<String[]> cases =
        List.of(
            new String[] {"a,9,5,206,GET", Reasons.RANGE_REVERSED},
            new String[] {"a,5,5,206,GET", Reasons.RANGE_EMPTY},
            new String[] {"a,-1,5,206,GET", Reasons.RANGE_NEGATIVE},
            new String[] {"a,0,9223372036854775808,206,GET", Reasons.RANGE_TOO_LARGE},
            new String[] {
              "a,0,99999999999999999999999999999999999999999999,206,GET", Reasons.RANGE_TOO_LARGE
            },
            new String[] {"a,0,1e99,206,GET", Reasons.RANGE_TOO_LARGE},
            new String[] {"a,0,1.5,206,GET", Reasons.RANGE_NOT_A_NUMBER},
            new String[] {"a,0,x,206,GET", Reasons.RANGE_NOT_A_NUMBER},
            new String[] {"a,0,,206,GET", Reasons.RANGE_INCOMPLETE},
            new String[] {"a,,,two hundred,GET", Reasons.STATUS_NOT_A_NUMBER},
            new String[] {"a,,,42,GET", Reasons.STATUS_OUT_OF_RANGE},
            new String[] {"a,,,200,G T", Reasons.OPERATION_MALFORMED},
            new String[] {"k".repeat(1025) + ",,,200,GET", Reasons.LINE_TOO_LONG});
    for (String[] bad : cases) {
      assertThat(csv(HEADER + "2026-01-05T00:00:00Z," + bad[0]))
          .as(bad[0])
          .containsExactly("2 " + bad[1]);
    }
    assertThat(csv("when,what\n1,2\n")).containsExactly("2 column-missing");
    assertThat(csv(HEADER)).isEmpty();
    assertThat(csv("\uFEFF" + HEADER + "2026-01-05T00:00:00Z,a,,,,")).containsExactly("2 a");
    assertThat(csv("\0\n2026-01-05T00:00:00Z,a")).containsExactly("2 column-missing");
  }

  @Test
  void givesUpOnAQuoteThatIsNeverClosed() throws Exception {
    StringBuilder csv = new StringBuilder(HEADER + "2026-01-05T00:00:00Z,\"a,,,,\n");
    for (int i = 0; i < 30; i++) {
      csv.append("2026-01-05T00:00:00Z,b,,,,\n");
    }
    List<String> read = csv(csv.toString());
    assertThat(read).first().isEqualTo("2 line-too-long");
    assertThat(read).last().isEqualTo("32 b");
  }

  @Property
  void givesEveryLineOfAnyBytesARequestOrAReason(@ForAll byte[] bytes) throws Exception {
    checkAnyBytes(bytes);
  }

  @FuzzTest
  void givesEveryLineOfAnyFileARequestOrAReason(byte[] bytes) throws Exception {
    checkAnyBytes(bytes);
  }

  @FuzzTest
  void aCsvRecordGivesWhatWasWrittenInIt(FuzzedDataProvider data) throws Exception {
    String id = data.consumeString(200);
    String client = data.consumeRemainingAsString();
    boolean plain = ObjectIds.problem(id).isEmpty() && !id.contains("\r");
    if (!plain || id.length() + client.length() > MAX_LINE_BYTES / 8 || client.contains("\r")) {
      return;
    }
    String record = "2026-01-01T00:00:00Z,%s,0,5,200,%s\n".formatted(quoted(id), "GET");
    List<String> read = csv(HEADER + record + record);
    int lines = (int) id.chars().filter(c -> c == '\n').count() + 1;
    assertThat(read).containsExactly("2 " + id, (2 + lines) + " " + id);
    if (client.contains("\0")) {
      return; // a line with such a byte is refused by itself, and what is left of its record too
    }
    String withClient = "ts,client,object_id\n2026-01-01T00:00:00Z,%s,%s\n";
    List<String> other = csv(withClient.formatted(quoted(client), quoted(id)));
    assertThat(other).hasSize(1);
    if (ObjectIds.problem(client + "x").isEmpty()) {
      assertThat(other).containsExactly("2 " + id);
    }
  }

  private static String quoted(String field) {
    return "\"" + field.replace("\"", "\"\"") + "\"";
  }

  private static void checkAnyBytes(byte[] bytes) throws IOException {
    boolean gzip = bytes.length > 1 && bytes[0] == 0x1f && bytes[1] == (byte) 0x8b;
    int newlines = 0;
    for (byte b : bytes) {
      newlines += b == '\n' ? 1 : 0;
    }
    boolean endsOpen = bytes.length > 0 && bytes[bytes.length - 1] != '\n';
    if (!gzip) {
      assertThat(lines(bytes)).hasSize(newlines + (endsOpen ? 1 : 0));
    } else {
      assertThat(lines(bytes)).isNotNull();
    }
    byte[] header = HEADER.getBytes(StandardCharsets.UTF_8);
    assertThat(all(csvReader(concat(header, bytes)))).hasSizeLessThanOrEqualTo(newlines + 1);
    assertThat(all(csvReader(bytes))).isNotNull();
  }

  private static List<String> text(String text) throws IOException {
    return lines(text.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> lines(byte[] bytes) throws IOException {
    return all(TextLogReader.open(new ByteArrayInputStream(bytes), MAX_LINE_BYTES, ANY));
  }

  private static List<String> csv(String text) throws IOException {
    return all(csvReader(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static LogReader csvReader(byte[] bytes) throws IOException {
    return CsvLogReader.open(
        new ByteArrayInputStream(bytes),
        MAX_LINE_BYTES,
        header ->
            new CsvRecordParser(
                header, MAX_LINE_BYTES, new RequestChecks(LIMIT), new ClientRules(List.of())));
  }

  /** "number id" or "number reason". */
  private static List<String> all(LogReader reader) throws IOException {
    List<String> lines = new ArrayList<>();
    for (NumberedLine line = reader.next(); line != null; line = reader.next()) {
      String what =
          line.parsed() instanceof ParsedLine.Request request
              ? request.objectId()
              : ((ParsedLine.Rejected) line.parsed()).reason();
      SoundLines.require(line.parsed(), Integer.MAX_VALUE, LIMIT);
      if (line.text() != null) { // a record so far, and the line that was too much
        assertThat(line.text().length()).isLessThanOrEqualTo(MAX_LINE_BYTES + 1 + 1024);
      }
      lines.add(line.number() + " " + what);
    }
    reader.close();
    return lines;
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return out.toByteArray();
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** One byte, very often. */
  private static final class Repeated extends InputStream {
    private final char what;
    private long left;

    Repeated(char what, long left) {
      this.what = what;
      this.left = left;
    }

    @Override
    public int read() {
      return left-- > 0 ? what : -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      int count = (int) Math.min(left, length);
      Arrays.fill(bytes, offset, offset + count, (byte) what);
      left -= count;
      return count == 0 ? -1 : count;
    }
  }
}
