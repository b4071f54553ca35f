package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Block;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A lake of some tens of small objects in meta-shards of several shapes, all with two spare blocks.
 */
final class SmallLake {
  static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  static final int SURVIVE = 2;
  private static final int BUCKETS = 4;
  private static final int MOST_DATA = 4;

  private final SparkSession spark = SharedSpark.session();
  private final Path folder;
  private final Lake lake;
  private final int locations;
  private final Map<String, byte[]> contents = new TreeMap<>();

  SmallLake(String name, int locations, int objects, long seed) throws IOException {
    this.folder = SharedSpark.tempFolder(name);
    this.locations = locations;
    this.lake = new Lake(spark, JobContext.qualified(folder.resolve("lake").toString(), hadoop()));
    Random random = new Random(seed);
    Files.createDirectories(folder.resolve("objects"));
    for (int i = 0; i < objects; i++) {
      byte[] content = new byte[i == 0 ? 0 : 200 + random.nextInt(6_000)];
      random.nextBytes(content);
      Files.write(folder.resolve("objects").resolve("o" + i), content);
      contents.put("o" + i, content);
    }
    encode();
  }

  Lake lake() {
    return lake;
  }

  Map<String, byte[]> contents() {
    return contents;
  }

  Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  Path folder() {
    return folder;
  }

  Path location(String name) {
    return folder.resolve("locations").resolve(name);
  }

  Path container(Block block) {
    return location(block.location()).resolve(block.path());
  }

  /** A run, with more settings than it needs. */
  JobContext context(String runId, String... overrides) {
    String names =
        IntStream.range(0, locations)
            .mapToObj(i -> "{ name = l%d, uri = \"%s\" }".formatted(i, location("l" + i)))
            .collect(Collectors.joining(", "));
    Settings settings =
        Settings.parse(
            "test",
            """
            objects.roots = ["%s"]
            locations = [ %s ]
            plan.survive = %d
            reshard.frame-bytes = 512
            reshard.container-bytes = 4 KiB
            """
                .formatted(folder.resolve("objects"), names, SURVIVE),
            List.of(overrides));
    return new JobContext(spark, lake, settings, AT, runId);
  }

  List<Location> locations() {
    return Locations.known(lake);
  }

  /** One to four objects of a bucket a meta-shard; a fifth of them with SHA-256. */
  private void encode() {
    JobContext context = context("first");
    new CatalogueJob(context, new CatalogueOptions(0)).run();
    List<Location> all =
        Locations.reconcile(lake, Locations.configured(context.settings(), hadoop()), AT);
    Map<Integer, List<Row>> byBucket =
        lake.read(Objects.TABLE).orderBy(Objects.OBJECT_ID).collectAsList().stream()
            .collect(
                Collectors.groupingBy(
                    row -> Buckets.of(row.getAs(Objects.OBJECT_ID), BUCKETS),
                    TreeMap::new,
                    Collectors.toList()));
    List<Row> plan = new ArrayList<>();
    int[] metaShards = {0};
    byBucket.forEach(
        (bucket, objects) -> {
          for (int first = 0; first < objects.size(); ) {
            int k = Math.min(1 + metaShards[0] % MOST_DATA, objects.size() - first);
            metaShard(metaShards[0]++, bucket, objects.subList(first, first + k), plan);
            first += k;
          }
        });
    lake.append(Plans.TABLE, spark.createDataFrame(plan, Plans.SCHEMA), Lake.Commit.PLAIN);
    assertThat(new ReshardJob(context, all).run("first").state()).isEqualTo(StageReport.DONE);
  }

  private void metaShard(int number, int bucket, List<Row> data, List<Row> plan) {
    int k = data.size();
    long blockBytes =
        data.stream().mapToLong(row -> row.<Long>getAs(Objects.OBJECT_BYTES)).max().orElseThrow();
    for (int i = 0; i < k + SURVIVE; i++) {
      Row object = i < k ? data.get(i) : null;
      plan.add(
          Plans.row(
              new PlannedBlock(
                  bucket,
                  "%016x-1".formatted(number * 0x10_0000L),
                  k == 1 ? Shape.COPY : Shape.RS,
                  k,
                  SURVIVE,
                  i,
                  object == null ? null : object.getAs(Objects.OBJECT_ID),
                  object == null ? null : object.getAs(Objects.OBJECT_VERSION),
                  object == null ? null : object.getAs(Objects.URI),
                  object == null ? 0 : object.<Long>getAs(Objects.OBJECT_BYTES),
                  object == null ? -1 : 0,
                  0,
                  object == null ? blockBytes : object.<Long>getAs(Objects.OBJECT_BYTES),
                  blockBytes,
                  "l" + (3 * number + i) % locations,
                  "root0",
                  "packed",
                  1.0,
                  0),
              "first",
              Date.valueOf("2026-03-02"),
              0,
              "by hand",
              BUCKETS,
              ShardMapTable.TABLE.name()));
    }
  }

  /** All blocks of the map, in order. */
  List<Block> blocks() {
    return new ShardMap(lake)
            .rows()
            .orderBy(ShardMapTable.META_SHARD_ID, ShardMapTable.BLOCK_INDEX)
            .collectAsList()
            .stream()
            .map(ShardMapTable::block)
            .toList();
  }

  /** Reads every object from blocks alone and compares it with its source. */
  void requireReadsRight(String when) throws IOException {
    try (MetaShardReader reader =
        MetaShardReader.open(lake.root(), new ReadOptions(ReadOptions.Fallback.NONE), hadoop())) {
      for (Map.Entry<String, byte[]> object : contents.entrySet()) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        reader.copy(object.getKey(), 0, Long.MAX_VALUE, out);
        assertThat(out.toByteArray())
            .as("object %s, %s", object.getKey(), when)
            .isEqualTo(object.getValue());
      }
    }
  }

  RepairJob repair(String runId, String... overrides) {
    return repair(context(runId, overrides), NightlyJob.Extent.FULL);
  }

  RepairJob repair(JobContext context, NightlyJob.Extent extent) {
    return new RepairJob(context, locations(), extent, NightlyJob.Repeat.SKIP_DONE, Long.MAX_VALUE);
  }
}
