package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.metashard.Location;
import io.metashard.SharedSpark;
import io.metashard.read.MetaShardReader;
import io.metashard.shardmap.ShardMap;
import io.metashard.store.HadoopStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.delta.DeltaLog;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The fault report: each fault of a list is injected into a small lake, and a line says what was
 * injected, how it was found, how it ended, and how many bytes were lost. {@code KillIT} has killed
 * processes, {@code ClusterIT} lost executors and machines, {@code DamageSparkTest} damages drawn
 * at random.
 */
@Tag("endurance")
class FaultsSparkTest {
  private static final String IMPLEMENTATION = "fs.odd.impl";
  private static final int OBJECTS = 6;

  private static NightsByHand nights;
  private static Random random;

  /** What every object is, as of the newest night that ended. */
  private static final Map<String, byte[]> expected = new TreeMap<>();

  private static int night;

  @BeforeAll
  static void oneNight() throws IOException {
    hadoop().set(IMPLEMENTATION, FaultyFileSystem.class.getName());
    hadoop().set(HadoopStore.TIMEOUT_MILLIS, "2000");
    nights = NightsByHand.in(SharedSpark.session(), SharedSpark.tempFolder("faults"));
    random = new Random(20260305);
    for (int i = 0; i < OBJECTS; i++) {
      change("o" + i);
    }
    run(plannedNight(expected.keySet().stream().toList()));
  }

  @AfterEach
  void mend() {
    FaultyFileSystem.end();
  }

  @AfterAll
  static void forget() {
    hadoop().unset(IMPLEMENTATION);
    hadoop().unset(HadoopStore.TIMEOUT_MILLIS);
  }

  private static Configuration hadoop() {
    return SharedSpark.session().sparkContext().hadoopConfiguration();
  }

  // --- the lake

  private static void change(String id) throws IOException {
    nights.write(id, 5_000 + random.nextInt(30_000), random);
    expected.put(id, source(id));
  }

  private static byte[] source(String id) throws IOException {
    return Files.readAllBytes(nights.folder().resolve("objects").resolve(id));
  }

  private static JobContext context(String runId) {
    String locations =
        IntStream.range(0, PlanByHand.LOCATIONS)
            .mapToObj(
                i -> "{ name = l%d, uri = \"odd://l%d%s\" }".formatted(i, i, location("l" + i)))
            .collect(Collectors.joining(", "));
    return nights.context(
        runId,
        night,
        "objects.roots = [\"odd://sources%s\"]%nlocations = [ %s ]%nreshard.frame-bytes = 1 KiB"
            .formatted(nights.folder().resolve("objects"), locations));
  }

  private static Path location(String name) {
    return nights.folder().resolve("locations").resolve(name);
  }

  private record PlannedNight(JobContext context, List<Location> locations) {
    StageReport run() {
      return new ReshardJob(context, locations).run(context.runId());
    }
  }

  private static PlannedNight plannedNight(List<String> encoded) {
    night++;
    JobContext context = context("night-" + night);
    return new PlannedNight(context, nights.plan(context, night, encoded));
  }

  private static void run(PlannedNight planned) {
    assertThat(planned.run().state()).isEqualTo(StageReport.DONE);
  }

  private static long sequence() {
    return new ShardMap(nights.lake()).sequence();
  }

  /** Bytes that readers do not get as they should. */
  private static long lostBytes(Map<String, byte[]> should) throws IOException {
    Map<String, byte[]> served = nights.served();
    assertThat(served.keySet()).isEqualTo(should.keySet());
    long lost = 0;
    for (Map.Entry<String, byte[]> one : should.entrySet()) {
      byte[] is = served.get(one.getKey());
      int same = Arrays.mismatch(is, one.getValue());
      lost += same < 0 ? 0 : Math.max(1, one.getValue().length - same);
    }
    return lost;
  }

  private static void tell(String fault, Object injected, String detected, String outcome)
      throws IOException {
    long lost = lostBytes(expected);
    System.out.printf(
        "fault: %s | injected: %s | detected: %s | outcome: %s | bytes lost: %d%n",
        fault, injected, detected.replaceAll("\\s+", " "), outcome, lost);
    assertThat(lost).as(fault).isZero();
  }

  // --- faults of a night

  /** How often a fault was met, and what the run said that it ended. */
  private record Failed(int met, String said) {}

  /** A run that a fault ends, which names what it is about; the map is what it was before. */
  private static Failed failed(
      String name,
      PlannedNight planned,
      String place,
      FaultyFileSystem.Fault fault,
      String named,
      Map<String, byte[]> before)
      throws IOException {
    long sequence = sequence();
    FaultyFileSystem.begin(place, fault);
    Throwable failure = catchThrowable(planned::run);
    int met = FaultyFileSystem.MET.get();
    FaultyFileSystem.end();
    assertThat(met).as(name).isPositive();
    assertThat(failure).as(name).isNotNull();
    String said = Failures.message(failure);
    assertThat(said).as(name).contains(named).doesNotContain("\tat ");
    assertThat(sequence()).as(name).isEqualTo(sequence);
    assertThat(lostBytes(before)).as(name).isZero();
    return new Failed(met, said);
  }

  @Test
  void aNightWhoseLocationTakesNothingEndsClearlyAndItsRetryCommitsOnce() throws Exception {
    failingNight("location full while a night writes", "l2", FaultyFileSystem.Fault.FULL);
    failingNight("location read-only while a night writes", "l3", FaultyFileSystem.Fault.READ_ONLY);
    failingNight("location hangs while a night writes", "l4", FaultyFileSystem.Fault.HANGS);
  }

  private void failingNight(String name, String place, FaultyFileSystem.Fault fault)
      throws Exception {
    Map<String, byte[]> before = new TreeMap<>(expected);
    for (int i = 0; i < OBJECTS; i++) {
      change("o" + i);
    }
    PlannedNight planned = plannedNight(expected.keySet().stream().toList());
    long sequence = sequence();
    Failed failed = failed(name, planned, place, fault, place, before);
    run(planned);
    assertThat(sequence()).as(name).isEqualTo(sequence + 1);
    assertThat(planned.run().state()).as(name).isEqualTo(StageReport.UNCHANGED);
    tell(name, failed.met() + " times", failed.said(), "old map whole; the retry committed once");
  }

  @Test
  void aSourceThatChangesOrShrinksWhileItIsReadEndsTheNightAndTheOldMapStays() throws Exception {
    changingSource("source shrinks while it is read", FaultyFileSystem.Fault.SHRINKS);
    changingSource("source changes while it is read", FaultyFileSystem.Fault.CHANGES);
  }

  private void changingSource(String name, FaultyFileSystem.Fault fault) throws Exception {
    Map<String, byte[]> before = new TreeMap<>(expected);
    change("o1");
    PlannedNight planned = plannedNight(List.of("o1"));
    Failed failed = failed(name, planned, "sources", fault, "o1", before);
    expected.put("o1", source("o1"));
    run(plannedNight(List.of("o1")));
    tell(
        name,
        failed.met() + " times",
        failed.said(),
        "old map whole; the next plan took what is there now");
  }

  // --- faults of locations

  @Test
  void aLocationThatHangsKeepsNoReaderWaiting() throws Exception {
    FaultyFileSystem.begin("l1", FaultyFileSystem.Fault.HANGS);
    ExecutorService reading = Executors.newSingleThreadExecutor();
    long lost;
    try {
      Callable<Long> all = () -> lostBytes(expected);
      lost = reading.submit(all).get(2, TimeUnit.MINUTES);
    } finally {
      reading.shutdownNow();
    }
    int met = FaultyFileSystem.MET.get();
    FaultyFileSystem.end();
    assertThat(met).isPositive();
    assertThat(lost).isZero();
    tell(
        "location hangs while readers read",
        met + " times",
        "its answers are late",
        "read from the other blocks");
  }

  @Test
  void damagesOfEachKindAreFoundByVerifyAndMendedByRepair() throws Exception {
    Map<String, Damage> damages = new LinkedHashMap<>();
    damages.put("bit flipped in a container", files -> flip(files.get(0)));
    damages.put(
        "container truncated",
        files ->
            Files.write(
                files.get(0),
                Arrays.copyOf(
                    Files.readAllBytes(files.get(0)), (int) (Files.size(files.get(0)) / 2))));
    damages.put("container of zeros", files -> zeros(files.get(0)));
    damages.put("container deleted", files -> Files.delete(files.get(0)));
    damages.put(
        "containers swapped",
        files -> {
          byte[] one = Files.readAllBytes(files.get(0));
          Files.write(files.get(0), Files.readAllBytes(files.get(1)));
          Files.write(files.get(1), one);
        });
    damages.put(
        "location's folder gone",
        files -> FileUtils.deleteDirectory(location("l4").resolve("containers").toFile()));
    int number = 0;
    for (Map.Entry<String, Damage> one : damages.entrySet()) {
      String name = one.getKey();
      List<Path> named = containers();
      one.getValue().done(named);
      assertThat(lostBytes(expected)).as(name).isZero();
      String verify = "verify-" + number++;
      StageReport found = new VerifyJob(context(verify)).run();
      assertThat(found.rowsOut()).as(name).isPositive();
      StageReport repaired =
          new RepairJob(
                  context("repair-" + number),
                  Locations.known(nights.lake()),
                  NightlyJob.Extent.FULL,
                  NightlyJob.Repeat.SKIP_DONE,
                  Long.MAX_VALUE)
              .run(new RepairWhat.Findings(verify));
      assertThat(repaired.figures()).as(name).containsEntry("damage_left", 0L);
      assertThat(new VerifyJob(context("again-" + number)).run().rowsOut()).as(name).isZero();
      tell(
          name,
          "once",
          "%d findings of verify".formatted(found.rowsOut()),
          "%s blocks repaired".formatted(repaired.figures().get("blocks_repaired")));
    }
  }

  @FunctionalInterface
  private interface Damage {
    void done(List<Path> containers) throws IOException;
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 3] ^= 1;
    Files.write(file, bytes);
  }

  private static void zeros(Path file) throws IOException {
    Files.write(file, new byte[(int) Files.size(file)]);
  }

  /** Those that the map names. */
  private static List<Path> containers() {
    return new ShardMap(nights.lake())
            .rows()
            .select("location", "path")
            .distinct()
            .orderBy("location", "path")
            .collectAsList()
            .stream()
            .map(row -> location(row.getString(0)).resolve(row.getString(1)))
            .toList();
  }

  // --- faults of the map

  @Test
  void aMapThatIsGoneIsRecoveredFromItsBackups() throws Exception {
    long sequence = sequence();
    FileUtils.deleteDirectory(nights.folder().resolve("lake/shard_map").toFile());
    DeltaLog.clearCache();
    Throwable failure =
        catchThrowable(
            () -> {
              try (MetaShardReader reader = nights.reader()) {
                reader.copy("o1", 0, Long.MAX_VALUE, OutputStream.nullOutputStream());
              }
            });
    assertThat(failure).isNotNull();
    StageReport recovered =
        new RecoverMapJob(
                context("recover"),
                new RecoverMapJob.Options(
                    RecoverMapJob.Source.NEWEST,
                    OptionalLong.empty(),
                    NightlyJob.Extent.FULL,
                    NightlyJob.Repeat.SKIP_DONE,
                    RecoverMapJob.Consent.NOT_YET))
            .run();
    assertThat(recovered.state()).isEqualTo(StageReport.DONE);
    tell(
        "table shard_map deleted",
        "once, at sequence " + sequence,
        Failures.message(failure),
        "recovered from a backup, row for row");
  }
}
