package io.metashard.bench;

import static org.apache.spark.sql.functions.ceil;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.exp;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.format_string;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pow;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.when;

import io.metashard.catalogue.Objects;
import io.metashard.forecast.Forecasts;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A catalogue and its forecast with a given number of segments, made inside Spark: what a first
 * night has to plan. Every value is a function of the seed and of the object's and segment's
 * number.
 *
 * <p>Of {@value #CYCLE_OBJECTS} objects in a row one has {@value #LONG_SEGMENTS} segments of 64
 * MiB, one in sixteen is below 1 MiB and has 1 to 15, the others have 16: lengths are lognormal
 * around 10 MiB. Requests are {@value #MEAN_REQUESTS} a segment in the mean and follow the object's
 * place in a Zipf order with exponent {@value #ZIPF}; one object more has as many as all others
 * together. One object in four is read whole; of the others the n-th segment has 1/n of the first
 * one's.
 *
 * @param segments in all, 1 or more; the last object is cut to fit
 * @param day whose hours are forecast (UTC)
 */
public record PlanWorkload(long segments, LocalDate day, long seed) {
  static final int CYCLE_OBJECTS = 512;
  static final int LONG_SEGMENTS = 2048;
  static final double MEAN_REQUESTS = 2;
  static final double ZIPF = 0.8;

  /** As the default configuration cuts objects. */
  private static final int PER_OBJECT = 16;

  private static final long LEAST_BYTES = 64 << 10;
  private static final long MOST_BYTES = 64 << 20;

  private static final double MEDIAN_BYTES = 10 << 20;

  /** Standard deviation of the logarithm of objects' lengths. */
  private static final double SPREAD = 1.2;

  private static final double WHOLE_SHARE = 0.25;
  private static final String MODEL = "synthetic";
  private static final ObjectCycle CYCLE = new ObjectCycle(sizes());

  private static final String NUMBER = "number";
  private static final String RATE = "rate";

  public PlanWorkload {
    if (segments < 1 || segments > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "Cannot make %d segments: it must be 1 to %d".formatted(segments, Integer.MAX_VALUE));
    }
  }

  private static int[] sizes() {
    int[] sizes = new int[CYCLE_OBJECTS];
    for (int i = 0; i < sizes.length; i++) {
      boolean isShort = i % PER_OBJECT == PER_OBJECT / 2;
      sizes[i] = isShort ? 1 + i / PER_OBJECT % (PER_OBJECT - 1) : PER_OBJECT;
    }
    sizes[sizes.length - 1] = LONG_SEGMENTS;
    return sizes;
  }

  /** How many objects have the segments. */
  public long objectCount() {
    return CYCLE.objects(segments);
  }

  /** As {@link Objects#SCHEMA}. */
  public Dataset<Row> objects(SparkSession spark) {
    return Draws.conformed(
        base(spark)
            .withColumn(Objects.URI, format_string("bench:/%s", col(Objects.OBJECT_ID)))
            .withColumn(Objects.ROOT, lit("bench"))
            .withColumn(Objects.OBJECT_VERSION, lit("1"))
            .withColumn(Objects.MODIFIED_AT, lit(start()))
            .withColumn(Objects.FIRST_SEEN, lit(start()))
            .withColumn(Objects.SOURCE_STATE, lit(Objects.PRESENT))
            .withColumn(Objects.MISSING_SINCE, lit(null))
            .withColumn(Objects.STATE, lit(Objects.PENDING)),
        Objects.SCHEMA);
  }

  /** As {@link Forecasts#SCHEMA}: every segment of every object. */
  public Dataset<Row> forecast(SparkSession spark, String runId) {
    Column isWhole = col(Forecasts.WHOLE_SHARE).equalTo(1);
    Column share =
        lit(1.0)
            .divide(when(isWhole, 1).otherwise(col(Forecasts.SEGMENT).plus(1)))
            .divide(
                when(isWhole, col(Objects.SEGMENTS))
                    .otherwise(element_at(lit(CYCLE.harmonic()), col(Objects.SEGMENTS))));
    Column expected = col(Forecasts.EXPECTED_REQUESTS);
    return Draws.conformed(
        base(spark)
            .withColumn(
                Forecasts.WHOLE_SHARE,
                when(Draws.uniform(seed, "whole", NUMBER).lt(WHOLE_SHARE), 1.0).otherwise(0.0))
            .withColumn(
                Forecasts.SEGMENT, explode(sequence(lit(0), col(Objects.SEGMENTS).minus(1))))
            .withColumn(Forecasts.SHARE, share)
            .withColumn(Forecasts.EXPECTED_REQUESTS, col(RATE).multiply(col(Forecasts.SHARE)))
            .withColumn(Forecasts.RUN_DATE, lit(Date.valueOf(day)))
            .withColumn(Forecasts.RUN_ID, lit(runId))
            .withColumn(Forecasts.HORIZON_START, lit(start()))
            .withColumn(
                Forecasts.HORIZON_END,
                lit(Timestamp.from(day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant())))
            .withColumn(Forecasts.LOW_80, expected.multiply(0.5))
            .withColumn(Forecasts.HIGH_80, expected.multiply(2))
            .withColumn(Forecasts.P_REQUESTED, lit(1).minus(exp(expected.multiply(-1))))
            .withColumn(Forecasts.MODEL, lit(MODEL))
            .withColumn(Forecasts.MAIN_HORIZON, lit(true))
            .withColumn(Forecasts.PROFILE, lit(null)),
        Forecasts.SCHEMA);
  }

  private Timestamp start() {
    return Timestamp.from(day.atStartOfDay(ZoneOffset.UTC).toInstant());
  }

  /** One row per object: number, id, segments, bytes, requests in all. */
  private Dataset<Row> base(SparkSession spark) {
    long objects = objectCount();
    double scale = MEAN_REQUESTS * CYCLE.segmentsPerObject() * (1 - ZIPF);
    Column place = Draws.place(NUMBER, objects, seed).plus(0.5).divide(objects);
    return spark
        .range(objects)
        .withColumnRenamed("id", NUMBER)
        .withColumn(Objects.SEGMENTS, CYCLE.segments(NUMBER, segments))
        .withColumn(Objects.OBJECT_BYTES, bytes(col(Objects.SEGMENTS)))
        .withColumn(
            Objects.SEGMENT_BYTES,
            least(
                lit(MOST_BYTES),
                greatest(lit(LEAST_BYTES), ceil(col(Objects.OBJECT_BYTES).divide(PER_OBJECT)))))
        .withColumn(
            RATE,
            when(col(NUMBER).equalTo(0), MEAN_REQUESTS * segments)
                .otherwise(pow(place, lit(-ZIPF)).multiply(scale)))
        .withColumn(Objects.OBJECT_ID, format_string("part-%09d", col(NUMBER)));
  }

  /** Bytes that have just so many segments. */
  private Column bytes(Column objectSegments) {
    Column drawn = Draws.uniform(seed, "length", NUMBER);
    Column lastCut = objectSegments.minus(drawn);
    Column normal = lit(-2.0);
    int sum = 4;
    for (int i = 0; i < sum; i++) {
      normal = normal.plus(Draws.uniform(seed, "length " + i, NUMBER));
    }
    // The sum of four even draws has a variance of a third, and nearly the shape.
    Column lognormal = exp(normal.multiply(SPREAD * Math.sqrt(3))).multiply(MEDIAN_BYTES);
    return when(objectSegments.lt(PER_OBJECT), ceil(lastCut.multiply(LEAST_BYTES)))
        .when(objectSegments.gt(PER_OBJECT), ceil(lastCut.multiply(MOST_BYTES)))
        .otherwise(
            least(
                lit(PER_OBJECT * MOST_BYTES),
                greatest(lit(PER_OBJECT * LEAST_BYTES), ceil(lognormal))));
  }
}
