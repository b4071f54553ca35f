package io.metashard.job;

import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.to_timestamp;
import static org.apache.spark.sql.functions.try_to_timestamp;
import static org.apache.spark.sql.functions.unix_millis;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.ObjectIds;
import io.metashard.catalogue.InventoryEntries;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The manifest of one S3 Inventory report (Amazon S3 User Guide, "Amazon S3 Inventory"): the files
 * of the report, in CSV, ORC or Parquet, and their columns.
 *
 * <p>A report's files lie in {@code data/} beside the dated folders of the manifests. A manifest is
 * complete when {@code manifest.checksum} stands beside it.
 *
 * @param sourceBucket that was listed
 * @param createdAt when the report was begun: what changed later is not in it
 * @param columns of the files, in order, as the manifest spells them
 */
record InventoryManifest(
    Path manifest,
    String sourceBucket,
    Instant createdAt,
    Format format,
    List<String> columns,
    List<Path> files) {
  /** Manifests name tens of files; a larger text is none. */
  private static final int MAX_BYTES = 64 << 20;

  private static final String MANIFEST = "manifest.json";
  private static final String CHECKSUM = "manifest.checksum";

  /** What the files are written in. */
  enum Format {
    CSV,
    ORC,
    PARQUET
  }

  /**
   * Reads the manifest at a path, or the newest complete one below a folder.
   *
   * @throws FileNotFoundException if there is none
   * @throws IllegalArgumentException if it is not a manifest
   * @throws IOException if it cannot be read
   */
  static InventoryManifest load(Path path, Configuration hadoop) throws IOException {
    FileSystem fileSystem = path.getFileSystem(hadoop);
    Path manifest = path.getName().endsWith(".json") ? path : newest(path, fileSystem);
    byte[] text;
    try (InputStream in = fileSystem.open(manifest)) {
      text = in.readNBytes(MAX_BYTES + 1);
    }
    if (text.length > MAX_BYTES) {
      throw new IllegalArgumentException("%s is larger than 64 MiB".formatted(manifest));
    }
    return parse(manifest, text);
  }

  /**
   * @throws IllegalArgumentException if the text is not a manifest
   */
  static InventoryManifest parse(Path manifest, byte[] text) {
    try {
      return parse(manifest, new ObjectMapper().readTree(text));
    } catch (IOException e) { // of its syntax, or of its characters: nothing is read here
      throw new IllegalArgumentException("%s is not JSON".formatted(manifest), e);
    }
  }

  private static Path newest(Path folder, FileSystem fileSystem) throws IOException {
    // Named by date, such as 2026-01-21T01-00Z: the last by name is the newest.
    List<FileStatus> dated =
        Arrays.stream(fileSystem.listStatus(folder))
            .filter(FileStatus::isDirectory)
            .sorted((a, b) -> b.getPath().getName().compareTo(a.getPath().getName()))
            .toList();
    for (FileStatus date : dated) {
      Path manifest = new Path(date.getPath(), MANIFEST);
      if (fileSystem.exists(new Path(date.getPath(), CHECKSUM)) && fileSystem.exists(manifest)) {
        return manifest;
      }
    }
    throw new FileNotFoundException(
        "no complete report (manifest.json with manifest.checksum) is below " + folder);
  }

  private static InventoryManifest parse(Path manifest, JsonNode json) {
    String format = json.path("fileFormat").asText("").toUpperCase(Locale.ROOT);
    String schema = json.path("fileSchema").asText("");
    long createdMillis = json.path("creationTimestamp").asLong(0);
    if (schema.isEmpty() || createdMillis <= 0 || !json.path("files").isArray()) {
      throw new IllegalArgumentException(
          "no manifest of an S3 Inventory, fileSchema, creationTimestamp or files is missing: %s"
              .formatted(manifest));
    }
    List<String> words = Arrays.stream(Format.values()).map(Format::name).toList();
    if (!words.contains(format)) {
      throw new IllegalArgumentException(
          "its inventory has fileFormat %s, known are %s (%s)"
              .formatted(ObjectIds.printable(format, 40), words, manifest));
    }
    Path data = new Path(manifest.getParent().getParent(), "data");
    List<Path> files = new ArrayList<>();
    for (JsonNode file : json.path("files")) {
      String key = file.path("key").asText("");
      String name = key.substring(key.lastIndexOf('/') + 1);
      if (!key.endsWith("data/" + name) || !name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
        throw new IllegalArgumentException(
            "file %s is not in the data folder of its inventory (%s)"
                .formatted(ObjectIds.printable(key, 80), manifest));
      }
      files.add(new Path(data, name));
    }
    return new InventoryManifest(
        manifest,
        json.path("sourceBucket").asText(""),
        Instant.ofEpochMilli(createdMillis),
        Format.valueOf(format),
        Format.valueOf(format) == Format.CSV
            ? List.of(schema.strip().split("\\s*,\\s*"))
            : List.of(),
        List.copyOf(files));
  }

  /**
   * The current objects of the bucket, as {@link InventoryEntries#SCHEMA}.
   *
   * @param etags whether the store has ETags: without them versions are size and time
   * @throws IllegalArgumentException if the report lacks a column that is needed
   */
  Dataset<Row> entries(SparkSession spark, Etags etags) {
    if (files.isEmpty()) {
      return spark.createDataFrame(List.of(), InventoryEntries.SCHEMA);
    }
    String[] paths = files.stream().map(Path::toString).toArray(String[]::new);
    Dataset<Row> rows =
        switch (format) {
          case CSV -> csv(spark, paths);
          case ORC -> spark.read().orc(paths);
          case PARQUET -> spark.read().parquet(paths);
        };
    Column latest = flag(rows, List.of("IsLatest", "is_latest"), true);
    Column marker = flag(rows, List.of("IsDeleteMarker", "is_delete_marker"), false);
    Column key = required(rows, "Key", "key");
    Column modified = required(rows, "LastModifiedDate", "last_modified_date");
    Column etag =
        etags == Etags.USED
            ? required(rows, "ETag", "e_tag")
            : lit(null).cast(DataTypes.StringType);
    return rows.where(latest.and(not(marker)))
        .select(
            // Keys are URL-encoded in CSV only.
            (format == Format.CSV ? call_function("try_url_decode", key) : key)
                .as(InventoryEntries.KEY),
            required(rows, "Size", "size").try_cast(DataTypes.LongType).as(InventoryEntries.SIZE),
            unix_millis(format == Format.CSV ? try_to_timestamp(modified) : to_timestamp(modified))
                .as(InventoryEntries.MODIFIED_MILLIS),
            etag.as(InventoryEntries.ETAG));
  }

  /** Whether object versions are ETags. */
  enum Etags {
    USED,
    UNKNOWN
  }

  private Dataset<Row> csv(SparkSession spark, String[] paths) {
    StructType schema = new StructType();
    for (String column : columns) {
      schema = schema.add(column, DataTypes.StringType, true);
    }
    return spark
        .read()
        .schema(schema)
        .option("header", "false")
        .option("quote", "\"")
        .option("escape", "\"")
        .option("mode", "PERMISSIVE")
        .csv(paths);
  }

  private Column required(Dataset<Row> rows, String csvName, String otherName) {
    String name = format == Format.CSV ? csvName : otherName;
    if (!Arrays.asList(rows.columns()).contains(name)) {
      throw new IllegalArgumentException(
          "its inventory has no column %s: add that field to its configuration (%s)"
              .formatted(name, manifest));
    }
    return col("`" + name + "`");
  }

  private static Column flag(Dataset<Row> rows, List<String> names, boolean otherwise) {
    for (String name : names) {
      if (Arrays.asList(rows.columns()).contains(name)) {
        return org.apache.spark.sql.functions.coalesce(
            col("`" + name + "`").try_cast(DataTypes.BooleanType), lit(otherwise));
      }
    }
    return lit(otherwise);
  }
}
