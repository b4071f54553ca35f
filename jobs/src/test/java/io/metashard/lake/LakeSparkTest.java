package io.metashard.lake;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import scala.Console;

class LakeSparkTest {
  private static final TableDefinition TABLE =
      new TableDefinition(
          "numbers",
          new StructType()
              .add("part", DataTypes.StringType, false)
              .add("number", DataTypes.IntegerType, false),
          List.of("part"));

  private final SparkSession spark = SharedSpark.session();
  private final Path folder = SharedSpark.tempFolder("lake");
  private final Lake lake = new Lake(spark, folder.toUri().toString());

  @Test
  void aCreatedTableIsEmptyPartitionedAndPlain() {
    lake.create(TABLE);
    lake.create(TABLE);
    assertThat(lake.read(TABLE).isEmpty()).isTrue();
    assertThat(lake.version(TABLE)).hasValue(0);
    var detail = spark.sql("describe detail delta.`" + lake.path(TABLE) + "`").first();
    assertThat(detail.<Object>getAs("partitionColumns").toString()).contains("part");
    assertThat(detail.<Integer>getAs("minReaderVersion")).isEqualTo(1);
    assertThat(detail.<Integer>getAs("minWriterVersion")).isEqualTo(2);
  }

  @Test
  void aFolderThatAKilledWriterLeftWithoutACommitIsNoHindrance() throws IOException {
    Path log = folder.resolve("numbers/_delta_log");
    Files.createDirectories(log);
    Files.writeString(folder.resolve("numbers/part-0.parquet"), "of nobody");
    lake.create(TABLE);
    assertThat(lake.read(TABLE).isEmpty()).isTrue();
  }

  @Test
  void severalWritersCanCreateAtOnce() throws Exception {
    int writers = 3;
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < writers; i++) {
        all.add(
            threads.submit(
                () -> {
                  start.await();
                  new Lake(spark, folder.toUri().toString()).create(TABLE);
                  return null;
                }));
      }
      start.countDown();
      for (Future<?> writer : all) {
        writer.get();
      }
    } finally {
      threads.shutdownNow();
    }
    lake.append(
        TABLE,
        spark.createDataFrame(List.of(RowFactory.create("a", 1)), TABLE.schema()),
        Lake.Commit.PLAIN);
    assertThat(lake.read(TABLE).count()).isEqualTo(1);
  }

  @Test
  void whatNoVersionNamesIsRemovedWithoutAWordOnTheConsole() throws IOException {
    lake.create(TABLE);
    var rows = spark.createDataFrame(List.of(RowFactory.create("a", 1)), TABLE.schema());
    lake.overwrite(TABLE, rows, Lake.Commit.PLAIN);
    lake.overwrite(TABLE, rows, Lake.Commit.PLAIN);
    lake.keepFormerVersionsFor(TABLE, Duration.ZERO, Duration.ofDays(1));
    assertThat(parquetFiles(folder.resolve("numbers"))).isEqualTo(2);
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    Console.withOut(
        console,
        () -> {
          lake.removeUnnamedFiles(TABLE, Duration.ZERO);
          return null;
        });
    assertThat(parquetFiles(folder.resolve("numbers"))).isEqualTo(1);
    assertThat(console.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  private static long parquetFiles(Path below) throws IOException {
    try (var files = Files.walk(below)) {
      return files.filter(file -> file.toString().endsWith(".parquet")).count();
    }
  }

  @Test
  void onlySessionsOfLakesOnObjectStoresAreToldToRenameNothing() {
    for (String root : List.of("s3a://b/lake", "S3://b/lake", "gs://b/lake", "abfss://c@a/lake")) {
      assertThat(Lake.sessionOptions(root))
          .containsEntry("spark.databricks.delta.writeChecksumFile.enabled", "false")
          .containsEntry(
              "spark.sql.sources.commitProtocolClass", InPlaceCommitProtocol.class.getName());
    }
    for (String root : List.of("data/lake", "/lake", "file:///lake", "hdfs://n/lake")) {
      assertThat(Lake.sessionOptions(root)).isEmpty();
    }
  }

  @Test
  void whatIsWrittenInPlaceIsReadBackAndWrittenOnce() throws IOException {
    Path out = folder.resolve("in-place");
    String key = "spark.sql.sources.commitProtocolClass";
    spark.conf().set(key, InPlaceCommitProtocol.class.getName());
    try {
      spark.range(0, 100, 1, 3).write().parquet(out.toUri().toString());
    } finally {
      spark.conf().unset(key);
    }
    assertThat(spark.read().parquet(out.toUri().toString()).distinct().count()).isEqualTo(100);
    try (var files = Files.walk(out)) {
      assertThat(files.filter(Files::isRegularFile).filter(f -> f.toString().endsWith(".parquet")))
          .hasSize(3);
    }
  }
}
