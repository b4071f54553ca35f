package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metashard.Location;
import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.MapBackup;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three nights on one lake, each with other sources and another forecast; then back and forth. */
@Tag("slow")
class RollbackSparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final long SEED = 20260302;
  private static final int NIGHTS = 3;

  private static SparkSession spark;
  private static Path folder;
  private static Lake lake;

  /** After each night: what readers got, by object, and the map's rows in words. */
  private static final List<Map<String, byte[]>> served = new ArrayList<>();

  private static final List<List<String>> rows = new ArrayList<>();

  /** After each night: what its map is to give back. */
  private static final List<Path> noted = new ArrayList<>();

  @BeforeAll
  static void threeNights() throws IOException {
    spark = SharedSpark.session();
    folder = SharedSpark.tempFolder("rollback");
    lake = new Lake(spark, JobContext.qualified(folder.resolve("lake").toString(), hadoop()));
    Random random = new Random(SEED);
    write("empty", 0, random);
    for (int i = 0; i < 6; i++) {
      write("o" + i, 10_000 + 9_000 * i, random);
    }
    night(1, List.of("empty", "o0", "o1", "o2", "o3", "o4", "o5"));
    write("o1", 50_000, random);
    write("new", 30_000, random);
    Files.delete(folder.resolve("objects/o2"));
    night(2, List.of("o1", "new", "o4"));
    write("o1", 10, random);
    write("o5", 20_000, random);
    night(3, List.of("o1", "o5"));
    assertThat(served.get(0)).hasSize(7).doesNotContainKey("new");
    assertThat(served.get(2)).hasSize(8);
    // Or nothing would be said of what is kept only for others to be decoded with.
    assertThat(lake.read(ShardMapTable.TABLE).where("not live and object_id is not null").count())
        .isPositive();
  }

  private static org.apache.hadoop.conf.Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  private static void write(String id, int bytes, Random random) throws IOException {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    Files.createDirectories(folder.resolve("objects"));
    Files.write(folder.resolve("objects").resolve(id), content);
  }

  private static JobContext context(String runId, int night) {
    String locations =
        IntStream.range(0, 6)
            .mapToObj(
                i -> "{ name = l%d, uri = \"%s\" }".formatted(i, folder.resolve("locations/l" + i)))
            .collect(Collectors.joining(", "));
    Settings settings =
        Settings.parse(
            "test",
            "objects.roots = [\"%s\"]%nlocations = [ %s ]"
                .formatted(folder.resolve("objects"), locations),
            List.of());
    return new JobContext(spark, lake, settings, AT.plus(Duration.ofDays(night)), runId);
  }

  /** A night that encodes some objects, those of one bucket two to a meta-shard. */
  private static void night(int night, List<String> encoded) throws IOException {
    String runId = "night-" + night;
    JobContext context = context(runId, night);
    new CatalogueJob(context, new CatalogueOptions(1)).run();
    List<Location> locations =
        Locations.reconcile(lake, Locations.configured(context.settings(), hadoop()), AT);
    PlanByHand.write(lake, runId, night, encoded);
    assertThat(new ReshardJob(context, locations).run(runId).state()).isEqualTo(StageReport.DONE);
    assertThat(new ShardMap(lake).sequence()).isGreaterThanOrEqualTo(night);
    served.add(read());
    rows.add(rows());
    Path file = folder.resolve("noted-" + noted.size());
    NotedSources.write(context, file);
    noted.add(file);
  }

  private static ReadBack readBack(Path noted) throws IOException {
    try (MetaShardReader reader =
        MetaShardReader.open(lake.root(), new ReadOptions(ReadOptions.Fallback.NONE), hadoop())) {
      return ReadBack.of(reader, noted);
    }
  }

  /** Every object that the map serves, as a reader gets it from the blocks alone. */
  private static Map<String, byte[]> read() throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    try (MetaShardReader reader =
        MetaShardReader.open(lake.root(), new ReadOptions(ReadOptions.Fallback.NONE), hadoop())) {
      for (Row row : ShardMap.liveVersions(new ShardMap(lake).rows()).collectAsList()) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        reader.copy(row.getString(0), 0, Long.MAX_VALUE, out);
        found.put(row.getString(0), out.toByteArray());
      }
    }
    return found;
  }

  private static List<String> rows() {
    return lake.read(ShardMapTable.TABLE).collectAsList().stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }

  private static RollbackJob job(String runId) {
    return job(runId, NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
  }

  private static RollbackJob job(String runId, NightlyJob.Extent extent, NightlyJob.Repeat repeat) {
    return new RollbackJob(context(runId, NIGHTS), Locations.known(lake), extent, repeat);
  }

  private static void requireIs(int night) throws IOException {
    assertThat(rows()).as("rows of night %d", night).isEqualTo(rows.get(night - 1));
    assertThat(read())
        .as("bytes of night %d", night)
        .usingRecursiveComparison()
        .isEqualTo(served.get(night - 1));
    long sequence = new ShardMap(lake).sequence();
    assertThat(backedUp()).isEqualTo(sequence);
  }

  private static long backedUp() throws IOException {
    return new MapBackup(Locations.known(lake), 3, hadoop()).newest();
  }

  private static Map<String, String> states() {
    return lake.read(Objects.TABLE).collectAsList().stream()
        .collect(
            Collectors.toMap(
                row -> row.<String>getAs(Objects.OBJECT_ID),
                row -> row.<String>getAs(Objects.STATE)));
  }

  private static long files() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("locations"))) {
      return files.filter(file -> file.toString().endsWith(".msc")).count();
    }
  }

  /** Begins a test at that night. */
  private static void at(int night, String runId) {
    if (!rows().equals(rows.get(night - 1))) {
      assertThat(job(runId).run(Optional.of("" + night)).state()).isEqualTo(StageReport.DONE);
    }
  }

  /** Begins a test at any other night. */
  private static void awayFrom(int night) {
    if (rows().equals(rows.get(night - 1))) {
      at(1 + night % NIGHTS, "away-" + System.nanoTime());
    }
  }

  @Test
  void everyNightReadsBackAsItWasAndTheNextOneGoesOnFromThere() throws IOException {
    at(3, "each-0");
    long containers = files();
    StageReport first = job("each-1").run(Optional.of("1"));
    requireIs(1);
    assertThat(first.figures())
        .containsEntry("to_run", "night-1")
        .containsEntry("objects_of_another_version", 2L)
        .containsEntry("objects_served_again", 0L)
        .containsEntry("objects_no_longer_served", 1L)
        .containsEntry("objects_in_map", 7L)
        .containsEntry("map_sequence", new ShardMap(lake).sequence());
    assertThat(states())
        .containsEntry("o0", Objects.ENCODED)
        .containsEntry("o1", Objects.STALE)
        .containsEntry("o2", Objects.ENCODED) // its source is gone, the map has it
        .containsEntry("o5", Objects.STALE)
        .containsEntry("new", Objects.PENDING)
        .hasSize(8);
    // Without a version: the one before this rollback.
    job("each-2").run(Optional.empty());
    requireIs(3);
    assertThat(states().values()).hasSize(8).containsOnly(Objects.ENCODED);
    job("each-3").run(Optional.of("night-2"));
    requireIs(2);
    assertThat(job("each-4").run(Optional.of("2")).reason())
        .isEqualTo("the map holds the rows of sequence 2 already");
    assertThat(files()).as("blocks are neither written nor deleted").isEqualTo(containers);

    // The sources are as night 3 met them.
    night(NIGHTS + 1, List.of("o1", "o5"));
    assertThat(read()).usingRecursiveComparison().isEqualTo(served.get(2));
    assertThat(states().values()).containsOnly(Objects.ENCODED);
  }

  @Test
  void whatReadsBackIsHeldAgainstWhatTheSourcesWereThatNight() throws IOException {
    at(1, "held-1");
    assertThat(readBack(noted.get(0))).isEqualTo(new ReadBack(7, 7, 0, 0, bytes(1), List.of()));
    at(2, "held-2");
    // The source of o2 is gone: what it was is not known of this night.
    assertThat(readBack(noted.get(1))).isEqualTo(new ReadBack(8, 7, 1, 0, bytes(2), List.of()));

    ReadBack ofAnotherNight = readBack(noted.get(0));
    assertThat(ofAnotherNight.isRight()).isFalse();
    assertThat(ofAnotherNight.wrong()).isEqualTo(2);
    assertThat(ofAnotherNight.problems())
        .anySatisfy(problem -> assertThat(problem).startsWith("object o1 is served at version "))
        .contains("object new is served, and was not after that night");
    at(1, "held-3");
    assertThat(readBack(noted.get(1)).problems()).contains("object new is not served");
    assertThat(readBack(noted.get(1)).text()).isEqualTo("WRONG: 2 of 7");
  }

  @Test
  void aWrongByteAndAnUnreadableObjectAreFoundOnReadingBack() throws IOException {
    at(1, "wrong-1");
    // As if the source had had another byte, of the same length and time.
    Path other = folder.resolve("noted-other");
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(noted.get(0))) {
      boolean of = NotedSources.read(line).objectId().equals("o3");
      lines.add(of ? line.replaceFirst("\"sha256\":\"[0-9a-f]{8}", "\"sha256\":\"00000000") : line);
    }
    Files.write(other, lines);
    ReadBack wrong = readBack(other);
    assertThat(wrong.problems()).containsExactly("object o3 has other bytes than its source had");
    assertThat(wrong.equal()).isEqualTo(6);

    Path locations = folder.resolve("locations");
    Path away = folder.resolve("locations-away");
    Files.move(locations, away);
    try {
      ReadBack unreadable = readBack(noted.get(0));
      assertThat(unreadable.equal()).isEqualTo(1); // the empty one needs no block
      assertThat(unreadable.wrong()).isEqualTo(6);
      assertThat(unreadable.problems())
          .allSatisfy(
              problem -> assertThat(problem).contains(" cannot be read: Cannot read bytes"));
    } finally {
      Files.move(away, locations);
    }
  }

  private static long bytes(int night) {
    return served.get(night - 1).values().stream().mapToLong(content -> content.length).sum();
  }

  @Test
  void aRetryCommitsOnceAndEndsWhatTheFirstAttemptLeft() throws IOException {
    awayFrom(1);
    job("retry").run(Optional.of("1"));
    long version = lake.version(ShardMapTable.TABLE).orElseThrow();
    long sequence = new ShardMap(lake).sequence();
    // As if the first attempt had died right after its commit.
    for (Location location : Locations.known(lake)) {
      FileUtils.deleteDirectory(
          folder
              .resolve("locations/%s/map-backup/%020d".formatted(location.name(), sequence))
              .toFile());
    }
    lake.overwrite(
        Objects.TABLE,
        lake.read(Objects.TABLE).withColumn(Objects.STATE, col(Objects.SOURCE_STATE)),
        Lake.Commit.PLAIN);
    StageReport retry = job("retry").run(Optional.of("1"));
    assertThat(retry.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(retry.reason()).contains("this run has switched the map already, to sequence");
    assertThat(lake.version(ShardMapTable.TABLE)).hasValue(version);
    requireIs(1);
    assertThat(states()).containsEntry("new", Objects.PENDING).containsEntry("o0", Objects.ENCODED);

    // When others have switched since, a late retry takes nothing back that they did.
    job("other").run(Optional.of("2"));
    assertThat(job("retry").run(Optional.empty()).reason()).contains("others have since");
    assertThat(rows()).isEqualTo(rows.get(1));
    job("retry", NightlyJob.Extent.FULL, NightlyJob.Repeat.FORCE).run(Optional.empty());
    assertThat(rows()).isEqualTo(rows.get(0));
  }

  @Test
  void anotherSwitchMeanwhileIsNotTakenBack() throws IOException {
    awayFrom(1);
    RollbackJob late = job("late");
    RollbackJob.Look look = late.look(Optional.of("1"));
    assertThat(job("between").run(Optional.empty()).state()).isEqualTo(StageReport.DONE);
    List<String> switched = rows();
    MapMovedException moved =
        catchThrowableOfType(MapMovedException.class, () -> late.goBack(look));
    assertThat(moved).hasMessageContaining("then run again with --to 1");
    assertThat(Failures.exitCode(moved)).isEqualTo(MetashardException.CONFLICT);
    assertThat(rows()).isEqualTo(switched);
  }

  @Test
  void aMapOfWhichAContainerIsMissingOrTooShortIsNotGoneBackTo() throws IOException {
    awayFrom(1);
    List<Row> old =
        new ShardMap(lake)
            .rowsAt(switchOf("night-1").version())
            .select(ShardMapTable.LOCATION, ShardMapTable.PATH)
            .distinct()
            .orderBy(ShardMapTable.LOCATION, ShardMapTable.PATH)
            .limit(2)
            .collectAsList();
    long version = lake.version(ShardMapTable.TABLE).orElseThrow();
    Map<String, String> states = states();
    Path missing = container(old.get(0));
    Path cut = container(old.get(1));
    Path kept = folder.resolve("kept");
    Path whole = folder.resolve("whole");
    Files.move(missing, kept);
    Files.copy(cut, whole);
    Files.write(cut, new byte[1]);
    try {
      for (NightlyJob.Extent extent : NightlyJob.Extent.values()) {
        MetashardException refused =
            catchThrowableOfType(
                MetashardException.class,
                () ->
                    job("missing", extent, NightlyJob.Repeat.SKIP_DONE)
                        .run(Optional.of("night-1")));
        assertThat(refused)
            .hasMessageContaining("Cannot roll the shard map back to sequence 1 (run night-1, ")
            .hasMessageContaining(": missing, too short or out of reach: 2 of the ")
            .hasMessageContaining("1 at %s".formatted(old.get(0).getString(0)))
            .hasMessageContaining(": it is missing; ")
            .hasMessageContaining(", of them no longer decodable: 0; nothing was changed");
        assertThat(refused.exitCode()).isEqualTo(MetashardException.FAILED);
      }
      assertThat(lake.version(ShardMapTable.TABLE)).hasValue(version);
      assertThat(states()).isEqualTo(states);
    } finally {
      Files.move(kept, missing);
      Files.copy(whole, cut, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static ShardMap.Switch switchOf(String runId) {
    return new ShardMap(lake).switchBy(runId).orElseThrow();
  }

  private static Path container(Row row) {
    return folder.resolve("locations").resolve(row.getString(0)).resolve(row.getString(1));
  }

  @Test
  void aDryRunSaysWhatWouldBeServedAndChangesNothing() throws IOException {
    awayFrom(1);
    long version = lake.version(ShardMapTable.TABLE).orElseThrow();
    Map<String, String> states = states();
    long backup = backedUp();
    StageReport dry =
        job("dry", NightlyJob.Extent.DRY_RUN, NightlyJob.Repeat.SKIP_DONE).run(Optional.of("1"));
    assertThat(dry.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(dry.reason())
        .startsWith("a dry run changes nothing: it would go back to sequence 1 (run night-1, ");
    assertThat(dry.figures())
        .containsEntry("objects_stale_after", 2L)
        .containsEntry("objects_pending_after", 1L)
        .containsEntry("objects_encoded_after", 5L)
        .doesNotContainKey("map_sequence");
    assertThat(lake.version(ShardMapTable.TABLE)).hasValue(version);
    assertThat(states()).isEqualTo(states);
    assertThat(backedUp()).isEqualTo(backup);
  }

  @Test
  void aVersionThatIsNotThereIsWrongUseAndNamesThoseThatAre() {
    long newest = new ShardMap(lake).sequence();
    Map<String, String> wrong =
        Map.of(
            "" + newest,
            "that is what it is now",
            "" + (newest + 5),
            "it has come to " + newest + " only",
            "0",
            "its history has no such switch",
            "nobody",
            "its history has no switch by that run");
    wrong.forEach(
        (to, why) -> {
          MetashardException refused =
              catchThrowableOfType(
                  MetashardException.class, () -> job("wrong").run(Optional.of(to)));
          assertThat(refused)
              .hasMessageContaining(why)
              .hasMessageContaining("; there are sequence ");
          assertThat(refused.exitCode()).isEqualTo(MetashardException.USAGE);
        });
    JobContext none =
        new JobContext(
            spark,
            new Lake(spark, folder.resolve("no-lake").toString()),
            Settings.defaults(),
            AT,
            "none");
    assertThatThrownBy(
            () ->
                new RollbackJob(
                        none, List.of(), NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE)
                    .run(Optional.empty()))
        .isInstanceOf(MetashardException.class)
        .hasMessage("Cannot roll the shard map back: nothing has switched it yet");
  }

  @Test
  void aVersionWhoseRowsDeltaHasRemovedIsRefused() throws IOException {
    awayFrom(1);
    Path copy = folder.resolve("vacuumed");
    FileUtils.copyDirectory(folder.resolve("lake").toFile(), copy.toFile());
    Lake vacuumed = new Lake(spark, JobContext.qualified(copy.toString(), hadoop()));
    // What VACUUM does: files go that only older versions name.
    List<String> gone =
        new ArrayList<>(
            List.of(
                vacuumed.readAt(ShardMapTable.TABLE, switchOf("night-1").version()).inputFiles()));
    gone.removeAll(List.of(vacuumed.read(ShardMapTable.TABLE).inputFiles()));
    assertThat(gone).isNotEmpty();
    for (String file : gone) {
      Files.delete(Path.of(java.net.URI.create(file)));
    }
    JobContext context = context("vacuumed", NIGHTS);
    MetashardException refused =
        catchThrowableOfType(
            MetashardException.class,
            () ->
                new RollbackJob(
                        new JobContext(spark, vacuumed, context.settings(), AT, "vacuumed"),
                        Locations.known(vacuumed),
                        NightlyJob.Extent.FULL,
                        NightlyJob.Repeat.SKIP_DONE)
                    .run(Optional.of("night-1")));
    assertThat(refused)
        .hasMessageContaining("cannot be read: ")
        .hasMessageContaining("if Delta's VACUUM has removed them, choose a later one");
    assertThat(refused.exitCode()).isEqualTo(MetashardException.FAILED);
  }
}
