package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Location;
import io.metashard.SampleLog;
import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.encode.PlannedBlocks;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import io.metashard.logs.Requests;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.MapMovedException;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.delta.DeltaLog;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whole nights on the committed sample: five objects, 21 days of requests. */
@Tag("slow")
class NightlySparkTest {
  private static final Path SAMPLE =
      Path.of(System.getProperty("metashard.basedir")).resolveSibling("data/sample");
  private static final int LAST_DAYS = 4;
  private static final Instant AT = Instant.parse("2026-01-22T00:00:00Z");

  /** Run id of the night that {@link #afterFirstNight} begins after. */
  private static final String FIRST = "first";

  private static Path firstFolder;
  private static Path firstCopy;
  private static Map<String, Object> firstSummary;

  private Path folder;
  private Lake lake;

  @BeforeEach
  void copySample() throws IOException {
    use(SharedSpark.tempFolder("nightly"));
    copySample(folder);
  }

  /** The sample's objects, and the requests of its last days. */
  private static void copySample(Path to) throws IOException {
    copy(SAMPLE.resolve("objects"), to.resolve("objects"));
    SampleLog.copyLastDays(LAST_DAYS, to.resolve("logs/parquet"));
  }

  private void use(Path newFolder) {
    folder = newFolder;
    lake = new Lake(SharedSpark.session(), folder.resolve("lake").toString());
  }

  /**
   * Begins with the lake as a first night left it; that night is run once for all tests.
   *
   * @return what that night said
   */
  private Map<String, Object> afterFirstNight() throws IOException {
    if (firstCopy == null) {
      firstSummary = night(FIRST, AT, "");
      firstFolder = folder;
      Path copied = SharedSpark.tempFolder("nightly-first");
      copy(firstFolder, copied);
      firstCopy = copied;
    } else {
      // At the same place: tables name it.
      use(firstFolder);
      FileUtils.deleteDirectory(firstFolder.toFile());
      copy(firstCopy, firstFolder);
      DeltaLog.clearCache();
    }
    return firstSummary;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  private Settings settings(String more) {
    String locations =
        IntStream.range(0, 8)
            .mapToObj(
                i -> "{ name = l%d, uri = \"%s\" }".formatted(i, folder.resolve("locations/l" + i)))
            .reduce((a, b) -> a + ", " + b)
            .orElseThrow();
    return Settings.parse(
        "test",
        """
        lake.root = "%s"
        objects.roots = ["%s"]
        logs = [{ path = "%s", format = parquet }]
        locations = [ %s ]
        forecast.backtest-origins = 1
        %s
        """
            .formatted(
                lake.root(),
                folder.resolve("objects"),
                folder.resolve("logs/parquet"),
                locations,
                more),
        List.of());
  }

  private JobContext context(String runId, Instant at, String more) {
    return new JobContext(SharedSpark.session(), lake, settings(more), at, runId);
  }

  private Map<String, Object> night(String runId, Instant at, String more) {
    JobContext context = context(runId, at, more);
    ProgressBar progress = ProgressBar.inLog();
    return new NightlyJob(context, new StageRunner(context, progress), CatalogueOptions.DEFAULTS)
        .run(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
  }

  private static Object value(Map<String, Object> summary, String stage, String name) {
    return ((Map<?, ?>) summary.get(stage)).get(name);
  }

  /** Every source's bytes, by id. */
  private Map<String, byte[]> sources() throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    Path root = folder.resolve("objects");
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        found.put(root.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    return found;
  }

  private void requireReadsEqualSources(ReadOptions.Fallback fallback) throws IOException {
    int read = 0;
    try (MetaShardReader reader =
        MetaShardReader.open(
            lake.root(),
            new ReadOptions(fallback),
            SharedSpark.session().sessionState().newHadoopConf())) {
      for (Map.Entry<String, byte[]> source : sources().entrySet()) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        reader.copy(source.getKey(), 0, Long.MAX_VALUE, out);
        assertThat(out.toByteArray()).as(source.getKey()).isEqualTo(source.getValue());
        read++;
      }
    }
    assertThat(read).isGreaterThanOrEqualTo(5);
  }

  private void move(String from, String to) throws IOException {
    Files.move(folder.resolve("locations/" + from), folder.resolve("locations/" + to));
  }

  @Test
  void aNightEncodesEverythingAndTheSameNightAgainChangesNothing() throws IOException {
    Map<String, Object> first = afterFirstNight();
    assertThat(value(first, "lake", "objects_encoded")).isEqualTo((long) sources().size());
    assertThat(value(first, "ingest", "lines"))
        .isEqualTo(
            (Long) value(first, "ingest", "requests") + (Long) value(first, "ingest", "rejected"));
    assertThat((Double) value(first, "lake", "stored_per_logical")).isLessThanOrEqualTo(1.5);
    assertThat(value(first, "lake", "survives_lost_domains")).isEqualTo(2);
    requireReadsEqualSources(ReadOptions.Fallback.NONE);
    move("l0", "gone-0");
    move("l5", "gone-5");
    requireReadsEqualSources(ReadOptions.Fallback.NONE);
    StageReport damaged = new VerifyJob(context("verify-1", AT, "")).run();
    assertThat(damaged.rowsOut()).isPositive();
    assertThat(damaged.figures()).containsKey("unreadable").doesNotContainKey("lost");
    move("gone-0", "l0");
    move("gone-5", "l5");
    assertThat(new VerifyJob(context("verify-2", AT, "")).run().rowsOut()).isZero();

    OptionalLong version = lake.version(ShardMapTable.TABLE);
    long files = containers();
    Map<String, Object> again = night(FIRST, AT, "");
    for (String stage :
        List.of("ingest", "catalogue", "aggregate", "forecast", "plan", "reshard")) {
      assertThat(value(again, stage, "state")).as(stage).isEqualTo(StageReport.UNCHANGED);
    }
    assertThat(value(again, "reshard", "reason"))
        .isEqualTo("run first is finished; --force runs it anew");
    // As another run, the plan is made anew and finds nothing to move.
    Map<String, Object> other = night("night-2", AT, "");
    assertThat(value(other, "reshard", "reason")).isEqualTo("the plan moves nothing");
    assertThat(lake.version(ShardMapTable.TABLE)).isEqualTo(version);
    assertThat(containers()).isEqualTo(files);
  }

  private long containers() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("locations"))) {
      return files.filter(file -> file.toString().endsWith(".msc")).count();
    }
  }

  @Test
  void aCapLeavesTheRestPendingAndEveryObjectReadableEachNight() throws IOException {
    long bytes = sources().values().stream().mapToLong(content -> content.length).sum();
    long largest =
        sources().values().stream().mapToLong(content -> content.length).max().orElseThrow();
    String cap =
        "forecast.model = total-share%nreshard.max-bytes-per-run = %d"
            .formatted(Math.max(bytes / 3 + 1, largest));
    long encodedBefore = 0;
    int nights = 0;
    while (encodedBefore < sources().size() && nights < 5) {
      nights++;
      Map<String, Object> night = night("capped-" + nights, AT, cap);
      Object encoded = value(night, "lake", "objects_encoded");
      assertThat((Long) encoded).as("night %d", nights).isGreaterThan(encodedBefore);
      assertThat((Long) value(night, "reshard", "source_bytes"))
          .isLessThanOrEqualTo(Math.max(bytes / 3 + 1, largest));
      encodedBefore = (Long) encoded;
      requireReadsEqualSources(ReadOptions.Fallback.SOURCE);
    }
    assertThat(nights).isGreaterThan(1);
    requireReadsEqualSources(ReadOptions.Fallback.NONE);
  }

  @Test
  void changedSourcesAreEncodedAnewAndWhatTheyWereIsNotServed() throws IOException {
    afterFirstNight();
    String changed = sources().keySet().iterator().next();
    Path file = folder.resolve("objects").resolve(changed);
    byte[] content = "not at all what it was".getBytes(StandardCharsets.UTF_8);
    Files.write(file, content);
    Files.setLastModifiedTime(file, FileTime.from(AT));
    Map<String, Object> second = night("changed-2", AT.plusSeconds(3600), "");
    assertThat(value(second, "plan", "of_them_changed")).isEqualTo(1L);
    assertThat(value(second, "plan", "of_them_new")).isEqualTo(0L);
    // In five objects the dead bytes of one may cost more than the budget: then others move too.
    assertThat((Double) value(second, "lake", "stored_per_logical")).isLessThanOrEqualTo(1.5);
    assertThat(value(second, "lake", "objects_encoded")).isEqualTo((long) sources().size());
    requireReadsEqualSources(ReadOptions.Fallback.NONE);
    assertThat(new VerifyJob(context("verify-3", AT, "")).run().rowsOut()).isZero();
  }

  @Test
  void aRunThatDiedAfterItsCommitOnlyEndsWhatIsLeft() throws IOException {
    afterFirstNight();
    long version = lake.version(ShardMapTable.TABLE).orElseThrow();
    // As if the row that says that the run is finished had not been written.
    io.delta.tables.DeltaTable.forPath(SharedSpark.session(), lake.path(RunsTable.TABLE))
        .delete("stage = 'reshard'");
    Map<String, Object> retry = night(FIRST, AT, "");
    assertThat(value(retry, "reshard", "reason"))
        .isEqualTo("this run has switched the map already; a retry commits once");
    assertThat(lake.version(ShardMapTable.TABLE)).hasValue(version);
  }

  @Test
  void aPlanOfAnOlderMapIsNotExecutedAndAnOlderNightStopsAfterItsPlan() throws IOException {
    afterFirstNight();
    JobContext context = context(FIRST, AT, "");
    Dataset<Row> map = new ShardMap(lake).rows();
    List<Location> locations = Locations.known(lake);
    // A plan of the same objects, made as if the map had been empty.
    JobContext other = context("late", AT, "");
    new PlanJob(other, locations, 0, map.limit(0), 1).run();
    assertThatThrownBy(() -> new ReshardJob(other, locations).run("late"))
        .isInstanceOf(MapMovedException.class)
        .hasMessageContaining("it was made from map sequence 0, the map is at 1; plan again");
    assertThat(new ShardMap(lake).lastSwitchWasBy(context.runId())).isTrue();
    Map<String, Object> older = night("older", AT.minusSeconds(86_400), "");
    assertThat((String) value(older, "reshard", "reason"))
        .startsWith("the map was planned at 2026-01-22T00:00:00Z, after 2026-01-21T00:00:00Z");
  }

  @Test
  void limitsThatCannotBeMetAreRefusedAndTheOldMapStays() throws IOException {
    afterFirstNight();
    OptionalLong version = lake.version(ShardMapTable.TABLE);
    assertThatThrownBy(() -> night("unmet-1", AT, "plan.survive = 8"))
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("8")
        .extracting(e -> ((MetashardException) e).exitCode())
        .isEqualTo(MetashardException.USAGE);
    assertThatThrownBy(
            () ->
                night(
                    "unmet-2",
                    AT,
                    "locations = [{ name = l0, uri = \"%s\" }]".formatted(folder.resolve("other"))))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("the lake knows that name at");
    assertThat(lake.version(ShardMapTable.TABLE)).isEqualTo(version);
  }

  /** A night of which one stage runs at a time, each as a process of its own would run it. */
  private StageReport stage(String command, String runId, Function<NightlyJob, StageReport> stage)
      throws IOException {
    JobContext context = context(runId, AT, "");
    StageRunner runner = new StageRunner(context, ProgressBar.inLog());
    return runner.command(
        command, () -> stage.apply(new NightlyJob(context, runner, CatalogueOptions.DEFAULTS)));
  }

  private StageReport reshardStage(String runId) throws IOException {
    return stage(
        "reshard", runId, night -> night.reshardWhatIsPlannedNow(NightlyJob.Repeat.SKIP_DONE));
  }

  private void stagesBeforeReshard(String runId) throws IOException {
    for (Map.Entry<String, Function<NightlyJob, StageReport>> one : stages().entrySet()) {
      stage(one.getKey(), runId, one.getValue());
    }
  }

  private static Map<String, Function<NightlyJob, StageReport>> stages() {
    Map<String, Function<NightlyJob, StageReport>> stages = new LinkedHashMap<>();
    stages.put("ingest", NightlyJob::ingest);
    stages.put("catalogue", NightlyJob::catalogue);
    stages.put("aggregate", NightlyJob::aggregate);
    stages.put("forecast", night -> night.forecast(NightlyJob.Repeat.SKIP_DONE));
    stages.put("plan", night -> night.plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE));
    return stages;
  }

  /** What a night leaves, without what differs between two lakes: places, times, random names. */
  private Map<String, List<String>> left() {
    Map<String, List<String>> left = new TreeMap<>();
    Map.of(
            Requests.TABLE,
            Set.of(Requests.SOURCE_FILE),
            Demand.TABLE,
            Set.<String>of(),
            Forecasts.TABLE,
            Set.<String>of(),
            Plans.TABLE,
            Set.of(PlannedBlocks.URI),
            Objects.TABLE,
            Set.of(Objects.URI),
            ShardMapTable.TABLE,
            Set.of(ShardMapTable.PATH, ShardMapTable.CONTAINER_OFFSET, ShardMapTable.WRITTEN_AT))
        .forEach(
            (table, without) ->
                left.put(
                    table.name(),
                    lake.read(table).drop(without.toArray(String[]::new)).collectAsList().stream()
                        .map(NightlySparkTest::rounded)
                        .sorted()
                        .toList()));
    return left;
  }

  /** Sums of doubles depend on their order in the last digits. */
  private static String rounded(Row row) {
    return IntStream.range(0, row.size())
        .mapToObj(i -> row.get(i) instanceof Double d ? "%.6g".formatted(d) : "" + row.get(i))
        .collect(Collectors.joining("|"));
  }

  @Test
  void stagesOneByOneWithEachTriedTwiceDoWhatANightDoes() throws IOException {
    afterFirstNight();
    Map<String, List<String>> ofTheNight = left();
    assertThat(ofTheNight).hasSize(6).allSatisfy((table, rows) -> assertThat(rows).isNotEmpty());
    use(SharedSpark.tempFolder("stages"));
    copySample(folder);
    for (Map.Entry<String, Function<NightlyJob, StageReport>> one : stages().entrySet()) {
      StageReport first = stage(one.getKey(), FIRST, one.getValue());
      StageReport retry = stage(one.getKey(), FIRST, one.getValue());
      assertThat(first.state()).as(one.getKey()).isEqualTo(StageReport.DONE);
      // A plan is made anew until it is carried out; as of the night, nothing else is done again.
      assertThat(retry.state())
          .as("%s again", one.getKey())
          .isEqualTo(one.getKey().equals("plan") ? StageReport.DONE : StageReport.UNCHANGED);
    }
    assertThat(reshardStage(FIRST).state()).isEqualTo(StageReport.DONE);
    long files = containers();
    OptionalLong version = lake.version(ShardMapTable.TABLE);
    assertThat(reshardStage(FIRST).reason())
        .isEqualTo("run first is finished; --force runs it anew");
    // As if the driver had been killed between the commit and its last word.
    io.delta.tables.DeltaTable.forPath(SharedSpark.session(), lake.path(RunsTable.TABLE))
        .delete("stage = 'reshard' and state <> 'running'");
    assertThat(reshardStage(FIRST).reason())
        .isEqualTo("this run has switched the map already; a retry commits once");
    assertThat(lake.version(ShardMapTable.TABLE)).isEqualTo(version);
    assertThat(containers()).isEqualTo(files);
    Map<String, List<String>> ofTheStages = left();
    // The killed retry planned anew, from the map that it had switched: nothing is left to move.
    assertThat(ofTheStages.remove(Plans.TABLE.name())).isEmpty();
    ofTheNight.remove(Plans.TABLE.name());
    assertThat(ofTheStages).isEqualTo(ofTheNight);
    requireReadsEqualSources(ReadOptions.Fallback.NONE);
  }

  @Test
  void aReshardThatIsTriedAgainPlansAnewWhenMapOrSourcesMoved() throws IOException {
    afterFirstNight();
    String changed = sources().keySet().iterator().next();
    Path file = folder.resolve("objects").resolve(changed);
    Files.write(file, "one".getBytes(StandardCharsets.UTF_8));
    stagesBeforeReshard("slow");
    // Another run of the same day comes first, with the same sources.
    night("quick", AT, "");
    long sequence = new ShardMap(lake).sequence();
    assertThat(sequence).isEqualTo(2);
    assertThat(reshardStage("slow").reason()).isEqualTo("the plan moves nothing");
    assertThat(new ShardMap(lake).sequence()).isEqualTo(sequence);

    // A source changes between plan and reshard: that attempt fails, the next one sees it.
    Files.write(file, "another".getBytes(StandardCharsets.UTF_8));
    stagesBeforeReshard("late");
    Files.write(file, "and yet another one".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> reshardStage("late")).hasMessageContaining(changed);
    assertThat(new ShardMap(lake).sequence()).isEqualTo(sequence);
    assertThat(reshardStage("late").state()).isEqualTo(StageReport.DONE);
    assertThat(new ShardMap(lake).sequence()).isEqualTo(sequence + 1);
    requireReadsEqualSources(ReadOptions.Fallback.NONE);
  }

  private VerifyJob sampled(String runId, double percent) {
    return new VerifyJob(context(runId, AT, ""), new VerifyScope.Sample(percent, runId));
  }

  @Test
  void aSampleOfTheMapIsVerifiedAndOthersTheNextNight() throws IOException {
    afterFirstNight();
    long all = (Long) new VerifyJob(context("v", AT, "")).run().figures().get("meta_shards");
    Set<Object> sizes = new HashSet<>();
    long sum = 0;
    for (int night = 0; night < 4; night++) {
      StageReport report = sampled("v" + night, 50).run();
      assertThat(report.rowsOut()).isZero();
      sizes.add(report.rowsIn());
      sum += (Long) report.figures().get("meta_shards");
      assertThat(sampled("v" + night, 50).run().rowsIn()).isEqualTo(report.rowsIn());
    }
    assertThat(sum).isBetween(1L, 4 * all - 1);
    assertThat(sizes).hasSizeGreaterThan(1);
    assertThatThrownBy(() -> sampled("v", 0))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("0.0 percent: it must be more than 0 and at most 100");
  }
}
