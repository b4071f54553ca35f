package io.metashard.forecast;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;

import io.metashard.aggregate.Demand;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/**
 * The curves of all datasets at some origins, and what they expect: learned in tasks, one dataset a
 * row, however many segments it has.
 */
final class DatasetCurves implements AutoCloseable {
  private static final String UNIT = "unit";
  private static final String COHORTS = "cohorts";
  private static final String SERIES = "series";
  private static final String PLACES = "places";
  private static final String TOLD = "told";
  private static final String EXPECTED = "curve_expected";
  private static final String POSITIONS = "curve_positions";
  private static final String AHEAD = "ahead";
  private static final String PAST = "past";
  private static final String HOURS = "hours";

  /** What is expected of a cohort until the origin, by hour of the day. */
  static final String HOURS_PAST = "hours_past";

  /** What is expected of a cohort in each unit of the horizon. */
  static final String HOURS_AHEAD = "hours_ahead";

  /** Fewer rows than this are sent to every task. */
  private static final long MOST_SENT = 20_000;

  private static final StructType VALUES =
      new StructType()
          .add(AHEAD, DataTypes.DoubleType, false)
          .add(PAST, new ArrayType(DataTypes.DoubleType, false), false);

  private static final StructType COHORT =
      new StructType()
          .add(SegmentStates.AGE_FROM, DataTypes.LongType, false)
          .add(EXPECTED, new ArrayType(VALUES, false), false);

  private static final StructType COHORT_HOURS =
      new StructType()
          .add(SegmentStates.AGE_FROM, DataTypes.LongType, false)
          .add(HOURS_PAST, new ArrayType(DataTypes.DoubleType, false), false)
          .add(HOURS_AHEAD, new ArrayType(DataTypes.DoubleType, false), false);

  private static final StructType LEARNED =
      new StructType()
          .add(COHORTS, new ArrayType(COHORT, false), false)
          .add(POSITIONS, new ArrayType(new ArrayType(DataTypes.DoubleType, false), false), false)
          .add(HOURS, new ArrayType(COHORT_HOURS, false), false);

  private final Dataset<Row> learned;

  private DatasetCurves(Dataset<Row> learned) {
    this.learned = learned;
  }

  /**
   * Learns the curves.
   *
   * @param universe as {@link SegmentStates#universe} gives
   * @param history as {@link SegmentStates#history} gives
   * @param moments the origins, each with what was known before it
   * @param halfLivesSeconds of the past requests that a segment's own are held against
   * @param profile whether {@link #hours} are wanted, of the last moment
   */
  static DatasetCurves of(
      Dataset<Row> universe,
      Dataset<Row> history,
      List<DatasetHistory.Moment> moments,
      double[] halfLivesSeconds,
      Profile profile) {
    Dataset<Row> datasets =
        datasets(universe, history, moments.get(0).unitSeconds())
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      DatasetCurve.Cells[] all =
          datasets
              .javaRDD()
              .map((Function<Row, DatasetCurve.Cells[]>) row -> cells(row, moments))
              .fold(
                  none(moments),
                  (Function2<DatasetCurve.Cells[], DatasetCurve.Cells[], DatasetCurve.Cells[]>)
                      DatasetCurves::added);
      DatasetCurve[] priors = new DatasetCurve[all.length];
      for (int i = 0; i < all.length; i++) {
        priors[i] = DatasetCurve.ofAll(all[i]);
      }
      UDF1<Row, Row> learn = row -> learn(row, moments, priors, halfLivesSeconds, profile);
      Dataset<Row> learned =
          datasets
              .select(
                  col(SegmentStates.DATASET),
                  udf(learn, LEARNED)
                      .asNondeterministic()
                      .apply(
                          struct(
                              col(SegmentStates.DATASET), col(COHORTS), col(SERIES), col(PLACES)))
                      .as(TOLD))
              .persist(StorageLevel.MEMORY_AND_DISK());
      learned.count();
      return new DatasetCurves(learned);
    } finally {
      datasets.unpersist();
    }
  }

  private static DatasetCurve.Cells[] none(List<DatasetHistory.Moment> moments) {
    return moments.stream()
        .map(m -> new DatasetCurve.Cells(m.perDay()))
        .toArray(DatasetCurve.Cells[]::new);
  }

  private static DatasetCurve.Cells[] added(DatasetCurve.Cells[] a, DatasetCurve.Cells[] b) {
    for (int i = 0; i < a.length; i++) {
      a[i].add(b[i]);
    }
    return a;
  }

  /** One row a dataset. */
  private static Dataset<Row> datasets(
      Dataset<Row> universe, Dataset<Row> history, long unitSeconds) {
    Column dataset = col(SegmentStates.DATASET);
    Column from = col(SegmentStates.AGE_FROM);
    Column position = col(SegmentStates.POSITION);
    Column unit = floor(col(SegmentStates.SECONDS).divide(unitSeconds)).as(UNIT);
    Column requests = sum(col(Demand.REQUESTS)).as(Demand.REQUESTS);
    Dataset<Row> cohorts =
        universe
            .groupBy(dataset, from, position)
            .agg(count(lit(1)).cast("double").as("n"))
            .groupBy(dataset)
            .agg(collect_list(struct(from, position, col("n"))).as(COHORTS));
    Dataset<Row> series =
        history
            .groupBy(dataset, from, unit)
            .agg(requests)
            .groupBy(dataset)
            .agg(collect_list(struct(from, col(UNIT), col(Demand.REQUESTS))).as(SERIES));
    Dataset<Row> places =
        history
            .groupBy(dataset, position, unit)
            .agg(requests)
            .groupBy(dataset)
            .agg(collect_list(struct(position, col(UNIT), col(Demand.REQUESTS))).as(PLACES));
    return cohorts
        .join(series, SegmentStates.DATASET, "left_outer")
        .join(places, SegmentStates.DATASET, "left_outer")
        .select(dataset, col(COHORTS), col(SERIES), col(PLACES));
  }

  private static DatasetCurve.Cells[] cells(Row row, List<DatasetHistory.Moment> moments) {
    DatasetHistory history = history(row);
    return moments.stream().map(history::cells).toArray(DatasetCurve.Cells[]::new);
  }

  private static Row learn(
      Row row,
      List<DatasetHistory.Moment> moments,
      DatasetCurve[] priors,
      double[] halfLivesSeconds,
      Profile profile) {
    DatasetHistory history = history(row);
    List<Row> hours = new ArrayList<>();
    TreeMap<Long, List<Row>> values = new TreeMap<>();
    List<List<Double>> positions = new ArrayList<>();
    for (int i = 0; i < moments.size(); i++) {
      DatasetCurve curve = history.curve(priors[i], moments.get(i));
      for (DatasetHistory.Expected e : history.expected(curve, moments.get(i), halfLivesSeconds)) {
        List<Double> past = new ArrayList<>();
        for (double p : e.past()) {
          past.add(p);
        }
        values
            .computeIfAbsent(e.born(), born -> new ArrayList<>())
            .add(RowFactory.create(e.ahead(), past));
      }
      List<Double> places = new ArrayList<>();
      for (int p = 0; p < DatasetCurve.POSITIONS; p++) {
        places.add(curve.position(p));
      }
      positions.add(places);
      if (profile == Profile.HOURLY && i == moments.size() - 1) {
        for (DatasetHistory.Hours h : history.hours(curve, moments.get(i))) {
          hours.add(RowFactory.create(h.born(), h.past(), h.ahead()));
        }
      }
    }
    List<Row> cohorts = new ArrayList<>();
    values.forEach((born, expected) -> cohorts.add(RowFactory.create(born, expected)));
    return RowFactory.create(cohorts, positions, hours);
  }

  private static DatasetHistory history(Row row) {
    TreeMap<Long, double[]> segments = new TreeMap<>();
    for (Row r : row.<Row>getList(1)) {
      segments
              .computeIfAbsent(r.getLong(0), born -> new double[DatasetCurve.POSITIONS])[
              r.getInt(1)] +=
          r.getDouble(2);
    }
    TreeMap<Long, TreeMap<Long, Double>> series = new TreeMap<>();
    if (!row.isNullAt(2)) {
      for (Row r : row.<Row>getList(2)) {
        series
            .computeIfAbsent(r.getLong(0), born -> new TreeMap<>())
            .merge(r.getLong(1), r.getDouble(2), Double::sum);
      }
    }
    List<DatasetHistory.Cohort> cohorts = new ArrayList<>();
    segments.forEach(
        (born, counts) -> {
          TreeMap<Long, Double> asked = series.getOrDefault(born, new TreeMap<>());
          cohorts.add(
              new DatasetHistory.Cohort(
                  born,
                  counts,
                  asked.keySet().stream().mapToLong(Long::longValue).toArray(),
                  asked.values().stream().mapToDouble(Double::doubleValue).toArray()));
        });
    List<DatasetHistory.Asked> places = new ArrayList<>();
    if (!row.isNullAt(3)) {
      for (Row r : row.<Row>getList(3)) {
        places.add(new DatasetHistory.Asked(r.getInt(0), r.getLong(1), r.getDouble(2)));
      }
      // Sums of doubles depend on their order.
      places.sort(
          java.util.Comparator.comparingInt(DatasetHistory.Asked::position)
              .thenComparingLong(DatasetHistory.Asked::unit));
    }
    return new DatasetHistory(cohorts, places);
  }

  /** Adds what the curves expect of each segment, an array with one value per origin. */
  Dataset<Row> with(Dataset<Row> universe) {
    Dataset<Row> cohorts =
        learned
            .select(col(SegmentStates.DATASET), explode(col(TOLD).getField(COHORTS)).as("cohort"))
            .select(
                col(SegmentStates.DATASET),
                col("cohort").getField(SegmentStates.AGE_FROM).as(SegmentStates.AGE_FROM),
                col("cohort").getField(EXPECTED).as(EXPECTED));
    Dataset<Row> positions =
        learned.select(col(SegmentStates.DATASET), col(TOLD).getField(POSITIONS).as(POSITIONS));
    boolean few = cohorts.count() <= MOST_SENT;
    return universe
        .join(
            few ? broadcast(cohorts) : cohorts,
            new String[] {SegmentStates.DATASET, SegmentStates.AGE_FROM})
        .join(few ? broadcast(positions) : positions, SegmentStates.DATASET);
  }

  /**
   * What is expected of the segments of each dataset and age hour by hour: {@link #HOURS_PAST} and
   * {@link #HOURS_AHEAD}; no rows unless they were asked for.
   */
  Dataset<Row> hours() {
    String cohort = "cohort";
    return learned
        .select(col(SegmentStates.DATASET), explode(col(TOLD).getField(HOURS)).as(cohort))
        .select(
            col(SegmentStates.DATASET),
            col(cohort).getField(SegmentStates.AGE_FROM).as(SegmentStates.AGE_FROM),
            col(cohort).getField(HOURS_PAST).as(HOURS_PAST),
            col(cohort).getField(HOURS_AHEAD).as(HOURS_AHEAD));
  }

  /** What is expected of a segment at the origin of this number, over the horizon. */
  static Column ahead(Column origin) {
    return col(EXPECTED).getItem(origin).getField(AHEAD).multiply(place(origin));
  }

  /** What had been expected of it until the origin, weighted by a half-life. */
  static Column past(Column origin, int halfLife) {
    return col(EXPECTED).getItem(origin).getField(PAST).getItem(halfLife).multiply(place(origin));
  }

  private static Column place(Column origin) {
    return col(POSITIONS).getItem(origin).getItem(col(SegmentStates.POSITION));
  }

  @Override
  public void close() {
    learned.unpersist();
  }
}
