package io.metashard.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Reads;
import io.metashard.catalogue.Objects;
import io.metashard.job.GenerateJob;
import io.metashard.logs.Requests;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class BacktestTraceSparkTest {
  @Test
  void holdsTheDemandThatAggregateFindsInTheLogs() throws Exception {
    SparkSession spark = SharedSpark.session();
    Path folder = SharedSpark.tempFolder("trace");
    GenerateOptions options =
        new GenerateOptions(
            folder.resolve("trace"), GenerateOptions.LAKE, 1, 28, LocalDate.of(2026, 1, 22));
    new GenerateJob(options).backtest();
    Path log = folder.resolve("requests.parquet");
    // One day is enough: the 15th of the month has all kinds of readers.
    Instant from = Instant.parse("2026-01-15T00:00:00Z");
    Instant to = Instant.parse("2026-01-16T00:00:00Z");
    RequestParquet.write(
        log,
        new LakeWorkload(options)
            .requests().stream()
                .filter(r -> !r.ts().isBefore(from) && r.ts().isBefore(to))
                .toList());

    Dataset<Row> objects =
        spark.read().parquet(options.out().resolve("objects.parquet").toString());
    Dataset<Row> demand =
        spark
            .read()
            .parquet(options.out().resolve("demand.parquet").toString())
            .where(functions.col(Demand.DATE).equalTo("2026-01-15"));
    assertThat(types(demand.schema())).isEqualTo(types(Demand.SCHEMA));
    assertThat(types(Objects.SCHEMA)).contains(types(objects.schema()).split(", "));
    Dataset<Row> requests =
        spark
            .read()
            .parquet(log.toString())
            .withColumn(Requests.DATE, functions.to_date(functions.col(Requests.TS)));
    Dataset<Row> aggregated = Reads.placed(Reads.of(requests, objects, Duration.ofHours(1)));
    assertThat(rows(demand)).isEqualTo(rows(aggregated)).hasSizeGreaterThan(2_000);
  }

  private static List<String> rows(Dataset<Row> demand) {
    return demand.collectAsList().stream().map(Row::toString).sorted().toList();
  }

  private static String types(StructType schema) {
    return String.join(
        ", ",
        Arrays.stream(schema.fields())
            .map((StructField field) -> field.name() + " " + field.dataType().sql())
            .toList());
  }
}
