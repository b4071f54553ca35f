package io.metashard.forecast;

import static org.apache.spark.sql.functions.log;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;

/** What every score of counts is made of. */
final class PoissonDeviance {
  private PoissonDeviance() {}

  /**
   * Deviance of one count.
   *
   * @param mean above 0
   */
  static Column of(Column actual, Column mean) {
    return when(actual.gt(0), actual.multiply(log(actual.divide(mean))))
        .otherwise(0.0)
        .minus(actual.minus(mean))
        .multiply(2);
  }
}
