package io.metashard.job;

import io.metashard.Segmentation;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** A catalogue, and the forecast of a run for the day after a moment. */
final class PlanInput {
  private final Instant at;
  private final List<Row> objects = new ArrayList<>();
  private final List<Row> forecasts = new ArrayList<>();

  PlanInput(Instant at) {
    this.at = at;
  }

  private static Segmentation segmentation(long bytes) {
    return Segmentation.of(bytes, 16, 65_536, 64L << 20);
  }

  void object(String id, long bytes, boolean missing) {
    Timestamp start = Timestamp.from(at);
    objects.add(
        RowFactory.create(
            id,
            "file:/src/" + objects.size(),
            "root0",
            bytes,
            "v1",
            start,
            start,
            segmentation(bytes).segments(),
            segmentation(bytes).segmentBytes(),
            missing ? Objects.MISSING : Objects.PRESENT,
            missing ? start : null,
            Objects.PENDING));
  }

  /** The same requests of each segment. */
  void forecast(String id, long bytes, double expected, double wholeShare) {
    Segmentation segmentation = segmentation(bytes);
    for (int segment = 0; segment < segmentation.segments(); segment++) {
      forecasts.add(
          RowFactory.create(
              Date.valueOf(at.atZone(ZoneOffset.UTC).toLocalDate()),
              "run-1",
              id,
              segment,
              segmentation.segmentBytes(),
              Timestamp.from(at),
              Timestamp.from(at.plusSeconds(86_400)),
              expected,
              0.0,
              2 * expected,
              -Math.expm1(-expected),
              1.0 / segmentation.segments(),
              "total-share",
              wholeShare,
              true,
              null));
    }
  }

  void writeTo(Lake lake) {
    lake.append(
        Objects.TABLE, lake.spark().createDataFrame(objects, Objects.SCHEMA), Lake.Commit.PLAIN);
    lake.append(
        Forecasts.TABLE,
        lake.spark().createDataFrame(forecasts, Forecasts.SCHEMA),
        Lake.Commit.PLAIN);
  }
}
