package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metashard.SharedSpark;
import io.metashard.lake.Lake;
import io.metashard.logs.Requests;
import io.metashard.read.MetaShardReader;
import io.metashard.shardmap.MapBackup;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.delta.DeltaLog;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Three nights, ten days apart: the first map was replaced ten days ago, the second just now. So
 * with a retention of a week the second and the third are in use.
 */
@Tag("slow")
class VacuumSparkTest {
  private static final long SEED = 20260304;
  private static final Duration APART = Duration.ofDays(10);

  private static SparkSession spark;
  private static NightsByHand nights;
  private static Path copy;

  /** After each night: what readers got, by object, and what was stored. */
  private static final List<Map<String, byte[]>> served = new ArrayList<>();

  private static final List<List<String>> stored = new ArrayList<>();

  @BeforeAll
  static void threeNights() throws IOException {
    spark = SharedSpark.session();
    nights = NightsByHand.in(spark, SharedSpark.tempFolder("vacuum"));
    Random random = new Random(SEED);
    for (int i = 0; i < 5; i++) {
      nights.write("o" + i, 10_000 + 9_000 * i, random);
    }
    night(1, List.of("o0", "o1", "o2", "o3", "o4"));
    nights.age(APART);
    for (int i = 0; i < 5; i++) {
      nights.write("o" + i, 12_000 + 7_000 * i, random);
    }
    night(2, List.of("o0", "o1", "o2", "o3", "o4"));
    nights.age(APART);
    nights.write("o1", 50_000, random);
    night(3, List.of("o1"));
    copy = SharedSpark.tempFolder("vacuum-copy");
    copy(nights.folder(), copy);
  }

  private static void night(int night, List<String> encoded) throws IOException {
    nights.night(night, encoded);
    served.add(nights.served());
    stored.add(nights.stored());
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  @BeforeEach
  void asTheNightsLeftIt() throws IOException {
    FileUtils.deleteDirectory(nights.folder().toFile());
    copy(copy, nights.folder());
    DeltaLog.clearCache();
  }

  private static VacuumJob job(NightlyJob.Extent extent, String more) {
    JobContext context = nights.context("vacuum-" + System.nanoTime(), 30, more);
    return new VacuumJob(
        context,
        new StageRunner(context, ProgressBar.inLog()),
        Locations.known(nights.lake()),
        extent,
        NightlyJob.Repeat.SKIP_DONE,
        Clock.systemUTC());
  }

  private static RollbackJob rollback(String runId) {
    return new RollbackJob(
        nights.context(runId, 30, ""),
        Locations.known(nights.lake()),
        NightlyJob.Extent.FULL,
        NightlyJob.Repeat.SKIP_DONE);
  }

  /** A file below the locations, as old as that. */
  private static String put(String path, Duration age) throws IOException {
    Path file = nights.folder().resolve("locations").resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[] {1});
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(age)));
    return path;
  }

  private static List<String> containers(List<String> paths) {
    return paths.stream().filter(path -> path.endsWith(".msc")).toList();
  }

  @Test
  void whatNoMapInUseNamesGoesAndTheMapsInUseStayWhole() throws IOException {
    String young = put("l0/containers/night-4/s1-p1-a1-00-0-l0.msc", Duration.ofDays(6));
    String orphan = put("l0/containers/killed/s1-p1-a1-00-0-l0.msc", Duration.ofDays(8));
    List<String> foreign =
        List.of(
            put("l0/containers/night-1/notes.txt", Duration.ofDays(99)),
            put("l0/containers/night-1/x.msc.bak", Duration.ofDays(99)),
            put("l1/containers/deep/er/x.msc", Duration.ofDays(99)),
            put("l1/containers/a b/x y.msc", Duration.ofDays(99)),
            put("l1/containers/r/\n\u001b[31m.msc", Duration.ofDays(99)),
            put("l1/map-backup/00000000000000000001/bucket-1.msb", Duration.ofDays(99)),
            put("l1/containers.msc", Duration.ofDays(99)),
            put("l2/other/x.msc", Duration.ofDays(99)));
    // A reader at the newest map, and a rollback to the first one, planned before.
    MetaShardReader pinned = nights.reader();
    List<Row> ids = ShardMap.liveVersions(new ShardMap(nights.lake()).rows()).collectAsList();
    RollbackJob planned = rollback("planned-before");
    RollbackJob.Look look = planned.look(Optional.of("1"));

    StageReport report = job(NightlyJob.Extent.FULL, "").run();

    List<String> gone = new ArrayList<>(containers(stored.get(0)));
    assertThat(gone).hasSizeGreaterThan(5);
    assertThat(report.state()).isEqualTo(StageReport.DONE);
    assertThat(report.figures())
        .containsEntry("map_sequence", 4L)
        .containsEntry("floor_sequence", 2L)
        .containsEntry("oldest_sequence_in_use", 2L)
        .containsEntry("containers_of_former_maps", (long) gone.size())
        .containsEntry("containers_never_in_use", 1L)
        .containsEntry("containers_too_young", 1L)
        .containsEntry("containers_removed", gone.size() + 1L)
        .containsEntry("foreign_files", (long) foreign.size() - 2)
        .doesNotContainKey("files_not_removed");
    List<String> now = nights.stored();
    assertThat(now).contains(young).containsAll(foreign).doesNotContain(orphan);
    assertThat(now).doesNotContainAnyElementsOf(gone);
    assertThat(nights.folder().resolve("locations/l0/containers/killed")).doesNotExist();

    // Who planned before, and who asks afterwards.
    assertThatThrownBy(() -> planned.goBack(look)).isInstanceOf(MapMovedException.class);
    MetashardException below =
        catchThrowableOfType(
            MetashardException.class, () -> rollback("below").run(Optional.of("1")));
    assertThat(below.exitCode()).isEqualTo(MetashardException.USAGE);
    assertThat(below)
        .hasMessageContaining("it is below the floor, sequence 2")
        .hasMessageContaining("there are sequence 2 (run night-2");
    assertThatThrownBy(() -> rollback("below").run(Optional.of("night-1")))
        .hasMessageContaining("below the floor, sequence 2");
    assertThatThrownBy(() -> rollback("same").run(Optional.of("3")))
        .hasMessageContaining("that is what it is now");

    // The switch before the last is that of night 2: the floor changed nothing.
    assertThat(nights.served()).usingRecursiveComparison().isEqualTo(served.get(2));
    assertThat(rollback("back").run(Optional.empty()).figures()).containsEntry("to_sequence", 2L);
    assertThat(nights.served()).usingRecursiveComparison().isEqualTo(served.get(1));
    assertThat(NightsByHand.served(pinned, ids))
        .usingRecursiveComparison()
        .isEqualTo(served.get(2));
    pinned.close();
    assertThatThrownBy(() -> rollback("floor").run(Optional.of("4")))
        .hasMessageContaining("vacuum made it, which changed no row");

    // What is backed up can be restored: every file that the newest marker names is there.
    long sequence = new ShardMap(nights.lake()).sequence();
    assertThat(new MapBackup(Locations.known(nights.lake()), 3, nights.hadoop()).newest())
        .isEqualTo(sequence);
    assertThat(sequence).isEqualTo(5);
    for (String path :
        MapBackup.files(Locations.known(nights.lake()).get(0), sequence, nights.hadoop())) {
      assertThat(nights.stored()).contains("l0/" + path, "l1/" + path, "l2/" + path);
    }
    // Again: no container is left to go, and the floor stays.
    StageReport again = job(NightlyJob.Extent.FULL, "").run();
    assertThat(again.figures())
        .containsEntry("floor_sequence", 2L)
        .containsEntry("map_sequence", 5L)
        .containsEntry("containers_removed", 0L);
  }

  @Test
  void aDryRunTellsAndANightAtWorkIsLeftInPeace() throws IOException {
    List<String> before = nights.stored();
    StageReport dry = job(NightlyJob.Extent.DRY_RUN, "").run();
    long former = containers(stored.get(0)).size();
    assertThat(dry.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(dry.reason()).startsWith("a dry run removes nothing: it would remove ");
    assertThat(dry.figures())
        .containsEntry("containers_of_former_maps", former)
        .containsEntry("floor_sequence", 2L)
        .containsEntry("map_sequence", 3L);
    assertThat((String) dry.figures().get("containers_such_as")).contains("l0 containers/night-1/");
    assertThat(nights.stored()).isEqualTo(before);
    assertThat(new ShardMap(nights.lake()).sequence()).isEqualTo(3);

    String orphan = put("l0/containers/killed/s1-p1-a1-00-0-l0.msc", Duration.ofDays(8));
    runs("nightly", RunsTable.RUNNING, "night-4", Instant.now().minus(Duration.ofHours(3)));
    StageReport busy = job(NightlyJob.Extent.FULL, "").run();
    assertThat(busy.reason()).contains("nightly (run night-4) is at work since ");
    assertThat(busy.figures())
        .containsEntry("containers_removed", 1L)
        .containsEntry("floor_sequence", 0L)
        .containsEntry("map_sequence", 3L);
    assertThat(nights.stored()).containsAll(containers(before)).doesNotContain(orphan);
    // So a rollback to the first map works.
    rollback("back").run(Optional.of("1"));
    assertThat(nights.served()).usingRecursiveComparison().isEqualTo(served.get(0));
  }

  private static void runs(String stage, String state, String runId, Instant at) {
    nights
        .lake()
        .append(
            RunsTable.TABLE,
            spark.createDataFrame(
                List.of(
                    RowFactory.create(
                        runId,
                        stage,
                        state,
                        Timestamp.from(at),
                        1.0,
                        0L,
                        0L,
                        0L,
                        0L,
                        "{}",
                        "",
                        "",
                        Timestamp.from(NightsByHand.AT),
                        "",
                        "",
                        "{}",
                        null,
                        "a",
                        null,
                        null)),
                RunsTable.SCHEMA),
            Lake.Commit.PLAIN);
  }

  @Test
  void aCommandIsAtWorkUntilItsRunEndsOrIsSilentForADay() {
    JobContext context = nights.context("other", 30, "");
    Instant now = Instant.parse("2026-03-05T12:00:00Z");
    assertThat(RunsTable.underWay(context, now)).isEmpty();
    runs("nightly", RunsTable.RUNNING, "killed", now.minus(Duration.ofHours(30)));
    runs("vacuum", RunsTable.RUNNING, "reads", now.minus(Duration.ofHours(1)));
    runs("nightly", RunsTable.RUNNING, "other", now.minus(Duration.ofHours(1)));
    assertThat(RunsTable.underWay(context, now)).isEmpty();
    // It is heard of: a stage has ended.
    runs("ingest", StageReport.DONE, "killed", now.minus(Duration.ofHours(2)));
    assertThat(RunsTable.underWay(context, now))
        .hasValueSatisfying(
            who ->
                assertThat(who).startsWith("nightly (run killed) is at work since 2026-03-04T06"));
    // A second attempt brings it to its end.
    runs("nightly", RunsTable.RUNNING, "killed", now.minus(Duration.ofHours(1)));
    runs("nightly", StageReport.DONE, "killed", now.minus(Duration.ofHours(1)));
    assertThat(RunsTable.underWay(context, now)).isEmpty();
  }

  @Test
  void whatIsLeftInAContainerThatIsMostlyDeadIsWrittenAnewAndThenItGoes() throws IOException {
    // What it leaves of three containers of the second night: of one a third, of two nearly two.
    nights.write("o2", 30_000, new Random(SEED));
    nights.night(4, List.of("o2"));
    Map<String, byte[]> newest = nights.served();
    SortedSet<String> before = namedByTheMap();
    StageReport dry = job(NightlyJob.Extent.DRY_RUN, "").run();
    long found = (Long) dry.figures().get("containers_to_compact");
    assertThat(found).isEqualTo(1);
    assertThat(new ShardMap(nights.lake()).sequence()).isEqualTo(4);
    StageReport report = job(NightlyJob.Extent.FULL, "").run();

    assertThat(report.figures())
        .containsEntry("containers_compacted", found)
        .containsEntry("blocks_moved", 1L)
        .doesNotContainKey("blocks_not_moved");
    SortedSet<String> after = namedByTheMap();
    SortedSet<String> emptied = new TreeSet<>(before);
    emptied.removeAll(after);
    assertThat(emptied).hasSize((int) found);
    assertThat(nights.stored()).as("a reader may be at the former map").containsAll(emptied);
    assertThat(nights.served()).usingRecursiveComparison().isEqualTo(newest);
    assertThat(
            nights
                .lake()
                .read(RunsTable.TABLE)
                .where("stage = 'repair' AND run_id LIKE 'vacuum-%-compact'")
                .count())
        .as("who switched the map")
        .isEqualTo(1);

    // New containers are not sparse; the emptied ones go when no map in use names them.
    StageReport later =
        new VacuumJob(
                nights.context("later", 30, "vacuum.retention = 0s"),
                new StageRunner(nights.context("later", 30, ""), ProgressBar.inLog()),
                Locations.known(nights.lake()),
                NightlyJob.Extent.FULL,
                NightlyJob.Repeat.FORCE,
                Clock.offset(Clock.systemUTC(), Duration.ofDays(8)))
            .run();
    assertThat(later.figures()).containsEntry("containers_compacted", 0L);
    assertThat(nights.stored()).doesNotContainAnyElementsOf(emptied).containsAll(after);
    assertThat(nights.served()).usingRecursiveComparison().isEqualTo(newest);
    // The files of former maps are gone, too: verify does without them.
    assertThat(new VerifyJob(nights.context("verify", 30, "")).run().figures())
        .containsEntry("findings", 0L)
        .containsEntry("orphans", 0L);
  }

  /** Containers with blocks of the newest map, as {@link NightsByHand#stored} names them. */
  private static SortedSet<String> namedByTheMap() {
    SortedSet<String> named = new TreeSet<>();
    for (Row row :
        new ShardMap(nights.lake())
            .rows()
            .select(ShardMapTable.LOCATION, ShardMapTable.PATH)
            .distinct()
            .collectAsList()) {
      named.add(row.getString(0) + "/" + row.getString(1));
    }
    return named;
  }

  @Test
  void aMapThatIsOlderThanItsBackupIsNotVacuumedBy() throws IOException {
    FileUtils.deleteDirectory(nights.folder().resolve("lake/shard_map").toFile());
    DeltaLog.clearCache();
    List<String> before = nights.stored();
    // No map at all: nobody knows what its containers are for.
    assertThat(job(NightlyJob.Extent.FULL, "").run().figures())
        .containsEntry("map_sequence", 0L)
        .containsEntry("files_removed", 0L);
    assertThat(nights.stored()).isEqualTo(before);
    nights.night(4, List.of("o0"));
    List<String> after = nights.stored();
    assertThatThrownBy(() -> job(NightlyJob.Extent.FULL, "").run())
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("the shard map of " + nights.lake().root() + " is at sequence 1")
        .hasMessageContaining("has a backup of sequence 3: the map is not the newest");
    assertThat(nights.stored()).isEqualTo(after);
  }

  @Test
  void rowsGoByTheirTablesDaysAndSmallFilesAreJoined() throws IOException {
    Lake lake = nights.lake();
    // Planned at the end of March: 35 days before are 2026-02-25.
    for (String day : List.of("2026-02-24", "2026-02-25", "2026-03-02")) {
      lake.append(
          Requests.TABLE,
          spark.createDataFrame(
              List.of(
                  RowFactory.create(
                      Date.valueOf(day),
                      Timestamp.valueOf(day + " 12:00:00"),
                      "o1",
                      null,
                      null,
                      200,
                      1L,
                      "GET",
                      null,
                      "log")),
              Requests.SCHEMA),
          Lake.Commit.PLAIN);
    }
    for (int i = 0; i < 17; i++) {
      runs("plan", StageReport.DONE, "run-" + i, NightsByHand.AT);
    }
    assertThat(lake.read(RunsTable.TABLE).inputFiles()).hasSize(17);
    StageReport report = job(NightlyJob.Extent.FULL, "").run();
    assertThat(report.figures())
        .containsEntry("rows_of_requests", 1L)
        .containsEntry("tables_with_small_files_joined", 1L);
    assertThat(
            new TreeSet<>(
                lake.read(Requests.TABLE).select(Requests.DATE).collectAsList().stream()
                    .map(row -> row.getDate(0).toString())
                    .toList()))
        .containsExactly("2026-02-25", "2026-03-02");
    assertThat(lake.read(RunsTable.TABLE).inputFiles()).hasSize(1);
    assertThat(lake.read(RunsTable.TABLE).count()).isEqualTo(17);
    Row map =
        io.delta.tables.DeltaTable.forPath(spark, lake.path(ShardMapTable.TABLE)).detail().first();
    assertThat(
            scala.jdk.javaapi.CollectionConverters.asJava(
                map.<String, String>getMap(map.fieldIndex("properties"))))
        .containsEntry("delta.logRetentionDuration", "interval 3272400 seconds")
        .containsEntry("delta.deletedFileRetentionDuration", "interval 680400 seconds");
    assertThat(map.<Integer>getAs("minReaderVersion")).isEqualTo(1);
    assertThat(map.<Integer>getAs("minWriterVersion")).isEqualTo(2);
    assertThat(nights.served()).usingRecursiveComparison().isEqualTo(served.get(2));
  }

  /** Each look at it is so much later. */
  private static final class Ticking extends Clock {
    private final Duration step;
    private Instant now = Instant.parse("2026-03-05T00:00:00Z");

    Ticking(Duration step) {
      this.step = step;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      now = now.plus(step);
      return now;
    }
  }

  @Test
  void aRunThatTookLongerThanOrphansStayDoesNotSwitchTheMap() {
    JobContext context = nights.context("night-4", 4, "");
    List<io.metashard.Location> locations = nights.plan(context, 4, List.of("o0"));
    Clock slow = new Ticking(Duration.ofDays(8));
    assertThatThrownBy(() -> new ReshardJob(context, locations, slow).run("night-4"))
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("this attempt of run night-4 began at 2026-03-13T00:00:00Z")
        .hasMessageContaining("longer ago than vacuum.orphan-age = 7d");
    assertThat(new ShardMap(nights.lake()).sequence()).isEqualTo(3);
    Clock fast = new Ticking(Duration.ofDays(3));
    assertThat(new ReshardJob(context, locations, fast).run("night-4").state())
        .isEqualTo(StageReport.DONE);
  }

  @Test
  void rowsThatNameAMissingContainerAreNotSwitchedTo() throws IOException {
    BeforeSwitch before =
        new BeforeSwitch(
            nights.context("night-4", 4, ""), Locations.known(nights.lake()), Clock.systemUTC());
    ShardMap map = new ShardMap(nights.lake());
    long all = before.requireContainers(map.rows(), "switch the map", "run again");
    assertThat(all).isEqualTo(map.rows().select("location", "path").distinct().count());
    String lost =
        containers(nights.stored()).stream()
            .filter(path -> path.contains("night-2"))
            .findFirst()
            .orElseThrow();
    Files.delete(nights.folder().resolve("locations").resolve(lost));
    assertThatThrownBy(() -> before.requireContainers(map.rows(), "switch the map", "run again"))
        .hasMessageContaining(
            "Cannot switch the map: missing, too short or out of reach: 1 of the ")
        .hasMessageContaining(lost.substring(lost.indexOf('/') + 1))
        .hasMessageEndingWith("nothing was changed; run again");
  }
}
