package io.metashard.forecast;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
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

  static String total(int component) {
    return "total_" + component;
  }

  OriginFacts {
    totals = List.copyOf(totals);
  }

  static StructType schema() {
    StructType schema =
        new StructType()
            .add(SegmentStates.ORIGIN, DataTypes.IntegerType, false)
            .add(KNOWN, DataTypes.DoubleType, false)
            .add(EXPECTED_TOTAL, DataTypes.DoubleType, false)
            .add(OBSERVED_TOTAL, DataTypes.DoubleType, false);
    for (int k = 0; k < Components.OBSERVED; k++) {
      schema = schema.add(total(k), DataTypes.DoubleType, false);
    }
    return schema;
  }

  Row row() {
    List<Object> values = new ArrayList<>();
    values.add(origin);
    values.add((double) Math.max(1, known));
    values.add(expectedTotal);
    values.add(observedTotal);
    values.addAll(totals);
    return RowFactory.create(values.toArray());
  }

  /** Share of a segment that had no request before the origin. */
  double unseenShare(ShareMixture mixture) {
    double uniform = mixture.uniform();
    for (int k = 0; k < Components.OBSERVED; k++) {
      // A component that saw nothing stands for the long run, and that for the uniform share.
      if (!(totals.get(k) > 0) && !(totals.get(Components.LONG_RUN) > 0)) {
        uniform += mixture.weights().get(k);
      }
    }
    return uniform / Math.max(1, known);
  }
}
