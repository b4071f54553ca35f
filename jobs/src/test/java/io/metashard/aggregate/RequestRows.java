package io.metashard.aggregate;

import io.metashard.Segmentation;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.logs.Requests;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Rows of {@code requests} and {@code objects} for tests. */
public final class RequestRows {
  private RequestRows() {}

  public static Row request(
      String time, String id, Long from, Long to, int status, Long sent, String operation) {
    Instant ts = Instant.parse(time);
    return RowFactory.create(
        Date.valueOf(ts.atZone(ZoneOffset.UTC).toLocalDate()),
        Timestamp.from(ts),
        id,
        from,
        to,
        status,
        sent,
        operation,
        null,
        "log");
  }

  /** A GET of a range, answered 206. */
  public static Row part(String time, String id, long from, long to) {
    return request(time, id, from, to, 206, to - from, "GET");
  }

  /** A GET without a range, answered 200. */
  public static Row whole(String time, String id) {
    return request(time, id, null, null, 200, null, "GET");
  }

  /** A GET of a range that the log does not tell, answered 206. */
  public static Row unplaced(String time, String id, long sent) {
    return request(time, id, null, null, 206, sent, "GET");
  }

  public static Row object(String id, long bytes, long segmentBytes) {
    Timestamp then = Timestamp.from(Instant.EPOCH);
    return RowFactory.create(
        id,
        "file:/" + id,
        "r",
        bytes,
        "v1",
        then,
        then,
        new Segmentation(bytes, segmentBytes).segments(),
        segmentBytes,
        Objects.PRESENT,
        null,
        Objects.PENDING);
  }

  public static Dataset<Row> requests(Row... rows) {
    return SharedSpark.session().createDataFrame(List.of(rows), Requests.SCHEMA);
  }

  public static Dataset<Row> objects(Row... rows) {
    return SharedSpark.session().createDataFrame(List.of(rows), Objects.SCHEMA);
  }
}
