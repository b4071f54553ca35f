package io.metashard.job;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What became of each object of an export: lines of JSON in {@code _metashard/manifest/RUN} below
 * the target, a file per task, which appears whole when the task is done.
 */
final class ExportManifest {
  /** The file holds the object's bytes: this run has written it. */
  static final String WRITTEN = "written";

  /** The file was there already, and holds the object's bytes. */
  static final String PRESENT = "present";

  /** The id can be no file's name, or something else has the name; nothing was written. */
  static final String REFUSED = "refused";

  /** The object could not be read, or not written; nothing is at its name. */
  static final String FAILED = "failed";

  static final String OBJECT_ID = "object_id";
  static final String OBJECT_VERSION = "object_version";
  static final String OBJECT_BYTES = "object_bytes";

  /** Of the object, 64 hexadecimal digits; null unless the file holds it. */
  static final String SHA256 = "sha256";

  static final String CRC32C = "crc32c";

  /** Modification time of the file. */
  static final String MODIFIED_MILLIS = "modified_millis";

  static final String STATE = "state";

  /** {@code map}, or {@code source}. */
  static final String READ_FROM = "read_from";

  /** Bytes of it that were decoded from other blocks. */
  static final String REBUILT_BYTES = "rebuilt_bytes";

  /** Why it was refused, or failed. */
  static final String REASON = "reason";

  static final StructType SCHEMA =
      new StructType()
          .add(OBJECT_ID, DataTypes.StringType)
          .add(OBJECT_VERSION, DataTypes.StringType)
          .add(OBJECT_BYTES, DataTypes.LongType)
          .add(SHA256, DataTypes.StringType)
          .add(CRC32C, DataTypes.LongType)
          .add(MODIFIED_MILLIS, DataTypes.LongType)
          .add(STATE, DataTypes.StringType)
          .add(READ_FROM, DataTypes.StringType)
          .add(REBUILT_BYTES, DataTypes.LongType)
          .add(REASON, DataTypes.StringType);

  /** Below the target; of all runs. */
  static final String FOLDER = ExportNames.OWN_FOLDER + "/manifest";

  // Ids are escaped, so that a terminal shows a manifest as it is.
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private ExportManifest() {}

  /**
   * A line.
   *
   * @param written null unless the file holds the object
   * @param readFrom null where nothing was read
   * @param reason null unless refused or failed
   */
  record Line(
      String objectId,
      String objectVersion,
      long objectBytes,
      String state,
      ExportTarget.Written written,
      String readFrom,
      long rebuiltBytes,
      String reason) {}

  /** Lines as the bytes of a file. */
  static byte[] encode(List<Line> lines) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Line line : lines) {
      ExportTarget.Written written = line.written();
      Map<String, Object> values = new LinkedHashMap<>();
      values.put(OBJECT_ID, line.objectId());
      values.put(OBJECT_VERSION, line.objectVersion());
      values.put(OBJECT_BYTES, line.objectBytes());
      values.put(SHA256, written == null ? null : written.sha256());
      values.put(CRC32C, written == null ? null : written.crc32c());
      values.put(MODIFIED_MILLIS, written == null ? null : written.modifiedMillis());
      values.put(STATE, line.state());
      values.put(READ_FROM, line.readFrom());
      values.put(REBUILT_BYTES, line.rebuiltBytes());
      values.put(REASON, line.reason());
      text.append(JSON.writeValueAsString(values)).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }
}
