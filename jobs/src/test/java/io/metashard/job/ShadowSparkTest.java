package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Two nights of one lake in shadow and of another for real, on the same logs and objects. */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ShadowSparkTest {
  private static final Instant FIRST = Instant.parse("2026-01-04T00:00:00Z");
  private static final Instant SECOND = Instant.parse("2026-01-05T00:00:00Z");
  private static final int LOCATIONS = 6;
  private static final int DAYS = 4;

  /** Columns that only reading and writing can fill. */
  private static final Set<String> OF_WRITING =
      Set.of(
          ShardMapTable.PATH,
          ShardMapTable.CONTAINER_OFFSET,
          ShardMapTable.CRC32C,
          ShardMapTable.SHA256,
          ShardMapTable.GENERATION,
          ShardMapTable.WRITTEN_AT);

  private static Path folder;
  private static final Map<NightlyJob.Mode, List<Map<String, StageReport>>> NIGHTS =
      new TreeMap<>();

  @BeforeAll
  static void twoNightsOfEach() throws IOException {
    folder = SharedSpark.tempFolder("shadow");
    for (int i = 0; i < 5; i++) {
      writeObject(i, 100_000 + 150_000 * i);
    }
    writeLogs();
    // What both read is made once.
    Night before = new Night(NightlyJob.Mode.REAL, "n1", FIRST);
    before.job().ingest();
    before.job().catalogue();
    before.job().aggregate();
    before.job().forecast(NightlyJob.Repeat.SKIP_DONE);
    FileUtils.copyDirectory(
        lakeFolder(NightlyJob.Mode.REAL).toFile(), lakeFolder(NightlyJob.Mode.SHADOW).toFile());
    for (NightlyJob.Mode mode : NightlyJob.Mode.values()) {
      Night first = new Night(mode, "n1", FIRST);
      first.job().score();
      first.job().plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
      if (mode == NightlyJob.Mode.SHADOW) {
        first.job().shadow(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
      } else {
        first.job().reshard(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
      }
      NIGHTS.put(mode, new ArrayList<>(List.of(first.runner().reports())));
    }
    // Something for the second night to do: an object that is new, and one that is not what it was.
    writeObject(5, 90_000);
    writeObject(2, 300_000);
    for (NightlyJob.Mode mode : NightlyJob.Mode.values()) {
      Night second = new Night(mode, "n2", SECOND);
      second.job().run(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
      NIGHTS.get(mode).add(second.runner().reports());
    }
  }

  /** A night, and what its stages said. */
  private record Night(NightlyJob job, StageRunner runner) {
    Night(NightlyJob.Mode mode, String runId, Instant at) {
      this(mode, context(mode, runId, at));
    }

    private Night(NightlyJob.Mode mode, JobContext context) {
      this(mode, context, new StageRunner(context, ProgressBar.inLog()));
    }

    private Night(NightlyJob.Mode mode, JobContext context, StageRunner runner) {
      this(new NightlyJob(context, runner, CatalogueOptions.DEFAULTS, mode), runner);
    }
  }

  private static void writeObject(int index, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(index + bytes).nextBytes(content);
    Path file = folder.resolve("objects/o" + index);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  /** Of four days: the lower an object's number, the more it is read, mostly its beginning. */
  private static void writeLogs() throws IOException {
    Random random = new Random(1);
    StringBuilder log = new StringBuilder("ts,object_id,range_start,range_end,status,bytes_sent\n");
    for (int hour = 0; hour < 24 * DAYS; hour++) {
      for (int i = 0; i < 5; i++) {
        for (int read = 0; read < 12 / (i + 1); read++) {
          int from = random.nextInt(3) == 0 ? 65_536 : 0;
          log.append(
              "2026-01-%02dT%02d:%02d:00Z,o%d,%d,%d,206,%d%n"
                  .formatted(
                      1 + hour / 24,
                      hour % 24,
                      random.nextInt(60),
                      i,
                      from,
                      from + 20_000,
                      20_000));
        }
      }
      if (hour % 6 == 0) {
        log.append(
            "2026-01-%02dT%02d:30:00Z,o4,,,200,700000%n".formatted(1 + hour / 24, hour % 24));
      }
    }
    Path file = folder.resolve("logs/requests.csv");
    Files.createDirectories(file.getParent());
    Files.writeString(file, log);
  }

  private static Path lakeFolder(NightlyJob.Mode lakeOf) {
    return folder.resolve(lakeOf.name().toLowerCase(java.util.Locale.ROOT));
  }

  private static Lake lake(NightlyJob.Mode lakeOf) {
    return new Lake(SharedSpark.session(), lakeFolder(lakeOf).resolve("lake").toString());
  }

  private static JobContext context(NightlyJob.Mode lakeOf, String runId, Instant at) {
    String locations =
        IntStream.range(0, LOCATIONS)
            .mapToObj(
                i ->
                    "{ name = l%d, uri = \"%s\" }"
                        .formatted(i, lakeFolder(lakeOf).resolve("locations/l" + i)))
            .reduce((a, b) -> a + ", " + b)
            .orElseThrow();
    Settings settings =
        Settings.parse(
            "test",
            """
            lake.root = "%s"
            objects.roots = ["%s"]
            logs = [{ path = "%s", format = csv }]
            locations = [ %s ]
            forecast.model = seasonal-naive
            forecast.backtest-origins = 1
            plan.storage-budget = 2
            simulate.draws = 200
            reshard.read-back = none
            prices { currency = EUR, storage-per-gib-month = 0.02, per-1000-reads = 0.4 }
            """
                .formatted(
                    lake(lakeOf).root(),
                    folder.resolve("objects"),
                    folder.resolve("logs"),
                    locations),
            List.of());
    return new JobContext(SharedSpark.session(), lake(lakeOf), settings, at, runId);
  }

  private static Map<String, Object> stage(NightlyJob.Mode mode, int night, String stage) {
    StageReport report = NIGHTS.get(mode).get(night).get(stage);
    Map<String, Object> values = new LinkedHashMap<>(report.figures());
    values.put("state", report.state());
    values.put("reason", report.reason());
    values.put("rows", report.rowsIn() + " " + report.rowsOut());
    return values;
  }

  private static List<String> rows(TableDefinition table, NightlyJob.Mode mode, Set<String> but) {
    Column[] columns =
        Arrays.stream(table.schema().fieldNames())
            .filter(name -> !but.contains(name))
            .map(name -> col(name))
            .toArray(Column[]::new);
    return lake(mode).read(table).select(columns).collectAsList().stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }

  @Order(1)
  @Test
  void everyStageFindsInShadowWhatItFindsForReal() {
    int compared = 0;
    for (int night = 0; night < 2; night++) {
      List<String> stages =
          night == 0
              ? List.of("score", "plan")
              : List.of("ingest", "catalogue", "aggregate", "score", "tune", "forecast", "plan");
      for (String stage : stages) {
        Map<String, Object> real = stage(NightlyJob.Mode.REAL, night, stage);
        assertThat(stage(NightlyJob.Mode.SHADOW, night, stage))
            .as("%s of night %d", stage, night + 1)
            .isEqualTo(real);
        compared += real.size();
      }
      Map<String, Object> moved = stage(NightlyJob.Mode.REAL, night, "reshard");
      Map<String, Object> wouldMove = stage(NightlyJob.Mode.SHADOW, night, "shadow");
      for (String figure :
          List.of(
              "objects_encoded",
              "meta_shards",
              "blocks",
              "source_bytes",
              "written_bytes",
              "map_sequence",
              "objects_in_map",
              "stored_bytes_per_byte",
              "survives_domains")) {
        assertThat(wouldMove.get(figure)).as(figure).isNotNull().isEqualTo(moved.get(figure));
      }
    }
    Lake shadow = lake(NightlyJob.Mode.SHADOW);
    Map<String, Object> held = LakeFigures.of(lake(NightlyJob.Mode.REAL)).values();
    assertThat(LakeFigures.of(shadow, ShardMap.shadow(shadow)).values()).isEqualTo(held);
    assertThat(held).containsEntry("objects_encoded", 6L);
    assertThat(compared).isGreaterThan(90);
    // The second night planned from the first one's map: two objects of six moved.
    assertThat(stage(NightlyJob.Mode.SHADOW, 1, "plan"))
        .containsEntry("objects_encoded_already", 4L)
        .containsEntry("of_them_new", 1L)
        .containsEntry("of_them_changed", 1L);
  }

  @Order(2)
  @Test
  void theShadowMapIsTheMapThatWouldBe() {
    List<String> real = rows(ShardMapTable.TABLE, NightlyJob.Mode.REAL, OF_WRITING);
    assertThat(real).hasSizeGreaterThan(20);
    assertThat(rows(ShardMapTable.SHADOW, NightlyJob.Mode.SHADOW, OF_WRITING)).isEqualTo(real);
    List<Row> written =
        lake(NightlyJob.Mode.SHADOW)
            .read(ShardMapTable.SHADOW)
            .select(
                ShardMapTable.PATH,
                ShardMapTable.CONTAINER_OFFSET,
                ShardMapTable.CRC32C,
                ShardMapTable.SHA256)
            .distinct()
            .collectAsList();
    assertThat(written).hasSize(1);
    assertThat(written.get(0).toString()).isEqualTo("[,0,0,null]");
  }

  @Order(3)
  @Test
  void theSecondNightScoresTheFirstOnWhatWasRequested() {
    assertThat(stage(NightlyJob.Mode.SHADOW, 0, "score"))
        .containsEntry("state", StageReport.UNCHANGED)
        .containsEntry("reason", "nothing to score yet: no night's horizon has passed");
    List<String> real = rows(NightScores.TABLE, NightlyJob.Mode.REAL, Set.of(NightScores.MODE));
    assertThat(real).hasSizeGreaterThanOrEqualTo(11 + 9 + 3 + 8);
    assertThat(rows(NightScores.TABLE, NightlyJob.Mode.SHADOW, Set.of(NightScores.MODE)))
        .isEqualTo(real);
    Map<String, Double> values = new TreeMap<>();
    for (Row row : lake(NightlyJob.Mode.SHADOW).read(NightScores.TABLE).collectAsList()) {
      assertThat(row.<String>getAs(NightScores.RUN_ID)).isEqualTo("n2");
      assertThat(row.<String>getAs(NightScores.SCORED_RUN_ID)).isEqualTo("n1");
      assertThat(row.<String>getAs(NightScores.MODE)).isEqualTo(NightScores.SHADOW);
      String model = row.getAs(NightScores.LOCATION_MODEL);
      values.put(
          row.getAs(NightScores.LAYOUT)
              + " "
              + row.getAs(NightScores.METRIC)
              + (model == null ? "" : " " + model),
          row.getAs(NightScores.VALUE));
    }
    // Day 4: 27 reads of one segment an hour, 4 of all 11 segments of o4.
    assertThat(values.get("forecast requests_actual")).isEqualTo(24 * 27 + 4 * 11);
    assertThat(values.get("forecast requests_unforecast")).isZero();
    assertThat(values.get("planned objects_encoded")).isEqualTo(5);
    assertThat(values.get("planned objects_moved")).isEqualTo(5);
    assertThat(values.get("planned moved_bytes")).isEqualTo(values.get("planned stored_bytes"));
    assertThat(values.get("planned storage_ratio"))
        .isCloseTo(
            values.get("planned stored_bytes") / values.get("planned logical_bytes"), within(1e-9));
    // A whole read is one request.
    assertThat(values.get("source cost_requests"))
        .isCloseTo((24 * 27 + 4) / 1000.0 * 0.4, within(1e-9));
    for (String layout : List.of("planned", "source")) {
      for (String model : List.of("disk", "object-store")) {
        double mean = values.get(layout + " read_mean_millis " + model);
        assertThat(values.get(layout + " read_p99_millis " + model)).isGreaterThan(mean);
        // Of about 20 KB, from a disk in 2 ms, from an object store in 30 ms.
        assertThat(mean)
            .isBetween(model.equals("disk") ? 2.1 : 30.3, model.equals("disk") ? 4.0 : 36.0);
      }
    }
  }

  @Order(4)
  @Test
  void nothingIsWrittenOutsideTheLakeAndObjectsStayPending() throws IOException {
    assertThat(lakeFolder(NightlyJob.Mode.REAL).resolve("locations")).exists();
    try (java.util.stream.Stream<Path> entries = Files.list(lakeFolder(NightlyJob.Mode.SHADOW))) {
      assertThat(entries.map(entry -> entry.getFileName().toString())).containsExactly("lake");
    }
    Lake lake = lake(NightlyJob.Mode.SHADOW);
    assertThat(lake.exists(ShardMapTable.TABLE)).isFalse();
    assertThat(lake.exists(LocationsTable.TABLE)).isFalse();
    assertThat(lake.read(Objects.TABLE).select(Objects.STATE).distinct().collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactly(Objects.PENDING);
  }

  @Order(5)
  @Test
  void aRetryCommitsOnceAndScoresOnce() {
    Lake lake = lake(NightlyJob.Mode.SHADOW);
    long map = lake.version(ShardMapTable.SHADOW).orElseThrow();
    long scores = lake.version(NightScores.TABLE).orElseThrow();
    NightlyJob again = new Night(NightlyJob.Mode.SHADOW, "n2", SECOND).job();
    assertThat(again.shadow(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE).reason())
        .isEqualTo("run n2 is finished; --force runs it anew");
    // As if it had died after its commit.
    io.delta.tables.DeltaTable.forPath(SharedSpark.session(), lake.path(RunsTable.TABLE))
        .delete("stage = 'shadow' and run_id = 'n2'");
    NightlyJob retry = new Night(NightlyJob.Mode.SHADOW, "n2", SECOND).job();
    assertThat(retry.score().reason())
        .isEqualTo("this run has scored already; a retry scores once");
    retry.plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
    assertThat(retry.shadow(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE).reason())
        .isEqualTo("this run has switched the shadow map already; a retry commits once");
    assertThat(lake.version(ShardMapTable.SHADOW)).hasValue(map);
    assertThat(lake.version(NightScores.TABLE)).hasValue(scores);
  }

  @Order(6)
  @Test
  void aNightThatMovesBytesStartsFromNothing() {
    JobContext context = context(NightlyJob.Mode.SHADOW, "n1", FIRST);
    assertThatThrownBy(() -> new ReshardJob(context, Locations.known(context.lake())).run("n1"))
        .isInstanceOf(MetashardException.class)
        .hasMessageStartingWith("Cannot execute plan n1 on shard_map: it was made from shadow_map");
    JobContext real = context(NightlyJob.Mode.SHADOW, "n3", SECOND);
    NightlyJob night = new Night(NightlyJob.Mode.REAL, real).job();
    assertThat(night.score().reason())
        .isEqualTo("nothing to score yet: no night's horizon has passed");
    StageReport plan = night.plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
    assertThat(plan.figures())
        .containsEntry("objects_encoded_already", 0L)
        .containsEntry("of_them_new", 6L);
    assertThat(
            lake(NightlyJob.Mode.SHADOW)
                .read(Plans.TABLE)
                .where("run_id = 'n3'")
                .select(Plans.MAP_SEQUENCE, Plans.MAP_TABLE)
                .distinct()
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[0,shard_map]");
    // And the trial stays what it was.
    assertThat(ShardMap.shadow(lake(NightlyJob.Mode.SHADOW)).lastSwitchWasBy("n2")).isTrue();
  }
}
