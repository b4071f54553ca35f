package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.ObjectIds;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.RejectedObjects;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CatalogueJobSparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final Instant OLD = Instant.parse("2018-04-29T10:40:00Z");

  private Path folder;
  private Path source;
  private Lake lake;

  @BeforeEach
  void newFolders() throws IOException {
    folder = SharedSpark.tempFolder("catalogue");
    source = Files.createDirectories(folder.resolve("source"));
    lake = new Lake(SharedSpark.session(), "file:" + folder.resolve("lake"));
  }

  private StageReport run(String... roots) {
    return run(0, roots);
  }

  private StageReport run(long allowMissing, String... roots) {
    Settings settings =
        Settings.parse("test", "objects.roots = [" + String.join(", ", roots) + "]", List.of());
    return new CatalogueJob(
            new JobContext(SharedSpark.session(), lake, settings, AT, "run1"),
            new CatalogueOptions(allowMissing))
        .run();
  }

  private static String root(Path path) {
    return '"' + path.toString() + '"';
  }

  private static void write(Path file, int bytes) throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[bytes]);
    Files.setLastModifiedTime(file, FileTime.from(OLD));
  }

  private Map<String, Row> objects() {
    Map<String, Row> rows = new TreeMap<>();
    for (Row row : lake.read(Objects.TABLE).collectAsList()) {
      assertThat(rows.put(row.getAs(Objects.OBJECT_ID), row)).isNull();
    }
    return rows;
  }

  private static long figure(StageReport report, String name) {
    return ((Number) report.figures().get(name)).longValue();
  }

  @Test
  void takesEveryFileWhateverItsName() throws IOException {
    List<String> names =
        List.of(
            "empty",
            "one",
            "_SUCCESS",
            ".hidden",
            "_temporary/0/part-0",
            ".part-0.crc",
            "a b",
            " lead",
            "100%",
            "%20",
            "a#b",
            "a?b",
            "a:b",
            "x:y/c:d",
            "line\nbreak",
            "tab\tand\u0001control",
            "back\\slash",
            "quote'\"; DROP TABLE objects; --",
            "{a,b}[c]*",
            "dots../..x",
            "grün/🦊",
            "n".repeat(200) + "/" + "m".repeat(200));
    for (String name : names) {
      write(source.resolve(name), name.equals("empty") ? 0 : name.equals("one") ? 1 : 1234);
    }

    StageReport report = run(root(source));

    Map<String, Row> objects = objects();
    assertThat(objects.keySet()).containsExactlyInAnyOrderElementsOf(names);
    assertThat(figure(report, "objects")).isEqualTo(names.size());
    assertThat(figure(report, "new")).isEqualTo(names.size());
    assertThat(figure(report, "rejected")).isZero();
    assertThat(figure(report, "bytes")).isEqualTo(1 + 1234L * (names.size() - 2));
    assertThat(report.state()).isEqualTo(StageReport.DONE);
    for (Row row : objects.values()) {
      org.apache.hadoop.fs.Path path =
          new org.apache.hadoop.fs.Path(row.<String>getAs(Objects.URI));
      // The checksummed one refuses names with a colon.
      FileSystem fs = FileSystem.getLocal(new Configuration()).getRaw();
      FileStatus status = fs.getFileStatus(path);
      try (var in = fs.open(path)) {
        assertThat(in.readAllBytes()).hasSize((int) (long) row.<Long>getAs(Objects.OBJECT_BYTES));
      }
      assertThat(row.<String>getAs(Objects.OBJECT_VERSION))
          .isEqualTo(status.getLen() + "-" + status.getModificationTime());
      assertThat(row.<String>getAs(Objects.ROOT)).isEqualTo("root0");
      assertThat(row.<String>getAs(Objects.STATE)).isEqualTo(Objects.PENDING);
    }
    Row row = objects.get("a b");
    assertThat(row.<String>getAs(Objects.OBJECT_VERSION)).isEqualTo("1234-" + OLD.toEpochMilli());
    assertThat(row.<java.sql.Timestamp>getAs(Objects.MODIFIED_AT).toInstant()).isEqualTo(OLD);
    try (Stream<Path> staged = Files.walk(folder.resolve("lake/_staging"))) {
      assertThat(staged).allMatch(Files::isDirectory);
    }
  }

  @Test
  void refusesNamesThatCannotBeIdsAndKeepsThem() throws IOException {
    write(source.resolve("good"), 3);
    write(Path.of(URI.create(source.toUri() + "latin-%FC")), 3);
    StringBuilder deep = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      deep.append("d".repeat(204)).append(i).append('/');
    }
    write(source.resolve(deep + "too-long"), 3);
    Path outside = Files.createDirectories(folder.resolve("outside"));
    write(outside.resolve("secret"), 3);
    Files.createSymbolicLink(source.resolve("out-file"), outside.resolve("secret"));
    Files.createSymbolicLink(source.resolve("out-folder"), outside);
    Files.createSymbolicLink(source.resolve("broken"), source.resolve("nothing"));
    Files.createSymbolicLink(source.resolve("circle"), source);
    Files.createSymbolicLink(source.resolve("inner"), source.resolve("good"));

    StageReport first = run(root(source));
    StageReport retry = run(root(source));

    assertThat(objects().keySet()).containsExactly("good", "inner");
    assertThat(figure(first, "rejected")).isEqualTo(6);
    assertThat(figure(retry, "rejected")).isEqualTo(6);
    List<String> rejected = new ArrayList<>();
    for (Row row : lake.read(RejectedObjects.TABLE).collectAsList()) {
      assertThat(row.<String>getAs(RejectedObjects.RUN_ID)).isEqualTo("run1");
      assertThat(row.<java.sql.Timestamp>getAs(RejectedObjects.AT).toInstant()).isEqualTo(AT);
      rejected.add(row.getAs(RejectedObjects.REASON) + " " + row.getAs(RejectedObjects.NAME));
    }
    assertThat(rejected)
        .containsExactlyInAnyOrder(
            "object-id-not-utf8 latin-\ufffd",
            "object-id-too-long " + ObjectIds.printable(deep.toString()),
            "leads-out-of-root out-file",
            "leads-out-of-root out-folder",
            "broken-link broken",
            "linked-folder circle");
  }

  @Test
  void changesNothingWhenNothingChanged() throws IOException {
    write(source.resolve("a"), 3);
    run(root(source));
    long version = lake.version(Objects.TABLE).orElseThrow();

    StageReport again = run(root(source));

    assertThat(again.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(lake.version(Objects.TABLE)).hasValue(version);
    assertThat(figure(again, "objects")).isEqualTo(1);
  }

  @Test
  void noticesNewChangedMissingAndReturningSources() throws IOException {
    for (int i = 0; i < 40; i++) {
      write(source.resolve("keep" + i), 1);
    }
    write(source.resolve("changes"), 3);
    write(source.resolve("goes"), 3);
    run(root(source));
    write(source.resolve("changes"), 4);
    Files.delete(source.resolve("goes"));
    write(source.resolve("comes"), 3);

    StageReport second = run(root(source));

    assertThat(second.figures())
        .containsEntry("objects", 42L)
        .containsEntry("new", 1L)
        .containsEntry("changed", 1L)
        .containsEntry("missing", 1L)
        .containsEntry("reappeared", 0L);
    assertThat(objects().get("goes").<String>getAs(Objects.SOURCE_STATE))
        .isEqualTo(Objects.MISSING);
    assertThat(objects().get("changes").<String>getAs(Objects.OBJECT_VERSION))
        .isEqualTo("4-" + OLD.toEpochMilli());

    write(source.resolve("goes"), 3);
    StageReport third = run(root(source));

    assertThat(third.figures()).containsEntry("reappeared", 1L).containsEntry("missing", 0L);
    assertThat(objects().get("goes").<String>getAs(Objects.SOURCE_STATE))
        .isEqualTo(Objects.PRESENT);
    assertThat(objects().get("goes").isNullAt(Objects.SCHEMA.fieldIndex(Objects.MISSING_SINCE)))
        .isTrue();
  }

  @Test
  void stopsWhenARootLostTooMuchUnlessAllowed() throws IOException {
    for (int i = 0; i < 10; i++) {
      write(source.resolve("o" + i), 1);
    }
    run(root(source));
    long version = lake.version(Objects.TABLE).orElseThrow();
    Files.delete(source.resolve("o3"));

    assertThatThrownBy(() -> run(root(source)))
        .isInstanceOfSatisfying(
            MetashardException.class,
            e -> assertThat(e.exitCode()).isEqualTo(MetashardException.USAGE))
        .hasMessage(
            "Cannot take the catalogue over: root root0 lost 1 of 10 objects, more than objects.max-missing-percent = 5.0; restore them, or run again with --allow-missing 1, nothing was changed");
    assertThat(lake.version(Objects.TABLE)).hasValue(version);

    assertThat(figure(run(1, root(source)), "missing")).isEqualTo(1);
  }

  @Test
  void stopsWhenARootThatHeldObjectsIsEmptyUnlessAllowed() throws IOException {
    write(source.resolve("a"), 1);
    write(source.resolve("b"), 1);
    run(root(source));
    Files.delete(source.resolve("a"));
    Files.delete(source.resolve("b"));

    assertThatThrownBy(() -> run(1, root(source)))
        .hasMessageContaining("root root0 lost 2 of 2 objects")
        .hasMessageContaining("--allow-missing 2");
    assertThat(figure(run(2, root(source)), "missing")).isEqualTo(2);
    assertThat(run(root(source)).state()).isEqualTo(StageReport.UNCHANGED);
  }

  @Test
  void stopsWhenARootLeavesTheConfiguration() throws IOException {
    write(source.resolve("a"), 1);
    write(folder.resolve("second/b"), 1);
    run(root(source), root(folder.resolve("second")));

    assertThatThrownBy(() -> run(root(source)))
        .hasMessageContaining("root root1 lost 1 of 1 objects");
  }

  @Test
  void refusesRootsThatCannotBeListedNamingThem() throws IOException {
    Path file = source.resolve("a");
    write(file, 1);
    Path nothing = folder.resolve("nothing");
    Path empty = Files.createDirectories(folder.resolve("empty"));

    assertUsage("Cannot list root root1 at " + nothing + ": there is no such folder", nothing);
    assertUsage("Cannot list root root1 at " + file + ": it is a file, not a folder", file);
    assertUsage("Cannot list root root1 at " + empty + ": it is empty", empty);
    assertThatThrownBy(() -> run("\"nosuch://host/x\""))
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("Cannot list root root0 at nosuch://host/x")
        .hasMessageContaining("No FileSystem for scheme");
    assertThatThrownBy(() -> run("{ uri = " + root(source) + ", exclude = [\"**\"] }"))
        .hasMessageContaining(
            "none of its 1 files is taken: 1 left out by include, exclude or min-bytes, 0 refused");
    assertThatThrownBy(() -> run())
        .isInstanceOf(SettingsException.class)
        .hasMessage("Cannot list objects: objects.roots (test) is empty; name at least one root");
    assertThat(lake.exists(Objects.TABLE)).isFalse();
  }

  private void assertUsage(String message, Path second) {
    assertThatThrownBy(() -> run(root(source), root(second)))
        .isInstanceOfSatisfying(
            MetashardException.class,
            e -> assertThat(e.exitCode()).isEqualTo(MetashardException.USAGE))
        .hasMessageStartingWith(message)
        .hasMessageContaining("nothing was changed");
  }

  @Test
  void refusesOneIdInTwoRootsNamingBoth() throws IOException {
    write(source.resolve("x/a\nb"), 1);
    write(folder.resolve("second/x/a\nb"), 1);

    assertThatThrownBy(() -> run(root(source), root(folder.resolve("second"))))
        .isInstanceOfSatisfying(
            MetashardException.class,
            e -> assertThat(e.exitCode()).isEqualTo(MetashardException.USAGE))
        .hasMessage(
            "Cannot list objects: id x/a\\u000ab is in roots root0 and root1; exclude it in one of them, nothing was changed");
    assertThat(lake.exists(Objects.TABLE)).isFalse();
  }

  @Test
  void countsWhatIsLeftOutAndWhatWaits() throws IOException {
    write(source.resolve("a.bin"), 10);
    write(source.resolve("b.txt"), 10);
    write(source.resolve("tiny.bin"), 9);
    write(source.resolve("young.bin"), 10);
    Files.setLastModifiedTime(source.resolve("young.bin"), FileTime.from(AT.minusSeconds(60)));

    StageReport report =
        run(
            "{ name = data, uri = "
                + root(source)
                + ", \"include\" = [\"**.bin\"], min-bytes = 10, min-age = 1h }");

    assertThat(objects().keySet()).containsExactly("a.bin");
    assertThat(objects().get("a.bin").<String>getAs(Objects.ROOT)).isEqualTo("data");
    assertThat(figure(report, "waiting")).isEqualTo(1);
    assertThat(figure(report, "left_out")).isEqualTo(2);
  }

  @Test
  void findsRelativeRootsBelowTheWorkingFolder() throws IOException {
    write(source.resolve("a"), 1);
    Path relative = Path.of("").toAbsolutePath().relativize(source);

    run('"' + relative.toString() + '"');

    assertThat(objects().get("a").<String>getAs(Objects.URI)).isEqualTo("file:" + source + "/a");
  }

  @Test
  void walksOtherFileSystemsThroughHadoop() throws IOException {
    write(source.resolve("x/with space"), 5);
    write(source.resolve("_SUCCESS"), 0);
    Configuration hadoop = new Configuration();
    hadoop.set("fs.viewfs.mounttable.test.link./source", source.toUri().toString());
    List<String> found = new ArrayList<>();

    RootWalk.walk(
        new org.apache.hadoop.fs.Path("viewfs://test/source"),
        hadoop,
        new RootWalk.Visitor() {
          @Override
          public void file(String id, String uri, long bytes, long modifiedMillis, String etag) {
            found.add(id + " " + uri + " " + bytes + " " + modifiedMillis + " " + etag);
          }

          @Override
          public void refused(String name, String reason) {
            found.add(name + " " + reason);
          }
        });

    assertThat(found)
        .containsExactlyInAnyOrder(
            "x/with space viewfs://test/source/x/with space 5 " + OLD.toEpochMilli() + " null",
            "_SUCCESS viewfs://test/source/_SUCCESS 0 " + OLD.toEpochMilli() + " null");
  }
}
