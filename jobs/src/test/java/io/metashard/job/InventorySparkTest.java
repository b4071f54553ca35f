package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.RejectedObjects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InventorySparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final Instant OLD = Instant.parse("2026-02-01T10:40:00Z");
  private static final Instant MADE = Instant.parse("2026-03-01T01:00:00Z");
  private static final List<String> NAMES = List.of("a.bin", "b c+d%/e.bin", "grün/🦊");

  private Path folder;
  private Path source;
  private Path inventory;
  private Lake lake;

  @BeforeEach
  void newFolders() throws IOException {
    folder = SharedSpark.tempFolder("inventory");
    source = Files.createDirectories(folder.resolve("source"));
    inventory = Files.createDirectories(folder.resolve("reports/lake/daily"));
    lake = new Lake(SharedSpark.session(), "file:" + folder.resolve("lake"));
    for (String name : NAMES) {
      write(name, 1000 + name.length(), OLD);
    }
  }

  private void write(String name, int bytes, Instant modified) throws IOException {
    Path file = source.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[bytes]);
    Files.setLastModifiedTime(file, FileTime.from(modified));
  }

  /** One entry of a report. */
  private record Entry(String key, String size, Instant modified, boolean latest, boolean marker) {
    static Entry of(String name) {
      return new Entry("in/" + name, Integer.toString(1000 + name.length()), OLD, true, false);
    }
  }

  private static List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    NAMES.forEach(name -> entries.add(Entry.of(name)));
    return entries;
  }

  private void manifest(String date, String format, String schema, String... files)
      throws IOException {
    Path dated = Files.createDirectories(inventory.resolve(date));
    List<Map<String, Object>> named = new ArrayList<>();
    for (String file : files) {
      named.add(Map.of("key", "reports/lake/daily/data/" + file, "size", 1, "MD5checksum", "x"));
    }
    Files.writeString(
        dated.resolve("manifest.json"),
        new ObjectMapper()
            .writeValueAsString(
                Map.of(
                    "sourceBucket",
                    "lake",
                    "destinationBucket",
                    "arn:aws:s3:::reports",
                    "version",
                    "2016-11-30",
                    "creationTimestamp",
                    Long.toString(MADE.toEpochMilli()),
                    "fileFormat",
                    format,
                    "fileSchema",
                    schema,
                    "files",
                    named)));
    Files.writeString(dated.resolve("manifest.checksum"), "0");
  }

  private void csv(String date, List<Entry> entries) throws IOException {
    Files.createDirectories(inventory.resolve("data"));
    Path file = inventory.resolve("data/" + date + ".csv.gz");
    try (var out = new GZIPOutputStream(Files.newOutputStream(file))) {
      for (Entry entry : entries) {
        String line =
            "\"lake\",\"%s\",\"\",\"%s\",\"%s\",\"%s\",\"%s\",\"d41d8\"\n"
                .formatted(
                    URLEncoder.encode(entry.key(), StandardCharsets.UTF_8),
                    entry.latest(),
                    entry.marker(),
                    entry.size(),
                    entry.modified());
        out.write(line.getBytes(StandardCharsets.UTF_8));
      }
    }
    manifest(
        date,
        "CSV",
        "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag",
        date + ".csv.gz");
  }

  private void columnar(String date, String format, List<Entry> entries) throws IOException {
    StructType schema =
        new StructType()
            .add("bucket", DataTypes.StringType)
            .add("key", DataTypes.StringType)
            .add("is_latest", DataTypes.BooleanType)
            .add("is_delete_marker", DataTypes.BooleanType)
            .add("size", DataTypes.LongType)
            .add("last_modified_date", DataTypes.TimestampType)
            .add("e_tag", DataTypes.StringType);
    List<Row> rows = new ArrayList<>();
    for (Entry entry : entries) {
      rows.add(
          RowFactory.create(
              "lake",
              entry.key(),
              entry.latest(),
              entry.marker(),
              Long.valueOf(entry.size()),
              Timestamp.from(entry.modified()),
              "d41d8"));
    }
    Path written = folder.resolve("written-" + format);
    SharedSpark.session()
        .createDataFrame(rows, schema)
        .coalesce(1)
        .write()
        .format(format)
        .save(written.toString());
    Path part;
    try (var files = Files.list(written)) {
      part = files.filter(f -> f.getFileName().toString().startsWith("part-")).findAny().get();
    }
    Files.createDirectories(inventory.resolve("data"));
    Files.copy(part, inventory.resolve("data/" + date + "." + format));
    manifest(
        date,
        format.toUpperCase(java.util.Locale.ROOT),
        "message s3.inventory {}",
        date + "." + format);
  }

  private Settings settings() {
    return Settings.parse(
        "test",
        "objects.roots = [{ name = \"in\", uri = \"%s\", log-uri = \"s3://lake/in\", inventory = \"%s\" }]"
            .formatted(source, inventory),
        List.of());
  }

  private JobContext context() {
    return new JobContext(SharedSpark.session(), lake, settings(), AT, "run1");
  }

  private StageReport run() {
    return new CatalogueJob(context(), new CatalogueOptions(0)).run();
  }

  private Map<String, Row> objects() {
    Map<String, Row> rows = new TreeMap<>();
    for (Row row : lake.read(Objects.TABLE).collectAsList()) {
      assertThat(rows.put(row.getAs(Objects.OBJECT_ID), row)).isNull();
    }
    return rows;
  }

  private static String version(Row object) {
    return object.getAs(Objects.OBJECT_VERSION);
  }

  @Test
  void anInventoryOfEachFormatGivesTheCatalogueOfAListing() throws IOException {
    new CatalogueJob(
            new JobContext(
                SharedSpark.session(),
                lake,
                Settings.parse(
                    "test",
                    "objects.roots = [{ name = \"in\", uri = \"%s\" }]".formatted(source),
                    List.of()),
                AT,
                "run0"),
            new CatalogueOptions(0))
        .run();
    Map<String, Row> listed = objects();
    assertThat(listed.keySet()).containsExactlyInAnyOrderElementsOf(NAMES);
    csv("2026-03-01T01-00Z", entries());
    assertThat(run().state()).isEqualTo(StageReport.UNCHANGED);
    columnar("2026-03-01T02-00Z", "parquet", entries());
    assertThat(run().state()).isEqualTo(StageReport.UNCHANGED);
    columnar("2026-03-01T03-00Z", "orc", entries());
    assertThat(run().state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(objects()).isEqualTo(listed);
  }

  @Test
  void whatCannotBeAnObjectIsKeptAndWhatIsNotCurrentIsNot() throws IOException {
    List<Entry> entries = entries();
    entries.add(new Entry("elsewhere/x", "1", OLD, true, false));
    entries.add(new Entry("in/folder/", "0", OLD, true, false));
    entries.add(new Entry("in/old-version", "1", OLD, false, false));
    entries.add(new Entry("in/deleted", "0", OLD, true, true));
    entries.add(new Entry("in/../../etc/passwd", "1", OLD, true, false));
    entries.add(new Entry("in/a//b", "1", OLD, true, false));
    entries.add(new Entry("in/no-size", "", OLD, true, false));
    entries.add(new Entry("in/" + "n".repeat(1025), "1", OLD, true, false));
    csv("2026-03-01T01-00Z", entries);

    StageReport report = run();

    assertThat(objects().keySet()).containsExactlyInAnyOrderElementsOf(NAMES);
    assertThat(report.figures().get("rejected")).isEqualTo(4L);
    assertThat(
            lake.read(RejectedObjects.TABLE).select(RejectedObjects.REASON).collectAsList().stream()
                .map(row -> row.getString(0)))
        .containsExactlyInAnyOrder(
            RejectedObjects.NO_PATH,
            RejectedObjects.NO_PATH,
            RejectedObjects.BROKEN_ENTRY,
            "object-id-too-long");
  }

  @Test
  void theNewestCompleteReportIsTaken() throws IOException {
    csv("2026-03-01T01-00Z", entries());
    csv("2026-03-01T02-00Z", entries().subList(0, 1));
    Files.delete(inventory.resolve("2026-03-01T02-00Z/manifest.checksum"));
    run();
    assertThat(objects()).hasSize(NAMES.size());
  }

  @Test
  void sourcesThatChangedSinceAreNoticedBeforeTheyAreReadAndARetryGoesOn() throws IOException {
    csv("2026-03-01T01-00Z", entries());
    run();
    Dataset<Row> planned =
        lake.read(Objects.TABLE)
            .select(Objects.OBJECT_ID, Objects.URI, Objects.OBJECT_VERSION)
            .localCheckpoint();
    InventorySources sources = new InventorySources(context());
    sources.requireCurrent(planned); // nothing changed

    write("a.bin", 77, MADE.plusSeconds(60));
    Files.delete(source.resolve(NAMES.get(1)));
    assertThatThrownBy(() -> sources.requireCurrent(planned))
        .isInstanceOf(MetashardException.class)
        .hasMessage(
            "Cannot execute the plan: 2 sources changed since the inventory was made; the catalogue now has them as they are, run again to plan with it")
        .satisfies(e -> assertThat(((MetashardException) e).exitCode()).isEqualTo(4));

    for (int retry = 0; retry < 2; retry++) {
      Map<String, Row> objects = objects();
      assertThat(version(objects.get("a.bin")))
          .isEqualTo("77-" + MADE.plusSeconds(60).toEpochMilli());
      assertThat(objects.get("a.bin").<Long>getAs(Objects.OBJECT_BYTES)).isEqualTo(77);
      assertThat(objects.get(NAMES.get(1)).<String>getAs(Objects.SOURCE_STATE))
          .isEqualTo(Objects.MISSING);
      assertThat(objects.get(NAMES.get(2)).<String>getAs(Objects.SOURCE_STATE))
          .isEqualTo(Objects.PRESENT);
      // The same inventory, read again, does not take back what was learnt.
      assertThat(run().figures().get("changed")).isEqualTo(0L);
    }
    sources.requireCurrent(
        lake.read(Objects.TABLE)
            .where("source_state = 'present'")
            .select(Objects.OBJECT_ID, Objects.URI, Objects.OBJECT_VERSION));
  }

  @Test
  void inventoriesThatCannotBeUsedAreRefusedByName() throws IOException {
    assertThatThrownBy(this::run).hasMessageContaining("no complete report");
    csv("2026-03-01T01-00Z", entries());
    Path manifest = inventory.resolve("2026-03-01T01-00Z/manifest.json");
    String good = Files.readString(manifest);
    Map<String, String> broken =
        Map.of(
            good.replace("\"sourceBucket\":\"lake\"", "\"sourceBucket\":\"other\""),
            "is of bucket other, the root is in bucket lake",
            good.replace("Size, ", ""),
            "has no column Size",
            good.replace("\"CSV\"", "\"XML\""),
            "has fileFormat XML",
            good.replace("daily/data/", "daily/data/../../"),
            "is not in the data folder of its inventory",
            "{}",
            "no manifest of an S3 Inventory",
            "{",
            "is not JSON");
    for (Map.Entry<String, String> one : broken.entrySet()) {
      Files.writeString(manifest, one.getKey());
      assertThatThrownBy(this::run).as(one.getKey()).hasMessageContaining(one.getValue());
    }
    assertThat(lake.exists(Objects.TABLE)).isFalse();
  }
}
