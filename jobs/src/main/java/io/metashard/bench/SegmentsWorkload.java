package io.metashard.bench;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.date_add;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.format_string;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.pow;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.timestamp_seconds;
import static org.apache.spark.sql.functions.to_date;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A catalogue and its hourly demand with a given number of segments, made inside Spark: every value
 * is a function of the seed and of the object's, segment's and request's numbers.
 *
 * <p>Objects have 1 to 7 segments, 4 in the mean; half of them came to be within the days of the
 * demand, and are read most when they are new: half of their requests come in the first eighth of
 * what is left of the days. Requests per object over all days are {@value #MEAN_REQUESTS} a segment
 * in the mean, and follow the object's place in a Zipf order with exponent {@value #ZIPF}: as
 * places are divided by the number of objects, ten times the segments have ten times the requests,
 * and the same share of segments with none. A segment's count is geometric around its mean; the
 * n-th segment of an object has 1/n of the first one's. Mondays are busier, weekends half as busy,
 * afternoons nine times as busy as nights. About one object in four is read whole.
 *
 * @param segments in all, 1 or more; the last object is cut to fit
 * @param days of demand before {@code end}
 * @param end the day after the last one (UTC)
 */
public record SegmentsWorkload(long segments, int days, LocalDate end, long seed) {
  /** Requests per segment over all days, in the mean. */
  static final double MEAN_REQUESTS = 8;

  static final double ZIPF = 0.8;
  static final long SEGMENT_BYTES = 1L << 20;

  private static final int MOST_DAYS = 366;
  private static final int DATASETS = 100;
  private static final long HOUR_SECONDS = 3600;
  private static final int HOURS = 24;
  private static final long DAY_SECONDS = HOURS * HOUR_SECONDS;

  /** Segments of seven objects in a row, again and again. */
  private static final int[] SIZES = {1, 4, 2, 7, 3, 6, 5};

  private static final ObjectCycle CYCLE = new ObjectCycle(SIZES);

  /** One segment has at most as many requests: its requests are rows of one task. */
  private static final int MOST_REQUESTS = 500_000;

  /** The power that draws requests for an object near to its beginning. */
  private static final double EAGERNESS = 3;

  private static final int TABLE = 8192;

  private static final String NUMBER = "number";
  private static final String BORN_DAY = "born_day";
  private static final String RATE = "rate";
  private static final String WHOLE = "whole";
  private static final String COUNT = "count";
  private static final String REQUEST = "request";
  private static final String HOUR = "hour";

  public SegmentsWorkload {
    if (segments < 1 || segments > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "Cannot make %d segments: it must be 1 to %d".formatted(segments, Integer.MAX_VALUE));
    }
    if (days < 1 || days > MOST_DAYS) {
      throw new IllegalArgumentException(
          "Cannot make %d days of demand: it must be 1 to %d".formatted(days, MOST_DAYS));
    }
  }

  /** How many objects have the segments. */
  public long objectCount() {
    return CYCLE.objects(segments);
  }

  /** As {@link Objects#SCHEMA}. */
  public Dataset<Row> objects(SparkSession spark) {
    Column bytes = col(Objects.SEGMENTS).cast("long").multiply(SEGMENT_BYTES);
    return Draws.conformed(
        base(spark)
            .withColumn(Objects.URI, format_string("bench:/%s", col(Objects.OBJECT_ID)))
            .withColumn(Objects.ROOT, lit("bench"))
            .withColumn(Objects.OBJECT_BYTES, bytes)
            .withColumn(Objects.OBJECT_VERSION, lit("1"))
            .withColumn(Objects.MODIFIED_AT, at(col(BORN_DAY).cast("long").multiply(DAY_SECONDS)))
            .withColumn(Objects.FIRST_SEEN, col(Objects.MODIFIED_AT))
            .withColumn(Objects.SEGMENT_BYTES, lit(SEGMENT_BYTES))
            .withColumn(Objects.SOURCE_STATE, lit(Objects.PRESENT))
            .withColumn(Objects.MISSING_SINCE, lit(null))
            .withColumn(Objects.STATE, lit(Objects.PENDING)),
        Objects.SCHEMA);
  }

  /** As {@link Demand#SCHEMA}; the objects' requests in buckets of an hour. */
  public Dataset<Row> demand(SparkSession spark) {
    Column share =
        lit(1.0)
            .divide(col(Demand.SEGMENT).plus(1))
            .divide(element_at(lit(CYCLE.harmonic()), col(Objects.SEGMENTS)));
    Column drawn = log(uniform("draw", NUMBER, Demand.SEGMENT)).multiply(-1);
    Column requests =
        least(
                floor(
                    col(RATE)
                        .multiply(share)
                        .multiply(drawn)
                        .plus(uniform("round", NUMBER, Demand.SEGMENT))),
                lit((long) MOST_REQUESTS))
            .cast("int");
    int[] dayTable = dayTable();
    Column young = col(BORN_DAY).geq(0);
    Column first =
        when(young, element_at(lit(firstOfDay(dayTable)), col(BORN_DAY).plus(1))).otherwise(0);
    Column drawnDay = uniform("day", NUMBER, Demand.SEGMENT, REQUEST);
    Column day =
        element_at(
            lit(dayTable),
            first
                .plus(
                    floor(
                        when(young, pow(drawnDay, lit(EAGERNESS)))
                            .otherwise(drawnDay)
                            .multiply(lit(dayTable.length).minus(first))))
                .cast("int")
                .plus(1));
    Column hour = fromTable(hourTable(), uniform("hour", NUMBER, Demand.SEGMENT, REQUEST));
    Column[] key = {
      col(NUMBER), col(Objects.OBJECT_ID), col(Demand.SEGMENT), col(WHOLE), col(HOUR)
    };
    return Draws.conformed(
        base(spark)
            .withColumn(Demand.SEGMENT, explode(sequence(lit(0), col(Objects.SEGMENTS).minus(1))))
            .withColumn(COUNT, requests)
            .where(col(COUNT).gt(0))
            .withColumn(REQUEST, explode(sequence(lit(1), col(COUNT))))
            .withColumn(HOUR, day.multiply(HOURS).plus(hour))
            .groupBy(key)
            .agg(count(lit(1)).cast("double").as(Demand.REQUESTS))
            .withColumn(Demand.BUCKET_START, at(col(HOUR).cast("long").multiply(HOUR_SECONDS)))
            .withColumn(Demand.DATE, to_date(col(Demand.BUCKET_START)))
            .withColumn(Demand.SEGMENT_BYTES, lit(SEGMENT_BYTES))
            .withColumn(
                Demand.WHOLE_REQUESTS, when(col(WHOLE), col(Demand.REQUESTS)).otherwise(0.0))
            .withColumn(Demand.BYTES, col(Demand.REQUESTS).cast("long").multiply(SEGMENT_BYTES)),
        Demand.SCHEMA);
  }

  /** One row per object: number, id, segments, the day it was made, its rate, how it is read. */
  private Dataset<Row> base(SparkSession spark) {
    long objects = objectCount();
    Column place = Draws.place(NUMBER, objects, seed);
    double scale = MEAN_REQUESTS * CYCLE.segmentsPerObject() * (1 - ZIPF);
    return spark
        .range(objects)
        .withColumnRenamed("id", NUMBER)
        .withColumn(Objects.SEGMENTS, CYCLE.segments(NUMBER, segments))
        .withColumn(
            BORN_DAY, floor(uniform("born", NUMBER).multiply(2 * days)).cast("int").minus(days))
        .withColumn(RATE, pow(place.plus(0.5).divide(objects), lit(-ZIPF)).multiply(scale))
        .withColumn(WHOLE, uniform("whole", NUMBER).lt(0.25))
        .withColumn(
            Objects.OBJECT_ID,
            format_string(
                "dataset-%03d/date=%s/part-%08d",
                floor(uniform("dataset", NUMBER).multiply(DATASETS)),
                date_add(lit(java.sql.Date.valueOf(start())), col(BORN_DAY)).cast("string"),
                col(NUMBER)));
  }

  private LocalDate start() {
    return end.minusDays(days);
  }

  /** When a number of seconds has passed since the first day began. */
  private Column at(Column seconds) {
    return timestamp_seconds(seconds.plus(start().atStartOfDay(ZoneOffset.UTC).toEpochSecond()));
  }

  /** A number between 0 and 1, both excluded, that the columns, the seed and the purpose make. */
  private Column uniform(String purpose, String... columns) {
    return Draws.uniform(seed, purpose, columns);
  }

  private static Column fromTable(int[] table, Column uniform) {
    return element_at(lit(table), floor(uniform.multiply(table.length)).cast("int").plus(1));
  }

  private int[] dayTable() {
    double[] weights = new double[days];
    for (int day = 0; day < days; day++) {
      DayOfWeek weekday = start().plusDays(day).getDayOfWeek();
      weights[day] =
          switch (weekday) {
            case SATURDAY, SUNDAY -> 0.5;
            case MONDAY -> 1.3;
            default -> 1;
          };
    }
    return table(weights);
  }

  /** Where in the table each day begins. */
  private int[] firstOfDay(int[] table) {
    int[] firsts = new int[days];
    for (int i = table.length - 1; i >= 0; i--) {
      firsts[table[i]] = i;
    }
    return firsts;
  }

  private static int[] hourTable() {
    double[] weights = new double[HOURS];
    for (int hour = 0; hour < HOURS; hour++) {
      weights[hour] = 1 + 0.8 * Math.sin(2 * Math.PI * (hour - 9) / HOURS);
    }
    return table(weights);
  }

  /** Indexes, each as often as its weight says: drawing evenly from the table draws by weight. */
  private static int[] table(double[] weights) {
    double sum = Arrays.stream(weights).sum();
    int[] table = new int[TABLE];
    int index = 0;
    double reached = weights[0];
    for (int i = 0; i < TABLE; i++) {
      while ((i + 0.5) / TABLE * sum > reached && index < weights.length - 1) {
        index++;
        reached += weights[index];
      }
      table[i] = index;
    }
    return table;
  }
}
