package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;

import io.metashard.ObjectIds;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.ForecastResult;
import io.metashard.forecast.Forecaster;
import io.metashard.forecast.Forecasts;
import io.metashard.forecast.PastDemand;
import io.metashard.forecast.Profile;
import io.metashard.forecast.RollingBacktest;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/**
 * Forecasts a demand of the past from given origins, each with what was known before it, by the
 * code of the nightly run.
 */
public final class BacktestJob {
  /**
   * What is back-tested.
   *
   * @param demand Parquet as {@link Demand#SCHEMA}; columns that are missing count as empty
   * @param objects Parquet as {@link Objects#SCHEMA}; null: the objects that were requested before
   *     an origin
   * @param origins starts of the first buckets forecast; at least one
   * @param out Parquet that is written: origin, object_id, segment, expected_requests, p_requested,
   *     model, and profile if {@code forecast.profile} is on
   */
  public record Request(String demand, String objects, List<Instant> origins, String out) {
    public Request {
      origins = List.copyOf(new TreeSet<>(origins));
      if (origins.isEmpty()) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot back-test %s: no origin is given; use --origins or --origins-file"
                .formatted(ObjectIds.printable(demand)));
      }
    }
  }

  private static final List<String> NEEDED_DEMAND =
      List.of(Demand.OBJECT_ID, Demand.BUCKET_START, Demand.REQUESTS);
  private static final List<String> NEEDED_OBJECTS =
      List.of(Objects.OBJECT_ID, Objects.MODIFIED_AT, Objects.SEGMENTS);

  private final JobContext context;
  private final Request request;
  private final ForecastOptions options;
  private final Profile profile;

  public BacktestJob(JobContext context, Request request) {
    this.context = context;
    this.request = request;
    this.options = ForecastOptions.from(context.settings());
    this.profile = Profile.from(context.settings());
    for (Instant origin : request.origins()) {
      if (origin.getNano() != 0
          || Math.floorMod(origin.getEpochSecond(), options.bucket().toSeconds()) != 0) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot back-test from %s: it is no start of a bucket of %s; set --bucket or another origin"
                .formatted(origin, options.bucket()));
      }
    }
  }

  public StageReport run() {
    Dataset<Row> demand =
        conformed(request.demand(), Demand.SCHEMA, NEEDED_DEMAND)
            .withColumn(Demand.SEGMENT, functions.coalesce(col(Demand.SEGMENT), lit(0)))
            .persist(StorageLevel.MEMORY_AND_DISK());
    Map<String, Integer> models = new TreeMap<>();
    long rows = 0;
    SaveMode mode = SaveMode.Overwrite;
    try {
      for (Instant origin : request.origins()) {
        try (PastDemand past = PastDemand.of(demand, objects(demand, origin), origin, options);
            ForecastResult result = Forecaster.forecast(past, options, profile)) {
          Dataset<Row> told =
              result
                  .forecast()
                  .select(
                      lit(Timestamp.from(origin)).as(ForecastQuality.ORIGIN),
                      col(Forecasts.OBJECT_ID),
                      col(Forecasts.SEGMENT),
                      col(Forecasts.EXPECTED_REQUESTS),
                      col(Forecasts.P_REQUESTED),
                      col(Forecasts.MODEL),
                      col(Forecasts.PROFILE));
          if (profile == Profile.NONE) {
            told = told.drop(Forecasts.PROFILE);
          }
          told.write().mode(mode).parquet(request.out());
          mode = SaveMode.Append;
          models.merge(result.model().word(), 1, Integer::sum);
          rows += ((Number) result.figures().get("segments")).longValue();
        }
      }
    } finally {
      demand.unpersist();
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("origins", request.origins().size());
    figures.put("rows", rows);
    models.forEach((model, times) -> figures.put("chosen_" + model, times));
    figures.put("out", request.out());
    return new StageReport("backtest", StageReport.DONE, "asked for", "", 0, rows, 0, 0, figures);
  }

  /** Objects that an origin may know of: those that existed before it. */
  private Dataset<Row> objects(Dataset<Row> demand, Instant origin) {
    Timestamp before = Timestamp.from(origin);
    if (request.objects() != null) {
      return RollingBacktest.knownBefore(
          conformed(request.objects(), Objects.SCHEMA, NEEDED_OBJECTS), origin);
    }
    return demand
        .where(col(Demand.BUCKET_START).lt(before))
        .groupBy(col(Objects.OBJECT_ID))
        .agg(
            max(col(Demand.SEGMENT)).plus(1).as(Objects.SEGMENTS),
            functions.coalesce(max(col(Demand.SEGMENT_BYTES)), lit(1L)).as(Objects.SEGMENT_BYTES),
            // When they came to be is not known: only when they were first asked for.
            lit(null).cast("timestamp").as(Objects.MODIFIED_AT))
        .withColumn(Objects.FIRST_SEEN, col(Objects.MODIFIED_AT))
        .withColumn(Objects.SOURCE_STATE, lit(Objects.PRESENT))
        .withColumn(Objects.STATE, lit(Objects.PENDING));
  }

  /** The file with all columns of a schema; those it lacks are null. */
  private Dataset<Row> conformed(String path, StructType schema, List<String> needed) {
    Dataset<Row> rows = context.spark().read().parquet(path);
    List<String> present = List.of(rows.columns());
    for (String column : needed) {
      if (!present.contains(column)) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot back-test %s: column %s is missing; it must have at least %s"
                .formatted(ObjectIds.printable(path), column, needed));
      }
    }
    return rows.select(
        Arrays.stream(schema.fields())
            .map(
                (StructField field) ->
                    (present.contains(field.name()) ? col(field.name()) : lit(null))
                        .cast(field.dataType())
                        .as(field.name()))
            .toArray(Column[]::new));
  }
}
