package io.metashard.bench;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.dayofweek;
import static org.apache.spark.sql.functions.hour;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.time.LocalDate;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

class SegmentsWorkloadSparkTest {
  private static final SparkSession SPARK = SharedSpark.session();
  private static final LocalDate END = LocalDate.parse("2026-03-02");

  private static SegmentsWorkload workload(long segments, long seed) {
    return new SegmentsWorkload(segments, 28, END, seed);
  }

  private static double one(Dataset<Row> rows, Column figure) {
    return ((Number) rows.agg(figure).collectAsList().get(0).get(0)).doubleValue();
  }

  @Test
  void theCatalogueHasExactlyTheSegmentsAskedFor() {
    for (long segments : new long[] {1, 29, 1000}) {
      SegmentsWorkload workload = workload(segments, 1);
      Dataset<Row> objects = workload.objects(SPARK);
      assertThat(one(objects, sum(col(Objects.SEGMENTS)))).isEqualTo(segments);
      assertThat(objects.select(Objects.OBJECT_ID).distinct().count())
          .isEqualTo(workload.objectCount());
      assertThat(objects.where(col(Objects.SEGMENTS).between(1, 7)).count())
          .isEqualTo(workload.objectCount());
    }
  }

  @Test
  void theSameSeedMakesTheSameRowsHoweverTheyAreComputed() {
    Dataset<Row> once = workload(500, 7).demand(SPARK);
    Dataset<Row> again = workload(500, 7).demand(SPARK.newSession()).repartition(5);
    assertThat(once.schema().fieldNames()).isEqualTo(Demand.SCHEMA.fieldNames());
    assertThat(once.exceptAll(again).count() + again.exceptAll(once).count()).isZero();
    assertThat(workload(500, 8).demand(SPARK).exceptAll(once).count()).isGreaterThan(1000);
  }

  @Test
  void demandIsSparseLongTailedAndGrowsWithTheSegments() {
    Dataset<Row> small = workload(700, 1).demand(SPARK).cache();
    Dataset<Row> large = workload(2800, 1).demand(SPARK).cache();
    double rows = large.count() / 2800.0;
    assertThat(rows).isBetween(4.0, 7.0);
    assertThat(large.count() / (double) small.count()).isBetween(3.4, 4.6);
    Dataset<Row> perSegment =
        large
            .groupBy(Demand.OBJECT_ID, Demand.SEGMENT)
            .agg(count(lit(1)).as("rows"), sum(Demand.REQUESTS).as(Demand.REQUESTS));
    assertThat(perSegment.count()).isBetween(1700L, 2500L); // the rest was never requested
    double requests = one(large, sum(col(Demand.REQUESTS)));
    assertThat(requests / 2800).isBetween(5.0, 10.0);
    assertThat(one(perSegment.orderBy(col(Demand.REQUESTS).desc()).limit(280), sum("requests")))
        .isGreaterThan(0.5 * requests);
    small.unpersist();
    large.unpersist();
  }

  @Test
  void weeksAndDaysHaveARhythmAndNothingIsReadBeforeItIsWritten() {
    SegmentsWorkload workload = workload(2800, 1);
    Dataset<Row> demand = workload.demand(SPARK).cache();
    Column at = col(Demand.BUCKET_START);
    // Rows, not requests: the hottest object alone has a good part of those.
    double sundays = demand.where(dayofweek(at).equalTo(1)).count();
    double tuesdays = demand.where(dayofweek(at).equalTo(3)).count();
    assertThat(sundays / tuesdays).isBetween(0.4, 0.75);
    double night = demand.where(hour(at).equalTo(3)).count();
    double afternoon = demand.where(hour(at).equalTo(15)).count();
    assertThat(afternoon / night).isBetween(6.0, 11.0);
    assertThat(
            demand
                .join(workload.objects(SPARK), Demand.OBJECT_ID)
                .where(
                    at.lt(col(Objects.MODIFIED_AT))
                        .or(col(Demand.SEGMENT).geq(col(Objects.SEGMENTS)))
                        .or(at.geq(java.sql.Timestamp.valueOf("2026-03-02 00:00:00"))))
                .count())
        .isZero();
    demand.unpersist();
  }

  @Test
  void whatCannotBeMadeIsRefused() {
    assertThatThrownBy(() -> workload(0, 1)).hasMessageContaining("Cannot make 0 segments");
    assertThatThrownBy(() -> new SegmentsWorkload(1, 0, END, 1))
        .hasMessageContaining("Cannot make 0 days of demand");
  }
}
