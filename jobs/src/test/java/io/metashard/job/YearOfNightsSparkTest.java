package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.SharedSpark;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.delta.DeltaLog;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Night after night on a small lake where an object changes and readers come each day; after some,
 * a vacuum that keeps nothing of the past. What is on disk then is what is in use, however many
 * nights there were.
 *
 * <p>Files are made a day older after each night: Delta cleans its logs up by whole days.
 *
 * <p>A year takes hours: {@code -Dmetashard.nights.folder=/some/folder} keeps the lake there, and
 * the next run goes on where it ended, with its {@code nights.jsonl}. {@code
 * -Dmetashard.nights=100} ends sooner.
 */
class YearOfNightsSparkTest {
  private static final Instant FIRST = Instant.parse("2025-01-10T00:00:00Z");
  private static final long SEED = 20250110;
  private static final int YEAR = 365;
  private static final int TEN = 10;
  private static final int DAYS_BEFORE = 3;
  private static final int OBJECTS = 4;
  private static final int READS = 30;
  private static final DateTimeFormatter LOG_TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  /** Nights from which on rows go as fast as they come. */
  private static final int STEADY = 50;

  /** Log files of all tables: 20 commits of each between two checkpoints, with checksums. */
  private static final long MOST_LOG_FILES = 20L * 4 * 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SparkSession spark = SharedSpark.session();
  private Path folder;
  private Lake lake;

  /** What is on disk after a night and its vacuum. */
  record Night(
      int night,
      long containers,
      long containersInUse,
      long backupFiles,
      long tableFiles,
      long tableFilesInUse,
      long logFiles,
      long logBytes,
      long otherFiles,
      double storedPerLogical,
      double planSeconds,
      double nightSeconds,
      double vacuumSeconds) {
    static Night parsed(String line) {
      try {
        return JSON.readValue(line, Night.class);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String line() throws IOException {
      return JSON.writeValueAsString(this);
    }
  }

  @Tag("endurance")
  @Test
  void whatIsStoredDoesNotGrowInTenNights() throws IOException {
    run(TEN, 2, SharedSpark.tempFolder("ten-nights"));
  }

  @Tag("endurance")
  @Test
  void whatIsStoredDoesNotGrowInAYearOfNights() throws IOException {
    String kept = System.getProperty("metashard.nights.folder", "");
    run(
        Integer.getInteger("metashard.nights", YEAR),
        7,
        kept.isEmpty() ? SharedSpark.tempFolder("year") : Files.createDirectories(Path.of(kept)));
  }

  private void run(int count, int nightsBetweenVacuums, Path in) throws IOException {
    folder = in;
    lake =
        new Lake(
            spark,
            JobContext.qualified(
                folder.resolve("lake").toString(), spark.sessionState().newHadoopConf()));
    Path kept = folder.resolve("nights.jsonl");
    Path next = folder.resolve("next-night");
    List<Night> measured = new ArrayList<>();
    int first = 0;
    if (Files.exists(next)) {
      first = Integer.parseInt(Files.readString(next));
      Files.readAllLines(kept).stream().map(Night::parsed).forEach(measured::add);
    } else {
      Random random = new Random(SEED);
      for (int i = 0; i < OBJECTS; i++) {
        writeObject(i, random);
      }
      for (int day = 1; day <= DAYS_BEFORE; day++) {
        writeLog(FIRST.minus(Duration.ofDays(day)), random);
      }
      Files.writeString(kept, "");
    }
    for (int i = first; i < count; i++) {
      Ran ran = night(i);
      makeOlder(Duration.ofDays(1));
      if ((i + 1) % nightsBetweenVacuums == 0) {
        Night night = vacuumed(ran);
        measured.add(night);
        requireBounded(night, steady(measured));
        Files.writeString(kept, night.line() + "\n", StandardOpenOption.APPEND);
      }
      Files.writeString(next, Integer.toString(i + 1));
    }
    assertThat(measured).hasSizeGreaterThanOrEqualTo(count / nightsBetweenVacuums);
  }

  /** The last one before {@link #STEADY}. */
  private static Night steady(List<Night> measured) {
    return measured.stream()
        .filter(night -> night.night() <= STEADY)
        .reduce((earlier, later) -> later)
        .orElseThrow();
  }

  /** Nothing is left of the past; and once rows go as fast as they come, nothing grows. */
  private static void requireBounded(Night night, Night steady) {
    assertThat(night.containers()).as(night.toString()).isEqualTo(night.containersInUse());
    assertThat(night.tableFiles()).as(night.toString()).isEqualTo(night.tableFilesInUse());
    // A map of few objects is one bucket; of each of 3 copies, 3 backups and what they refer to,
    // and those of the vacuum's own two switches.
    assertThat(night.backupFiles()).as(night.toString()).isLessThanOrEqualTo(3 * (5 + 5));
    assertThat(night.storedPerLogical()).as(night.toString()).isLessThanOrEqualTo(2.5);
    assertThat(night.logFiles()).as(night.toString()).isLessThanOrEqualTo(MOST_LOG_FILES);
    assertThat(night.containers())
        .as(night.toString())
        .isLessThanOrEqualTo(3 * steady.containers());
    assertThat(night.tableFiles())
        .as(night.toString())
        .isLessThanOrEqualTo(steady.tableFiles() + 50);
    assertThat(night.otherFiles())
        .as(night.toString())
        .isLessThanOrEqualTo(2 * steady.otherFiles());
    assertThat(night.logBytes()).as(night.toString()).isLessThanOrEqualTo(3 * steady.logBytes());
    assertThat(night.planSeconds())
        .as(night.toString())
        .isLessThanOrEqualTo(10 * steady.planSeconds());
  }

  /** What a night told of itself. */
  private record Ran(
      int night, Instant at, double storedPerLogical, double planSeconds, double seconds) {}

  private Ran night(int night) {
    Instant at = FIRST.plus(Duration.ofDays(night));
    Random random = new Random(SEED + night);
    writeObject(night % OBJECTS, random);
    if (night > 0) {
      writeLog(at.minus(Duration.ofDays(1)), random);
    }
    JobContext context = context("night-" + night, at, "");
    StageRunner runner = new StageRunner(context, ProgressBar.inLog());
    long begun = System.nanoTime();
    Map<?, ?> lakeAfter =
        (Map<?, ?>)
            new NightlyJob(context, runner, CatalogueOptions.DEFAULTS)
                .run(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE)
                .get("lake");
    assertThat(lakeAfter.get("objects_encoded")).isEqualTo((long) OBJECTS);
    return new Ran(
        night,
        at,
        (Double) lakeAfter.get("stored_per_logical"),
        runner.seconds().get("plan"),
        seconds(begun));
  }

  private Night vacuumed(Ran ran) throws IOException {
    long begun = System.nanoTime();
    JobContext vacuum =
        context(
            "vacuum-" + ran.night(),
            ran.at(),
            """
            vacuum { retention = 0s, min-retention = 0s, orphan-age = 0s, models = 3d, reports = 3d }
            """);
    StageRunner runner = new StageRunner(vacuum, ProgressBar.inLog());
    runner.run(
        VacuumJob.STAGE,
        List.of(),
        () ->
            new VacuumJob(
                    vacuum,
                    runner,
                    Locations.known(lake),
                    NightlyJob.Extent.FULL,
                    NightlyJob.Repeat.SKIP_DONE,
                    Clock.systemUTC())
                .run());
    // What vacuum itself wrote down is of the next one.
    return measured(ran, seconds(begun));
  }

  private static double seconds(long begun) {
    return (System.nanoTime() - begun) / 1e9;
  }

  private Night measured(Ran ran, double vacuumSeconds) throws IOException {
    List<Path> locations = files("locations");
    List<Path> inLake = files("lake");
    Predicate<Path> isLog = file -> file.toString().contains("/_delta_log/");
    Predicate<Path> isOther =
        file -> folder.resolve("lake").relativize(file).toString().startsWith("_");
    List<Path> logs = inLake.stream().filter(isLog.and(isOther.negate())).toList();
    long logBytes = 0;
    for (Path log : logs) {
      logBytes += Files.size(log);
    }
    long inUse = 0;
    List<TableDefinition> tables = new ArrayList<>(TableRetention.kept());
    TableRetention.all().forEach(of -> tables.add(of.table()));
    for (TableDefinition table : tables) {
      inUse += lake.read(table).inputFiles().length;
    }
    return new Night(
        ran.night(),
        locations.stream().filter(file -> file.toString().endsWith(".msc")).count(),
        new ShardMap(lake)
            .rows()
            .select(ShardMapTable.LOCATION, ShardMapTable.PATH)
            .distinct()
            .count(),
        locations.stream().filter(file -> file.toString().contains("/map-backup/")).count(),
        inLake.stream()
            .filter(isLog.negate().and(isOther.negate()))
            .filter(file -> file.toString().endsWith(".parquet"))
            .count(),
        inUse,
        logs.size(),
        logBytes,
        inLake.stream().filter(isOther).count(),
        ran.storedPerLogical(),
        ran.planSeconds(),
        ran.seconds(),
        vacuumSeconds);
  }

  private List<Path> files(String below) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve(below))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private void makeOlder(Duration by) throws IOException {
    for (String part : List.of("lake", "locations")) {
      for (Path file : files(part)) {
        Files.setLastModifiedTime(
            file, FileTime.from(Files.getLastModifiedTime(file).toInstant().minus(by)));
      }
    }
    DeltaLog.clearCache();
  }

  private JobContext context(String runId, Instant at, String more) {
    String locations =
        IntStream.range(0, 5)
            .mapToObj(
                i -> "{ name = l%d, uri = \"%s\" }".formatted(i, folder.resolve("locations/l" + i)))
            .collect(Collectors.joining(", "));
    return new JobContext(
        spark,
        lake,
        Settings.parse(
            "test",
            """
            lake.root = "%s"
            objects.roots = ["%s"]
            logs = [{ path = "%s", format = combined }]
            locations = [ %s ]
            forecast { history = 3d, backtest-origins = 2, model = total-share }
            tuner { mode = off, after-nights = 0, origins = 3 }
            monitor.spans = 2
            plan.storage-budget = 2.5
            tables {
              requests.retention-days = 6, requests-rejected.retention-days = 6
              demand.retention-days = 10, forecast.retention-days = 8
              forecast-quality.retention-days = 8, plans.retention-days = 7
              night-scores.retention-days = 40, forecast-monitor.retention-days = 40
              runs.retention-days = 40
            }
            %s
            """
                .formatted(
                    lake.root(),
                    folder.resolve("objects"),
                    folder.resolve("logs"),
                    locations,
                    more),
            List.of()),
        at,
        runId);
  }

  /** An object, or another version of it. */
  private void writeObject(int object, Random random) {
    byte[] content = new byte[100_000 + random.nextInt(100_000)];
    random.nextBytes(content);
    write("objects/o" + object, content);
  }

  /** The requests of a day. */
  private void writeLog(Instant day, Random random) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < READS; i++) {
      lines.append(
          "192.0.2.7 - - [%s] \"GET /o%d HTTP/1.1\" 200 1000 \"-\" \"reader\"%n"
              .formatted(
                  LOG_TIME.format(day.plus(Duration.ofMinutes(40L * i))), random.nextInt(OBJECTS)));
    }
    write(
        "logs/%d.log".formatted(day.getEpochSecond()),
        lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  private void write(String path, byte[] content) {
    try {
      Path file = folder.resolve(path);
      Files.createDirectories(file.getParent());
      Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
