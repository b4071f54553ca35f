package io.metashard.forecast;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Hand-built tables for tests. */
final class DemandRows {
  static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");

  private final List<Row> demand = new ArrayList<>();
  private final List<Row> objects = new ArrayList<>();

  DemandRows object(String id, int segments) {
    return object(id, segments, Objects.PRESENT, Objects.PENDING, LONG_AGO);
  }

  DemandRows object(String id, int segments, String sourceState, String state, Instant born) {
    objects.add(
        RowFactory.create(
            id,
            "file:/" + id,
            "root0",
            segments * 100L,
            "v1",
            Timestamp.from(born),
            Timestamp.from(born),
            segments,
            100L,
            sourceState,
            null,
            state));
    return this;
  }

  DemandRows requests(String id, int segment, Instant bucket, double requests) {
    return requests(id, segment, bucket, requests, 0);
  }

  DemandRows requests(String id, int segment, Instant bucket, double requests, double whole) {
    demand.add(
        RowFactory.create(
            new Date(bucket.toEpochMilli() / 86_400_000 * 86_400_000),
            id,
            segment,
            100L,
            Timestamp.from(bucket),
            requests,
            whole,
            Math.round(requests * 10)));
    return this;
  }

  Dataset<Row> demand() {
    return SharedSpark.session().createDataFrame(demand, Demand.SCHEMA);
  }

  Dataset<Row> objects() {
    return SharedSpark.session().createDataFrame(objects, Objects.SCHEMA);
  }
}
