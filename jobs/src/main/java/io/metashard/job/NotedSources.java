package io.metashard.job;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.SourceFiles;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** What a map is to give back: its objects' versions, and the digests of their sources. */
final class NotedSources {
  private static final String SHA256 = "sha256";

  private static final StructType SCHEMA =
      new StructType()
          .add(ShardMapTable.BUCKET, DataTypes.IntegerType, false)
          .add(ShardMapTable.OBJECT_ID, DataTypes.StringType, false)
          .add(ShardMapTable.OBJECT_VERSION, DataTypes.StringType, false)
          .add(SHA256, DataTypes.StringType, true);

  private static final ObjectMapper JSON = new ObjectMapper();

  private NotedSources() {}

  /**
   * An object that the map serves.
   *
   * @param sha256 of the source at that version; null if it was no longer at it
   */
  record Noted(int bucket, String objectId, String objectVersion, String sha256) {}

  /** Writes a line for each object that the map serves now, bucket by bucket. */
  static void write(JobContext context, Path file) throws IOException {
    String[] version = {
      ShardMapTable.BUCKET, ShardMapTable.OBJECT_ID, ShardMapTable.OBJECT_VERSION
    };
    Dataset<Row> served =
        ShardMap.live(new ShardMap(context.lake()).rows())
            .where(col(ShardMapTable.OBJECT_ID).isNotNull())
            .select(version[0], version[1], version[2])
            .distinct();
    Iterator<Row> rows =
        served
            .join(
                context.lake().read(Objects.TABLE).select(Objects.OBJECT_ID, Objects.URI),
                new String[] {ShardMapTable.OBJECT_ID},
                "left")
            // Before the digests: the bounds of a sort's partitions are found by working out its
            // input once more.
            .orderBy(version[0], version[1])
            .map(
                new ToDigest(new SerializableConfiguration(context.hadoop())), Encoders.row(SCHEMA))
            .toLocalIterator();
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      while (rows.hasNext()) {
        Row row = rows.next();
        Map<String, Object> line = new LinkedHashMap<>();
        for (String name : SCHEMA.fieldNames()) {
          line.put(name, row.getAs(name));
        }
        out.write(JSON.writeValueAsString(line));
        out.write('\n');
      }
    }
  }

  /** A line that was written. */
  static Noted read(String line) throws IOException {
    JsonNode node = JSON.readTree(line);
    JsonNode digest = node.get(SHA256);
    return new Noted(
        node.get(ShardMapTable.BUCKET).asInt(),
        node.get(ShardMapTable.OBJECT_ID).asText(),
        node.get(ShardMapTable.OBJECT_VERSION).asText(),
        digest.isNull() ? null : digest.asText());
  }

  /** Reads a source, if it is at the version that the map serves. */
  private record ToDigest(SerializableConfiguration hadoop) implements MapFunction<Row, Row> {
    @Override
    public Row call(Row row) throws IOException {
      String objectId = row.getAs(ShardMapTable.OBJECT_ID);
      String version = row.getAs(ShardMapTable.OBJECT_VERSION);
      return RowFactory.create(
          row.getAs(ShardMapTable.BUCKET),
          objectId,
          version,
          digest(hadoop.value(), objectId, row.getAs(Objects.URI), version));
    }
  }

  /** SHA-256 of a source, in hex; null if it is not at the version. */
  static String digest(Configuration hadoop, String objectId, String uri, String version)
      throws IOException {
    if (uri == null) {
      return null; // not in the catalogue any more
    }
    try {
      long bytes = SourceFiles.requireVersion(hadoop, objectId, uri, version).getLen();
      MessageDigest digest = sha256();
      try (InputStream in = SourceFiles.open(hadoop, objectId, uri, version, 0, bytes)) {
        in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (SourceFiles.SourceChangedException e) {
      return null;
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }
}
