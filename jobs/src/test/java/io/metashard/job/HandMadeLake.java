package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.Shape;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.plan.PlannedBlock;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Date;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A small lake with six locations, whose nights encode what they are told: the objects of a bucket
 * two to a meta-shard of 2 + 2 blocks, a last one alone in three copies.
 */
final class HandMadeLake {
  static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  static final int BUCKETS = 4;
  static final int LOCATIONS = 6;

  private final SparkSession spark = SharedSpark.session();
  private final Random random;
  private final Path folder;
  private final Lake lake;
  private int nights;

  HandMadeLake(String name, long seed) {
    this.folder = SharedSpark.tempFolder(name);
    this.random = new Random(seed);
    this.lake = new Lake(spark, JobContext.qualified(folder.resolve("lake").toString(), hadoop()));
  }

  org.apache.hadoop.conf.Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  SparkSession spark() {
    return spark;
  }

  Lake lake() {
    return lake;
  }

  /** Of sources, locations and the lake. */
  Path folder() {
    return folder;
  }

  Path location(int number) {
    return folder.resolve("locations/l" + number);
  }

  Path source(String id) {
    return folder.resolve("objects").resolve(id);
  }

  byte[] write(String id, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    Files.createDirectories(source(id).getParent());
    Files.write(source(id), content);
    return content;
  }

  JobContext context(String runId, String... more) {
    return context(lake, runId, more);
  }

  JobContext context(Lake other, String runId, String... more) {
    String locations =
        IntStream.range(0, LOCATIONS)
            .mapToObj(i -> "{ name = l%d, uri = \"%s\" }".formatted(i, location(i)))
            .collect(Collectors.joining(", "));
    Settings settings =
        Settings.parse(
            "test",
            "objects.roots = [\"%s\"]%nlocations = [ %s ]"
                .formatted(folder.resolve("objects"), locations),
            List.of(more));
    return new JobContext(spark, other, settings, AT.plus(Duration.ofDays(nights)), runId);
  }

  void catalogue() {
    new CatalogueJob(context("catalogue-" + System.nanoTime()), new CatalogueOptions(1)).run();
  }

  /** Makes the plan of a night and says its run's id. */
  String planNight(String... encoded) {
    nights++;
    String runId = "night-" + nights;
    catalogue();
    JobContext context = context(runId);
    Locations.reconcile(lake, Locations.configured(context.settings(), hadoop()), AT);
    ShardMap map = new ShardMap(lake);
    Map<Integer, List<Row>> byBucket =
        lake
            .read(Objects.TABLE)
            .where(col(Objects.OBJECT_ID).isInCollection(List.of(encoded)))
            .orderBy(Objects.OBJECT_ID)
            .collectAsList()
            .stream()
            .collect(
                Collectors.groupingBy(
                    row -> Buckets.of(row.getAs(Objects.OBJECT_ID), BUCKETS),
                    TreeMap::new,
                    Collectors.toList()));
    List<Row> plan = new ArrayList<>();
    byBucket.forEach(
        (bucket, objects) -> {
          for (int first = 0; first < objects.size(); first += 2) {
            List<Row> data = objects.subList(first, Math.min(first + 2, objects.size()));
            metaShard("%016x-%d".formatted(plan.size(), nights), bucket, data, runId, map, plan);
          }
        });
    lake.append(Plans.TABLE, spark.createDataFrame(plan, Plans.SCHEMA), Lake.Commit.PLAIN);
    return runId;
  }

  /** A night that encodes some objects. */
  void night(String... encoded) {
    String runId = planNight(encoded);
    List<Location> locations = Locations.known(lake);
    JobContext context = context(runId);
    StageReport report =
        new StageRunner(context, ProgressBar.inLog())
            .run("reshard", List.of(), () -> new ReshardJob(context, locations).run(runId));
    assertThat(report.state()).isEqualTo(StageReport.DONE);
  }

  private static void metaShard(
      String id, int bucket, List<Row> data, String runId, ShardMap map, List<Row> plan) {
    int k = data.size();
    int before = plan.size();
    long blockBytes =
        data.stream().mapToLong(row -> row.<Long>getAs(Objects.OBJECT_BYTES)).max().orElseThrow();
    for (int i = 0; i < k + 2; i++) {
      Row object = i < k ? data.get(i) : null;
      plan.add(
          Plans.row(
              new PlannedBlock(
                  bucket,
                  id,
                  k == 1 ? Shape.COPY : Shape.RS,
                  k,
                  2,
                  i,
                  object == null ? null : object.getAs(Objects.OBJECT_ID),
                  object == null ? null : object.getAs(Objects.OBJECT_VERSION),
                  object == null ? null : object.getAs(Objects.URI),
                  object == null ? 0 : object.<Long>getAs(Objects.OBJECT_BYTES),
                  object == null ? -1 : 0,
                  0,
                  object == null ? blockBytes : object.<Long>getAs(Objects.OBJECT_BYTES),
                  blockBytes,
                  "l" + (before + i) % LOCATIONS,
                  "root0",
                  "packed",
                  1.0,
                  0),
              runId,
              Date.valueOf("2026-03-02"),
              map.sequence(),
              "by hand",
              BUCKETS,
              map.table().name()));
    }
  }

  /** Every object that the map serves, as a reader gets it from the blocks alone. */
  Map<String, byte[]> served() throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    try (MetaShardReader reader =
        MetaShardReader.open(lake.root(), new ReadOptions(ReadOptions.Fallback.NONE), hadoop())) {
      for (int bucket = 0; bucket < reader.lookup().buckets(); bucket++) {
        for (String id : reader.lookup().objects(bucket).keySet()) {
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          reader.copy(id, 0, Long.MAX_VALUE, out);
          found.put(id, out.toByteArray());
        }
      }
    }
    return found;
  }

  /** The map's rows in words, in an order of their own. */
  List<String> rows() {
    return lake.read(ShardMapTable.TABLE).collectAsList().stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }
}
