package io.metashard.forecast;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sqrt;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.unix_seconds;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * How far demand moved from the span before, and how far it usually moves. What is not known is
 * NaN.
 *
 * <p>The distance of two spans is Hellinger's, of their shares of requests over segments: {@code
 * sqrt(1 - sum(sqrt(p q)))}, 0 for the same shares, 1 for no segment in common.
 *
 * @param distance of the scored span from the one before it
 * @param usual median distance of earlier spans from the one before each; of at least {@link
 *     #FEWEST_DISTANCES}
 * @param requests of the scored span
 * @param usualRequests median of the earlier spans
 * @param unseen requests of the scored span for segments that no earlier span asked for
 * @param spans earlier ones that had requests
 */
public record DemandDrift(
    double distance,
    double usual,
    double requests,
    double usualRequests,
    double unseen,
    int spans) {
  /** Column: earlier spans in which the segment was requested. */
  public static final String SPANS_REQUESTED = "spans_requested";

  static final int FEWEST_DISTANCES = 3;

  private static final String SPAN = "span";

  /** Column of a span: 0 for the scored one, 1 for the one before it. */
  public static String requests(int span) {
    return "requests_" + span;
  }

  /** Distance in times of the usual; NaN when either is not known. */
  public double ratio() {
    return usual > 0 ? distance / usual : Double.NaN;
  }

  /** Requests in times of the usual. */
  public double growth() {
    return usualRequests > 0 ? requests / usualRequests : Double.NaN;
  }

  /** Share of the scored span's requests that fell on segments not asked for before. */
  public double unseenShare() {
    return requests > 0 ? unseen / requests : Double.NaN;
  }

  /**
   * Requests of each segment that had any, span by span.
   *
   * @param demand of the scored span and those before it, as {@link Demand#SCHEMA}
   * @param start of the scored span
   * @param spans how many before it
   */
  public static Dataset<Row> bySpan(
      Dataset<Row> demand, Instant start, Duration length, int spans) {
    Column back =
        floor(
                lit(start.getEpochSecond() - 1)
                    .minus(unix_seconds(col(Demand.BUCKET_START)))
                    .divide(lit((double) length.toSeconds())))
            .plus(1);
    Column asked = col(SPAN).geq(1).and(col(Demand.REQUESTS).gt(0));
    List<Column> sums = new ArrayList<>();
    for (int span = 0; span <= spans; span++) {
      sums.add(
          coalesce(sum(when(col(SPAN).equalTo(span), col(Demand.REQUESTS))), lit(0.0))
              .as(requests(span)));
    }
    return demand
        .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT), back.as(SPAN))
        .agg(sum(col(Demand.REQUESTS)).as(Demand.REQUESTS))
        .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT))
        .agg(sum(when(asked, 1.0).otherwise(0.0)).as(SPANS_REQUESTED), sums.toArray(Column[]::new));
  }

  /**
   * Measures.
   *
   * @param bySpan as {@link #bySpan} gives
   */
  public static DemandDrift of(Dataset<Row> bySpan, int spans) {
    List<Column> sums = new ArrayList<>();
    for (int span = 0; span <= spans; span++) {
      sums.add(total(col(requests(span))));
    }
    for (int span = 0; span < spans; span++) {
      sums.add(total(sqrt(col(requests(span)).multiply(col(requests(span + 1))))));
    }
    sums.add(total(when(col(SPANS_REQUESTED).equalTo(0.0), col(requests(0)))));
    Row row = bySpan.agg(sums.get(0), sums.subList(1, sums.size()).toArray(Column[]::new)).first();
    double[] totals = IntStream.rangeClosed(0, spans).mapToDouble(row::getDouble).toArray();
    double[] overlaps =
        IntStream.range(0, spans).mapToDouble(i -> row.getDouble(spans + 1 + i)).toArray();
    return of(totals, overlaps, row.getDouble(2 * spans + 1));
  }

  private static Column total(Column value) {
    return coalesce(sum(value), lit(0.0));
  }

  /**
   * Measures.
   *
   * @param totals requests of the scored span and those before it; spans without any (their logs
   *     may be missing) are left out
   * @param overlaps of each span and the one before it: sum over segments of the square root of
   *     their counts' product
   */
  static DemandDrift of(double[] totals, double[] overlaps, double unseen) {
    double[] distances =
        IntStream.range(0, overlaps.length)
            .mapToDouble(i -> distance(overlaps[i], totals[i], totals[i + 1]))
            .toArray();
    double[] earlier = positive(Arrays.copyOfRange(totals, 1, totals.length));
    double[] usual = Arrays.stream(distances).skip(1).filter(Double::isFinite).sorted().toArray();
    return new DemandDrift(
        distances.length == 0 ? Double.NaN : distances[0],
        usual.length < FEWEST_DISTANCES ? Double.NaN : median(usual),
        totals[0],
        median(earlier),
        earlier.length == 0 ? Double.NaN : unseen,
        earlier.length);
  }

  private static double distance(double overlap, double one, double other) {
    return one > 0 && other > 0
        ? Math.sqrt(Math.max(0, 1 - overlap / Math.sqrt(one * other)))
        : Double.NaN;
  }

  private static double[] positive(double[] values) {
    return Arrays.stream(values).filter(value -> value > 0).sorted().toArray();
  }

  private static double median(double[] sorted) {
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }
}
