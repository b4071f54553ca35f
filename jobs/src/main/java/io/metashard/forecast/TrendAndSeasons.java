package io.metashard.forecast;

import java.util.Arrays;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.RealVector;

/**
 * A linear model of the logarithm of a series: a trend that may bend at some points, and Fourier
 * terms of the day and, with eight days or more, of the week (Taylor and Letham: "Forecasting at
 * scale", The American Statistician, 2018).
 *
 * <p>Fitted by ridge regression, newer values weighing more: bends and the week are held back most.
 * Buckets shorter than an hour are fitted by the hour.
 */
final class TrendAndSeasons {
  private static final int BENDS = 4;
  private static final int DAY_TERMS = 4;
  private static final int WEEK_TERMS = 3;
  private static final double HALF_LIFE_DAYS = 14;
  private static final double MOST_LOG = 25;

  // What each term costs, in squared errors of the logarithm.
  private static final double LEVEL_RIDGE = 1e-6;
  private static final double TREND_RIDGE = 1;
  private static final double BEND_RIDGE = 3;
  private static final double DAY_RIDGE = 0.3;
  private static final double WEEK_RIDGE = 3;

  private final int perDay;
  private final int span;
  private final boolean weekly;
  private final RealVector weights;
  private final double scale;

  private TrendAndSeasons(int perDay, int span, boolean weekly, RealVector weights, double scale) {
    this.perDay = perDay;
    this.span = span;
    this.weekly = weekly;
    this.weights = weights;
    this.scale = scale;
  }

  /**
   * What follows a series.
   *
   * @param values one per step, NaN where it is missing
   * @param perDay steps of a day
   * @param steps to forecast; may end with a part of a step
   * @return the sum over these steps, above 0; NaN with less than two days
   */
  static double ahead(double[] values, int perDay, double steps) {
    if (values.length < 2 * perDay || Arrays.stream(values).allMatch(Double::isNaN)) {
      return Double.NaN;
    }
    TrendAndSeasons model = fit(values, perDay);
    double sum = 0;
    for (int step = 0; step < steps; step++) {
      sum += Math.min(1, steps - step) * model.at(values.length + step);
    }
    return sum * model.scale;
  }

  private static TrendAndSeasons fit(double[] values, int perDay) {
    boolean weekly = values.length >= 8 * perDay;
    double[] ridge = ridge(weekly);
    RealMatrix squares = new Array2DRowRealMatrix(ridge.length, ridge.length);
    double[] products = new double[ridge.length];
    for (int i = 0; i < ridge.length; i++) {
      squares.setEntry(i, i, ridge[i]);
    }
    for (int t = 0; t < values.length; t++) {
      if (Double.isNaN(values[t])) {
        continue;
      }
      double weight = Math.pow(0.5, (values.length - 1 - t) / (HALF_LIFE_DAYS * perDay));
      double[] terms = terms(t, perDay, values.length, weekly);
      double log = Math.log1p(values[t]);
      for (int i = 0; i < terms.length; i++) {
        products[i] += weight * terms[i] * log;
        for (int j = 0; j <= i; j++) {
          squares.addToEntry(i, j, weight * terms[i] * terms[j]);
        }
      }
    }
    for (int i = 0; i < ridge.length; i++) {
      for (int j = 0; j < i; j++) {
        squares.setEntry(j, i, squares.getEntry(i, j));
      }
    }
    RealVector weights =
        new CholeskyDecomposition(squares).getSolver().solve(new ArrayRealVector(products, false));
    TrendAndSeasons unscaled = new TrendAndSeasons(perDay, values.length, weekly, weights, 1);
    // The mean of logarithms is below the logarithm of the mean: the last week says by how much.
    double were = 0;
    double fitted = 0;
    for (int t = Math.max(0, values.length - 7 * perDay); t < values.length; t++) {
      if (!Double.isNaN(values[t])) {
        were += values[t];
        fitted += unscaled.at(t);
      }
    }
    double scale = fitted > 0 && were > 0 ? were / fitted : 1;
    return new TrendAndSeasons(perDay, values.length, weekly, weights, scale);
  }

  private double at(int step) {
    double log = weights.dotProduct(new ArrayRealVector(terms(step, perDay, span, weekly), false));
    return Math.expm1(Math.max(0, Math.min(MOST_LOG, log)));
  }

  private static double[] ridge(boolean weekly) {
    double[] ridge = new double[2 + BENDS + 2 * DAY_TERMS + (weekly ? 2 * WEEK_TERMS : 0)];
    Arrays.fill(ridge, 2, 2 + BENDS, BEND_RIDGE);
    Arrays.fill(ridge, 2 + BENDS, 2 + BENDS + 2 * DAY_TERMS, DAY_RIDGE);
    Arrays.fill(ridge, 2 + BENDS + 2 * DAY_TERMS, ridge.length, WEEK_RIDGE);
    ridge[0] = LEVEL_RIDGE;
    ridge[1] = TREND_RIDGE;
    return ridge;
  }

  private static double[] terms(int step, int perDay, int span, boolean weekly) {
    double[] terms = new double[2 + BENDS + 2 * DAY_TERMS + (weekly ? 2 * WEEK_TERMS : 0)];
    double time = (double) step / span;
    int at = 0;
    terms[at++] = 1;
    terms[at++] = time - 1;
    for (int bend = 1; bend <= BENDS; bend++) {
      terms[at++] = Math.max(0, time - (double) bend / (BENDS + 1));
    }
    for (int k = 1; k <= DAY_TERMS; k++) {
      terms[at++] = Math.sin(2 * Math.PI * k * step / perDay);
      terms[at++] = Math.cos(2 * Math.PI * k * step / perDay);
    }
    for (int k = 1; weekly && k <= WEEK_TERMS; k++) {
      terms[at++] = Math.sin(2 * Math.PI * k * step / (7.0 * perDay));
      terms[at++] = Math.cos(2 * Math.PI * k * step / (7.0 * perDay));
    }
    return terms;
  }
}
