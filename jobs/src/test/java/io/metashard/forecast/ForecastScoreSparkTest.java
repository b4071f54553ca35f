package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.SharedSpark;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class ForecastScoreSparkTest {
  private static final StructType SCHEMA =
      new StructType()
          .add(ForecastScore.EXPECTED, DataTypes.DoubleType, false)
          .add(ForecastScore.ACTUAL, DataTypes.DoubleType, true)
          .add(ForecastScore.BEFORE, DataTypes.DoubleType, true);

  private static Dataset<Row> segments(List<Row> rows) {
    return SharedSpark.session().createDataFrame(rows, SCHEMA);
  }

  @Test
  void errorsAreThoseThatAPencilFinds() {
    ForecastScore score =
        ForecastScore.of(
            segments(
                List.of(
                    RowFactory.create(4.0, 6.0, 2.0),
                    RowFactory.create(1.0, null, 6.0),
                    RowFactory.create(0.5, 2.0, null))));
    assertThat(score.segments()).isEqualTo(3);
    assertThat(score.actual()).isEqualTo(8);
    assertThat(score.expected()).isEqualTo(5.5);
    assertThat(score.forecast().absolute()).isEqualTo(2 + 1 + 1.5);
    assertThat(score.persistence().absolute()).isEqualTo(4 + 6 + 2);
    double deviance = 2 * (6 * Math.log(6 / 4.0) - 2) + 2 * 1 + 2 * (2 * Math.log(2 / 0.5) - 1.5);
    assertThat(score.forecast().deviance()).isCloseTo(deviance / 3, within(1e-12));
    // Of yesterday's 8 requests, 1 % is spread over the three segments.
    double share = 0.01 * 8 / 3;
    double[] mean = {2 * 0.99 + share, 6 * 0.99 + share, share};
    double ofPersistence =
        2 * (6 * Math.log(6 / mean[0]) - (6 - mean[0]))
            + 2 * mean[1]
            + 2 * (2 * Math.log(2 / mean[2]) - (2 - mean[2]));
    assertThat(score.persistence().deviance()).isCloseTo(ofPersistence / 3, within(1e-12));
    // At least one segment is the hottest.
    assertThat(score.forecast().hottest1()).isEqualTo(6);
    assertThat(score.persistence().hottest1()).isZero();
  }

  @Test
  void theHottestHundredthAndTenthAreFoundAndTiesCountInPart() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      // Forecast in order of heat; yesterday all were alike.
      rows.add(RowFactory.create(1000 * Math.pow(0.9, i), i < 20 ? 10.0 : 1.0, 1.0));
    }
    ForecastScore score = ForecastScore.of(segments(rows));
    assertThat(score.actual()).isEqualTo(20 * 10 + 180);
    assertThat(score.forecast().hottest1()).isCloseTo(20, within(1e-9));
    assertThat(score.forecast().hottest10()).isCloseTo(200, within(1e-9));
    assertThat(score.persistence().hottest1()).isCloseTo(3.8, within(1e-9));
    assertThat(score.persistence().hottest10()).isCloseTo(38, within(1e-9));
  }

  @Test
  void nothingForecastHasNoDeviance() {
    ForecastScore score = ForecastScore.of(segments(List.of()));
    assertThat(score.segments()).isZero();
    assertThat(score.forecast().deviance()).isNaN();
  }
}
