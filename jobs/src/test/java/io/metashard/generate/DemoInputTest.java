package io.metashard.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import io.metashard.job.GenerateJob;
import io.metashard.job.MetashardException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DemoInputTest {
  private static final LocalDate END = LocalDate.of(2026, 1, 22);
  private static final Path SAMPLE =
      Path.of(System.getProperty("metashard.basedir")).resolveSibling("data").resolve("sample");

  @Test
  void makesTheSameBytesAndTimesFromTheSameSeed() throws Exception {
    Path one = SharedSpark.tempFolder("demo");
    Path two = SharedSpark.tempFolder("demo");
    Map<String, Object> figures = new GenerateJob(sample(one, 1)).run();
    new GenerateJob(sample(two, 1)).run();
    assertThat(digests(one)).isEqualTo(digests(two)).hasSize(5 + 21 + 1);
    assertThat(figures).containsEntry("objects", 5).containsEntry("days", 21);

    new GenerateJob(sample(two, 2)).run();
    assertThat(digests(one)).isNotEqualTo(digests(two));
  }

  @Test
  void isWhatTheCommittedSampleWasMadeBy() throws Exception {
    Path made = SharedSpark.tempFolder("demo");
    new GenerateJob(sample(made, 1)).run();
    Map<String, String> committed = digests(SAMPLE);
    assertThat(committed).hasSize(5 + 21 + 1);
    withoutTimes(digests(made))
        .forEach(
            (file, digest) ->
                assertThat(withoutTimes(committed)).as(file).containsEntry(file, digest));
    long bytes = 0;
    for (String file : committed.keySet()) {
      bytes += Files.size(SAMPLE.resolve(file));
    }
    assertThat(bytes).isLessThan(1_000_000);
  }

  @Test
  void holdsToTheSizesThatTheDemoPromises() {
    for (String workload : List.of("web", "mixed")) {
      GenerateOptions options = new GenerateOptions(Path.of("x"), workload, 1, 21, END);
      List<DemoObject> objects = objects(options);
      List<DemoRequest> requests = requests(options);
      assertThat(objects).as(workload).hasSizeBetween(55, 65);
      assertThat(objects).as(workload).allMatch(o -> o.bytes() >= 10_000 && o.bytes() <= 32 << 20);
      assertThat(objects.stream().mapToLong(DemoObject::bytes).sum())
          .as(workload)
          .isBetween(150L << 20, 280L << 20);
      assertThat(requests).as(workload).hasSizeBetween(20_000, 40_000);
    }
    GenerateOptions lake = new GenerateOptions(Path.of("x"), "lake", 1, 21, END);
    assertThat(objects(lake)).hasSizeBetween(700, 800);
    assertThat(objects(lake)).allMatch(o -> o.bytes() >= 10_000 && o.bytes() <= 2_000_000);
    assertThat(objects(lake).stream().mapToLong(DemoObject::bytes).sum())
        .isBetween(70L << 20, 120L << 20);
    assertThat(requests(lake)).hasSizeBetween(50_000, 100_000);
  }

  @Test
  void asksOnlyForWhatIsThereWithinTheDays() {
    for (String workload : List.of("mixed", "lake")) {
      GenerateOptions options = new GenerateOptions(Path.of("x"), workload, 1, 21, END);
      Map<String, DemoObject> objects = new HashMap<>();
      objects(options).forEach(o -> assertThat(objects.put(o.id(), o)).isNull());
      Instant first = options.firstDay().atStartOfDay().toInstant(ZoneOffset.UTC);
      Instant end = END.atStartOfDay().toInstant(ZoneOffset.UTC);
      int found = 0;
      for (DemoRequest request : requests(options)) {
        assertThat(request.ts()).isBetween(first, end.minusSeconds(1));
        DemoObject object = objects.get(request.objectId());
        if (request.status() == 404) {
          assertThat(object == null || request.ts().isBefore(object.modifiedAt())).isTrue();
        } else {
          assertThat(request.ts()).as(request.objectId()).isAfterOrEqualTo(object.modifiedAt());
          assertThat(request.objectBytes()).isEqualTo(object.bytes());
          if (request.start() != null) {
            assertThat(request.end()).isBetween(request.start() + 1, object.bytes());
          }
          found++;
        }
      }
      assertThat(found).as(workload).isGreaterThan(15_000);
    }
  }

  @Test
  void makesPartitionsThatAreHotWhenNewAndWeeklyReadersOfTheLastSeven() {
    GenerateOptions options = new GenerateOptions(Path.of("x"), "mixed", 1, 21, END);
    Map<Long, Integer> byAge = new TreeMap<>();
    Set<String> wholeOnMonday = new HashSet<>();
    for (DemoRequest request : requests(options)) {
      if (request.objectId().startsWith("events/") && request.status() < 300) {
        LocalDate written = LocalDate.parse(request.objectId().substring(10, 20));
        LocalDate day = LocalDate.ofInstant(request.ts(), ZoneOffset.UTC);
        byAge.merge(day.toEpochDay() - written.toEpochDay(), 1, Integer::sum);
        if (day.equals(LocalDate.of(2026, 1, 19)) && request.client().equals("192.0.2.12")) {
          wholeOnMonday.add(request.objectId());
        }
      }
    }
    assertThat(byAge.get(1L)).isGreaterThan(2 * byAge.get(4L)).isGreaterThan(byAge.get(2L));
    assertThat(byAge.get(4L)).isGreaterThan(byAge.get(18L));
    assertThat(wholeOnMonday)
        .hasSize(7)
        .contains(
            "events/dt=2026-01-12/part-0000.parquet", "events/dt=2026-01-18/part-0000.parquet");
  }

  @Test
  void writesEveryRequestIntoBothLogsAndSomeBrokenLinesIntoOne() throws Exception {
    Path out = SharedSpark.tempFolder("demo");
    GenerateOptions options = new GenerateOptions(out, "mixed", 3, 4, END);
    Map<String, Object> figures = new GenerateJob(options).run();
    long lines = 0;
    try (Stream<Path> files = Files.list(out.resolve("logs/s3"))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        lines += new String(Files.readAllBytes(file), "ISO-8859-1").lines().count();
      }
    }
    int broken = (int) figures.get("broken_s3_lines");
    assertThat(broken).isPositive();
    assertThat(lines).isEqualTo((int) figures.get("requests") + broken);
    assertThat(out.resolve("logs/parquet/date=2026-01-21/requests.parquet")).exists();
    Path partition = out.resolve("objects/events/dt=2026-01-20/part-0000.parquet");
    assertThat(Files.getLastModifiedTime(partition).toInstant())
        .isEqualTo(Instant.parse("2026-01-20T23:30:00Z"));
  }

  @Test
  void refusesAFolderThatItDidNotMakeAndReplacesOneThatItDid() throws Exception {
    Path out = SharedSpark.tempFolder("demo");
    Path foreign = Files.createDirectories(out.resolve("objects")).resolve("thesis.tex");
    Files.writeString(foreign, "years of work");
    assertThatThrownBy(() -> new GenerateJob(sample(out, 1)).run())
        .isInstanceOfSatisfying(
            MetashardException.class, e -> assertThat(e.exitCode()).isEqualTo(2))
        .hasMessageContaining("Cannot generate into " + out)
        .hasMessageContaining("was not made by generate");
    assertThat(foreign).hasContent("years of work");
    assertThat(GenerateJob.made(out)).isFalse();

    Files.delete(foreign);
    Path lake = Files.createDirectories(out.resolve("lake")).resolve("kept");
    Files.writeString(lake, "kept");
    new GenerateJob(sample(out, 1)).run();
    Path stray = Files.writeString(out.resolve("objects/stray"), "x");
    new GenerateJob(sample(out, 1)).run();
    assertThat(stray).doesNotExist();
    assertThat(lake).exists();
    assertThat(GenerateJob.made(out)).isTrue();
  }

  @Test
  void refusesOptionsThatMakeNoSense() {
    Path out = Path.of("x");
    assertThatThrownBy(() -> new GenerateOptions(out, "cloud", 1, 21, END))
        .hasMessage("Cannot generate workload cloud: it must be one of web, lake, mixed, sample");
    assertThatThrownBy(() -> new GenerateOptions(out, "web", 1, 0, END))
        .hasMessage("Cannot generate 0 days: it must be 1 to 400");
    assertThatThrownBy(() -> new GenerateOptions(out, "web", 1, 1, null))
        .hasMessageContaining("the year must be 1971 to 9999");
    assertThatThrownBy(() -> new GenerateOptions(null, "web", 1, 1, END))
        .hasMessageContaining("no folder given");
  }

  private static GenerateOptions sample(Path out, long seed) {
    return new GenerateOptions(out, GenerateOptions.SAMPLE, seed, 21, END);
  }

  private static List<DemoObject> objects(GenerateOptions options) {
    List<DemoObject> all = new ArrayList<>();
    Workload.of(options).forEach(w -> all.addAll(w.objects()));
    return all;
  }

  private static List<DemoRequest> requests(GenerateOptions options) {
    List<DemoRequest> all = new ArrayList<>();
    Workload.of(options).forEach(w -> all.addAll(w.requests()));
    return all;
  }

  /** Path below the folder to content hash and modification time (the marker has only a hash). */
  private static Map<String, String> digests(Path folder) throws Exception {
    Map<String, String> digests = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder).filter(Files::isRegularFile)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = folder.relativize(file).toString();
        digests.put(name, digest(file) + " " + (name.startsWith(".") ? "" : time(file)));
      }
    }
    return digests;
  }

  private static Map<String, String> withoutTimes(Map<String, String> digests) {
    Map<String, String> hashes = new TreeMap<>();
    digests.forEach((name, digest) -> hashes.put(name, digest.split(" ")[0]));
    return hashes;
  }

  private static String digest(Path file) throws Exception {
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
    return HexFormat.of().formatHex(hash);
  }

  private static String time(Path file) throws IOException {
    return Files.getLastModifiedTime(file).toString();
  }
}
