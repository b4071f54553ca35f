package io.metashard.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.AggregateOptions;
import io.metashard.aggregate.DayPlan;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.DemandDays;
import io.metashard.aggregate.Reads;
import io.metashard.aggregate.Unplaced;
import io.metashard.catalogue.Objects;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.logs.Requests;
import java.sql.Date;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.storage.StorageLevel;

/**
 * Counts the reads of the days that are new or whose requests grew into {@code demand}.
 *
 * <p>Demand is committed before {@code demand_days} says so: a run that is killed between the two
 * is repeated, to the same rows. A read of an id that was not in the catalogue stays uncounted
 * until its day is aggregated again for another reason.
 */
public final class AggregateJob {
  private static final String STAGE = "aggregate";
  private static final String WARNING =
      "%.0f %% of reads do not say which part they read: heat inside objects is not known";

  /** Share of reads, in percent, above which heat inside objects is not known. */
  private static final double MAX_UNPLACED_PERCENT = 20;

  /** Bounds what a commit holds, and what a killed run does again. */
  private static final int DAYS_PER_COMMIT = 31;

  private static final String ROWS = "rows";

  private final JobContext context;
  private final AggregateOptions options;
  private final String fingerprint;

  /**
   * @throws SettingsException if a setting of aggregation cannot be used
   */
  public AggregateJob(JobContext context) {
    this.context = context;
    this.options = AggregateOptions.from(context.settings());
    SegmentOptions segments = SegmentOptions.from(context.settings());
    this.fingerprint =
        "bucket=%s segments=%d,%d,%d"
            .formatted(
                options.bucket(), segments.perObject(), segments.minBytes(), segments.maxBytes());
  }

  /** Aggregates what is due; nothing else is touched. */
  public StageReport run() {
    Lake lake = context.lake();
    Dataset<Row> requests = lake.read(Requests.TABLE);
    Dataset<Row> objects = lake.read(Objects.TABLE);
    Map<LocalDate, DayPlan.Aggregated> aggregated = aggregated();
    Map<LocalDate, Long> counted = counted(requests, aggregated);
    DayPlan plan = DayPlan.of(counted, aggregated, options, fingerprint, context.at());
    List<Row> days = new ArrayList<>();
    for (int from = 0; from < plan.days().size(); from += DAYS_PER_COMMIT) {
      List<LocalDate> some =
          plan.days().subList(from, Math.min(plan.days().size(), from + DAYS_PER_COMMIT));
      days.addAll(aggregate(some, requests, objects, aggregated));
    }
    return report(plan, days);
  }

  private Map<LocalDate, DayPlan.Aggregated> aggregated() {
    Map<LocalDate, DayPlan.Aggregated> days = new HashMap<>();
    for (Row row : context.lake().read(DemandDays.TABLE).collectAsList()) {
      days.put(
          day(row),
          new DayPlan.Aggregated(
              row.getAs(DemandDays.REQUESTS),
              row.getAs(DemandDays.FINGERPRINT),
              row.<java.sql.Timestamp>getAs(DemandDays.COVERED_UNTIL).toInstant()));
    }
    return days;
  }

  private static LocalDate day(Row row) {
    return row.<Date>getAs(DemandDays.DATE).toLocalDate();
  }

  /** Requests per day up to the moment of planning; whole days are counted from file footers. */
  private Map<LocalDate, Long> counted(
      Dataset<Row> requests, Map<LocalDate, DayPlan.Aggregated> aggregated) {
    LocalDate today = LocalDate.ofInstant(context.at(), ZoneOffset.UTC);
    Instant until = DayPlan.until(today, aggregated.get(today), context.at());
    Map<LocalDate, Long> days = new HashMap<>();
    for (Row row :
        requests
            .where(col(Requests.DATE).lt(Date.valueOf(today)))
            .groupBy(col(Requests.DATE))
            .agg(count(lit(1)).as(ROWS))
            .collectAsList()) {
      days.put(day(row), row.<Long>getAs(ROWS));
    }
    long partial =
        requests
            .where(col(Requests.DATE).equalTo(Date.valueOf(today)))
            .where(col(Requests.TS).lt(lit(until)))
            .count();
    if (partial > 0) {
      days.put(today, partial);
    }
    return days;
  }

  /** Replaces some days and says what was counted. */
  private List<Row> aggregate(
      List<LocalDate> days,
      Dataset<Row> requests,
      Dataset<Row> objects,
      Map<LocalDate, DayPlan.Aggregated> aggregated) {
    LocalDate today = LocalDate.ofInstant(context.at(), ZoneOffset.UTC);
    Instant until = DayPlan.until(today, aggregated.get(today), context.at());
    Object[] dates = days.stream().map(Date::valueOf).toArray();
    Column due =
        col(Requests.DATE)
            .isin(dates)
            .and(
                not(col(Requests.DATE).equalTo(Date.valueOf(today)))
                    .or(col(Requests.TS).lt(lit(until))));
    Dataset<Row> reads =
        Reads.of(requests.where(due), objects, options.bucket())
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      List<Row> counts = counts(reads);
      boolean anyUnplaced =
          counts.stream().anyMatch(row -> row.<Long>getAs(DemandDays.RANGE_UNKNOWN) > 0);
      Dataset<Row> placed = Reads.placed(reads);
      Dataset<Row> demand = anyUnplaced ? Unplaced.added(reads, placed) : placed;
      // Dates only: nothing that a stranger wrote becomes SQL.
      String predicate =
          days.stream()
              .map("DATE'%s'"::formatted)
              .collect(Collectors.joining(", ", Demand.DATE + " IN (", ")"));
      context.lake().replaceWhere(Demand.TABLE, demand, predicate, Lake.Commit.PLAIN);
      List<Row> rows = withDemandRows(counts, dates, aggregated);
      context
          .lake()
          .replaceWhere(
              DemandDays.TABLE,
              context.spark().createDataFrame(rows, DemandDays.SCHEMA),
              predicate,
              Lake.Commit.PLAIN);
      return rows;
    } finally {
      reads.unpersist();
    }
  }

  /** One row per day: what its requests are. */
  private static List<Row> counts(Dataset<Row> reads) {
    return reads
        .groupBy(col(Reads.DATE))
        .agg(
            sum(col(Reads.REQUESTS)).as(DemandDays.REQUESTS),
            of(Reads.REQUESTS, col(Reads.KIND).isin(Reads.PLACED, Reads.UNPLACED))
                .as(DemandDays.READS),
            sum(col(Reads.WHOLE_REQUESTS)).as(DemandDays.WHOLE_READS),
            of(Reads.REQUESTS, col(Reads.KIND).equalTo(Reads.UNPLACED))
                .as(DemandDays.RANGE_UNKNOWN),
            of(Reads.REQUESTS, col(Reads.KIND).equalTo(Reads.PAST_END)).as(DemandDays.PAST_END),
            of(Reads.REQUESTS, col(Reads.KIND).equalTo(Reads.UNKNOWN_OBJECT))
                .as(DemandDays.UNKNOWN_OBJECT),
            of(Reads.REQUESTS, col(Reads.KIND).equalTo(Reads.NOT_READ)).as(DemandDays.NOT_READS))
        .orderBy(col(Reads.DATE))
        .collectAsList();
  }

  private static Column of(String column, Column kind) {
    return coalesce(sum(when(kind, col(column))), lit(0L));
  }

  private List<Row> withDemandRows(
      List<Row> counts, Object[] dates, Map<LocalDate, DayPlan.Aggregated> aggregated) {
    Map<LocalDate, Long> demandRows = new HashMap<>();
    for (Row row :
        context
            .lake()
            .read(Demand.TABLE)
            .where(col(Demand.DATE).isin(dates))
            .groupBy(col(Demand.DATE))
            .agg(count(lit(1)).as(ROWS))
            .collectAsList()) {
      demandRows.put(day(row), row.<Long>getAs(ROWS));
    }
    List<Row> rows = new ArrayList<>();
    for (Row row : counts) {
      LocalDate day = day(row);
      rows.add(
          RowFactory.create(
              Date.valueOf(day),
              row.getAs(DemandDays.REQUESTS),
              fingerprint,
              java.sql.Timestamp.from(DayPlan.until(day, aggregated.get(day), context.at())),
              row.getAs(DemandDays.READS),
              row.getAs(DemandDays.WHOLE_READS),
              row.getAs(DemandDays.RANGE_UNKNOWN),
              row.getAs(DemandDays.PAST_END),
              row.getAs(DemandDays.UNKNOWN_OBJECT),
              row.getAs(DemandDays.NOT_READS),
              demandRows.getOrDefault(day, 0L)));
    }
    return rows;
  }

  private StageReport report(DayPlan plan, List<Row> days) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("days", days.size());
    for (String column :
        List.of(
            DemandDays.REQUESTS,
            DemandDays.READS,
            DemandDays.WHOLE_READS,
            DemandDays.RANGE_UNKNOWN,
            DemandDays.PAST_END,
            DemandDays.UNKNOWN_OBJECT,
            DemandDays.NOT_READS,
            DemandDays.DEMAND_ROWS)) {
      figures.put(column, total(days, column));
    }
    long reads = total(days, DemandDays.READS);
    double unplacedPercent = reads == 0 ? 0 : 100.0 * total(days, DemandDays.RANGE_UNKNOWN) / reads;
    figures.put("range_unknown_percent", Math.round(unplacedPercent * 10) / 10.0);
    figures.put("closed_days_grew", plan.closedDaysGrew().size());
    figures.put("days_of_other_settings", plan.otherSettings().size());
    if (unplacedPercent > MAX_UNPLACED_PERCENT) {
      figures.put("warning", WARNING.formatted(unplacedPercent));
    }
    boolean done = !days.isEmpty();
    return new StageReport(
        STAGE,
        done ? StageReport.DONE : StageReport.UNCHANGED,
        done
            ? "%d days are new, grew, or were counted in part or by other settings"
                .formatted(days.size())
            : "no day is new or grew",
        "at=%s requests=%s objects=%s %s"
            .formatted(context.at(), version(Requests.TABLE), version(Objects.TABLE), fingerprint),
        total(days, DemandDays.REQUESTS),
        total(days, DemandDays.DEMAND_ROWS),
        0,
        0,
        figures);
  }

  private String version(TableDefinition table) {
    OptionalLong version = context.lake().version(table);
    return version.isPresent() ? Long.toString(version.getAsLong()) : "none";
  }

  private static long total(List<Row> days, String column) {
    return days.stream().mapToLong(row -> row.getLong(DemandDays.SCHEMA.fieldIndex(column))).sum();
  }
}
