package io.metashard.aggregate;

import static org.apache.spark.sql.functions.call_function;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.timestamp_micros;
import static org.apache.spark.sql.functions.unix_micros;
import static org.apache.spark.sql.functions.when;

import io.metashard.catalogue.Objects;
import io.metashard.logs.Requests;
import java.time.Duration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;

/**
 * Requests sorted out and counted per equal place: one row per day, object, time bucket, first and
 * last segment. The step between {@code requests} and {@code demand}; never a table of the lake.
 *
 * <p>A <em>read</em> is a GET answered 200 or 206. It is
 *
 * <ul>
 *   <li><em>whole</em> when it has no range and was answered 200, or when its range covers every
 *       byte of an object that is not empty, whatever it was answered;
 *   <li><em>unplaced</em> when it has no start and is not whole: a part that may lie anywhere;
 *   <li><em>past the end</em> when its range, clipped to the object, holds no byte;
 *   <li><em>placed</em> otherwise. A range without an end goes to the object's end.
 * </ul>
 *
 * An empty object has one segment, which whole reads count in.
 */
public final class Reads {
  public static final String DATE = Requests.DATE;

  /** Null unless {@link #KIND} is {@link #PLACED} or {@link #UNPLACED}. */
  public static final String OBJECT_ID = Requests.OBJECT_ID;

  /** Null when {@link #OBJECT_ID} is. */
  public static final String BUCKET_START = Demand.BUCKET_START;

  /** What the requests are. */
  public static final String KIND = "kind";

  /** First segment touched; null unless placed. */
  public static final String FIRST = "first_segment";

  /** Last segment touched; null unless placed. */
  public static final String LAST = "last_segment";

  public static final String REQUESTS = "requests";
  public static final String WHOLE_REQUESTS = "whole_requests";

  /** Bytes read of the first segment, by all requests together; of unplaced ones: bytes sent. */
  public static final String FIRST_BYTES = "first_bytes";

  /** Bytes read of the last segment if it is not the first. */
  public static final String LAST_BYTES = "last_bytes";

  public static final String SEGMENTS = Objects.SEGMENTS;
  public static final String SEGMENT_BYTES = Objects.SEGMENT_BYTES;

  public static final String PLACED = "placed";
  public static final String UNPLACED = "unplaced";
  public static final String PAST_END = "past_end";
  public static final String UNKNOWN_OBJECT = "unknown_object";
  public static final String NOT_READ = "not_read";

  /** Of {@link #ranges}. */
  public static final String RANGE_FROM = "range_from";

  public static final String RANGE_TO = "range_to";

  private static final String GET = "GET";
  private static final String KNOWN_ID = "known_id";
  private static final String WHOLE = "whole";
  private static final String FROM = "from_byte";
  private static final String TO = "to_byte";

  private Reads() {}

  /**
   * Sorts requests out and counts equal ones.
   *
   * @param requests as {@link Requests#SCHEMA}
   * @param objects as {@link Objects#SCHEMA}, one row per id
   * @param bucket a whole part of a day
   */
  public static Dataset<Row> of(Dataset<Row> requests, Dataset<Row> objects, Duration bucket) {
    Column object = col(Reads.KIND).isin(PLACED, UNPLACED);
    return sorted(requests, objects)
        .groupBy(
            col(DATE),
            when(object, col(OBJECT_ID)).as(OBJECT_ID),
            when(object, bucketStart(col(Requests.TS), bucket)).as(BUCKET_START),
            col(KIND),
            col(FIRST),
            col(LAST))
        .agg(
            count(lit(1)).as(REQUESTS),
            count(when(col(WHOLE), 1)).as(WHOLE_REQUESTS),
            sum(firstBytes()).as(FIRST_BYTES),
            sum(lastBytes()).as(LAST_BYTES),
            max(col(SEGMENTS)).as(SEGMENTS),
            max(col(SEGMENT_BYTES)).as(SEGMENT_BYTES));
  }

  /**
   * The placed reads, one by one: {@link Requests#TS}, {@link #OBJECT_ID}, {@link #RANGE_FROM} and
   * {@link #RANGE_TO}, the first byte and the first one after, clipped to the object.
   *
   * @param requests as {@link Requests#SCHEMA}
   * @param objects as {@link Objects#SCHEMA}, one row per id
   */
  public static Dataset<Row> ranges(Dataset<Row> requests, Dataset<Row> objects) {
    return sorted(requests, objects)
        .where(col(KIND).equalTo(PLACED))
        .select(col(Requests.TS), col(OBJECT_ID), col(FROM).as(RANGE_FROM), col(TO).as(RANGE_TO));
  }

  private static Dataset<Row> sorted(Dataset<Row> requests, Dataset<Row> objects) {
    Dataset<Row> known =
        objects.select(
            col(Objects.OBJECT_ID).as(KNOWN_ID),
            col(Objects.OBJECT_BYTES),
            col(Objects.SEGMENTS),
            col(Objects.SEGMENT_BYTES));
    Column noRange = col(Requests.RANGE_START).isNull().and(col(Requests.RANGE_END).isNull());
    Column wholeByStatus = noRange.and(col(Requests.STATUS).equalTo(200));
    Column isRead = col(Requests.OPERATION).equalTo(GET).and(col(Requests.STATUS).isin(200, 206));
    Column objectBytes = col(Objects.OBJECT_BYTES);
    Column from =
        when(wholeByStatus, lit(0L)).otherwise(greatest(col(Requests.RANGE_START), lit(0L)));
    Column to = least(coalesce(col(Requests.RANGE_END), objectBytes), objectBytes);
    Column kind =
        when(not(coalesce(isRead, lit(false))), NOT_READ)
            .when(col(KNOWN_ID).isNull(), UNKNOWN_OBJECT)
            .when(wholeByStatus, PLACED)
            .when(col(Requests.RANGE_START).isNull(), UNPLACED)
            .when(col(FROM).lt(col(TO)), PLACED)
            .otherwise(PAST_END);
    Column placed = col(KIND).equalTo(PLACED);
    Column covers = wholeByStatus.or(col(FROM).equalTo(0L).and(col(TO).equalTo(objectBytes)));
    // The last byte read; an empty object is read in its only, empty segment.
    Column lastByte = greatest(col(TO).minus(1L), lit(0L));
    return requests
        .join(known, col(Requests.OBJECT_ID).equalTo(col(KNOWN_ID)), "left")
        .withColumn(FROM, from)
        .withColumn(TO, to)
        .withColumn(KIND, kind)
        .withColumn(WHOLE, placed.and(covers))
        .withColumn(FIRST, when(placed, segment(col(FROM))))
        .withColumn(LAST, when(placed, segment(lastByte)));
  }

  private static Column segment(Column position) {
    return call_function("div", position, col(SEGMENT_BYTES)).cast(DataTypes.IntegerType);
  }

  private static Column firstBytes() {
    Column segmentEnd = col(FIRST).plus(1).multiply(col(SEGMENT_BYTES));
    // A log may claim any number of bytes sent: no part is longer than its object.
    Column sent =
        greatest(
            lit(0L), least(coalesce(col(Requests.BYTES_SENT), lit(0L)), col(Objects.OBJECT_BYTES)));
    return when(col(KIND).equalTo(UNPLACED), sent)
        .when(col(FIRST).equalTo(col(LAST)), col(TO).minus(col(FROM)))
        .when(col(FIRST).lt(col(LAST)), segmentEnd.minus(col(FROM)))
        .otherwise(lit(0L));
  }

  private static Column lastBytes() {
    return when(
            col(FIRST).lt(col(LAST)),
            col(TO).minus(col(LAST).cast(DataTypes.LongType).multiply(col(SEGMENT_BYTES))))
        .otherwise(lit(0L));
  }

  static Column bucketStart(Column time, Duration bucket) {
    Column micros = unix_micros(time);
    return timestamp_micros(micros.minus(pmod(micros, lit(bucket.toNanos() / 1000))));
  }

  /**
   * The demand of placed reads, as {@link Demand#SCHEMA}.
   *
   * <p>What is shuffled are the counted rows, once, by object and bucket: a range is spread over
   * its segments after that, and summing per segment then needs no further shuffle. Compared by
   * {@code AggregateBenchmark} with shuffling the spread rows and with running sums of starts and
   * ends.
   *
   * @param reads of {@link #of}
   */
  public static Dataset<Row> placed(Dataset<Row> reads) {
    Column segment = col(Demand.SEGMENT);
    Column bytes =
        when(segment.equalTo(col(FIRST)), col(FIRST_BYTES))
            .when(segment.equalTo(col(LAST)), col(LAST_BYTES))
            .otherwise(col(REQUESTS).multiply(col(SEGMENT_BYTES)));
    return reads
        .where(col(KIND).equalTo(PLACED))
        .repartition(col(OBJECT_ID), col(BUCKET_START))
        .withColumn(Demand.SEGMENT, explode(sequence(col(FIRST), col(LAST))))
        .withColumn(Demand.BYTES, bytes)
        .groupBy(col(DATE), col(OBJECT_ID), segment, col(BUCKET_START))
        .agg(
            max(col(SEGMENT_BYTES)).as(Demand.SEGMENT_BYTES),
            sum(col(REQUESTS)).cast(DataTypes.DoubleType).as(Demand.REQUESTS),
            sum(col(WHOLE_REQUESTS)).cast(DataTypes.DoubleType).as(Demand.WHOLE_REQUESTS),
            sum(col(Demand.BYTES)).as(Demand.BYTES))
        .select(Unplaced.demandColumns());
  }
}
