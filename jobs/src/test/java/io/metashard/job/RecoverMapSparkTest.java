package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metashard.Block;
import io.metashard.Buckets;
import io.metashard.Location;
import io.metashard.encode.EncodeOptions;
import io.metashard.encode.Encoding;
import io.metashard.shardmap.FoundBackups;
import io.metashard.shardmap.MapBackup;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.ContainerWriter;
import io.metashard.store.Digest;
import io.metashard.store.HadoopStore;
import io.metashard.store.WrittenBlock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * One lake of three nights, whose map is lost in each test; what was there is put back after it.
 */
@Tag("slow")
class RecoverMapSparkTest {
  private static HandMadeLake made;
  private static Path kept;
  private static List<String> rows;
  private static Map<String, byte[]> served;

  @BeforeAll
  static void threeNightsAndOneThatWasKilled() throws IOException {
    made = new HandMadeLake("recover", 20260306);
    made.write("empty", 0);
    for (int i = 0; i < 6; i++) {
      made.write("o" + i, 10_000 + 9_000 * i);
    }
    made.night("empty", "o0", "o1", "o2", "o3", "o4", "o5");
    made.write("o1", 50_000);
    made.night("o1");
    Files.delete(made.source("o2"));
    made.write("o5", 20_000);
    made.night("o5");
    rows = made.rows();
    served = made.served();
    assertThat(served).hasSize(7);
    assertThat(rows).anyMatch(row -> row.contains("false"));
    // A night that has written all its containers and was stopped before it switched the map.
    made.write("o3", 33_333);
    String killed = made.planNight("o3");
    encode(killed);
    kept = made.folder().resolve("kept");
    for (String folder : List.of("lake", "locations")) {
      FileUtils.copyDirectory(
          made.folder().resolve(folder).toFile(), kept.resolve(folder).toFile());
    }
  }

  private static void encode(String runId) {
    JobContext context = made.context(runId);
    Dataset<Row> planned = made.lake().read(Plans.TABLE).where(col(Plans.RUN_ID).equalTo(runId));
    long written =
        new Encoding(
                EncodeOptions.from(context.settings()), Locations.known(made.lake()), made.hadoop())
            .write(
                planned,
                1,
                runId,
                ShardMap.generation(new ShardMap(made.lake()).sequence() + 1, runId),
                HandMadeLake.BUCKETS,
                HandMadeLake.AT)
            .collectAsList()
            .size();
    assertThat(written).isEqualTo(3);
  }

  @BeforeEach
  @AfterEach
  void putBack() throws IOException {
    for (String folder : List.of("lake", "locations")) {
      Path path = made.folder().resolve(folder);
      FileUtils.deleteDirectory(path.toFile());
      FileUtils.copyDirectory(kept.resolve(folder).toFile(), path.toFile());
    }
    org.apache.spark.sql.delta.DeltaLog.clearCache();
  }

  private static void lose(String below) throws IOException {
    FileUtils.deleteDirectory(made.folder().resolve(below).toFile());
    org.apache.spark.sql.delta.DeltaLog.clearCache();
  }

  private static void loseBackups() throws IOException {
    for (int i = 0; i < HandMadeLake.LOCATIONS; i++) {
      lose("locations/l%d/map-backup".formatted(i));
    }
  }

  private static RecoverMapJob.Options options(
      RecoverMapJob.Source source, OptionalLong sequence, RecoverMapJob.Consent consent) {
    return new RecoverMapJob.Options(
        source, sequence, NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE, consent);
  }

  private static StageReport recover(RecoverMapJob.Options options) {
    return new RecoverMapJob(made.context("recover"), options).run();
  }

  private static StageReport recover() {
    return recover(
        options(RecoverMapJob.Source.NEWEST, OptionalLong.empty(), RecoverMapJob.Consent.NOT_YET));
  }

  private static StageReport dryRun() {
    return recover(
        new RecoverMapJob.Options(
            RecoverMapJob.Source.NEWEST,
            OptionalLong.empty(),
            NightlyJob.Extent.DRY_RUN,
            NightlyJob.Repeat.SKIP_DONE,
            RecoverMapJob.Consent.NOT_YET));
  }

  private static void requireAsItWas() throws IOException {
    assertThat(made.rows()).isEqualTo(rows);
    assertThat(made.served()).usingRecursiveComparison().isEqualTo(served);
    assertThat(new ShardMap(made.lake()).sequence()).isEqualTo(4);
    assertThat(new MapBackup(Locations.known(made.lake()), 3, made.hadoop()).newest()).isEqualTo(4);
  }

  /** The files of a name at all locations that have it. */
  private static List<Path> everywhere(String file) throws IOException {
    try (Stream<Path> files = Files.walk(made.folder().resolve("locations"))) {
      return files.filter(path -> path.toString().endsWith(file)).sorted().toList();
    }
  }

  private static void damage(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  @Test
  void aMapThatIsGoneComesBackRowForRowWithALocationGoneToo() throws IOException {
    lose("lake/shard_map");
    lose("locations/l0");
    StageReport report = recover();
    assertThat(report.state()).isEqualTo(StageReport.DONE);
    assertThat(report.figures())
        .containsEntry("recovered_from", "backup")
        .containsEntry("backup_sequence", 3L)
        .containsEntry("objects_in_map", 7L)
        .containsEntry("map_found", "nothing: there is no table")
        .containsEntry("map_sequence", 4L)
        .doesNotContainKey("unknown");
    requireAsItWas();
    assertThat(recover().reason()).contains("a retry commits once");
    // What comes next goes on from there.
    made.night("o3");
    assertThat(new ShardMap(made.lake()).sequence()).isEqualTo(5);
    assertThat(made.served().get("o3")).isEqualTo(Files.readAllBytes(made.source("o3")));
  }

  @Test
  void theWholeLakeMayBeGone() throws IOException {
    lose("lake");
    assertThat(recover().state()).isEqualTo(StageReport.DONE);
    requireAsItWas();
  }

  @Test
  void damagedCopiesOfABackupAreNotUsedWhileThereIsAGoodOne() throws IOException {
    lose("lake/shard_map");
    List<Path> markers = everywhere("0003/COMPLETE");
    assertThat(markers).hasSize(3);
    damage(markers.get(0));
    List<Path> files = everywhere("0003/bucket-%08d.msb".formatted(Buckets.of("o5", 4)));
    assertThat(files).hasSize(3);
    damage(files.get(0));
    Files.delete(files.get(1));
    StageReport report = recover();
    assertThat(report.figures()).containsEntry("backup_buckets_with_bad_copies", 1L);
    requireAsItWas();
  }

  @Test
  void aBackupOfWhichABucketIsLostIsRefusedAndAnOlderOneNeedsConsent() throws IOException {
    lose("lake/shard_map");
    for (Path file : everywhere("0003/bucket-%08d.msb".formatted(Buckets.of("o5", 4)))) {
      damage(file);
    }
    assertThatThrownBy(RecoverMapSparkTest::recover)
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("of 1 buckets no good copy is left, such as bucket")
        .hasMessageContaining("there are [3, 2, 1]");
    StageReport older =
        recover(
            options(
                RecoverMapJob.Source.NEWEST, OptionalLong.of(2), RecoverMapJob.Consent.NOT_YET));
    assertThat(older.state()).isEqualTo(StageReport.FAILED);
    assertThat(older.figures().get("unknown").toString())
        .contains("what switch 3 (run night-3) changed: it was committed after this backup");
    assertThat(new ShardMap(made.lake()).version()).isEmpty();
    assertThat(
            recover(
                    options(
                        RecoverMapJob.Source.NEWEST, OptionalLong.of(2), RecoverMapJob.Consent.YES))
                .state())
        .isEqualTo(StageReport.DONE);
    assertThat(made.served()).hasSize(7);
    assertThat(made.served().get("o1")).isEqualTo(served.get("o1"));
    assertThat(made.served().get("o5")).hasSize(55_000);
    assertThat(new ShardMap(made.lake()).sequence()).isEqualTo(4);
  }

  @Test
  void aBackupThatOnlyOneLocationHasIsNotBelievedUnlessItIsNamed() throws IOException {
    lose("lake/shard_map");
    Path holder = everywhere("0003/COMPLETE").get(0);
    Path forged =
        holder.getParent().getParent().resolve("00000000000000000009").resolve("COMPLETE");
    Files.createDirectories(forged.getParent());
    Files.copy(everywhere("0001/COMPLETE").get(0), forged); // all as it was after the first night
    assertThatThrownBy(RecoverMapSparkTest::recover)
        .hasMessageContaining("Cannot recover the shard map from backup 9: only location l")
        .hasMessageContaining("it may be forged");
    assertThat(new ShardMap(made.lake()).version()).isEmpty();
    StageReport named =
        recover(
            options(RecoverMapJob.Source.NEWEST, OptionalLong.of(3), RecoverMapJob.Consent.YES));
    assertThat(named.state()).isEqualTo(StageReport.DONE);
    assertThat(named.figures()).containsEntry("map_sequence", 10L);
    assertThat(made.rows()).isEqualTo(rows);
  }

  @Test
  void aMapWhoseRowsAreLostIsReplacedInPlaceAndOneWhoseLogIsLostIsNot() throws IOException {
    List<String> files = List.of(new ShardMap(made.lake()).rows().inputFiles());
    Files.delete(Path.of(java.net.URI.create(files.get(0))));
    org.apache.spark.sql.delta.DeltaLog.clearCache();
    StageReport dry = dryRun();
    assertThat(dry.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(dry.figures().get("map_found").toString())
        .startsWith("sequence 3, whose rows cannot be read: ");
    assertThat(recover().state()).isEqualTo(StageReport.DONE);
    requireAsItWas();

    Path log = made.folder().resolve("lake/shard_map/_delta_log");
    try (Stream<Path> commits = Files.list(log)) {
      for (Path commit : commits.filter(path -> path.toString().endsWith(".json")).toList()) {
        Files.writeString(commit, "{ not json");
        Files.deleteIfExists(commit.resolveSibling("." + commit.getFileName() + ".crc"));
      }
    }
    org.apache.spark.sql.delta.DeltaLog.clearCache();
    MetashardException refused =
        catchThrowableOfType(MetashardException.class, RecoverMapSparkTest::recover);
    assertThat(refused)
        .hasMessageContaining("its log cannot be read")
        .hasMessageContaining("move the folder away");
    assertThat(refused.exitCode()).isEqualTo(MetashardException.FAILED);
  }

  @Test
  void aMapThatIsThereIsLeftAlone() throws IOException {
    MetashardException refused =
        catchThrowableOfType(MetashardException.class, RecoverMapSparkTest::recover);
    assertThat(refused).hasMessageContaining("it is not lost (sequence 3, ");
    assertThat(refused.exitCode()).isEqualTo(MetashardException.USAGE);
    assertThat(dryRun().figures()).containsEntry("buckets_differing", 0);
    ShardMap map = new ShardMap(made.lake());
    assertThatThrownBy(() -> map.replaceAll(map.rows(), 2, 9, "late", "attempt"))
        .isInstanceOf(MapMovedException.class);
    assertThat(made.rows()).isEqualTo(rows);
  }

  /** A container at one location whose footer is sound: whoever can write there can make it. */
  private static void forge(String objectId, String version) throws IOException {
    String path = "containers/night-9/s1-p1-a1-0123456789abcdef-0-l0.msc";
    byte[] bytes = "forged".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    try (HadoopStore store = new HadoopStore("file:" + made.location(0), made.hadoop());
        ContainerWriter writer = new ContainerWriter(store, path, 1024, Digest.CRC32C)) {
      writer.beginBlock();
      writer.append(bytes, 0, bytes.length);
      WrittenBlock written = writer.endBlock();
      writer.finish(
          List.of(
              new Block(
                  1,
                  Buckets.of(objectId, HandMadeLake.BUCKETS),
                  HandMadeLake.BUCKETS,
                  objectId,
                  version,
                  bytes.length,
                  true,
                  0,
                  0,
                  bytes.length,
                  "00000000deadbeef-9",
                  1,
                  2,
                  "copy",
                  0,
                  bytes.length,
                  "l0",
                  path,
                  written.containerOffset(),
                  1024,
                  written.crc32c(),
                  null,
                  "none",
                  ShardMap.generation(9, "night-9"),
                  HandMadeLake.AT,
                  1,
                  0)));
    }
  }

  @Test
  void footersGiveEveryObjectAndNeitherForgedNorUncommittedContainersWin() throws IOException {
    loseBackups();
    lose("lake/shard_map");
    forge("o4", "forged-version");
    Files.write(everywhere("l1.msc").get(0).resolveSibling("torn-l1.msc"), new byte[1000]);
    StageReport asked = recover();
    assertThat(asked.state()).isEqualTo(StageReport.FAILED);
    assertThat(asked.reason()).contains("run again with --yes");
    assertThat(new ShardMap(made.lake()).version()).isEmpty();
    StageReport report =
        recover(
            options(RecoverMapJob.Source.NEWEST, OptionalLong.empty(), RecoverMapJob.Consent.YES));
    assertThat(report.state()).isEqualTo(StageReport.DONE);
    assertThat(report.figures())
        .containsEntry("recovered_from", "footers")
        .containsEntry("containers_left_out", 1L)
        .containsEntry("objects_of_one_location", 0L)
        .containsEntry("objects_of_unknown_commits", 0L)
        .containsEntry("objects_incomplete", 0L)
        .containsEntry("objects_in_map", 7L);
    assertThat(report.figures().get("unknown").toString()).contains("which blocks were dead");
    assertThat(made.served()).usingRecursiveComparison().isEqualTo(served);
    // But for when blocks died, all is as it was.
    assertThat(versions(made.lake().read(ShardMapTable.TABLE))).isEqualTo(versionsInWords());
    assertThat(new MapBackup(Locations.known(made.lake()), 3, made.hadoop()).newest())
        .isEqualTo(new ShardMap(made.lake()).sequence());
  }

  @Test
  void footersGiveWhatARepairHasWrittenAgain() throws IOException {
    for (Row container :
        made.lake()
            .read(ShardMapTable.TABLE)
            .where("location in ('l1', 'l2')")
            .select(ShardMapTable.LOCATION, ShardMapTable.PATH)
            .distinct()
            .collectAsList()) {
      Files.delete(
          made.location(container.getString(0).charAt(1) - '0').resolve(container.getString(1)));
    }
    StageReport repaired =
        new RepairJob(
                made.context("mend"),
                Locations.known(made.lake()),
                NightlyJob.Extent.FULL,
                NightlyJob.Repeat.SKIP_DONE,
                Long.MAX_VALUE)
            .run(new RepairWhat.Everything());
    assertThat((long) repaired.figures().get("blocks_repaired")).isPositive();
    List<String> mended = versions(made.lake().read(ShardMapTable.TABLE));
    assertThat(mended).isNotEqualTo(versionsInWords());
    loseBackups();
    lose("lake/shard_map");
    StageReport report =
        recover(
            options(RecoverMapJob.Source.NEWEST, OptionalLong.empty(), RecoverMapJob.Consent.YES));
    assertThat(report.figures())
        .containsEntry("objects_incomplete", 0L)
        .containsEntry("objects_of_one_location", 0L)
        .containsEntry("meta_shards_contradictory", 0L)
        .containsEntry("objects_in_map", 7L);
    assertThat(made.served()).usingRecursiveComparison().isEqualTo(served);
    assertThat(versions(made.lake().read(ShardMapTable.TABLE))).isEqualTo(mended);
  }

  private static List<String> versions(Dataset<Row> map) {
    return map.drop(ShardMapTable.DEAD_SINCE).collectAsList().stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }

  private static List<String> versionsInWords() {
    return rows.stream().map(row -> row.substring(0, row.lastIndexOf(',')) + "]").sorted().toList();
  }

  @Test
  void withNothingButContainersForgedOnesDoNotWinAndWhatCannotBeToldIsSaid() throws IOException {
    loseBackups();
    lose("lake");
    forge("o4", "forged-version");
    StageReport report =
        recover(
            options(RecoverMapJob.Source.NEWEST, OptionalLong.empty(), RecoverMapJob.Consent.YES));
    assertThat(report.figures().get("unknown").toString())
        .contains("which runs had committed")
        .contains("be it of a night that was stopped before its switch");
    Map<String, byte[]> now = made.served();
    assertThat(now.keySet()).isEqualTo(served.keySet());
    // The killed night had written all of it: the bytes that its source has had.
    assertThat(now.get("o3")).isEqualTo(Files.readAllBytes(made.source("o3")));
    now.remove("o3");
    now.forEach((id, bytes) -> assertThat(bytes).as(id).isEqualTo(served.get(id)));
  }

  @Test
  void whereNothingIsLeftNothingIsRecovered() throws IOException {
    lose("lake/shard_map");
    lose("locations");
    assertThatThrownBy(RecoverMapSparkTest::recover)
        .hasMessageContaining("none that answers has a complete backup, or a container");
    List<Location> none = List.of();
    assertThat(FoundBackups.look(none, made.hadoop()).sequences()).isEmpty();
  }
}
