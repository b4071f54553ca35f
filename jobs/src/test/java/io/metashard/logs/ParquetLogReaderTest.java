package io.metashard.logs;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;

class ParquetLogReaderTest {
  private static final Instant LIMIT = Instant.parse("2026-02-01T00:00:00Z");
  private static final Instant TS = Instant.parse("2026-01-05T10:20:30.123Z");
  private static final long TS_MILLIS = TS.toEpochMilli();

  @Test
  void readsTheTypesThatWritersUse() throws Exception {
    List<String> timestamps =
        List.of(
            "int64 ts (TIMESTAMP(MILLIS,true))",
            "int64 ts (TIMESTAMP(MICROS,false))",
            "int64 ts (TIMESTAMP(NANOS,true))",
            "int96 ts",
            "binary ts (STRING)");
    List<String> numbers = List.of("int32", "int64", "double", "float", "binary");
    int combinations = 0;
    for (String timestamp : timestamps) {
      for (String number : numbers) {
        Path file =
            write(
                "required %s; required binary object_id; optional %s range_start; optional %s"
                        .formatted(timestamp, number, number)
                    + " range_end; optional %s bytes_sent; optional binary other;"
                        .formatted(number),
                row -> {
                  addTimestamp(row, timestamp);
                  row.add("object_id", "a");
                  addNumber(row, number, "range_start", 0);
                  addNumber(row, number, "range_end", 4096);
                });
        assertThat(requests(file))
            .as("%s, %s", timestamp, number)
            .containsExactly(new ParsedLine.Request(TS, "a", 0L, 4096L, 200, null, "GET", null));
        combinations++;
      }
    }
    assertThat(combinations).isEqualTo(5 * 5);
  }

  @Test
  void refusesRowsOneByOne() throws Exception {
    String schema =
        "optional int64 ts (TIMESTAMP(MILLIS,true)); optional binary object_id (STRING);"
            + " optional double range_start; optional double range_end; optional int32 status;";
    assertThat(
            lines(
                write(
                    schema,
                    row -> good(row),
                    row -> row.append("ts", TS_MILLIS),
                    row -> row.append("object_id", "a"),
                    row ->
                        row.append("ts", TS_MILLIS)
                            .append(
                                "object_id",
                                Binary.fromConstantByteArray(new byte[] {(byte) 0xff})),
                    row -> good(row).append("range_start", 9.0).append("range_end", 5.0),
                    row -> good(row).append("range_start", 1.5).append("range_end", 5.0),
                    row -> good(row).append("range_start", 0.0).append("range_end", 1e300),
                    row -> good(row).append("range_start", 0.0).append("range_end", Double.NaN),
                    row -> good(row).append("status", 42),
                    row -> row.append("ts", Long.MAX_VALUE).append("object_id", "a"),
                    row -> row.append("ts", -1L).append("object_id", "a"),
                    row -> good(row))))
        .containsExactly(
            "1 a",
            "2 object-id-empty",
            "3 timestamp-missing",
            "4 not-utf8",
            "5 range-reversed",
            "6 range-not-a-number",
            "7 range-too-large",
            "8 range-incomplete",
            "9 status-out-of-range",
            "10 timestamp-in-the-future",
            "11 timestamp-too-early",
            "12 a");
  }

  @Test
  void refusesEveryRowOfAFileWithoutTheColumnsItNeeds() throws Exception {
    assertThat(lines(write("required binary object_id;", row -> row.append("object_id", "a"))))
        .containsExactly("1 column-missing");
    assertThat(
            lines(
                write(
                    "required int64 ts; required binary object_id;",
                    row -> row.append("ts", 1L).append("object_id", "a"))))
        .containsExactly("1 column-type");
    assertThat(
            lines(
                write(
                    "required int64 ts (TIMESTAMP(MILLIS,true)); repeated binary object_id;",
                    row -> row.append("ts", TS_MILLIS).append("object_id", "a"))))
        .containsExactly("1 column-type");
  }

  @Test
  void saysThatAFileIsBrokenWhereverItIsCutOrDamaged() throws Exception {
    Path whole =
        write(
            "required int64 ts (TIMESTAMP(MILLIS,true)); required binary object_id;",
            row -> good(row));
    byte[] bytes = Files.readAllBytes(whole);
    int cuts = 0;
    for (int end = 0; end < bytes.length; end += 7) {
      Files.write(whole, Arrays.copyOf(bytes, end));
      assertThat(lines(whole)).as("cut at %d", end).containsExactly("1 parquet-broken");
      cuts++;
    }
    assertThat(cuts).isEqualTo((bytes.length + 6) / 7);
    int rejected = 0;
    for (int at = 0; at < bytes.length; at++) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= 0x55;
      Files.write(whole, damaged);
      for (String line : lines(whole)) { // anything but an exception
        rejected += line.endsWith("parquet-broken") ? 1 : 0;
      }
    }
    assertThat(rejected).isPositive();
  }

  private static Group good(Group row) {
    return row.append("ts", TS_MILLIS).append("object_id", "a");
  }

  private static void addTimestamp(Group row, String type) {
    if (type.startsWith("binary")) {
      row.add("ts", TS.toString());
    } else if (type.startsWith("int96")) {
      long nanosOfDay = Math.floorMod(TS_MILLIS, 86_400_000L) * 1_000_000;
      int day = (int) (TS_MILLIS / 86_400_000L + 2_440_588);
      ByteBuffer value = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
      value.putLong(nanosOfDay).putInt(day);
      row.add("ts", Binary.fromConstantByteArray(value.array()));
    } else {
      long perMilli = type.contains("NANOS") ? 1_000_000 : type.contains("MICROS") ? 1_000 : 1;
      row.add("ts", TS_MILLIS * perMilli);
    }
  }

  private static void addNumber(Group row, String type, String column, int value) {
    switch (type) {
      case "int32" -> row.add(column, value);
      case "int64" -> row.add(column, (long) value);
      case "double" -> row.add(column, (double) value);
      case "float" -> row.add(column, (float) value);
      default -> row.add(column, value + ".0");
    }
  }

  @SafeVarargs
  private static Path write(String fields, Consumer<Group>... rows) throws IOException {
    MessageType schema = MessageTypeParser.parseMessageType("message m { " + fields + " }");
    Path file = SharedSpark.tempFolder("parquet").resolve("log.parquet");
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new LocalOutputFile(file))
            .withConf(new PlainParquetConfiguration())
            .withType(schema)
            .build()) {
      SimpleGroupFactory groups = new SimpleGroupFactory(schema);
      for (Consumer<Group> fill : rows) {
        Group group = groups.newGroup();
        fill.accept(group);
        writer.write(group);
      }
    }
    return file;
  }

  private static List<NumberedLine> read(Path file) throws IOException {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(file.toUri());
    FileSystem files = path.getFileSystem(new Configuration());
    List<NumberedLine> lines = new ArrayList<>();
    try (LogReader reader =
        new ParquetLogReader(
            files.open(path),
            Files.size(file),
            new RequestChecks(LIMIT),
            new ClientRules(List.of()))) {
      for (NumberedLine line = reader.next(); line != null; line = reader.next()) {
        lines.add(line);
      }
    }
    return lines;
  }

  private static List<ParsedLine> requests(Path file) throws IOException {
    return read(file).stream().map(NumberedLine::parsed).toList();
  }

  private static List<String> lines(Path file) throws IOException {
    return read(file).stream()
        .map(
            line ->
                line.number()
                    + " "
                    + (line.parsed() instanceof ParsedLine.Request request
                        ? request.objectId()
                        : ((ParsedLine.Rejected) line.parsed()).reason()))
        .toList();
  }
}
