package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Location;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.ShardMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.delta.DeltaLog;

/** A small lake with six locations, whose nights encode what a test names. */
record NightsByHand(SparkSession spark, Path folder, Lake lake) {
  static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");

  static NightsByHand in(SparkSession spark, Path folder) {
    return new NightsByHand(
        spark,
        folder,
        new Lake(
            spark,
            JobContext.qualified(
                folder.resolve("lake").toString(), spark.sessionState().newHadoopConf())));
  }

  Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  void write(String id, int bytes, Random random) throws IOException {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    Files.createDirectories(folder.resolve("objects"));
    Files.write(folder.resolve("objects").resolve(id), content);
  }

  JobContext context(String runId, int night, String more) {
    String locations =
        IntStream.range(0, PlanByHand.LOCATIONS)
            .mapToObj(
                i -> "{ name = l%d, uri = \"%s\" }".formatted(i, folder.resolve("locations/l" + i)))
            .collect(Collectors.joining(", "));
    Settings settings =
        Settings.parse(
            "test",
            "objects.roots = [\"%s\"]%nlocations = [ %s ]%n%s"
                .formatted(folder.resolve("objects"), locations, more),
            List.of());
    return new JobContext(spark, lake, settings, AT.plus(Duration.ofDays(night)), runId);
  }

  /** Plans the encoding of some objects, those of one bucket two to a meta-shard. */
  List<Location> plan(JobContext context, int night, List<String> encoded) {
    new CatalogueJob(context, new CatalogueOptions(1)).run();
    List<Location> locations =
        Locations.reconcile(lake, Locations.configured(context.settings(), hadoop()), AT);
    PlanByHand.write(lake, context.runId(), night, encoded);
    return locations;
  }

  /** A night that encodes some objects. */
  void night(int night, List<String> encoded) {
    JobContext context = context("night-" + night, night, "");
    List<Location> locations = plan(context, night, encoded);
    assertThat(new ReshardJob(context, locations).run(context.runId()).state())
        .isEqualTo(StageReport.DONE);
  }

  MetaShardReader reader() throws IOException {
    return MetaShardReader.open(lake.root(), new ReadOptions(ReadOptions.Fallback.NONE), hadoop());
  }

  /** Every object that the map serves, as a reader gets it from the blocks alone. */
  Map<String, byte[]> served() throws IOException {
    try (MetaShardReader reader = reader()) {
      return served(reader, ShardMap.liveVersions(new ShardMap(lake).rows()).collectAsList());
    }
  }

  static Map<String, byte[]> served(MetaShardReader reader, List<Row> ids) throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    for (Row row : ids) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      reader.copy(row.getString(0), 0, Long.MAX_VALUE, out);
      found.put(row.getString(0), out.toByteArray());
    }
    return found;
  }

  /** As if everything had been written so much earlier: Delta takes commits' times from files. */
  void age(Duration by) throws IOException {
    for (String part : List.of("lake", "locations")) {
      try (Stream<Path> files = Files.walk(folder.resolve(part))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.setLastModifiedTime(
              file, FileTime.from(Files.getLastModifiedTime(file).toInstant().minus(by)));
        }
      }
    }
    DeltaLog.clearCache();
  }

  /** Paths of all files below the locations. */
  List<String> stored() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("locations"))) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.resolve("locations").relativize(file).toString())
          .sorted()
          .toList();
    }
  }
}
