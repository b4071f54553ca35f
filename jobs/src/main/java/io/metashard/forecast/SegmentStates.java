package io.metashard.forecast;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.rint;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.unix_seconds;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What is known of each segment at each origin, from one pass over the sparse demand.
 *
 * <p>A segment's requests are brought together once, and looked at from every origin: time is
 * folded into some sums, so that no row per bucket outlives that.
 */
final class SegmentStates {
  static final String ORIGIN = "origin";

  /** Bucket of a demand row. */
  static final String BUCKET = "bucket";

  /** When the bucket of a demand row begins, in seconds since 1970. */
  static final String SECONDS = "seconds";

  /** Bucket in which the object came to be; null: before all history. */
  static final String BORN = "born";

  /** Name of the object's dataset; empty for all those with few objects together. */
  static final String DATASET = "dataset";

  /** Unit of time, as {@link DatasetHistory} counts it, in which the object's age begins. */
  static final String AGE_FROM = "age_from";

  /** Place in the object, as {@link DatasetCurve#position}. */
  static final String POSITION = "position";

  /** Requests within the horizon after the origin: what is to be forecast. */
  static final String OBSERVED = "observed";

  static final String WHOLE = "whole";
  static final String ACTIVE_BUCKETS = "active_buckets";
  static final String LAST_BUCKET = "last_bucket";

  private static final double MOST_REQUESTS = 1e9;

  /** Requests are multiples of this, so that sums below 10^11 are exact, in whatever order. */
  private static final double GRAIN = 1.0 / (1 << 16);

  /** Finer than requests: many expectations are small. */
  private static final double CURVE_GRAIN = 1.0 / (1L << 32);

  /** Datasets of fewer objects are too little to learn from: they are one. */
  private static final int FEWEST_OBJECTS = 3;

  /** A file this much younger than the day that its path names is a copy of an older one. */
  private static final Duration COPIED_AFTER = Duration.ofDays(3);

  private static final StructType DATED =
      new StructType()
          .add(DATASET, DataTypes.StringType, false)
          .add(AGE_FROM, DataTypes.LongType, false);

  private static final StructType STATE =
      new StructType()
          .add(OBSERVED, DataTypes.DoubleType, false)
          .add("sums", new ArrayType(DataTypes.DoubleType, false), false)
          .add(WHOLE, DataTypes.DoubleType, false)
          .add(ACTIVE_BUCKETS, DataTypes.IntegerType, false)
          .add(LAST_BUCKET, DataTypes.IntegerType, false);

  private SegmentStates() {}

  /** Objects that are served: their source is present, or they have blocks in the map. */
  static Dataset<Row> served(Dataset<Row> objects, Timeline timeline) {
    Column seconds = unix_seconds(least(col(Objects.FIRST_SEEN), col(Objects.MODIFIED_AT)));
    Column bucket =
        floor(seconds.minus(timeline.start().getEpochSecond()).divide(timeline.bucketSeconds()));
    String dated = "dated";
    UDF2<String, Long, Row> date = (id, born) -> dated(id, born, timeline);
    Dataset<Row> served =
        objects
            .where(
                col(Objects.SOURCE_STATE)
                    .equalTo(Objects.PRESENT)
                    .or(col(Objects.STATE).isin(Objects.ENCODED, Objects.STALE)))
            .select(
                col(Objects.OBJECT_ID),
                col(Objects.SEGMENTS),
                col(Objects.SEGMENT_BYTES),
                // Old logs replayed over a new copy of the objects: their age tells nothing.
                when(bucket.lt(timeline.origin()), bucket).as(BORN),
                // Spark would look at each name once for every field taken from it.
                udf(date, DATED)
                    .asNondeterministic()
                    .apply(col(Objects.OBJECT_ID), when(bucket.lt(timeline.origin()), seconds))
                    .as(dated))
            .select(
                col(Objects.OBJECT_ID),
                col(Objects.SEGMENTS),
                col(Objects.SEGMENT_BYTES),
                col(BORN),
                col(dated).getField(DATASET).as(DATASET),
                col(dated).getField(AGE_FROM).as(AGE_FROM));
    String size = "dataset_objects";
    Dataset<Row> sizes = served.groupBy(col(DATASET)).agg(count(lit(1)).as(size));
    return served
        .join(sizes, DATASET)
        .withColumn(DATASET, when(col(size).geq(FEWEST_OBJECTS), col(DATASET)).otherwise(""))
        .drop(size);
  }

  /**
   * Dataset and beginning of an object's age. Births before the history are told apart by days, and
   * not at all where the oldest ages are alike.
   */
  private static Row dated(String objectId, Long bornSeconds, Timeline timeline) {
    long unit = timeline.unitSeconds();
    long perDay = Duration.ofDays(1).toSeconds() / unit;
    long begin = Math.floorDiv(timeline.start().getEpochSecond(), unit);
    long oldest = Math.floorDiv(begin - DatasetCurve.OLDEST_HOURS * 3600L / unit, perDay) * perDay;
    long from = oldest;
    if (bornSeconds != null) {
      long seconds = bornSeconds;
      var named = DatasetName.partitionDate(objectId);
      if (named.isPresent()) {
        LocalDate after = named.get().plusDays(1);
        long written = after.atStartOfDay(ZoneOffset.UTC).toEpochSecond();
        if (seconds - written > COPIED_AFTER.toSeconds()) {
          seconds = written;
        }
      }
      from = Math.floorDiv(seconds, unit);
      if (from < begin) {
        from = Math.max(oldest, Math.floorDiv(from, perDay) * perDay);
      }
    }
    return RowFactory.create(DatasetName.of(objectId), from);
  }

  /** All segments of the served objects. */
  static Dataset<Row> universe(Dataset<Row> served) {
    return served
        .withColumn(Demand.SEGMENT, explode(sequence(lit(0), col(Objects.SEGMENTS).minus(1))))
        .select(
            col(Objects.OBJECT_ID),
            col(Demand.SEGMENT),
            col(Objects.SEGMENT_BYTES),
            col(BORN),
            col(DATASET),
            col(AGE_FROM),
            position().as(POSITION));
  }

  private static Column position() {
    Column segment = col(Demand.SEGMENT);
    Column segments = col(Objects.SEGMENTS);
    UDF2<Integer, Integer, Integer> place = DatasetCurve::position;
    return udf(place, DataTypes.IntegerType).apply(segment, segments);
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
            unix_seconds(col(Demand.BUCKET_START)).as(SECONDS),
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
            served.select(
                col(Objects.OBJECT_ID), col(Objects.SEGMENTS), col(DATASET), col(AGE_FROM)),
            Objects.OBJECT_ID)
        .where(col(Demand.SEGMENT).between(lit(0), col(Objects.SEGMENTS).minus(1)))
        .withColumn(POSITION, position())
        .drop(Objects.SEGMENTS);
  }

  /**
   * One row per segment and origin at which it is known: it had a request, or its object existed.
   *
   * @param universe with what {@link DatasetCurves#with} adds
   * @param history as {@link #history} gives
   * @param views the origins
   */
  static Dataset<Row> at(
      List<SegmentHistory.View> views, Dataset<Row> universe, Dataset<Row> history) {
    String entries = "entries";
    String states = "states";
    String index = "index";
    String state = "state";
    UDF1<scala.collection.Seq<Row>, List<Row>> look = rows -> states(rows, views);
    Dataset<Row> requested =
        history
            .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT))
            .agg(collect_list(struct(col(BUCKET), col(Demand.REQUESTS), col(WHOLE))).as(entries));
    Column[] origins = new Column[views.size()];
    for (int i = 0; i < origins.length; i++) {
      origins[i] = struct(lit(i).as(index), lit(views.get(i).origin()).as(ORIGIN));
    }
    String point = "point";
    Column number = col(point).getField(index);
    List<Column> columns = new ArrayList<>();
    columns.add(col(Demand.OBJECT_ID));
    columns.add(col(Demand.SEGMENT));
    columns.add(col(BORN));
    columns.add(col(point).getField(ORIGIN).as(ORIGIN));
    columns.add(col(state).getField(OBSERVED).as(OBSERVED));
    List<Column> components = new ArrayList<>();
    for (int k = 0; k < Components.COUNTED; k++) {
      components.add(counted(state, k));
    }
    Column ahead = DatasetCurves.ahead(number);
    Column recent = counted(state, Components.RECENT - 1);
    Column all = counted(state, Components.LONG_RUN);
    Column recentExpected = DatasetCurves.past(number, 0);
    Column allExpected = DatasetCurves.past(number, 1);
    components.add(rounded(ahead, CURVE_GRAIN));
    components.add(own(ahead, recent, recentExpected, Components.WEAK_PRIOR_REQUESTS));
    components.add(own(ahead, all, allExpected, Components.WEAK_PRIOR_REQUESTS));
    components.add(own(ahead, all, allExpected, Components.STRONG_PRIOR_REQUESTS));
    columns.add(array(components.toArray(Column[]::new)).as(Components.SUMS));
    columns.add(col(state).getField(WHOLE).as(WHOLE));
    columns.add(col(state).getField(ACTIVE_BUCKETS).as(ACTIVE_BUCKETS));
    columns.add(
        when(col(state).getField(LAST_BUCKET).geq(0), col(state).getField(LAST_BUCKET))
            .as(LAST_BUCKET));
    return universe
        .join(requested, new String[] {Demand.OBJECT_ID, Demand.SEGMENT}, "left_outer")
        // After the join, so that no state is null: a segment without requests has states, too.
        .withColumn(
            states, udf(look, new ArrayType(STATE, false)).asNondeterministic().apply(col(entries)))
        .withColumn(point, explode(array(origins)))
        .withColumn(state, col(states).getItem(number))
        .select(columns.toArray(Column[]::new))
        // What came to be after the origin is not asked of a forecast from it.
        .where(col(LAST_BUCKET).isNotNull().or(col(BORN).isNull()).or(col(BORN).lt(col(ORIGIN))));
  }

  private static Column counted(String state, int component) {
    return col(state).getField("sums").getItem(component);
  }

  private static Column own(Column ahead, Column asked, Column expected, double prior) {
    return rounded(ahead.multiply(asked.plus(prior)).divide(expected.plus(prior)), CURVE_GRAIN);
  }

  /**
   * @param entries null: the segment had no requests
   */
  private static List<Row> states(
      scala.collection.Seq<Row> entries, List<SegmentHistory.View> views) {
    TreeMap<Integer, double[]> series = new TreeMap<>();
    if (entries != null) {
      for (scala.collection.Iterator<Row> i = entries.iterator(); i.hasNext(); ) {
        Row row = i.next();
        // Two rows of one bucket count as one.
        double[] sums = series.computeIfAbsent(row.getInt(0), bucket -> new double[2]);
        sums[0] += row.getDouble(1);
        sums[1] += row.getDouble(2);
      }
    }
    SegmentHistory history =
        new SegmentHistory(
            series.keySet().stream().mapToInt(Integer::intValue).toArray(),
            series.values().stream().mapToDouble(s -> s[0]).toArray(),
            series.values().stream().mapToDouble(s -> s[1]).toArray());
    List<Row> states = new ArrayList<>(views.size());
    for (SegmentHistory.View view : views) {
      SegmentHistory.State s = history.at(view);
      states.add(
          RowFactory.create(
              s.observed(),
              Arrays.stream(s.sums()).boxed().toList(),
              s.whole(),
              s.activeBuckets(),
              s.lastBucket()));
    }
    return states;
  }

  private static Column rounded(Column term) {
    return rounded(term, GRAIN);
  }

  private static Column rounded(Column term, double grain) {
    return rint(term.divide(grain)).multiply(grain);
  }

  /**
   * Views of the demand from some origins.
   *
   * @param series requests of all segments together by bucket
   * @param first first bucket with a request
   */
  static List<SegmentHistory.View> views(
      List<Integer> origins,
      double[] series,
      int first,
      Timeline timeline,
      ForecastParameters parameters) {
    List<SegmentHistory.View> views = new ArrayList<>();
    double[] halfLives = Components.halfLives(timeline, parameters.span(Tunable.RECENT_HALF_LIFE));
    for (int origin : origins) {
      int perDay = timeline.perDay();
      int days =
          Math.max(
              Math.min(1, Math.max(0, origin - first)),
              Math.min(SegmentHistory.STEADY_DAYS, (origin - first) / perDay));
      double[] requests = new double[days];
      double all = 0;
      int busy = 0;
      for (int d = 0; d < days; d++) {
        for (int t = Math.max(0, origin - (d + 1) * perDay); t < origin - d * perDay; t++) {
          requests[d] += series[t];
        }
        all += requests[d];
        busy += requests[d] > 0 ? 1 : 0;
      }
      double[] scales = new double[days];
      for (int d = 0; d < days; d++) {
        scales[d] = requests[d] > 0 ? all / busy / requests[d] : 0;
      }
      views.add(
          new SegmentHistory.View(
              origin,
              seasonBack(origin, first, timeline),
              perDay,
              timeline.horizon(),
              halfLives,
              parameters.days(Tunable.SAME_PHASE_HALF_LIFE),
              scales));
    }
    return views;
  }

  /** How many buckets back the season lies: a day, or as much as there is, at most a horizon. */
  private static int seasonBack(int origin, int first, Timeline timeline) {
    int available = Math.max(1, origin - first);
    return available >= timeline.perDay()
        ? timeline.perDay()
        : Math.min(available, timeline.horizon());
  }

  /**
   * The states with what is known of their origins, and the shares by each component; origins
   * without facts drop out.
   */
  static Dataset<Row> with(List<OriginFacts> facts, Dataset<Row> states) {
    Dataset<Row> table =
        states
            .sparkSession()
            .createDataFrame(facts.stream().map(OriginFacts::row).toList(), OriginFacts.schema());
    return states.join(broadcast(table), ORIGIN).withColumn(Components.SHARES, Components.shares());
  }
}
