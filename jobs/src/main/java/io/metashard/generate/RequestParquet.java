package io.metashard.generate;

import io.metashard.logs.Requests;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/** Writes requests as a Parquet file with the columns of {@link Requests}, without Spark. */
final class RequestParquet {
  private static final MessageType SCHEMA =
      Types.buildMessage()
          .required(PrimitiveTypeName.INT64)
          .as(LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS))
          .named(Requests.TS)
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Requests.OBJECT_ID)
          .optional(PrimitiveTypeName.INT64)
          .named(Requests.RANGE_START)
          .optional(PrimitiveTypeName.INT64)
          .named(Requests.RANGE_END)
          .required(PrimitiveTypeName.INT32)
          .named(Requests.STATUS)
          .optional(PrimitiveTypeName.INT64)
          .named(Requests.BYTES_SENT)
          .required(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Requests.OPERATION)
          .optional(PrimitiveTypeName.BINARY)
          .as(LogicalTypeAnnotation.stringType())
          .named(Requests.CLIENT)
          .named("requests");

  private RequestParquet() {}

  static void write(Path file, List<DemoRequest> requests) throws IOException {
    SimpleGroupFactory rows = new SimpleGroupFactory(SCHEMA);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new LocalOutputFile(file))
            .withConf(new PlainParquetConfiguration())
            .withType(SCHEMA)
            .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
            .build()) {
      for (DemoRequest request : requests) {
        writer.write(row(rows, request));
      }
    }
    Files.write(file, withSortedEncodings(Files.readAllBytes(file)));
  }

  /**
   * The same file with each column chunk's list of encodings in order. The writer takes it from a
   * hash set of enum constants, whose order differs from one JVM to the next.
   */
  private static byte[] withSortedEncodings(byte[] file) throws IOException {
    int tail = file.length - Integer.BYTES - ParquetFileWriter.MAGIC.length;
    int footerBytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(tail);
    int footerStart = tail - footerBytes;
    FileMetaData footer =
        Util.readFileMetaData(new ByteArrayInputStream(file, footerStart, footerBytes));
    for (RowGroup group : footer.getRow_groups()) {
      for (ColumnChunk column : group.getColumns()) {
        column.getMeta_data().getEncodings().sort(null);
      }
    }
    ByteArrayOutputStream sorted = new ByteArrayOutputStream();
    Util.writeFileMetaData(footer, sorted);
    return ByteBuffer.allocate(footerStart + sorted.size() + file.length - tail)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(file, 0, footerStart)
        .put(sorted.toByteArray())
        .putInt(sorted.size())
        .put(ParquetFileWriter.MAGIC)
        .array();
  }

  private static Group row(SimpleGroupFactory rows, DemoRequest request) {
    Group row = rows.newGroup();
    row.add(Requests.TS, request.ts().getEpochSecond() * 1_000_000L);
    row.add(Requests.OBJECT_ID, request.objectId());
    if (request.start() != null) {
      row.add(Requests.RANGE_START, request.start().longValue());
      row.add(Requests.RANGE_END, request.end().longValue());
    }
    row.add(Requests.STATUS, request.status());
    if (request.bytesSent() != null) {
      row.add(Requests.BYTES_SENT, request.bytesSent().longValue());
    }
    row.add(Requests.OPERATION, request.operation());
    row.add(Requests.CLIENT, request.client());
    return row;
  }
}
