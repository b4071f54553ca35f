package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Location;
import io.metashard.SharedSpark;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.ShardMapTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
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
  static final int BUCKETS = PlanByHand.BUCKETS;
  static final int LOCATIONS = PlanByHand.LOCATIONS;

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
    PlanByHand.write(lake, runId, nights, List.of(encoded));
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
