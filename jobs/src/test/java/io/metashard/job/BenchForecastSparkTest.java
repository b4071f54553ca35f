package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import io.metashard.bench.ScaleTable;
import io.metashard.bench.SegmentsWorkload;
import io.metashard.bench.Usage;
import io.metashard.config.Settings;
import io.metashard.forecast.Forecasts;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class BenchForecastSparkTest {
  private static final long SEGMENTS = 2_000;

  @Test
  void aForecastOfTwoThousandSegmentsIsMeasuredAndTold() throws IOException {
    SparkSession spark = SharedSpark.session();
    Settings settings = Settings.parse("bench", "", List.of("forecast.backtest-origins=0"));
    JobContext context =
        BenchRun.context(
            spark,
            JobContext.qualified(
                SharedSpark.tempFolder("bench").toString(), spark.sessionState().newHadoopConf()),
            settings);
    BenchForecastRun.make(context, new SegmentsWorkload(SEGMENTS, 9, BenchRun.END, 1));
    JsonNode told = new ObjectMapper().readTree(Figures.json(BenchForecastRun.forecast(context)));
    assertThat(context.lake().read(Forecasts.TABLE).count()).isEqualTo(SEGMENTS);
    assertThat(told.at("/figures/segments").asLong()).isEqualTo(SEGMENTS);
    Usage usage = BenchFigures.usage(told);
    assertThat(usage.seconds()).isPositive();
    assertThat(usage.cpuSeconds()).isPositive();
    assertThat(usage.heapBytes()).isBetween(1L << 20, Runtime.getRuntime().maxMemory());
    assertThat(usage.failedTasks()).isZero();
    assertThat(usage.shuffledBytes()).isPositive();
    // Samples and sums come to the driver; no row per segment does.
    assertThat(usage.resultBytes()).isBetween(1L, 16L << 20);
    assertThat(usage.work()).anyMatch(work -> work.name().contains("Forecaster.java"));
    ScaleTable table = BenchForecast.table(Map.of(SEGMENTS, List.of(told)));
    assertThat(table.markdown()).contains("| 2,000 | ").contains("| 1.0 x |");
    assertThat(table.queries(3)).contains("CPU seconds of tasks");
  }
}
