package io.metashard.forecast;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * A forecast's counts, shares, chances and intervals held against what came, by class of volume.
 *
 * @param cells at most one a class and tenth of {@code p_requested}
 * @param mass sum of what was expected, and of the span before taken for a forecast: what turns
 *     them into shares
 */
public record MonitorScore(List<Cell> cells, double mass, double massBefore) {
  /** Columns: the chance of a request, and the interval; beside those of {@link ForecastScore}. */
  public static final String CHANCE = "chance";

  public static final String LOW = "low";
  public static final String HIGH = "high";

  /** Chances are told apart by tenths. */
  public static final int BINS = 10;

  private static final String CLASS = "class";
  private static final String BIN = "bin";

  /**
   * Sums over segments of one class and tenth of the chance.
   *
   * @param chance sum of chances
   * @param requested segments that were requested
   * @param brier sum of squared errors of the chance; of the segment's base rate: {@code brierBase}
   * @param covered segments whose count lay in the interval
   * @param actualLog sum of actual x ln(expected)
   */
  record Cell(
      VolumeClass volume,
      int bin,
      double segments,
      double actual,
      double expected,
      double chance,
      double requested,
      double brier,
      double brierBase,
      double covered,
      double absolute,
      double deviance,
      double devianceBefore,
      double actualLog,
      double actualLogBefore) {}

  /**
   * How often segments with such chances were requested.
   *
   * @param bin 0 for chances below 0.1, 9 from 0.9 on
   */
  public record Bin(int bin, double segments, double chance, double requested) {}

  public MonitorScore {
    cells = List.copyOf(cells);
  }

  /**
   * Scores.
   *
   * <p>The base rate of a segment is the share of earlier spans in which it was requested, drawn
   * towards the rate of all segments as if it had one span more at that rate: {@code (requested +
   * rate) / (spans + 1)}. Without earlier spans there is none.
   *
   * @param segments one row per segment of the forecast, with {@link ForecastScore#EXPECTED},
   *     {@link #CHANCE}, {@link #LOW} and {@link #HIGH}; {@link ForecastScore#ACTUAL}, {@link
   *     ForecastScore#BEFORE} and {@link DemandDrift#SPANS_REQUESTED}, null where there was none
   * @param spans earlier ones
   */
  public static MonitorScore of(Dataset<Row> segments, int spans) {
    Column none = lit(0.0);
    Dataset<Row> known =
        segments.select(
            col(ForecastScore.EXPECTED),
            col(CHANCE),
            col(LOW),
            col(HIGH),
            coalesce(col(ForecastScore.ACTUAL), none).as(ForecastScore.ACTUAL),
            coalesce(col(ForecastScore.BEFORE), none).as(ForecastScore.BEFORE),
            coalesce(col(DemandDrift.SPANS_REQUESTED), none).as(DemandDrift.SPANS_REQUESTED));
    Column expected = greatest(col(ForecastScore.EXPECTED), lit(ForecastScore.LEAST));
    Row totals =
        known
            .agg(
                count(lit(1)).cast("double"),
                coalesce(sum(col(ForecastScore.BEFORE)), none),
                coalesce(sum(col(DemandDrift.SPANS_REQUESTED)), none),
                coalesce(sum(expected), none))
            .first();
    double n = totals.getDouble(0);
    if (n == 0) {
      return new MonitorScore(List.of(), 0, 0);
    }
    double meanBefore = totals.getDouble(1) / n;
    double rate = spans == 0 ? 0 : totals.getDouble(2) / n / spans;
    Column actual = col(ForecastScore.ACTUAL);
    Column before =
        greatest(
            col(ForecastScore.BEFORE)
                .multiply(1 - ForecastScore.SPREAD)
                .plus(ForecastScore.SPREAD * meanBefore),
            lit(ForecastScore.LEAST));
    Column requested = when(actual.gt(0), 1.0).otherwise(0.0);
    Column base = col(DemandDrift.SPANS_REQUESTED).plus(rate).divide(spans + 1.0);
    Column chance = col(CHANCE);
    List<Cell> cells = new ArrayList<>();
    for (Row row :
        known
            .groupBy(
                VolumeClass.nameOf(col(ForecastScore.EXPECTED)).as(CLASS),
                least(floor(chance.multiply(BINS)), lit(BINS - 1)).cast("int").as(BIN))
            .agg(
                count(lit(1)).cast("double"),
                sum(actual),
                sum(col(ForecastScore.EXPECTED)),
                sum(chance),
                sum(requested),
                sum(square(chance.minus(requested))),
                spans == 0 ? sum(lit(Double.NaN)) : sum(square(base.minus(requested))),
                sum(when(actual.between(col(LOW), col(HIGH)), 1.0).otherwise(0.0)),
                sum(abs(actual.minus(col(ForecastScore.EXPECTED)))),
                sum(PoissonDeviance.of(actual, expected)),
                sum(PoissonDeviance.of(actual, before)),
                sum(actual.multiply(log(expected))),
                sum(actual.multiply(log(before))))
            .collectAsList()) { // at most classes x bins
      cells.add(cell(row));
    }
    // Sums of doubles depend on their order.
    cells.sort(Comparator.comparing(Cell::volume).thenComparingInt(Cell::bin));
    double massBefore =
        (1 - ForecastScore.SPREAD) * totals.getDouble(1)
            + Math.max(ForecastScore.SPREAD * totals.getDouble(1), ForecastScore.LEAST * n);
    return new MonitorScore(cells, totals.getDouble(3), massBefore);
  }

  private static Column square(Column value) {
    return value.multiply(value);
  }

  private static Cell cell(Row row) {
    return new Cell(
        VolumeClass.valueOf(row.getString(0)),
        row.getInt(1),
        row.getDouble(2),
        row.getDouble(3),
        row.getDouble(4),
        row.getDouble(5),
        row.getDouble(6),
        row.getDouble(7),
        row.getDouble(8),
        row.getDouble(9),
        row.getDouble(10),
        row.getDouble(11),
        row.getDouble(12),
        row.getDouble(13),
        row.getDouble(14));
  }

  private MonitorScore only(VolumeClass volume) {
    return volume == null
        ? this
        : new MonitorScore(
            cells.stream().filter(cell -> cell.volume() == volume).toList(), mass, massBefore);
  }

  private double total(ToDoubleFunction<Cell> value) {
    return cells.stream().mapToDouble(value).sum();
  }

  /**
   * Metrics by name, as {@link ForecastMonitor} has them; NaN where there is nothing to measure.
   *
   * @param volume null for all segments
   */
  public Map<String, Double> metrics(VolumeClass volume) {
    MonitorScore own = only(volume);
    double segments = own.total(Cell::segments);
    double actual = own.total(Cell::actual);
    double brier = own.total(Cell::brier) / segments;
    double base = own.total(Cell::brierBase) / segments;
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put(ForecastMonitor.SEGMENTS, segments);
    metrics.put(ForecastMonitor.REQUESTS_ACTUAL, actual);
    metrics.put(ForecastMonitor.REQUESTS_FORECAST, own.total(Cell::expected));
    metrics.put(ForecastMonitor.POISSON_DEVIANCE, own.total(Cell::deviance) / segments);
    metrics.put(
        ForecastMonitor.POISSON_DEVIANCE + ForecastMonitor.PERSISTENCE,
        own.total(Cell::devianceBefore) / segments);
    metrics.put(ForecastMonitor.WAPE, actual > 0 ? own.total(Cell::absolute) / actual : Double.NaN);
    metrics.put(ForecastMonitor.LOG_LOSS, logLoss(actual, own.total(Cell::actualLog), mass));
    metrics.put(
        ForecastMonitor.LOG_LOSS + ForecastMonitor.PERSISTENCE,
        logLoss(actual, own.total(Cell::actualLogBefore), massBefore));
    metrics.put(ForecastMonitor.BRIER, brier);
    metrics.put(ForecastMonitor.BRIER_BASE_RATE, base);
    metrics.put(ForecastMonitor.BRIER_SKILL, base > 0 ? 1 - brier / base : Double.NaN);
    metrics.put(ForecastMonitor.CALIBRATION_ERROR, own.calibrationError(segments));
    metrics.put(ForecastMonitor.CALIBRATION_BY_CHANCE, own.calibrationByChance(segments));
    metrics.put(ForecastMonitor.COVERAGE, own.total(Cell::covered) / segments);
    return metrics;
  }

  /** Nats per request. */
  private static double logLoss(double actual, double actualLog, double mass) {
    return Math.log(mass) - actualLog / actual;
  }

  /** Mean distance of chance and frequency over segments, bin by bin. */
  private double calibrationError(double segments) {
    return bins().stream()
            .mapToDouble(bin -> bin.segments() * Math.abs(bin.chance() - bin.requested()))
            .sum()
        / segments;
  }

  /** What it would be on average if every chance were right: a frequency of few segments varies. */
  private double calibrationByChance(double segments) {
    return bins().stream()
            .mapToDouble(
                bin ->
                    Math.sqrt(
                        2
                            / Math.PI
                            * bin.segments()
                            * Math.max(0, bin.chance() * (1 - bin.chance()))))
            .sum()
        / segments;
  }

  /** Bins that have segments, in order of the chance. */
  public List<Bin> bins() {
    TreeMap<Integer, List<Cell>> byBin = new TreeMap<>();
    cells.forEach(cell -> byBin.computeIfAbsent(cell.bin(), bin -> new ArrayList<>()).add(cell));
    List<Bin> bins = new ArrayList<>();
    byBin.forEach(
        (bin, of) -> {
          double segments = of.stream().mapToDouble(Cell::segments).sum();
          bins.add(
              new Bin(
                  bin,
                  segments,
                  of.stream().mapToDouble(Cell::chance).sum() / segments,
                  of.stream().mapToDouble(Cell::requested).sum() / segments));
        });
    return bins;
  }

  /** Bins of one class. */
  public List<Bin> bins(VolumeClass volume) {
    return only(volume).bins();
  }
}
