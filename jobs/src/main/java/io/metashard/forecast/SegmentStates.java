package io.metashard.forecast;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.exp;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.unix_seconds;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What is known of each segment at each origin, from one pass over the sparse demand.
 *
 * <p>Rows are made per (segment, origin) only where there were requests; time is folded into
 * exponentially weighted sums, so that no row per bucket outlives the aggregation.
 */
final class SegmentStates {
  static final String ORIGIN = "origin";

  /** Bucket of a demand row. */
  static final String BUCKET = "bucket";

  /** Bucket in which the object came to be; null: before all history. */
  static final String BORN = "born";

  /** Requests within the horizon after the origin: what is to be forecast. */
  static final String OBSERVED = "observed";

  static final String WHOLE = "whole";
  static final String ACTIVE_BUCKETS = "active_buckets";
  static final String LAST_BUCKET = "last_bucket";

  private static final double MOST_REQUESTS = 1e9;

  /** Terms are multiples of this, so that sums below 10^11 are exact, in whatever order. */
  private static final double GRAIN = 1.0 / (1 << 16);

  private SegmentStates() {}

  /** Objects that are served: their source is present, or they have blocks in the map. */
  static Dataset<Row> served(Dataset<Row> objects, Timeline timeline) {
    Column born =
        floor(
            unix_seconds(least(col(Objects.FIRST_SEEN), col(Objects.MODIFIED_AT)))
                .minus(timeline.start().getEpochSecond())
                .divide(timeline.bucketSeconds()));
    return objects
        .where(
            col(Objects.SOURCE_STATE)
                .equalTo(Objects.PRESENT)
                .or(col(Objects.STATE).isin(Objects.ENCODED, Objects.STALE)))
        .select(
            col(Objects.OBJECT_ID),
            col(Objects.SEGMENTS),
            col(Objects.SEGMENT_BYTES),
            // Old logs replayed over a new copy of the objects: their age tells nothing.
            when(born.lt(timeline.origin()), born).as(BORN));
  }

  /** All segments of the served objects. */
  static Dataset<Row> universe(Dataset<Row> served) {
    return served.select(
        col(Objects.OBJECT_ID),
        explode(sequence(lit(0), col(Objects.SEGMENTS).minus(1))).as(Demand.SEGMENT),
        col(Objects.SEGMENT_BYTES),
        col(BORN));
  }

  /** The demand of served segments in the history, with {@link #BUCKET} for its time. */
  static Dataset<Row> history(Dataset<Row> demand, Dataset<Row> served, Timeline timeline) {
    Column requests = rounded(col(Demand.REQUESTS));
    return demand
        .where(
            col(Demand.BUCKET_START)
                .geq(Timestamp.from(timeline.start()))
                .and(col(Demand.BUCKET_START).lt(Timestamp.from(timeline.originAt())))
                // NaN is greater than any number in Spark.
                .and(requests.gt(0))
                .and(requests.lt(MOST_REQUESTS)))
        .select(
            col(Demand.OBJECT_ID),
            col(Demand.SEGMENT),
            floor(
                    unix_seconds(col(Demand.BUCKET_START))
                        .minus(timeline.start().getEpochSecond())
                        .divide(timeline.bucketSeconds()))
                .cast("int")
                .as(BUCKET),
            requests.as(Demand.REQUESTS),
            rounded(
                    least(
                        greatest(coalesce(col(Demand.WHOLE_REQUESTS), lit(0.0)), lit(0.0)),
                        col(Demand.REQUESTS)))
                .as(WHOLE))
        .join(
            served.select(col(Objects.OBJECT_ID), col(Objects.SEGMENTS), col(BORN)),
            Objects.OBJECT_ID)
        .where(col(Demand.SEGMENT).between(lit(0), col(Objects.SEGMENTS).minus(1)))
        .drop(Objects.SEGMENTS);
  }

  /**
   * One row per segment and origin with a request before the origin or within its horizon.
   *
   * @param history as {@link #history} gives
   * @param first first bucket with a request
   */
  static Dataset<Row> at(
      List<Integer> origins, Dataset<Row> history, int first, Timeline timeline) {
    String back = "back";
    Column[] points =
        origins.stream()
            .map(
                origin ->
                    struct(
                        lit(origin).as(ORIGIN), lit(seasonBack(origin, first, timeline)).as(back)))
            .toArray(Column[]::new);
    Column lag = col(ORIGIN).minus(1).minus(col(BUCKET));
    Column before = col(BUCKET).lt(col(ORIGIN));
    Column past = when(before, col(Demand.REQUESTS)).otherwise(0.0);
    List<Column> sums = new ArrayList<>();
    for (int k = 0; k < Components.RECENT; k++) {
      double decay = Math.log(2) / Components.halfLives(timeline)[k];
      sums.add(
          sum(rounded(past.multiply(exp(greatest(lag, lit(0)).multiply(-decay)))))
              .as(Components.sum(k)));
    }
    sums.add(sum(past).as(Components.sum(Components.LONG_RUN)));
    Column season = col(BUCKET).minus(col(ORIGIN)).plus(col(back));
    Column repeats =
        when(
                season.geq(0).and(season.lt(timeline.horizon())),
                floor(lit(timeline.horizon() - 1).minus(season).divide(col(back))).plus(1))
            .otherwise(0);
    sums.add(sum(past.multiply(repeats)).as(Components.sum(Components.DAY_BEFORE)));
    Column inPhase =
        pmod(col(BUCKET).minus(col(ORIGIN)), lit(timeline.perDay())).lt(timeline.horizon());
    double phaseDecay = Math.log(2) / (Components.SAME_PHASE_HALF_LIFE_DAYS * timeline.perDay());
    sums.add(
        sum(when(inPhase, rounded(past.multiply(exp(greatest(lag, lit(0)).multiply(-phaseDecay)))))
                .otherwise(0.0))
            .as(Components.sum(Components.SAME_PHASE)));
    sums.add(sum(when(before, col(WHOLE)).otherwise(0.0)).as(WHOLE));
    sums.add(count(when(before, lit(1))).as(ACTIVE_BUCKETS));
    sums.add(max(when(before, col(BUCKET))).as(LAST_BUCKET));
    sums.add(max(col(BORN)).as(BORN));
    Column observed = sum(when(before, 0.0).otherwise(col(Demand.REQUESTS))).as(OBSERVED);
    String point = "point";
    return history
        .withColumn(point, explode(array(points)))
        .select(
            col(Demand.OBJECT_ID),
            col(Demand.SEGMENT),
            col(BUCKET),
            col(Demand.REQUESTS),
            col(WHOLE),
            col(BORN),
            col(point).getField(ORIGIN).as(ORIGIN),
            col(point).getField(back).as(back))
        .where(col(BUCKET).lt(col(ORIGIN).plus(timeline.horizon())))
        .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT), col(ORIGIN))
        .agg(observed, sums.toArray(Column[]::new))
        // What came to be after the origin is not asked of a forecast from it.
        .where(col(LAST_BUCKET).isNotNull().or(col(BORN).isNull()).or(col(BORN).lt(col(ORIGIN))));
  }

  private static Column rounded(Column term) {
    return rint(term.divide(GRAIN)).multiply(GRAIN);
  }

  /** How many buckets back the season lies: a day, or as much as there is, at most a horizon. */
  private static int seasonBack(int origin, int first, Timeline timeline) {
    int available = Math.max(1, origin - first);
    return available >= timeline.perDay()
        ? timeline.perDay()
        : Math.min(available, timeline.horizon());
  }

  /** The states with what is known of their origins; origins without facts drop out. */
  static Dataset<Row> with(List<OriginFacts> facts, Dataset<Row> states) {
    Dataset<Row> table =
        states
            .sparkSession()
            .createDataFrame(facts.stream().map(OriginFacts::row).toList(), OriginFacts.schema());
    return states.join(broadcast(table), ORIGIN);
  }
}
