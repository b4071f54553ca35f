package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One lake, with objects encoded, stale, pending and gone; exported to a folder per test. */
@Tag("slow")
class ExportSparkTest {
  private static HandMadeLake made;

  /** What an export of all must give. */
  private static final Map<String, byte[]> expected = new TreeMap<>();

  @BeforeAll
  static void aLake() throws IOException {
    made = new HandMadeLake("export", 20260305);
    expected.put("empty", made.write("empty", 0));
    expected.put("dir/large", made.write("dir/large", 3_000_000));
    expected.put("dir/a b", made.write("dir/a b", 40_000));
    expected.put("dir/é:x", made.write("dir/é:x", 70_000));
    expected.put("gone", made.write("gone", 9_000));
    expected.put("stale", made.write("stale", 30_000));
    made.night("empty", "dir/large", "dir/a b", "dir/é:x", "gone", "stale");
    Files.delete(made.source("gone"));
    made.write("stale", 10); // the map serves what it was
    expected.put("pending", made.write("pending", 20_000));
    made.catalogue();
  }

  private static ExportJob job(String runId, Path target, SelectedObjects selection) {
    return new ExportJob(
        made.context(runId), selection, "file:" + target, ExportTarget.ReadBack.ALL);
  }

  private static StageReport export(String runId, Path target) {
    return job(runId, target, SelectedObjects.ALL).run(NightlyJob.Extent.FULL);
  }

  /** The files of a target by name, but for what is the export's own. */
  private static Map<String, byte[]> files(Path target) throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    try (Stream<Path> files = Files.walk(target)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = target.relativize(file).toString();
        if (!name.startsWith("_metashard/manifest/")) {
          found.put(name, Files.readAllBytes(file));
        }
      }
    }
    return found;
  }

  private static void requireAll(Path target) throws IOException {
    assertThat(files(target)).usingRecursiveComparison().isEqualTo(expected);
  }

  private static Map<String, Row> manifest(Path target, String runId) {
    return made
        .spark()
        .read()
        .schema(ExportManifest.SCHEMA)
        .json(target + "/_metashard/manifest/" + runId)
        .collectAsList()
        .stream()
        .collect(Collectors.toMap(row -> row.getAs(ExportManifest.OBJECT_ID), row -> row));
  }

  @Test
  void everyObjectIsThereWithTwoLocationsLostAndAgainNothingIsWritten() throws Exception {
    Path target = made.folder().resolve("to-all");
    Path away = made.folder().resolve("away");
    Files.createDirectories(away);
    Files.move(made.location(0), away.resolve("l0"));
    Files.move(made.location(1), away.resolve("l1"));
    StageReport first;
    try {
      first = export("all", target);
    } finally {
      Files.move(away.resolve("l0"), made.location(0));
      Files.move(away.resolve("l1"), made.location(1));
    }
    requireAll(target);
    assertThat(first.state()).isEqualTo(StageReport.DONE);
    assertThat(first.figures())
        .containsEntry("objects", 7L)
        .containsEntry("objects_written", 7L)
        .containsEntry("objects_pending", 1L)
        .containsEntry("objects_stale", 1L)
        .containsEntry("objects_from_source", 1L)
        .containsEntry("objects_failed", 0L);
    assertThat((Long) first.figures().get("rebuilt_bytes")).isPositive();
    Map<String, Row> lines = manifest(target, "all");
    assertThat(lines.keySet()).isEqualTo(expected.keySet());
    for (Map.Entry<String, byte[]> object : expected.entrySet()) {
      Row line = lines.get(object.getKey());
      assertThat(line.<String>getAs(ExportManifest.SHA256))
          .isEqualTo(
              HexFormat.of()
                  .formatHex(MessageDigest.getInstance("SHA-256").digest(object.getValue())));
      assertThat(line.<String>getAs(ExportManifest.STATE)).isEqualTo(ExportManifest.WRITTEN);
      assertThat(line.<String>getAs(ExportManifest.READ_FROM))
          .isEqualTo(object.getKey().equals("pending") ? "source" : "map");
    }

    // What the manifest knows is not read again: not even locations are needed.
    Path locations = made.folder().resolve("locations");
    Files.move(locations, away.resolve("locations"));
    try {
      StageReport again = export("all-again", target);
      assertThat(again.state()).isEqualTo(StageReport.DONE);
      assertThat(again.figures())
          .containsEntry("objects_present", 7L)
          .containsEntry("objects_written", 0L);
    } finally {
      Files.move(away.resolve("locations"), locations);
    }
    // One that was touched since is held against the object, byte by byte.
    Files.setLastModifiedTime(target.resolve("stale"), FileTime.fromMillis(1_000_000));
    assertThat(export("all-touched", target).figures()).containsEntry("objects_present", 7L);
    byte[] other = expected.get("stale").clone();
    other[other.length - 1] ^= 1;
    Files.write(target.resolve("stale"), other);
    StageReport refused = export("all-other", target);
    assertThat(refused.state()).isEqualTo(StageReport.FAILED);
    assertThat(refused.figures())
        .containsEntry("objects_present", 6L)
        .containsEntry("objects_refused", 1L);
    assertThat(refused.figures().get("first_left_out").toString())
        .contains("stale: another file has its name at the target")
        .contains("with other bytes");
    assertThat(Files.readAllBytes(target.resolve("stale"))).isEqualTo(other);
  }

  @Test
  void anExportThatWasKilledGoesOnFromTheFilesAlone() throws IOException {
    Path target = made.folder().resolve("to-killed");
    export("killed", target);
    // As if it had died before its tasks ended: no manifest, a half-written file, some missing.
    org.apache.commons.io.FileUtils.deleteDirectory(target.resolve("_metashard").toFile());
    Path half = target.resolve("_metashard/tmp/killed/other-attempt-0-0");
    Files.createDirectories(half.getParent());
    Files.write(half, new byte[100]);
    Files.delete(target.resolve("dir/large"));
    StageReport second = export("killed", target);
    assertThat(second.figures())
        .containsEntry("objects_written", 1L)
        .containsEntry("objects_present", 6L)
        .containsEntry("bytes_written", 3_000_000L);
    requireAll(target);
  }

  @Test
  void whatCannotBeReadIsLeftOutAndNamedAndTheRestIsThere() throws IOException {
    Path target = made.folder().resolve("to-lost");
    Path away = made.folder().resolve("away-lost");
    Files.createDirectories(away);
    // Of every meta-shard there are at most 4 blocks at 6 locations.
    for (int i = 0; i < 5; i++) {
      Files.move(made.location(i), away.resolve("l" + i));
    }
    StageReport report;
    try {
      report = export("lost", target);
    } finally {
      for (int i = 0; i < 5; i++) {
        Files.move(away.resolve("l" + i), made.location(i));
      }
    }
    assertThat(report.state()).isEqualTo(StageReport.FAILED);
    long failed = (Long) report.figures().get("objects_failed");
    assertThat(failed).isPositive();
    Map<String, byte[]> there = files(target);
    assertThat(there).hasSize(7 - (int) failed).containsKeys("empty", "pending");
    there.forEach((id, bytes) -> assertThat(bytes).as(id).isEqualTo(expected.get(id)));
    // Gone from its source too; the others' sources may stand in for their blocks.
    assertThat(report.figures().get("first_left_out").toString())
        .contains("too few of its blocks can be read");
    assertThat((Long) report.figures().get("objects_from_source")).isGreaterThanOrEqualTo(1);
    export("lost", target);
    requireAll(target);
  }

  @Test
  void hostileIdsAreRefusedOneByOneAndNothingIsWrittenOutsideTheTarget() throws IOException {
    Lake hostile = new Lake(made.spark(), made.lake().root() + "-hostile");
    String[] ids = {
      "../outside",
      "/absolute",
      "a//b",
      "c\\d",
      "e\nf",
      "_metashard/manifest/x",
      ".good.crc",
      "g",
      "g/h",
      "good",
      "x".repeat(300)
    };
    // Every one of them is the object dir/a b under another name.
    org.apache.spark.sql.Dataset<Row> rows =
        made.lake()
            .read(ShardMapTable.TABLE)
            .where(col("object_id").equalTo("dir/a b"))
            .drop("object_id")
            .crossJoin(
                made.spark()
                    .createDataset(List.of(ids), org.apache.spark.sql.Encoders.STRING())
                    .toDF("object_id"))
            .withColumn(
                "bucket",
                functions
                    .udf(
                        (org.apache.spark.sql.api.java.UDF1<String, Integer>)
                            id -> io.metashard.Buckets.of(id, HandMadeLake.BUCKETS),
                        org.apache.spark.sql.types.DataTypes.IntegerType)
                    .apply(col("object_id")));
    hostile.append(ShardMapTable.TABLE, rows, Lake.Commit.PLAIN);
    hostile.append(LocationsTable.TABLE, made.lake().read(LocationsTable.TABLE), Lake.Commit.PLAIN);
    Path parent = made.folder().resolve("to-hostile");
    Path target = parent.resolve("target");
    ExportJob job =
        new ExportJob(
            made.context(hostile, "hostile"),
            SelectedObjects.ALL,
            "file:" + target,
            ExportTarget.ReadBack.ALL);
    assertThat(job.run(NightlyJob.Extent.DRY_RUN).figures()).containsEntry("objects_refused", 9L);
    assertThat(parent).doesNotExist();
    StageReport report = job.run(NightlyJob.Extent.FULL);
    assertThat(report.state()).isEqualTo(StageReport.FAILED);
    assertThat(report.figures())
        .containsEntry("objects", 11L)
        .containsEntry("objects_written", 2L)
        .containsEntry("objects_refused", 9L);
    assertThat(files(target).keySet()).containsExactly("g/h", "good");
    assertThat(Files.list(parent)).containsExactly(target);
    assertThat(manifest(target, "hostile")).hasSize(11).containsKeys(ids);
    assertThat(report.figures().get("first_left_out").toString())
        .contains("../outside: a part of its name is ..")
        .contains("e\\u000af: its name has a control character")
        .contains("g: other objects' names begin with its name and a slash")
        .doesNotContain("\n");
  }

  @Test
  void aTargetWithinWhatIsOursIsRefused() {
    for (String target :
        List.of("objects", "objects/x", "lake/y", "locations/l2", "locations", "")) {
      Path path = made.folder().resolve(target);
      SettingsException refused =
          catchThrowableOfType(
              SettingsException.class,
              () ->
                  ExportJob.requireApart(
                      made.context("apart").settings(),
                      made.lake().root(),
                      path.toString(),
                      made.hadoop()));
      assertThat(refused).as(target).hasMessageContaining("choose a folder that is apart from it");
    }
    assertThat(
            ExportJob.requireApart(
                made.context("apart").settings(),
                made.lake().root(),
                made.folder().resolve("objects-2").toString(),
                made.hadoop()))
        .endsWith("/objects-2");
  }

  @Test
  void namedObjectsAreExportedAndUnknownOnesAreWrongUse() throws IOException {
    Path target = made.folder().resolve("to-named");
    MetashardException unknown =
        catchThrowableOfType(
            MetashardException.class,
            () ->
                job("unknown", target, new SelectedObjects(List.of("gone", "no\nwhere"), ""))
                    .run(NightlyJob.Extent.FULL));
    assertThat(unknown)
        .hasMessageContaining("Cannot export objects no\\u000awhere: ")
        .hasMessageContaining("nothing was written");
    assertThat(unknown.exitCode()).isEqualTo(MetashardException.USAGE);
    assertThatThrownBy(
            () ->
                job("nothing", target, new SelectedObjects(List.of(), "nothing"))
                    .run(NightlyJob.Extent.FULL))
        .hasMessageContaining("whose ids begin with nothing");
    assertThat(target).doesNotExist();
    job("named", target, new SelectedObjects(List.of("gone", "pending"), ""))
        .run(NightlyJob.Extent.FULL);
    assertThat(files(target).keySet()).containsExactly("gone", "pending");
    job("named-2", target, new SelectedObjects(List.of(), "dir/")).run(NightlyJob.Extent.FULL);
    assertThat(files(target).keySet())
        .containsExactly("dir/a b", "dir/large", "dir/é:x", "gone", "pending");
  }

  @Test
  void whatIsNotEncodedIsLeftOutWithoutTheFallback() throws IOException {
    Path target = made.folder().resolve("to-strict");
    StageReport report =
        new ExportJob(
                made.context("strict", "read.fallback=false"),
                SelectedObjects.ALL,
                "file:" + target,
                ExportTarget.ReadBack.NONE)
            .run(NightlyJob.Extent.FULL);
    assertThat(report.state()).isEqualTo(StageReport.FAILED);
    assertThat(report.figures().get("first_left_out").toString())
        .contains("it is not encoded yet, and read.fallback is false");
    assertThat(files(target).keySet()).doesNotContain("pending").hasSize(6);
  }

  @Test
  void bucketsShareTasksAndLargeOnesAreDividedTheLargestFirst() {
    assertThat(ExportJob.Share.of(Map.of(0, 10L, 1, 250L, 2, 60L, 3, 30L, 4, 50L), 100, 1000))
        .containsExactly(
            new ExportJob.Share(1, 0, 3),
            new ExportJob.Share(2, 3, 1),
            new ExportJob.Share(4, 4, 1),
            new ExportJob.Share(3, 4, 1),
            new ExportJob.Share(0, 4, 1));
    // No more tasks than may be, however much there is.
    assertThat(ExportJob.Share.of(Map.of(0, 1_000_000L), 1, 10))
        .containsExactly(new ExportJob.Share(0, 0, 10));
    assertThat(ExportJob.Share.of(Map.of(), 1, 10)).isEmpty();
  }
}
