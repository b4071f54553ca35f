package io.metashard.forecast;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.math.BigDecimal;
import java.math.MathContext;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * How good forecasts of the past would have been, made by the code of the night from what was known
 * then. Close it when all is measured: it keeps the demand at hand.
 */
public final class RollingBacktest implements AutoCloseable {
  private static final String CAME = "came";

  private final Dataset<Row> demand;
  private final Dataset<Row> objects;

  /**
   * @param demand as {@link Demand#SCHEMA}, of the objects' present segmentation
   * @param objects as {@link Objects#SCHEMA}
   */
  public RollingBacktest(Dataset<Row> demand, Dataset<Row> objects) {
    this.demand = demand.persist(StorageLevel.MEMORY_AND_DISK());
    this.objects = objects.persist(StorageLevel.MEMORY_AND_DISK());
  }

  /**
   * The origins after which something was requested, and before which there was an object: where
   * that is not so, logs are missing, or there is nothing to tell forecasts apart.
   */
  public List<Instant> telling(List<Instant> origins, Duration horizon) {
    List<Column> sums = new ArrayList<>();
    for (Instant origin : origins) {
      Column within =
          col(Demand.BUCKET_START)
              .geq(Timestamp.from(origin))
              .and(col(Demand.BUCKET_START).lt(Timestamp.from(origin.plus(horizon))));
      sums.add(coalesce(sum(when(within, col(Demand.REQUESTS))), lit(0.0)));
    }
    Row requests =
        demand.agg(sums.get(0), sums.subList(1, sums.size()).toArray(Column[]::new)).first();
    return IntStream.range(0, origins.size())
        .filter(i -> requests.getDouble(i) > 0)
        .mapToObj(origins::get)
        .filter(origin -> !knownBefore(objects, origin).isEmpty())
        .toList();
  }

  /**
   * Mean Poisson deviance over the segments that existed at an origin; NaN if none did.
   *
   * @param origin start of the first bucket forecast
   */
  public double deviance(Instant origin, ForecastOptions options) {
    Timestamp from = Timestamp.from(origin);
    Timestamp to = Timestamp.from(origin.plus(options.horizon()));
    Dataset<Row> known = knownBefore(objects, origin);
    Dataset<Row> before = demand.where(col(Demand.BUCKET_START).lt(from));
    Dataset<Row> came =
        demand
            .where(col(Demand.BUCKET_START).geq(from).and(col(Demand.BUCKET_START).lt(to)))
            .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT))
            .agg(sum(col(Demand.REQUESTS)).as(CAME));
    try (ForecastResult result = Forecaster.forecast(before, known, origin, options)) {
      Row mean =
          result
              .forecast()
              .where(col(Forecasts.HORIZON_END).equalTo(to))
              .select(
                  col(Forecasts.OBJECT_ID),
                  col(Forecasts.SEGMENT),
                  col(Forecasts.EXPECTED_REQUESTS))
              .join(came, new String[] {Demand.OBJECT_ID, Demand.SEGMENT}, "left")
              .agg(
                  avg(
                      PoissonDeviance.of(
                          coalesce(col(CAME), lit(0.0)), col(Forecasts.EXPECTED_REQUESTS))))
              .first();
      // Sums of doubles depend on their order, which Spark does not promise.
      return mean.isNullAt(0)
          ? Double.NaN
          : new BigDecimal(mean.getDouble(0)).round(new MathContext(10)).doubleValue();
    }
  }

  /**
   * Objects that a moment may know of, as they were then: those that existed before it, all of them
   * present.
   *
   * @param objects as {@link Objects#SCHEMA}
   */
  public static Dataset<Row> knownBefore(Dataset<Row> objects, Instant moment) {
    Dataset<Row> known = objects.where(col(Objects.MODIFIED_AT).lt(Timestamp.from(moment)));
    return known.select(
        Arrays.stream(known.columns()).map(RollingBacktest::knownThen).toArray(Column[]::new));
  }

  private static Column knownThen(String column) {
    return switch (column) {
      case Objects.FIRST_SEEN -> col(Objects.MODIFIED_AT).as(column);
      case Objects.SOURCE_STATE -> lit(Objects.PRESENT).as(column);
      case Objects.STATE -> lit(Objects.PENDING).as(column);
      case Objects.SEGMENT_BYTES -> coalesce(col(column), lit(1L)).as(column);
      default -> col(column);
    };
  }

  @Override
  public void close() {
    demand.unpersist();
    objects.unpersist();
  }
}
