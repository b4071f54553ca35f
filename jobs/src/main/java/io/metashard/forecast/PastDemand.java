package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.time.Instant;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * What is known at the moment of planning, whatever the horizon: the objects that are served, their
 * demand, and the sum of it by bucket. Read once; close it when all horizons are forecast.
 */
public final class PastDemand implements AutoCloseable {
  private final Instant at;
  private final Timeline timeline;
  private final Dataset<Row> served;
  private final Dataset<Row> history;
  private final Series series;

  /**
   * The demand of all served segments together.
   *
   * @param requests per bucket of the history
   * @param rows of demand that they are made of
   */
  private record Series(double[] requests, long rows) {}

  private PastDemand(
      Instant at, Timeline timeline, Dataset<Row> served, Dataset<Row> history, Series series) {
    this.at = at;
    this.timeline = timeline;
    this.served = served;
    this.history = history;
    this.series = series;
  }

  /**
   * Reads.
   *
   * @param demand as {@link Demand#SCHEMA}, of the objects' present segmentation; only what lies
   *     before the last whole bucket's end is looked at
   * @param objects as {@link Objects#SCHEMA}
   * @param at the moment of planning; horizons begin at the start of its bucket
   * @param options of which the horizon does not matter
   */
  public static PastDemand of(
      Dataset<Row> demand, Dataset<Row> objects, Instant at, ForecastOptions options) {
    Timeline timeline = Timeline.of(at, options);
    Dataset<Row> served =
        SegmentStates.served(objects, timeline).persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> history =
        SegmentStates.history(demand, served, timeline).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return new PastDemand(at, timeline, served, history, series(history, timeline.origin()));
    } catch (RuntimeException e) {
      history.unpersist();
      served.unpersist();
      throw e;
    }
  }

  private static Series series(Dataset<Row> history, int buckets) {
    double[] requests = new double[buckets];
    long rows = 0;
    for (Row row :
        history
            .groupBy(col(SegmentStates.BUCKET))
            .agg(sum(col(Demand.REQUESTS)), count(lit(1)))
            .collectAsList()) {
      requests[row.getInt(0)] = row.getDouble(1);
      rows += row.getLong(2);
    }
    return new Series(requests, rows);
  }

  /**
   * The time of a forecast from this moment.
   *
   * @throws IllegalArgumentException if it looks at another history than this
   */
  Timeline timeline(ForecastOptions options) {
    Timeline asked = Timeline.of(at, options);
    if (!asked.start().equals(timeline.start())
        || asked.bucketSeconds() != timeline.bucketSeconds()) {
      throw new IllegalArgumentException(
          "Cannot forecast in buckets of %d s since %s from a demand in buckets of %d s since %s: only the horizon may differ"
              .formatted(
                  asked.bucketSeconds(),
                  asked.start(),
                  timeline.bucketSeconds(),
                  timeline.start()));
    }
    return asked;
  }

  /** As {@link SegmentStates#served} gives. */
  Dataset<Row> served() {
    return served;
  }

  /** As {@link SegmentStates#history} gives. */
  Dataset<Row> history() {
    return history;
  }

  /** Requests of all served segments together, per bucket. */
  double[] requests() {
    return series.requests();
  }

  /** Rows of demand that were looked at. */
  long rows() {
    return series.rows();
  }

  List<Dataset<Row>> cached() {
    return List.of(served, history);
  }

  @Override
  public void close() {
    cached().forEach(Dataset::unpersist);
  }
}
