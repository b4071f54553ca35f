package io.metashard.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Segmentation;
import io.metashard.SharedSpark;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.config.Settings;
import io.metashard.job.GenerateJob;
import io.metashard.job.MetashardException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BacktestTraceTest {
  private static final LocalDate END = LocalDate.of(2026, 1, 22);
  private static final List<String> FILES =
      List.of("backtest.json", "demand.parquet", "objects.parquet");

  private static final Path TRACE = SharedSpark.tempFolder("trace");
  private static final GenerateOptions LAKE = lake(TRACE, 1, 28);

  private static Map<String, Object> figures = Map.of();

  @BeforeAll
  static void make() {
    figures = new GenerateJob(LAKE).backtest();
  }

  private static GenerateOptions lake(Path folder, long seed, int days) {
    return new GenerateOptions(folder, GenerateOptions.LAKE, seed, days, END);
  }

  @Test
  void sumsUpWhatTheRequestsOfTheLogsRead() throws Exception {
    Map<String, Segmentation> objects = new HashMap<>();
    SegmentOptions cut = SegmentOptions.from(Settings.defaults());
    LakeWorkload workload = new LakeWorkload(LAKE);
    workload.objects().forEach(o -> objects.put(o.id(), cut.of(o.bytes())));
    // By brute force: every segment is asked whether the request touches it.
    Map<String, double[]> expected = new TreeMap<>();
    long reads = 0;
    int others = 0;
    for (DemoRequest request : workload.requests()) {
      if (!request.operation().equals("GET") || request.status() >= 300) {
        others++;
        continue;
      }
      reads++;
      Segmentation object = objects.get(request.objectId());
      long from = request.start() == null ? 0 : request.start();
      long to = request.start() == null ? object.objectBytes() : request.end();
      for (int i = 0; i < object.segments(); i++) {
        long start = Math.max(from, object.offset(i));
        long end = Math.min(to, object.offset(i) + object.length(i));
        if (start < end) {
          double[] sums =
              expected.computeIfAbsent(
                  "%s %s#%d"
                      .formatted(request.ts().truncatedTo(ChronoUnit.HOURS), request.objectId(), i),
                  key -> new double[3]);
          sums[0]++;
          sums[1] += to - from == object.objectBytes() ? 1 : 0;
          sums[2] += end - start;
        }
      }
    }
    assertThat(others).as("requests that are no reads").isGreaterThan(500);
    assertThat(figures).containsEntry("reads", reads);

    int rows = 0;
    for (Group row : rows(TRACE.resolve("demand.parquet"))) {
      String id = row.getString("object_id", 0);
      String cell =
          "%s %s#%d".formatted(time(row, "bucket_start"), id, row.getInteger("segment", 0));
      assertThat(
              new double[] {
                row.getDouble("requests", 0),
                row.getDouble("whole_requests", 0),
                row.getLong("bytes", 0)
              })
          .as(cell)
          .isEqualTo(expected.get(cell));
      assertThat(LocalDate.ofEpochDay(row.getInteger("date", 0)))
          .isEqualTo(LocalDate.ofInstant(time(row, "bucket_start"), ZoneOffset.UTC));
      assertThat(row.getLong("segment_bytes", 0)).isEqualTo(objects.get(id).segmentBytes());
      rows++;
    }
    assertThat(rows).isEqualTo(expected.size()).isGreaterThan(30_000);
  }

  @Test
  void knowsWhenEachObjectWasWrittenAndNobodyReadItBefore() throws Exception {
    Map<String, Instant> written = new HashMap<>();
    int segments = 0;
    Instant first = Instant.parse("2025-12-25T00:00:00Z");
    for (Group row : rows(TRACE.resolve("objects.parquet"))) {
      Instant modifiedAt = time(row, "modified_at");
      written.put(row.getString("object_id", 0), modifiedAt);
      segments += row.getInteger("segments", 0);
      Instant seen = time(row, "first_seen");
      assertThat(seen).isAfterOrEqualTo(modifiedAt).isAfterOrEqualTo(first);
      assertThat(seen).isEqualTo(seen.truncatedTo(ChronoUnit.DAYS));
      if (modifiedAt.isAfter(first)) {
        assertThat(seen).isBefore(modifiedAt.plus(1, ChronoUnit.DAYS));
      }
    }
    assertThat(written).containsKey("telemetry/dt=2026-01-20/part-0000.parquet");
    assertThat(Files.readString(TRACE.resolve("backtest.json")))
        .contains("\"segments\": %d,".formatted(segments));
    for (Group row : rows(TRACE.resolve("demand.parquet"))) {
      assertThat(time(row, "bucket_start").plus(1, ChronoUnit.HOURS))
          .as(row.getString("object_id", 0))
          .isAfter(written.get(row.getString("object_id", 0)));
    }
  }

  @Test
  void isToBeForecastFromEachOfTheLastFourteenMidnights() throws Exception {
    Path folder = SharedSpark.tempFolder("trace");
    new GenerateJob(new GenerateOptions(folder, GenerateOptions.SAMPLE, 1, 60, END)).backtest();
    String backtest = Files.readString(folder.resolve("backtest.json"));
    assertThat(backtest)
        .contains("\"bucket_seconds\": 3600,")
        .contains("\"first_bucket\": \"2025-11-23T00:00:00Z\",")
        .contains("\"end\": \"2026-01-22T00:00:00Z\",")
        .contains("\"test_from\": \"2026-01-08T00:00:00Z\",");
    List<String> origins =
        Pattern.compile("\"([^\"]*)\"")
            .matcher(backtest.substring(backtest.indexOf("\"24\": [") + 5))
            .results()
            .map(match -> match.group(1))
            .toList();
    List<String> midnights = new ArrayList<>();
    for (LocalDate day = END.minusDays(14); day.isBefore(END); day = day.plusDays(1)) {
      midnights.add(day + "T00:00:00Z");
    }
    assertThat(origins).isEqualTo(midnights).hasSize(14);
  }

  @Test
  void isTheSameBytesFromTheSameSeed() throws Exception {
    Path again = SharedSpark.tempFolder("trace");
    new GenerateJob(new GenerateOptions(again, GenerateOptions.SAMPLE, 1, 28, END)).backtest();
    Map<String, byte[]> other = new HashMap<>();
    for (String file : FILES) {
      other.put(file, Files.readAllBytes(again.resolve(file)));
    }
    new GenerateJob(new GenerateOptions(again, GenerateOptions.SAMPLE, 2, 28, END)).backtest();
    for (String file : FILES) {
      assertThat(Files.readAllBytes(again.resolve(file))).as(file).isNotEqualTo(other.get(file));
    }
    new GenerateJob(lake(again, 1, 28)).backtest(); // in place of the other
    for (String file : FILES) {
      assertThat(Files.mismatch(TRACE.resolve(file), again.resolve(file))).as(file).isEqualTo(-1);
    }
    try (Stream<Path> files = Files.list(again)) {
      assertThat(files).hasSize(FILES.size());
    }
  }

  @Test
  void refusesTooFewDaysAndFilesOfOtherOrigin() throws Exception {
    Path folder = SharedSpark.tempFolder("trace");
    assertThatThrownBy(() -> new GenerateJob(lake(folder, 1, 27)).backtest())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot make a back-test of 27 days: its last 14 days are the test and as many must come before; give --days 28 or more");
    Path foreign = Files.writeString(folder.resolve("demand.parquet"), "measured for years");
    assertThatThrownBy(
            () ->
                new GenerateJob(new GenerateOptions(folder, GenerateOptions.SAMPLE, 1, 28, END))
                    .backtest())
        .isInstanceOfSatisfying(
            MetashardException.class, e -> assertThat(e.exitCode()).isEqualTo(2))
        .hasMessageContaining("Cannot write a back-test into " + folder)
        .hasMessageContaining("was not made by generate");
    assertThat(foreign).hasContent("measured for years");
  }

  private static List<Group> rows(Path file) throws IOException {
    List<Group> rows = new ArrayList<>();
    try (ParquetReader<Group> reader =
        ParquetReader.builder(new GroupReadSupport(), new org.apache.hadoop.fs.Path(file.toUri()))
            .build()) {
      for (Group row = reader.read(); row != null; row = reader.read()) {
        rows.add(row);
      }
    }
    return rows;
  }

  private static Instant time(Group row, String column) {
    return Instant.EPOCH.plus(row.getLong(column, 0), ChronoUnit.MICROS);
  }
}
