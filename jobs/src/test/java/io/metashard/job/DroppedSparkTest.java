package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.read.ServedObject;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Nights of one lake whose objects share meta-shards: one changes, one goes missing and returns.
 */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DroppedSparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final int OBJECTS = 6;
  private static final String GONE = "o1";
  private static final String CHANGED = "o2";

  private static SparkSession spark;
  private static Path folder;
  private static Lake lake;

  @BeforeAll
  static void aLakeWithAChangedAndAMissingSource() throws IOException {
    spark = SharedSpark.session();
    folder = SharedSpark.tempFolder("dropped");
    lake = new Lake(spark, JobContext.qualified(folder.resolve("lake").toString(), hadoop()));
    PlanInput input = new PlanInput(AT);
    for (int i = 0; i < OBJECTS; i++) {
      write("o" + i, 40_000 + i, 1);
      input.forecast("o" + i, 40_000 + i, i == OBJECTS - 1 ? 5 : 0, 0);
    }
    input.writeTo(lake);
    assertThat(night(0).figures()).containsEntry("objects_encoded", (long) OBJECTS);
    Files.delete(folder.resolve("objects").resolve(GONE));
    write(CHANGED, 39_000, 2);
    assertThat(night(1).figures())
        .containsEntry("objects_encoded", 1L)
        .containsEntry("objects_dropped", 0L);
  }

  private static Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  private static byte[] content(int bytes, long seed) {
    byte[] content = new byte[bytes];
    new Random(seed * 100_000 + bytes).nextBytes(content);
    return content;
  }

  private static void write(String id, int bytes, long seed) throws IOException {
    Files.createDirectories(folder.resolve("objects"));
    Files.write(folder.resolve("objects").resolve(id), content(bytes, seed));
  }

  private static JobContext context(int day) {
    String locations =
        IntStream.range(0, 8)
            .mapToObj(
                i -> "{ name = l%d, uri = \"%s\" }".formatted(i, folder.resolve("locations/l" + i)))
            .collect(Collectors.joining(", "));
    Settings settings =
        Settings.parse(
            "test",
            """
            objects.roots = ["%s"]
            locations = [ %s ]
            objects.drop-missing-after = 10d
            plan { storage-budget = %s, buckets = 1 }
            simulate.draws = 100
            reshard.read-back = none
            """
                .formatted(folder.resolve("objects"), locations, day == 0 ? 1.5 : 3),
            List.of());
    return new JobContext(spark, lake, settings, AT.plus(Duration.ofDays(day)), "night-" + day);
  }

  private static NightlyJob job(int day) {
    JobContext context = context(day);
    return new NightlyJob(
        context, new StageRunner(context, ProgressBar.inLog()), new CatalogueOptions(1));
  }

  private static StageReport plan(NightlyJob job) {
    return job.plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
  }

  private static StageReport reshard(NightlyJob job) {
    return job.reshard(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
  }

  /** What the last stage of a night says; the forecast is always that of the first. */
  private static StageReport night(int day) {
    NightlyJob job = job(day);
    job.catalogue();
    plan(job);
    return reshard(job);
  }

  private static Dataset<Row> map() {
    return lake.read(ShardMapTable.TABLE);
  }

  private static byte[] read(String id) throws IOException {
    ReadOptions options = ReadOptions.from(Settings.defaults());
    try (MetaShardReader reader = MetaShardReader.open(lake.root(), options, hadoop())) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      reader.copy(id, 0, reader.find(id).map(ServedObject::objectBytes).orElse(1L), out);
      return out.toByteArray();
    }
  }

  private static List<String> states(String id) {
    Row row =
        lake.read(Objects.TABLE)
            .where(col(Objects.OBJECT_ID).equalTo(id))
            .select(Objects.SOURCE_STATE, Objects.STATE)
            .first();
    return List.of(row.getString(0), row.getString(1));
  }

  /** Live and dead objects in words, whatever wrote their blocks. */
  private static List<String> held(Dataset<Row> map) {
    return map
        .where(col(ShardMapTable.OBJECT_ID).isNotNull())
        .select(
            ShardMapTable.OBJECT_ID,
            ShardMapTable.LIVE,
            ShardMapTable.META_SHARD_ID,
            ShardMapTable.DEAD_SINCE)
        .collectAsList()
        .stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }

  @Order(1)
  @Test
  void whatIsMissingIsReadAsBeforeAndNotDroppedWhileRootsCannotBeListed() throws IOException {
    assertThat(read(GONE)).isEqualTo(content(40_001, 1));
    assertThat(states(GONE)).containsExactly(Objects.MISSING, Objects.ENCODED);
    Path objects = folder.resolve("objects");
    Files.move(objects, folder.resolve("elsewhere"));
    NightlyJob later = job(20);
    assertThatThrownBy(later::catalogue)
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("there is no such folder");
    StageReport plan = later.plan(NightlyJob.Extent.DRY_RUN, NightlyJob.Repeat.SKIP_DONE);
    assertThat(plan.figures()).containsEntry("objects_dropped", 0L);
    Files.move(folder.resolve("elsewhere"), objects);
  }

  @Order(2)
  @Test
  void aSourceThatIsMissingTooLongIsDroppedInANightWithNothingElseToDo() throws IOException {
    NightlyJob job = job(11);
    job.catalogue();
    PlanExplainer explainer =
        new PlanExplainer(context(11), new ExplainOptions(Optional.of(GONE), 10));
    StageReport plan = job.plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE, explainer);
    assertThat(plan.figures())
        .containsEntry("objects_dropped", 1L)
        .containsEntry("objects_planned", 0L);
    assertThat(explainer.explained().orElseThrow().text())
        .contains("dropped", "its source is missing since 2026-03-03T00:00:00Z");
    assertThat(plan.reason()).contains("nothing to do", "; 1 objects are dropped");
    Dataset<Row> drops = lake.read(PlannedDrops.TABLE);
    assertThat(drops.select(PlannedDrops.OBJECT_ID).collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactly(GONE);
    long sequence = new ShardMap(lake).sequence();
    List<String> after =
        held(
            ShadowJob.mapAfter(
                context(11),
                map(),
                lake.read(Plans.TABLE).where("run_id = 'night-11'"),
                drops,
                sequence));
    StageReport done = reshard(job);
    assertThat(done.state()).isEqualTo(StageReport.DONE);
    assertThat(done.figures())
        .containsEntry("objects_dropped", 1L)
        .containsEntry("objects_encoded", 0L)
        .containsEntry("objects_in_map", OBJECTS - 1L)
        .containsEntry("map_sequence", sequence + 1);
    assertThat(held(map())).isEqualTo(after);
    // It was packed with others, which stay: its bytes are dead until these move.
    assertThat(held(map())).filteredOn(row -> row.contains(GONE)).hasSize(1);
    assertThat(held(map())).noneMatch(row -> row.startsWith("[" + GONE + ",true,"));

    assertThat(states(GONE)).containsExactly(Objects.MISSING, Objects.PENDING);
    assertThat(LakeFigures.of(lake).values()).doesNotContainKey("objects_pending");
    assertThatThrownBy(() -> read(GONE))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining("does not have it, nor does the catalogue have a present source");
    for (int i : new int[] {0, 3, 4, 5}) {
      assertThat(read("o" + i)).isEqualTo(content(40_000 + i, 1));
    }
  }

  @Order(3)
  @Test
  void aRetryDropsOnce() {
    long version = new ShardMap(lake).version().orElseThrow();
    assertThat(new ReshardJob(context(11), Locations.known(lake)).run("night-11").reason())
        .isEqualTo("this run has switched the map already; a retry commits once");
    assertThat(new ShardMap(lake).version()).hasValue(version);
  }

  @Order(4)
  @Test
  void whatComesBackIsNewAgain() throws IOException {
    write(GONE, 38_000, 3);
    NightlyJob job = job(25);
    job.catalogue();
    assertThat(states(GONE)).containsExactly(Objects.PRESENT, Objects.PENDING);
    assertThat(plan(job).figures())
        .containsEntry("of_them_new", 1L)
        .containsEntry("objects_dropped", 0L);
    reshard(job);
    assertThat(states(GONE)).containsExactly(Objects.PRESENT, Objects.ENCODED);
    assertThat(read(GONE)).isEqualTo(content(38_000, 3));
  }
}
