package io.metashard.generate;

import io.metashard.logs.Requests;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/** Writes requests as a Parquet file with the columns of {@link Requests}, without Spark. */
final class RequestParquet {
  private static final MessageType SCHEMA =
      Types.buildMessage()
          .required(PrimitiveTypeName.INT64)
          .as(DemoParquet.TIMESTAMP)
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
    DemoParquet.write(file, SCHEMA, requests, RequestParquet::fill);
  }

  private static void fill(Group row, DemoRequest request) {
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
  }
}
