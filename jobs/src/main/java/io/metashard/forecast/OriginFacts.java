package io.metashard.forecast;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * What is known of all segments together at one origin.
 *
 * @param origin bucket
 * @param known segments that exist at the origin
 * @param seen those among them with a request before it
 * @param totals per component of the share: the sum over all segments
 * @param expectedTotal forecast of the requests within the horizon
 * @param observedTotal what came to be; 0 for the origin of the forecast itself
 */
record OriginFacts(
    int origin,
    long known,
    long seen,
    List<Double> totals,
    double expectedTotal,
    double observedTotal) {
  static final String KNOWN = "known_segments";
  static final String EXPECTED_TOTAL = "expected_total";
  static final String OBSERVED_TOTAL = "observed_total";

  /** Array of {@link #totals}. */
  static final String TOTALS = "totals";

  static Column total(int component) {
    return col(TOTALS).getItem(component);
  }

  OriginFacts {
    totals = List.copyOf(totals);
  }

  static StructType schema() {
    return new StructType()
        .add(SegmentStates.ORIGIN, DataTypes.IntegerType, false)
        .add(KNOWN, DataTypes.DoubleType, false)
        .add(EXPECTED_TOTAL, DataTypes.DoubleType, false)
        .add(OBSERVED_TOTAL, DataTypes.DoubleType, false)
        .add(TOTALS, new ArrayType(DataTypes.DoubleType, false), false);
  }

  Row row() {
    return RowFactory.create(
        origin, (double) Math.max(1, known), expectedTotal, observedTotal, totals);
  }
}
