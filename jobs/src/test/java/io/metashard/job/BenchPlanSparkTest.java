package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.Segmentation;
import io.metashard.SharedSpark;
import io.metashard.bench.PlanWorkload;
import io.metashard.bench.ScaleTable;
import io.metashard.bench.Usage;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.Forecasts;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class BenchPlanSparkTest {
  /** The first long object begins after 7,900. */
  private static final long SEGMENTS = 8_500;

  @Test
  void aPlanOfAFirstNightIsMeasuredAndTold() throws IOException {
    SparkSession spark = SharedSpark.session();
    JobContext context =
        BenchRun.context(
            spark,
            JobContext.qualified(
                SharedSpark.tempFolder("bench").toString(), spark.sessionState().newHadoopConf()),
            Settings.parse("bench", "", List.of("reshard.max-bytes-per-run=4 EiB")));
    PlanWorkload workload = new PlanWorkload(SEGMENTS, BenchRun.END, 1);
    BenchPlanRun.make(context, workload);

    Dataset<Row> objects = context.lake().read(Objects.TABLE);
    assertThat(objects.count()).isEqualTo(workload.objectCount());
    for (Row row :
        objects
            .select(Objects.OBJECT_BYTES, Objects.SEGMENT_BYTES, Objects.SEGMENTS)
            .collectAsList()) {
      Segmentation cut = Segmentation.of(row.getLong(0), 16, 64 << 10, 64L << 20);
      assertThat(cut.segments()).isEqualTo(row.getInt(2));
      assertThat(cut.segmentBytes()).isEqualTo(row.getLong(1));
    }
    Row forecast =
        context
            .lake()
            .read(Forecasts.TABLE)
            .agg(
                sum(lit(1)),
                sum(col(Forecasts.EXPECTED_REQUESTS)),
                sum(
                    when(
                            col(Forecasts.OBJECT_ID).equalTo("part-000000000"),
                            col(Forecasts.EXPECTED_REQUESTS))
                        .otherwise(0.0)),
                max(col(Forecasts.SEGMENT)))
            .first();
    assertThat(forecast.getLong(0)).isEqualTo(SEGMENTS);
    assertThat(forecast.getDouble(2) / forecast.getDouble(1)).isBetween(0.45, 0.6);
    assertThat(forecast.getInt(3)).isGreaterThan(500);

    JsonNode told = new ObjectMapper().readTree(Figures.json(BenchPlanRun.plan(context)));
    assertThat(told.at("/figures/objects_planned").asLong()).isEqualTo(workload.objectCount());
    assertThat(told.at("/figures/blocks_planned").asLong()).isGreaterThan(SEGMENTS);
    assertThat(told.at("/figures/objects_without_forecast").asLong()).isZero();
    Usage usage = BenchFigures.usage(told);
    assertThat(usage.cpuSeconds()).isPositive();
    assertThat(usage.failedTasks()).isZero();
    // Sums come to the driver; no row per segment does.
    assertThat(usage.resultBytes()).isBetween(1L, 8L << 20);
    ScaleTable table = BenchPlan.table(Map.of(SEGMENTS, List.of(told)));
    assertThat(table.markdown()).contains("| 8,500 | ").contains("| 1.0 x |");
  }

  @Test
  void whatCannotBeMadeIsRefused() {
    assertThatThrownBy(() -> new PlanWorkload(0, BenchRun.END, 1))
        .hasMessageContaining("Cannot make 0 segments");
  }
}
