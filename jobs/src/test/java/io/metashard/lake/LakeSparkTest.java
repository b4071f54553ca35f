package io.metashard.lake;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
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
    atOnce(Collections.nCopies(3, () -> new Lake(spark, folder.toUri().toString()).create(TABLE)));
    lake.append(
        TABLE,
        spark.createDataFrame(List.of(RowFactory.create("a", 1)), TABLE.schema()),
        Lake.Commit.PLAIN);
    assertThat(lake.read(TABLE).count()).isEqualTo(1);
  }

  /** Does each in a thread of its own, all from one moment on. */
  private static void atOnce(List<Runnable> all) throws Exception {
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(all.size());
    try {
      List<Future<?>> running = new ArrayList<>();
      for (Runnable one : all) {
        running.add(
            threads.submit(
                () -> {
                  start.await();
                  one.run();
                  return null;
                }));
      }
      start.countDown();
      for (Future<?> one : running) {
        one.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static final StructType OF_ALL_KINDS =
      new StructType()
          .add("word", DataTypes.StringType, true)
          .add("number", DataTypes.IntegerType, true)
          .add("count", DataTypes.LongType, false)
          .add("share", DataTypes.DoubleType, true)
          .add("at", DataTypes.TimestampType, true)
          .add("day", DataTypes.DateType, true)
          .add("is", DataTypes.BooleanType, true);

  private static Row ofAllKinds(long count) {
    return RowFactory.create(
        "\u00e4 \u0000 ' \"",
        -1,
        count,
        0.1,
        Timestamp.from(Instant.parse("2026-01-10T00:00:00.123456Z")),
        Date.valueOf("1969-12-31"),
        true);
  }

  @Test
  void singleRowsOfSeveralWritersAreReadBySparkWithAllBeforeThem() throws Exception {
    TableDefinition table = new TableDefinition("rows", OF_ALL_KINDS, List.of());
    lake.append(table, ofAllKinds(0));
    atOnce(
        IntStream.rangeClosed(1, 12)
            .<Runnable>mapToObj(count -> () -> lake.append(table, ofAllKinds(count)))
            .toList());
    lake.append(
        table, spark.createDataFrame(List.of(ofAllKinds(13)), OF_ALL_KINDS), Lake.Commit.PLAIN);
    lake.append(table, RowFactory.create(null, null, 14L, null, null, null, null));
    List<Row> rows = lake.read(table).orderBy("count").collectAsList();
    assertThat(rows).hasSize(15);
    for (int i = 0; i < 14; i++) {
      assertThat(rows.get(i)).isEqualTo(ofAllKinds(i));
    }
    assertThat(rows.get(14)).isEqualTo(RowFactory.create(null, null, 14L, null, null, null, null));
    assertThat(folder.resolve("rows/_delta_log/00000000000000000010.checkpoint.parquet")).exists();
    assertThat(folder.resolve("rows/_delta_log/00000000000000000015.crc")).exists();
    assertThat(lake.read(table).where("count = 7").count()).isEqualTo(1);
  }

  @Test
  void theLogTellsWhetherRowsMayLieBeforeAMoment() {
    Instant at = Instant.parse("2026-01-10T00:00:00.123456Z");
    TableDefinition rows = new TableDefinition("rows", OF_ALL_KINDS, List.of());
    TableDefinition byDay = new TableDefinition("by_day", OF_ALL_KINDS, List.of("day"));
    int asked = 0;
    for (TableDefinition table : List.of(rows, byDay)) {
      lake.create(table);
      assertThat(lake.mayHaveBefore(table, "at", at.plusSeconds(1))).isFalse();
      lake.append(
          table, spark.createDataFrame(List.of(ofAllKinds(1)), OF_ALL_KINDS), Lake.Commit.PLAIN);
      assertThat(lake.mayHaveBefore(table, "at", at.plusSeconds(1))).isTrue();
      assertThat(lake.mayHaveBefore(table, "at", at.minusSeconds(1))).isFalse();
      // Its day is 1969-12-31.
      assertThat(lake.mayHaveBefore(table, "day", Instant.EPOCH)).isTrue();
      assertThat(lake.mayHaveBefore(table, "day", Instant.EPOCH.minusSeconds(1))).isFalse();
      asked++;
    }
    lake.append(rows, ofAllKinds(2));
    assertThat(lake.mayHaveBefore(rows, "at", at.minusSeconds(1))).isFalse();
    // Of a file without values the log tells nothing.
    lake.append(rows, RowFactory.create(null, null, 3L, null, null, null, null));
    assertThat(lake.mayHaveBefore(rows, "at", at.minusSeconds(1))).isTrue();
    assertThat(asked).isEqualTo(2);
  }

  @Test
  void aRowWithColumnsThatTheTableHasNotYetAddsThem() {
    TableDefinition before =
        new TableDefinition("grows", new StructType().add("a", DataTypes.LongType), List.of());
    TableDefinition after =
        new TableDefinition("grows", before.schema().add("b", DataTypes.StringType), List.of());
    lake.append(before, RowFactory.create(1L));
    lake.append(after, RowFactory.create(2L, "new"));
    lake.append(before, RowFactory.create(3L));
    assertThat(lake.read(after).orderBy("a").collectAsList())
        .containsExactly(
            RowFactory.create(1L, null), RowFactory.create(2L, "new"), RowFactory.create(3L, null));
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
