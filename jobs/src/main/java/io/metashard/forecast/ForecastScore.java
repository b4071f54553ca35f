package io.metashard.forecast;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * A forecast held against what came, beside yesterday's counts taken for one.
 *
 * @param segments of the forecast
 * @param actual requests of those segments
 * @param expected what was forecast of them
 */
public record ForecastScore(
    double segments, double actual, double expected, Errors forecast, Errors persistence) {
  /** Column: what was forecast. */
  public static final String EXPECTED = "expected";

  /** Column: what came. */
  public static final String ACTUAL = "actual";

  /** Column: what had come in the span before. */
  public static final String BEFORE = "before";

  /** Of yesterday's counts, this share is taken as spread evenly over all segments. */
  static final double SPREAD = 0.01;

  private static final String FORECAST = "forecast";
  private static final String PERSISTENCE = "persistence";

  /** Below it nothing is expected; a logarithm needs a number. */
  static final double LEAST = 1e-9;

  /** Heat is told apart to a 64th of a factor of two; what is not asked apart is cut in part. */
  private static final int BINS_PER_OCTAVE = 64;

  /**
   * How wrong a forecast was.
   *
   * @param deviance mean Poisson deviance over segments; of yesterday's counts, {@link #SPREAD}
   *     spread
   * @param absolute sum of absolute errors
   * @param hottest1 requests that the hundredth of the segments got that was forecast hottest
   * @param hottest10 those of the tenth
   */
  public record Errors(double deviance, double absolute, double hottest1, double hottest10) {}

  /** Segments of which nearly the same was expected. */
  private record Bin(int bin, double segments, double actual) {}

  /**
   * Scores.
   *
   * @param segments one row per segment of the forecast: {@link #EXPECTED}, {@link #ACTUAL}, {@link
   *     #BEFORE}; the last two null where there was none
   */
  public static ForecastScore of(Dataset<Row> segments) {
    Dataset<Row> known =
        segments.select(
            col(EXPECTED),
            coalesce(col(ACTUAL), lit(0.0)).as(ACTUAL),
            coalesce(col(BEFORE), lit(0.0)).as(BEFORE));
    Row totals = known.agg(count(lit(1)).cast("double"), sum(col(BEFORE))).first();
    double n = totals.getDouble(0);
    if (n == 0) {
      Errors none = new Errors(Double.NaN, 0, 0, 0);
      return new ForecastScore(0, 0, 0, none, none);
    }
    double meanBefore = totals.getDouble(1) / n;
    Column spread = col(BEFORE).multiply(1 - SPREAD).plus(SPREAD * meanBefore);
    Column mean = greatest(col("mean"), lit(LEAST));
    List<Row> rows =
        known
            .select(
                col(ACTUAL),
                explode(
                        array(
                            guess(FORECAST, col(EXPECTED), col(EXPECTED)),
                            guess(PERSISTENCE, col(BEFORE), spread)))
                    .as("guess"))
            .select(
                col(ACTUAL),
                col("guess.by").as("by"),
                col("guess.count").as("count"),
                col("guess.mean").as("mean"))
            .withColumn(
                "bin",
                floor(log2(greatest(col("count"), lit(LEAST))).multiply(BINS_PER_OCTAVE))
                    .cast("int"))
            .groupBy("by", "bin")
            .agg(
                count(lit(1)).cast("double"),
                sum(col(ACTUAL)),
                sum(col("count")),
                sum(abs(col(ACTUAL).minus(col("count")))),
                sum(PoissonDeviance.of(col(ACTUAL), mean)))
            .collectAsList(); // some thousand bins, however many segments
    Map<String, List<Row>> byGuess = new TreeMap<>();
    rows.stream()
        // Sums of doubles depend on their order.
        .sorted(Comparator.comparing((Row row) -> row.getString(0)).thenComparing(r -> r.getInt(1)))
        .forEach(
            row -> byGuess.computeIfAbsent(row.getString(0), by -> new ArrayList<>()).add(row));
    List<Row> forecast = byGuess.get(FORECAST);
    return new ForecastScore(
        n,
        total(forecast, 3),
        total(forecast, 4),
        errors(forecast, n),
        errors(byGuess.get(PERSISTENCE), n));
  }

  private static Column guess(String by, Column count, Column mean) {
    return struct(lit(by).as("by"), count.as("count"), mean.as("mean"));
  }

  private static double total(List<Row> rows, int column) {
    return rows.stream().mapToDouble(row -> row.getDouble(column)).sum();
  }

  private static Errors errors(List<Row> rows, double segments) {
    List<Bin> hottestFirst =
        rows.stream()
            .map(row -> new Bin(row.getInt(1), row.getDouble(2), row.getDouble(3)))
            .sorted(Comparator.comparingInt(Bin::bin).reversed())
            .toList();
    return new Errors(
        total(rows, 6) / segments,
        total(rows, 5),
        hottest(hottestFirst, segments, 0.01),
        hottest(hottestFirst, segments, 0.1));
  }

  /** Requests of the hottest segments, at least one; a bin that is cut counts in part. */
  private static double hottest(List<Bin> hottestFirst, double segments, double share) {
    double left = Math.max(1, Math.rint(share * segments));
    double found = 0;
    for (Bin bin : hottestFirst) {
      found += bin.actual() * Math.min(1, left / bin.segments());
      left -= bin.segments();
      if (left <= 0) {
        break;
      }
    }
    return found;
  }
}
