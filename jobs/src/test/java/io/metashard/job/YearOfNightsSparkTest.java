package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * Night after night on a small lake where an object changes and readers come each day; after each,
 * a vacuum that keeps nothing of the past. What is on disk then is what is in use, however many
 * nights there were.
 *
 * <p>Files are made a day older after each night: Delta cleans its logs up by whole days.
 */
class YearOfNightsSparkTest {
  private static final Instant FIRST = Instant.parse("2025-01-10T00:00:00Z");
  private static final long SEED = 20250110;
  private static final int YEAR = 365;
  private static final int OBJECTS = 4;
  private static final int READS = 30;
  private static final DateTimeFormatter LOG_TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  /** Nights from which on rows go as fast as they come. */
  private static final int STEADY = 50;

  /** Log files of all tables: 20 commits of each between two checkpoints, with checksums. */
  private static final long MOST_LOG_FILES = 20L * 4 * 20;

  private final SparkSession spark = SharedSpark.session();
  private final Path folder = SharedSpark.tempFolder("year");
  private final Lake lake =
      new Lake(
          spark,
          JobContext.qualified(
              folder.resolve("lake").toString(), spark.sessionState().newHadoopConf()));
  private final Random random = new Random(SEED);

  /** What is on disk after a night and its vacuum. */
  private record Night(
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
    static final String HEADER =
        "night,containers,containers_in_use,backup_files,table_files,table_files_in_use,log_files,log_bytes,other_files,stored_per_logical,plan_seconds,night_seconds,vacuum_seconds";

    String line() {
      return "%d,%d,%d,%d,%d,%d,%d,%d,%d,%.3f,%.1f,%.1f,%.1f"
          .formatted(
              night,
              containers,
              containersInUse,
              backupFiles,
              tableFiles,
              tableFilesInUse,
              logFiles,
              logBytes,
              otherFiles,
              storedPerLogical,
              planSeconds,
              nightSeconds,
              vacuumSeconds);
    }
  }

  @Tag("endurance")
  @Test
  void whatIsStoredDoesNotGrowInAYearOfNights() throws IOException {
    run(Integer.getInteger("metashard.nights", YEAR));
  }

  private void run(int count) throws IOException {
    for (int i = 0; i < OBJECTS; i++) {
      writeObject(i);
    }
    for (int day = 1; day <= 3; day++) {
      writeLog(FIRST.minus(Duration.ofDays(day)));
    }
    List<Night> nights = new ArrayList<>();
    List<String> lines = new ArrayList<>(List.of(Night.HEADER));
    Path csv = Path.of(System.getProperty("metashard.basedir"), "target/nights.csv");
    for (int i = 0; i < count; i++) {
      Night night = nightAndVacuum(i);
      nights.add(night);
      lines.add(night.line());
      Files.write(csv, lines); // to be looked at while it grows
      requireBounded(night, nights.get(Math.min(i, STEADY)));
    }
    assertThat(nights).hasSize(count);
  }

  /** Nothing is left of the past; and once rows go as fast as they come, nothing grows. */
  private static void requireBounded(Night night, Night steady) {
    assertThat(night.containers()).as(night.line()).isEqualTo(night.containersInUse());
    assertThat(night.tableFiles()).as(night.line()).isEqualTo(night.tableFilesInUse());
    // A map of few objects is one bucket; of each of 3 copies, 3 backups and what they refer to.
    assertThat(night.backupFiles()).as(night.line()).isLessThanOrEqualTo(3 * (3 + 3));
    assertThat(night.storedPerLogical()).as(night.line()).isLessThanOrEqualTo(2.5);
    assertThat(night.logFiles()).as(night.line()).isLessThanOrEqualTo(MOST_LOG_FILES);
    assertThat(night.containers()).as(night.line()).isLessThanOrEqualTo(3 * steady.containers());
    assertThat(night.tableFiles()).as(night.line()).isLessThanOrEqualTo(steady.tableFiles() + 50);
    assertThat(night.otherFiles()).as(night.line()).isLessThanOrEqualTo(2 * steady.otherFiles());
    assertThat(night.logBytes()).as(night.line()).isLessThanOrEqualTo(3 * steady.logBytes());
    assertThat(night.planSeconds()).as(night.line()).isLessThanOrEqualTo(10 * steady.planSeconds());
  }

  private Night nightAndVacuum(int night) throws IOException {
    Instant at = FIRST.plus(Duration.ofDays(night));
    writeObject(night % OBJECTS);
    if (night > 0) {
      writeLog(at.minus(Duration.ofDays(1)));
    }
    JobContext context = context("night-" + night, at, "");
    StageRunner runner = new StageRunner(context, ProgressBar.inLog());
    long begun = System.nanoTime();
    Map<String, Object> summary =
        new NightlyJob(context, runner, CatalogueOptions.DEFAULTS)
            .run(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
    double nightSeconds = seconds(begun);
    assertThat(((Map<?, ?>) summary.get("lake")).get("objects_encoded")).isEqualTo((long) OBJECTS);
    makeOlder(Duration.ofDays(1));
    begun = System.nanoTime();
    JobContext vacuum =
        context(
            "vacuum-" + night,
            at,
            """
            vacuum { retention = 0s, min-retention = 0s, orphan-age = 0s, models = 3d, reports = 3d }
            """);
    new StageRunner(vacuum, ProgressBar.inLog())
        .run(
            VacuumJob.STAGE,
            List.of(),
            () ->
                new VacuumJob(
                        vacuum,
                        Locations.known(lake),
                        NightlyJob.Extent.FULL,
                        NightlyJob.Repeat.SKIP_DONE,
                        Clock.systemUTC())
                    .run());
    double vacuumSeconds = seconds(begun);
    // What vacuum itself wrote down is of the next one.
    return measured(
        night,
        (Double) ((Map<?, ?>) summary.get("lake")).get("stored_per_logical"),
        runner.seconds().get("plan"),
        nightSeconds,
        vacuumSeconds);
  }

  private static double seconds(long begun) {
    return (System.nanoTime() - begun) / 1e9;
  }

  private Night measured(
      int night, double stored, double planSeconds, double nightSeconds, double vacuumSeconds)
      throws IOException {
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
        night,
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
        stored,
        planSeconds,
        nightSeconds,
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
  private void writeObject(int object) {
    byte[] content = new byte[100_000 + random.nextInt(100_000)];
    random.nextBytes(content);
    write("objects/o" + object, content);
  }

  /** The requests of a day. */
  private void writeLog(Instant day) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < READS; i++) {
      lines.append(
          "192.0.2.7 - - [%s] \"GET /o%d HTTP/1.1\" 200 1000 \"-\" \"reader\"%n"
              .formatted(
                  LOG_TIME.format(day.plus(Duration.ofMinutes(40L * i))), random.nextInt(OBJECTS)));
    }
    write(
        "logs/%d.log".formatted(day.getEpochSecond()),
        lines.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
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
