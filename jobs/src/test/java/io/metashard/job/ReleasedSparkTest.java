package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.ShardMapTable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The life of objects whose sources are deleted, so that the map alone has them. */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ReleasedSparkTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final int OBJECTS = 6;
  private static final String CHANGED = "o2";

  private static SparkSession spark;
  private static Path folder;
  private static Lake lake;
  private static final TreeMap<String, byte[]> contents = new TreeMap<>();

  @BeforeAll
  static void aLakeThatSurvivesThreeDomains() throws IOException {
    spark = SharedSpark.session();
    folder = SharedSpark.tempFolder("released");
    lake = new Lake(spark, JobContext.qualified(folder.resolve("lake").toString(), hadoop()));
    PlanInput input = new PlanInput(AT);
    for (int i = 0; i < OBJECTS; i++) {
      write("o" + i, 40_000 + i, 1);
      input.forecast("o" + i, 40_000 + i, i == OBJECTS - 1 ? 5 : 0, 0);
    }
    input.writeTo(lake);
    assertThat(night(0).figures())
        .containsEntry("objects_encoded", (long) OBJECTS)
        .containsEntry("survives_domains", 3);
  }

  private static Configuration hadoop() {
    return spark.sessionState().newHadoopConf();
  }

  private static void write(String id, int bytes, long seed) throws IOException {
    byte[] content = new byte[bytes];
    new Random(seed * 100_000 + bytes).nextBytes(content);
    Files.createDirectories(source(id).getParent());
    Files.write(source(id), content);
    contents.put(id, content);
  }

  private static Path source(String id) {
    return folder.resolve("objects").resolve(id);
  }

  private static JobContext context(int day, String... overrides) {
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
            plan { storage-budget = 3, survive = 3, buckets = 1 }
            """
                .formatted(folder.resolve("objects"), locations),
            List.of(overrides));
    return new JobContext(spark, lake, settings, AT.plus(Duration.ofDays(day)), "night-" + day);
  }

  /** What the last stage of a night says; the forecast is always that of the first. */
  private static StageReport night(int day, String... overrides) {
    JobContext context = context(day, overrides);
    NightlyJob job =
        new NightlyJob(
            context, new StageRunner(context, ProgressBar.inLog()), new CatalogueOptions(0));
    job.catalogue();
    job.plan(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
    return job.reshard(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE);
  }

  private static void verify(int day) {
    JobContext context = context(day);
    StageReport report =
        new StageRunner(context, ProgressBar.inLog())
            .run(VerifyJob.STAGE, List.of(ShardMapTable.TABLE), new VerifyJob(context)::run);
    assertThat(report.figures()).containsEntry("findings", 0L);
  }

  private static StageReport deleteSources(
      int day, SelectedObjects selected, DeleteSourcesJob.Consent consent) {
    JobContext context = context(day);
    return new DeleteSourcesJob(context, Locations.known(lake), selected, consent).run();
  }

  private static byte[] read(String id) throws IOException {
    ReadOptions options = new ReadOptions(ReadOptions.Fallback.NONE);
    try (MetaShardReader reader = MetaShardReader.open(lake.root(), options, hadoop())) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      reader.copy(id, 0, Long.MAX_VALUE, out);
      return out.toByteArray();
    }
  }

  private static void requireAllReadRight() throws IOException {
    for (String id : contents.keySet()) {
      assertThat(read(id)).as(id).isEqualTo(contents.get(id));
    }
  }

  private static List<String> states() {
    List<String> states = new ArrayList<>();
    for (Row row : lake.read(Objects.TABLE).orderBy(Objects.OBJECT_ID).collectAsList()) {
      states.add(
          "%s %s %s"
              .formatted(
                  row.getAs(Objects.OBJECT_ID),
                  row.getAs(Objects.SOURCE_STATE),
                  row.getAs(Objects.STATE)));
    }
    return states;
  }

  private static List<String> outcomes(int day, String outcome) {
    return lake
        .read(SourceDeletions.TABLE)
        .where(
            col(SourceDeletions.RUN_ID)
                .equalTo("night-" + day)
                .and(col(SourceDeletions.OUTCOME).equalTo(outcome)))
        .orderBy(SourceDeletions.OBJECT_ID)
        .collectAsList()
        .stream()
        .map(row -> row.<String>getAs(SourceDeletions.OBJECT_ID))
        .toList();
  }

  @Order(1)
  @Test
  void nothingMayGoThatNoVerifyHasFoundRight() {
    StageReport report = deleteSources(1, SelectedObjects.ALL, DeleteSourcesJob.Consent.GIVEN);
    assertThat(report.reason()).isEqualTo("no source may go");
    assertThat(report.figures())
        .containsEntry("sources", 0L)
        .containsEntry(
            "kept, no full verify of the last 7d found all of its blocks right: run verify",
            (long) OBJECTS);
    assertThat(contents.keySet()).allMatch(id -> Files.exists(source(id)));
  }

  @Order(2)
  @Test
  void withoutConsentTheyAreOnlyListed() {
    verify(2);
    StageReport report =
        deleteSources(
            2, SelectedObjects.of(List.of("o1", "o3")), DeleteSourcesJob.Consent.ASKED_FOR);
    assertThat(report.figures())
        .containsEntry("sources", 2L)
        .containsEntry("sources_compared", 2L)
        .containsEntry("first_sources", List.of("o1", "o3"));
    assertThat(outcomes(2, SourceDeletions.LISTED)).containsExactly("o1", "o3");
    assertThat(contents.keySet()).allMatch(id -> Files.exists(source(id)));
    assertThatThrownBy(
            () ->
                deleteSources(
                    2,
                    SelectedObjects.of(List.of("o1", "no such\u001b[2J")),
                    DeleteSourcesJob.Consent.GIVEN))
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("Cannot find 1 of the objects in the catalogue: no such\\u001b[2J");
  }

  @Order(3)
  @Test
  void noSourceGoesWhileASampledObjectDoesNotComeBackAsItIs() throws IOException {
    // The same length and time, other bytes: nothing but reading tells.
    java.nio.file.attribute.FileTime time = Files.getLastModifiedTime(source("o0"));
    byte[] other = contents.get("o0").clone();
    other[17] ^= 1;
    Files.write(source("o0"), other);
    Files.setLastModifiedTime(source("o0"), time);
    assertThatThrownBy(() -> deleteSources(3, SelectedObjects.ALL, DeleteSourcesJob.Consent.GIVEN))
        .isInstanceOfSatisfying(
            MetashardException.class,
            e -> assertThat(e.exitCode()).isEqualTo(MetashardException.DAMAGE))
        .hasMessageContaining("such as o0: its bytes are others; nothing was deleted");
    assertThat(contents.keySet()).allMatch(id -> Files.exists(source(id)));
    Files.write(source("o0"), contents.get("o0"));
    Files.setLastModifiedTime(source("o0"), time);
  }

  @Order(4)
  @Test
  void sourcesGoAndWhatChangedMeanwhileStays() throws IOException {
    byte[] inMap = contents.get(CHANGED);
    write(CHANGED, 39_000, 2);
    byte[] changed = contents.put(CHANGED, inMap);
    StageReport report = deleteSources(4, SelectedObjects.ALL, DeleteSourcesJob.Consent.GIVEN);
    assertThat(report.figures())
        .containsEntry("sources_deleted", OBJECTS - 1L)
        .containsEntry("sources_not_deleted", 1L);
    assertThat(outcomes(4, SourceDeletions.DELETED)).containsExactly("o0", "o1", "o3", "o4", "o5");
    assertThat(outcomes(4, SourceDeletions.KEPT)).containsExactly(CHANGED);
    assertThat(contents.keySet()).allMatch(id -> Files.exists(source(id)) == id.equals(CHANGED));
    assertThat(states())
        .filteredOn(state -> state.endsWith(" released encoded"))
        .hasSize(OBJECTS - 1);
    requireAllReadRight();
    contents.put(CHANGED, changed);
  }

  @Order(5)
  @Test
  void aNightTakesNoReleasedSourceForMissingAndEncodesFromTheMap() throws IOException {
    assertThat(night(5, "plan.full=true").figures())
        .containsEntry("objects_encoded", (long) OBJECTS)
        .containsEntry("survives_domains", 3);
    assertThat(
            lake.read(Plans.TABLE)
                .where("run_id = 'night-5' and object_id is not null and uri is null")
                .select(Objects.OBJECT_ID)
                .distinct()
                .count())
        .isEqualTo(OBJECTS - 1);
    assertThat(states())
        .contains("o2 present encoded")
        .filteredOn(state -> state.endsWith(" released encoded"))
        .hasSize(OBJECTS - 1);
    requireAllReadRight();
    verify(5);
  }

  @Order(6)
  @Test
  void whatWasReleasedSurvivesThreeDomainsEvenWhenLessIsAskedForOfOthers() throws IOException {
    assertThat(night(6, "plan.survive=2", "plan.full=true").figures())
        .containsEntry("survives_domains", 2);
    assertThat(lake.read(ShardMapTable.TABLE).where("object_id = 'o2'"))
        .matches(rows -> rows.where("live and m = 2").count() > 0);
    assertThat(lake.read(ShardMapTable.TABLE).where("live and object_id <> 'o2' and m < 3").count())
        .isZero();
    requireAllReadRight();
  }

  @Order(7)
  @Test
  void aRunThatDiedAfterItsDeletionsHasReleasedThemAllTheSame() throws IOException {
    lake.append(
        SourceDeletions.TABLE,
        lake.read(Objects.TABLE)
            .where(col(Objects.OBJECT_ID).equalTo(CHANGED))
            .select(Objects.OBJECT_ID, Objects.URI, Objects.OBJECT_VERSION, Objects.OBJECT_BYTES)
            .withColumn(SourceDeletions.RUN_ID, lit("died"))
            .withColumn(SourceDeletions.AT, lit(Timestamp.from(AT)))
            .withColumn(SourceDeletions.OUTCOME, lit(SourceDeletions.APPROVED))
            .withColumn(SourceDeletions.REASON, lit("")),
        Lake.Commit.PLAIN);
    Files.delete(source(CHANGED));
    night(7, "plan.survive=2");
    assertThat(states()).allMatch(state -> state.endsWith(" released encoded"));
    requireAllReadRight();
  }

  /** Files at the locations that have some bytes of a content in a row. */
  private static long containersWith(byte[] content) throws IOException {
    List<byte[]> probes = new ArrayList<>();
    for (int from = 0; from + 64 <= content.length; from += 997) {
      probes.add(Arrays.copyOfRange(content, from, from + 64));
    }
    long found = 0;
    try (Stream<Path> files = Files.walk(folder.resolve("locations"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        // As text of one byte a letter: its search is quick.
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        found +=
            probes.stream()
                    .anyMatch(
                        probe -> text.contains(new String(probe, StandardCharsets.ISO_8859_1)))
                ? 1
                : 0;
      }
    }
    return found;
  }

  private static StageReport forget(String id, NightlyJob.Extent extent) {
    JobContext context = context(8);
    StageRunner runner = new StageRunner(context, ProgressBar.inLog());
    return new ForgetJob(context, runner, Locations.known(lake), extent).run(id);
  }

  @Order(8)
  @Test
  void whatIsForgottenLeavesEveryContainerAndNoRollbackBringsItBack() throws IOException {
    byte[] forgotten = contents.remove("o1");
    // Of the nights before, too, which a rollback could go to.
    long before = containersWith(forgotten);
    assertThat(before).isPositive();
    StageReport dry = forget("o1", NightlyJob.Extent.DRY_RUN);
    assertThat((long) dry.figures().get("containers")).isGreaterThanOrEqualTo(before);
    assertThat(containersWith(forgotten)).isEqualTo(before);
    StageReport done = forget("o1", NightlyJob.Extent.FULL);
    assertThat(done.state()).isEqualTo(StageReport.DONE);
    assertThat(done.figures()).containsEntry("containers_removed", dry.figures().get("containers"));
    assertThat(containersWith(forgotten)).isZero();
    assertThat(lake.read(ShardMapTable.TABLE).where("object_id = 'o1'").count()).isZero();
    assertThatThrownBy(() -> read("o1")).hasMessageContaining("does not have it");
    requireAllReadRight();
    verify(8);
    assertThat(lake.read(Forgotten.TABLE).select(Forgotten.OBJECT_ID).collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactly("o1");
    assertThatThrownBy(
            () ->
                new RollbackJob(
                        context(9),
                        Locations.known(lake),
                        NightlyJob.Extent.FULL,
                        NightlyJob.Repeat.SKIP_DONE)
                    .run(Optional.of("night-0")))
        .isInstanceOfSatisfying(
            MetashardException.class,
            e -> assertThat(e.exitCode()).isEqualTo(MetashardException.USAGE))
        .hasMessageContaining("is below the floor");
    assertThat(forget("o1", NightlyJob.Extent.FULL).figures())
        .as("a retry finds it done")
        .containsEntry("blocks_moved", 0L);
  }

  @Order(9)
  @Test
  void whatHasItsSourceStillIsNotForgotten() throws IOException {
    write("o3", 40_003, 1);
    assertThatThrownBy(() -> forget("o3", NightlyJob.Extent.FULL))
        .isInstanceOfSatisfying(
            MetashardException.class,
            e -> assertThat(e.exitCode()).isEqualTo(MetashardException.USAGE))
        .hasMessageContaining("its source is there still, at ");
    requireAllReadRight();
  }
}
