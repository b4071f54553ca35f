package io.metashard.job;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.date_trunc;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.unix_timestamp;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import io.metashard.aggregate.DemandDays;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.Forecasts;
import io.metashard.forecast.VolumeClass;
import io.metashard.lake.Lake;
import io.metashard.logs.RequestsRejected;
import io.metashard.report.NightReport;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/** What was asked for and what was forecast, summed by Spark: at most a row an hour comes here. */
final class ReportDemand {
  private static final int TOP_SEGMENTS = 20;
  private static final int MOST_REASONS = 30;

  /** Forecasts of one night, repeated ones included, of which a few are more than usual. */
  private static final int FORECASTS_PER_NIGHT = 8;

  private static final String HOUR = "hour";
  private static final String EXPECTED = "expected";
  private static final String MODEL = "model";
  private static final String HEAT = "heat";
  private static final String CAME = "came";

  private final Lake lake;
  private final ReportRuns.Chosen run;
  private final int nights;
  private final Instant from;
  private final Instant to;

  /** Reads per bucket: few rows, whatever the number of segments. */
  private final Dataset<Row> buckets;

  private final List<ForecastRun> forecasts;
  private final TreeMap<LocalDate, Row> days = new TreeMap<>();

  /** A forecast that the lake has. */
  private record ForecastRun(
      String runId, LocalDate runDate, Instant start, Instant end, double expected, String model) {
    /** Its rows. */
    Dataset<Row> rows(Lake lake) {
      return lake.read(Forecasts.TABLE)
          .where(
              col(Forecasts.RUN_DATE)
                  .equalTo(lit(runDate))
                  .and(col(Forecasts.RUN_ID).equalTo(runId))
                  .and(col(Forecasts.HORIZON_START).equalTo(lit(Timestamp.from(start))))
                  .and(Forecasts.ofMainHorizon()));
    }
  }

  /** A span of time whose requests are wanted. */
  private record Span(Instant from, Instant to) {}

  /**
   * @param nights how many days and former forecasts are looked back at
   */
  ReportDemand(Lake lake, ReportRuns.Chosen run, int nights) {
    this.lake = lake;
    this.run = run;
    this.nights = nights;
    this.to = run.plannedAt();
    this.from = to.minus(Duration.ofDays(nights)).truncatedTo(ChronoUnit.DAYS);
    this.forecasts = forecasts();
    Instant first = from;
    Instant last = to;
    for (ForecastRun forecast : forecasts) {
      Instant before = forecast.start().minus(length(forecast));
      first = before.isBefore(first) ? before : first;
      last = forecast.end().isAfter(last) ? forecast.end() : last;
    }
    Column inDays = between(Demand.DATE, day(first), day(last));
    this.buckets =
        lake.read(Demand.TABLE)
            .where(inDays)
            .groupBy(col(Demand.BUCKET_START))
            .agg(sum(col(Demand.REQUESTS)).as(Demand.REQUESTS))
            .persist(StorageLevel.MEMORY_AND_DISK());
    lake.read(DemandDays.TABLE)
        .where(between(DemandDays.DATE, day(first), day(last)))
        .collectAsList()
        .forEach(row -> days.put(row.<Date>getAs(DemandDays.DATE).toLocalDate(), row));
  }

  private static Duration length(ForecastRun forecast) {
    return Duration.between(forecast.start(), forecast.end());
  }

  private static LocalDate day(Instant at) {
    return at.atZone(ZoneOffset.UTC).toLocalDate();
  }

  private static Column between(String column, LocalDate first, LocalDate last) {
    return col(column).between(lit(first), lit(last));
  }

  /** Lets go of what was kept for several questions. */
  void close() {
    buckets.unpersist();
  }

  // What was asked.

  NightReport.Asked asked() {
    Map<Instant, Double> known = new HashMap<>();
    buckets
        .where(within(from, to))
        .groupBy(date_trunc(HOUR, col(Demand.BUCKET_START)).as(HOUR))
        .agg(sum(col(Demand.REQUESTS)))
        .collectAsList()
        .forEach(row -> known.put(row.getTimestamp(0).toInstant(), row.getDouble(1)));
    List<NightReport.Hour> hours = new ArrayList<>();
    for (Instant hour = from; hour.isBefore(to); hour = hour.plus(1, ChronoUnit.HOURS)) {
      Instant end = hour.plus(1, ChronoUnit.HOURS);
      double nothing = isCovered(hour, end.isAfter(to) ? to : end) ? 0 : Double.NaN;
      hours.add(new NightReport.Hour(hour, known.getOrDefault(hour, nothing)));
    }
    List<NightReport.Day> shown = new ArrayList<>();
    for (Row row : days.values()) {
      LocalDate date = row.<Date>getAs(DemandDays.DATE).toLocalDate();
      if (!date.isBefore(day(from)) && date.atStartOfDay(ZoneOffset.UTC).toInstant().isBefore(to)) {
        shown.add(
            new NightReport.Day(
                date,
                row.<Long>getAs(DemandDays.REQUESTS),
                row.<Long>getAs(DemandDays.READS),
                row.<Long>getAs(DemandDays.WHOLE_READS),
                row.<Long>getAs(DemandDays.RANGE_UNKNOWN),
                row.<Long>getAs(DemandDays.UNKNOWN_OBJECT),
                row.<Long>getAs(DemandDays.PAST_END),
                row.<Long>getAs(DemandDays.NOT_READS)));
      }
    }
    return new NightReport.Asked(from, to, hours, shown, rejected());
  }

  private static Column within(Instant from, Instant to) {
    return col(Demand.BUCKET_START)
        .geq(lit(Timestamp.from(from)))
        .and(col(Demand.BUCKET_START).lt(lit(Timestamp.from(to))));
  }

  /** Whether every day of the span is aggregated as far as it is needed. */
  private boolean isCovered(Instant start, Instant end) {
    for (LocalDate day = day(start); !day.isAfter(day(end.minusNanos(1))); day = day.plusDays(1)) {
      Row row = days.get(day);
      Instant dayEnd = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
      Instant needed = end.isBefore(dayEnd) ? end : dayEnd;
      if (row == null
          || row.<Timestamp>getAs(DemandDays.COVERED_UNTIL).toInstant().isBefore(needed)) {
        return false;
      }
    }
    return true;
  }

  private List<NightReport.Count> rejected() {
    return lake
        .read(RequestsRejected.TABLE)
        .where(between(RequestsRejected.DATE, day(from), day(to)))
        .groupBy(col(RequestsRejected.REASON))
        .agg(count(lit(1)).as(CAME))
        .orderBy(col(CAME).desc(), col(RequestsRejected.REASON))
        .limit(MOST_REASONS)
        .collectAsList()
        .stream()
        .map(row -> new NightReport.Count(row.getString(0), row.getLong(1)))
        .toList();
  }

  // What was forecast.

  /** The newest forecasts, by horizon and run. */
  private List<ForecastRun> forecasts() {
    return lake
        .read(Forecasts.TABLE)
        .where(
            between(Forecasts.RUN_DATE, day(from).minusDays(1), day(to))
                .and(Forecasts.ofMainHorizon()))
        .groupBy(
            col(Forecasts.RUN_ID),
            col(Forecasts.RUN_DATE),
            col(Forecasts.HORIZON_START),
            col(Forecasts.HORIZON_END))
        .agg(
            sum(col(Forecasts.EXPECTED_REQUESTS)).as(EXPECTED), max(col(Forecasts.MODEL)).as(MODEL))
        .orderBy(
            col(Forecasts.RUN_ID).notEqual(run.runId()),
            abs(
                unix_timestamp(col(Forecasts.HORIZON_START))
                    .minus(unix_timestamp(lit(Timestamp.from(to))))),
            col(Forecasts.HORIZON_START).desc(),
            col(Forecasts.RUN_ID))
        .limit(nights * FORECASTS_PER_NIGHT)
        .collectAsList()
        .stream()
        .map(
            row ->
                new ForecastRun(
                    row.getAs(Forecasts.RUN_ID),
                    row.<Date>getAs(Forecasts.RUN_DATE).toLocalDate(),
                    row.<Timestamp>getAs(Forecasts.HORIZON_START).toInstant(),
                    row.<Timestamp>getAs(Forecasts.HORIZON_END).toInstant(),
                    row.<Double>getAs(EXPECTED),
                    row.getAs(MODEL)))
        .toList();
  }

  NightReport.Forecast forecast() {
    if (forecasts.isEmpty()) {
      return NightReport.Forecast.NONE;
    }
    // In the order that plan looks for its forecast in.
    ForecastRun current = forecasts.get(0);
    List<ForecastRun> former = former();
    List<NightReport.Night> shown = shown(former);
    List<NightReport.Outcome> outcome = List.of();
    for (int i = shown.size() - 1; i >= 0 && outcome.isEmpty(); i--) {
      if (Double.isFinite(shown.get(i).came())) {
        outcome = outcome(former.get(i), shown.get(i).came());
      }
    }
    Dataset<Row> segments = withObjects(current.rows(lake));
    return new NightReport.Forecast(
        current.runId(),
        current.start(),
        current.end(),
        current.model(),
        current.expected(),
        classes(segments),
        top(segments),
        models(current),
        shown,
        outcome);
  }

  /** One forecast a horizon that began before the night, the newest of them, in order of time. */
  private List<ForecastRun> former() {
    Map<Span, ForecastRun> bySpan = new LinkedHashMap<>();
    for (ForecastRun forecast : forecasts) {
      if (forecast.start().isBefore(to)) {
        bySpan.merge(
            new Span(forecast.start(), forecast.end()),
            forecast,
            // A repeated run has its first one's id with more behind it.
            (a, b) -> a.runId().compareTo(b.runId()) >= 0 ? a : b);
      }
    }
    List<ForecastRun> all = new ArrayList<>(bySpan.values());
    all.sort(Comparator.comparing(ForecastRun::start).thenComparing(ForecastRun::end));
    return all.subList(Math.max(0, all.size() - nights), all.size());
  }

  private List<NightReport.Night> shown(List<ForecastRun> former) {
    List<Span> spans = new ArrayList<>();
    for (ForecastRun forecast : former) {
      spans.add(new Span(forecast.start(), forecast.end()));
      spans.add(new Span(forecast.start().minus(length(forecast)), forecast.start()));
    }
    List<Double> sums = requests(spans);
    List<NightReport.Night> shown = new ArrayList<>();
    for (int i = 0; i < former.size(); i++) {
      ForecastRun forecast = former.get(i);
      shown.add(
          new NightReport.Night(
              forecast.runId(),
              forecast.start(),
              forecast.end(),
              forecast.expected(),
              sums.get(2 * i),
              sums.get(2 * i + 1)));
    }
    return shown;
  }

  /** Requests of each span; NaN where not all of it is aggregated. */
  private List<Double> requests(List<Span> spans) {
    String number = "number";
    String begin = "begin";
    String end = "end";
    List<Row> rows = new ArrayList<>();
    List<Double> sums = new ArrayList<>();
    for (Span span : spans) {
      rows.add(
          RowFactory.create(sums.size(), Timestamp.from(span.from()), Timestamp.from(span.to())));
      sums.add(isCovered(span.from(), span.to()) ? 0 : Double.NaN);
    }
    if (rows.isEmpty()) {
      return sums;
    }
    Dataset<Row> wanted =
        lake.spark()
            .createDataFrame(
                rows,
                new StructType()
                    .add(number, DataTypes.IntegerType, false)
                    .add(begin, DataTypes.TimestampType, false)
                    .add(end, DataTypes.TimestampType, false));
    buckets
        .join(
            broadcast(wanted),
            col(Demand.BUCKET_START).geq(col(begin)).and(col(Demand.BUCKET_START).lt(col(end))))
        .groupBy(col(number))
        .agg(sum(col(Demand.REQUESTS)))
        .collectAsList()
        .forEach(row -> sums.set(row.getInt(0), sums.get(row.getInt(0)) + row.getDouble(1)));
    return sums;
  }

  /** Segments of a former forecast by heat, with the requests that came in its span. */
  private List<NightReport.Outcome> outcome(ForecastRun forecast, double cameInAll) {
    Dataset<Row> expected =
        forecast
            .rows(lake)
            .select(
                col(Forecasts.OBJECT_ID),
                col(Forecasts.SEGMENT),
                col(Forecasts.SEGMENT_BYTES),
                col(Forecasts.EXPECTED_REQUESTS));
    // As the objects were cut when they were forecast; the last segment counts as a whole one.
    Dataset<Row> cut =
        expected
            .groupBy(col(Forecasts.OBJECT_ID))
            .agg(
                max(col(Forecasts.SEGMENT)).plus(1).as(Objects.SEGMENTS),
                max(col(Forecasts.SEGMENT_BYTES)).as(Objects.SEGMENT_BYTES))
            .withColumn(
                Objects.OBJECT_BYTES,
                col(Objects.SEGMENTS)
                    .cast(DataTypes.LongType)
                    .multiply(col(Objects.SEGMENT_BYTES)));
    Dataset<Row> demand =
        lake.read(Demand.TABLE)
            .where(
                between(Demand.DATE, day(forecast.start()), day(forecast.end()))
                    .and(within(forecast.start(), forecast.end())));
    Dataset<Row> came =
        Rebinned.toCurrent(demand, cut)
            .groupBy(col(Demand.OBJECT_ID), col(Demand.SEGMENT))
            .agg(sum(col(Demand.REQUESTS)).as(CAME));
    Map<String, Row> byHeat = new HashMap<>();
    expected
        .join(came, new String[] {Forecasts.OBJECT_ID, Forecasts.SEGMENT}, "left")
        .groupBy(heat().as(HEAT))
        .agg(
            count(lit(1)).as(Objects.SEGMENTS),
            sum(col(Forecasts.EXPECTED_REQUESTS)).as(EXPECTED),
            coalesce(sum(col(CAME)), lit(0.0)).as(CAME))
        .collectAsList()
        .forEach(row -> byHeat.put(row.getAs(HEAT), row));
    List<NightReport.Outcome> outcome = new ArrayList<>();
    double known = 0;
    for (VolumeClass heat : VolumeClass.values()) {
      Row row = byHeat.get(heat.word());
      if (row != null) {
        known += row.<Double>getAs(CAME);
        outcome.add(
            new NightReport.Outcome(
                heat.word(),
                row.<Long>getAs(Objects.SEGMENTS),
                row.<Double>getAs(EXPECTED),
                row.<Double>getAs(CAME)));
      }
    }
    if (cameInAll - known > 1e-6 * cameInAll) {
      outcome.add(new NightReport.Outcome("not forecast", 0, 0, cameInAll - known));
    }
    return outcome;
  }

  /** The class of a segment by its forecast. */
  private static Column heat() {
    VolumeClass[] classes = VolumeClass.values();
    Column heat = lit(classes[classes.length - 1].word());
    for (int i = classes.length - 2; i >= 0; i--) {
      heat =
          when(col(Forecasts.EXPECTED_REQUESTS).lt(classes[i].below()), classes[i].word())
              .otherwise(heat);
    }
    return heat;
  }

  private static final String FIRST_BYTE = "first_byte";
  private static final String BYTES = "bytes";

  /** With each segment's place and length; an object that is gone has whole segments. */
  private Dataset<Row> withObjects(Dataset<Row> forecast) {
    return forecast
        .join(
            lake.read(Objects.TABLE).select(col(Objects.OBJECT_ID), col(Objects.OBJECT_BYTES)),
            new String[] {Forecasts.OBJECT_ID},
            "left")
        .withColumn(
            FIRST_BYTE,
            col(Forecasts.SEGMENT).cast(DataTypes.LongType).multiply(col(Forecasts.SEGMENT_BYTES)))
        .withColumn(
            BYTES,
            greatest(
                lit(0L),
                least(
                    col(Forecasts.SEGMENT_BYTES),
                    coalesce(
                        col(Objects.OBJECT_BYTES).minus(col(FIRST_BYTE)),
                        col(Forecasts.SEGMENT_BYTES)))));
  }

  private static List<NightReport.Heat> classes(Dataset<Row> segments) {
    Map<String, Row> byHeat = new HashMap<>();
    segments
        .groupBy(heat().as(HEAT))
        .agg(
            count(lit(1)).as(Objects.SEGMENTS),
            sum(col(BYTES)).as(BYTES),
            sum(col(Forecasts.EXPECTED_REQUESTS)).as(EXPECTED))
        .collectAsList()
        .forEach(row -> byHeat.put(row.getAs(HEAT), row));
    List<NightReport.Heat> classes = new ArrayList<>();
    for (VolumeClass heat : VolumeClass.values()) {
      Row row = byHeat.get(heat.word());
      classes.add(
          row == null
              ? new NightReport.Heat(heat.word(), 0, 0, 0)
              : new NightReport.Heat(
                  heat.word(),
                  row.<Long>getAs(Objects.SEGMENTS),
                  row.<Long>getAs(BYTES),
                  row.<Double>getAs(EXPECTED)));
    }
    return classes;
  }

  private static List<NightReport.Segment> top(Dataset<Row> segments) {
    List<NightReport.Segment> top = new ArrayList<>();
    for (Row row :
        segments
            .orderBy(
                col(Forecasts.EXPECTED_REQUESTS).desc(),
                col(Forecasts.OBJECT_ID),
                col(Forecasts.SEGMENT))
            .limit(TOP_SEGMENTS)
            .collectAsList()) {
      long first = row.<Long>getAs(FIRST_BYTE);
      top.add(
          new NightReport.Segment(
              top.size() + 1,
              row.getAs(Forecasts.OBJECT_ID),
              row.<Integer>getAs(Forecasts.SEGMENT),
              first,
              first + row.<Long>getAs(BYTES),
              row.<Double>getAs(Forecasts.EXPECTED_REQUESTS),
              row.<Double>getAs(Forecasts.LOW_80),
              row.<Double>getAs(Forecasts.HIGH_80),
              row.<Double>getAs(Forecasts.P_REQUESTED)));
    }
    return top;
  }

  private List<NightReport.Model> models(ForecastRun forecast) {
    Map<String, Map<String, Double>> values = new TreeMap<>();
    Map<String, Boolean> chosen = new HashMap<>();
    lake.read(ForecastQuality.TABLE)
        .where(
            col(ForecastQuality.RUN_DATE)
                .equalTo(lit(forecast.runDate()))
                .and(col(ForecastQuality.RUN_ID).equalTo(forecast.runId()))
                .and(
                    col(ForecastQuality.HORIZON_SECONDS)
                        .equalTo(Duration.between(forecast.start(), forecast.end()).toSeconds()))
                .and(col(ForecastQuality.CLASS).equalTo(ForecastQuality.ALL)))
        .collectAsList() // models times metrics
        .forEach(
            row -> {
              String model = row.getAs(ForecastQuality.MODEL);
              values
                  .computeIfAbsent(model, key -> new HashMap<>())
                  .put(row.getAs(ForecastQuality.METRIC), row.getAs(ForecastQuality.VALUE));
              chosen.put(model, row.getAs(ForecastQuality.CHOSEN));
            });
    List<NightReport.Model> models = new ArrayList<>();
    values.forEach(
        (model, metrics) ->
            models.add(
                new NightReport.Model(
                    model,
                    chosen.get(model),
                    metrics.getOrDefault("poisson_deviance", Double.NaN),
                    metrics.getOrDefault("wape", Double.NaN),
                    metrics.getOrDefault("heat_capture_top_10_percent", Double.NaN))));
    return models;
  }
}
