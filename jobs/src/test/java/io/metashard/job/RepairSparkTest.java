package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.encode.Findings;
import io.metashard.shardmap.ShardMap;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Verify and repair on one small lake, one damage after the other. */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RepairSparkTest {
  private static final long SEED = 20260303;

  private static SmallLake lake;
  private static ShardMap map;

  @BeforeAll
  static void encode() throws IOException {
    lake = new SmallLake("repair", 7, 40, SEED);
    map = new ShardMap(lake.lake());
  }

  private static void flip(Block block) throws IOException {
    try (RandomAccessFile open = new RandomAccessFile(lake.container(block).toFile(), "rw")) {
      open.seek(block.containerOffset() + 5);
      int value = open.read();
      open.seek(block.containerOffset() + 5);
      open.write(value ^ 1);
    }
  }

  private static List<Block> metaShard(int k, int number) {
    String id =
        lake.blocks().stream()
            .filter(block -> block.k() == k && block.blockBytes() > 0)
            .map(Block::metaShardId)
            .distinct()
            .skip(number)
            .findFirst()
            .orElseThrow();
    return lake.blocks().stream().filter(block -> block.metaShardId().equals(id)).toList();
  }

  private static long containers() throws IOException {
    try (Stream<Path> files = Files.walk(lake.folder().resolve("locations"))) {
      return files.filter(file -> file.toString().endsWith(".msc")).count();
    }
  }

  private static List<Row> findings(String runId) {
    return lake.lake().read(VerifyFindings.TABLE).where("run_id = '" + runId + "'").collectAsList();
  }

  @Test
  @Order(1)
  void aLakeThatIsWholeIsLeftAlone() throws IOException {
    long containers = containers();
    StageReport report = lake.repair("nothing").run(new RepairWhat.Everything());
    assertThat(report.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(report.rowsOut()).isZero();
    assertThat(map.sequence()).isEqualTo(1);
    assertThat(containers()).isEqualTo(containers);
  }

  @Test
  @Order(2)
  void sharesOfAsManyNightsCoverAllMetaShardsOnce() {
    int nights = 3;
    Set<String> seen = new TreeSet<>();
    long all = 0;
    for (int night = 0; night < nights; night++) {
      Instant at = SmallLake.AT.plusSeconds(86_400L * night);
      List<String> ids =
          VerifyScope.Share.of(nights, at)
              .of(map.rows())
              .select("meta_shard_id")
              .distinct()
              .collectAsList()
              .stream()
              .map(row -> row.getString(0))
              .toList();
      all += ids.size();
      seen.addAll(ids);
    }
    assertThat(seen)
        .hasSize((int) lake.blocks().stream().map(Block::metaShardId).distinct().count())
        .hasSize((int) all);
  }

  @Test
  @Order(3)
  void aRetryReadsOnlySlicesThatWereNotFoundWhole() throws IOException {
    long bytes = MapStatistics.of(map.rows()).storedBytes();
    Block block = metaShard(3, 0).get(1);
    flip(block);
    int slices = 4;
    String setting = "verify.slice-bytes=" + bytes / slices;
    DamageLook.Scope scope =
        new DamageLook.Scope(map.rows(), bytes, map.version().orElseThrow(), "all");
    DamageLook first = new DamageLook(lake.context("sliced", setting), lake.locations(), 0);
    DamageLook.Found found = first.look(scope);
    assertThat(found.count()).isEqualTo(1);
    assertThat(found.slices()).isEqualTo(slices);
    DamageLook retry = new DamageLook(lake.context("sliced", setting), lake.locations(), 0);
    DamageLook.Found again = retry.look(scope);
    assertThat(again.slicesBefore()).isEqualTo(slices - 1);
    assertThat(again.slices()).isEqualTo(1);
    assertThat(again.count()).isEqualTo(1);
    // Another map is another look; so is the same one, once the run has come to its answer.
    assertThat(
            retry
                .look(new DamageLook.Scope(scope.rows(), bytes, scope.mapVersion() + 1, "all"))
                .slicesBefore())
        .isZero();
    retry.forget();
    assertThat(retry.look(scope).slicesBefore()).isZero();
    retry.forget();
    flip(block); // as it was
  }

  @Test
  @Order(4)
  void aDryRunSaysWhatItWouldDoAndChangesNothing() throws IOException {
    Block block = metaShard(2, 0).get(0);
    flip(block);
    long containers = containers();
    StageReport report =
        lake.repair(lake.context("dry"), NightlyJob.Extent.DRY_RUN)
            .run(new RepairWhat.Everything());
    assertThat(report.rowsOut()).isZero();
    assertThat(report.reason())
        .isEqualTo("a dry run changes nothing: it would write 1 blocks again");
    assertThat(report.figures())
        .containsEntry("found_corrupt", 1L)
        .containsEntry("meta_shards_with_1_spare_blocks", 1L);
    assertThat(containers()).isEqualTo(containers);
    assertThat(map.sequence()).isEqualTo(1);
    flip(block);
  }

  @Test
  @Order(5)
  void whatAnEarlierAttemptRebuiltIsNotRebuiltAgain() throws IOException {
    Block one = metaShard(2, 0).get(0);
    Block other = metaShard(4, 0).get(5); // parity
    flip(one);
    flip(other);
    Path table = Path.of(java.net.URI.create(lake.lake().path(ShardMapTable.TABLE)));
    Path before = lake.folder().resolve("map-before");
    FileUtils.copyDirectory(table.toFile(), before.toFile());
    StageReport first =
        lake.repair("killed", "lake.staging=keep", "repair.batch-bytes=1")
            .run(new RepairWhat.Everything());
    assertThat(first.figures()).containsEntry("blocks_repaired", 2L);
    long containers = containers();
    // As if it had died just before its commit.
    FileUtils.deleteDirectory(table.toFile());
    FileUtils.moveDirectory(before.toFile(), table.toFile());
    assertThat(map.sequence()).isEqualTo(1);
    StageReport retry = lake.repair("killed", "lake.staging=keep").run(new RepairWhat.Everything());
    assertThat(retry.figures())
        .containsEntry("meta_shards_rebuilt_before", 2L)
        .containsEntry("blocks_repaired", 2L)
        .containsEntry("damage_left", 0L);
    assertThat(map.sequence()).isEqualTo(2);
    assertThat(containers()).isEqualTo(containers);
    StageReport again = lake.repair("killed").run(new RepairWhat.Everything());
    assertThat(again.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(again.reason()).contains("this run has repaired already, by switch 2 of the map");
    assertThat(map.sequence()).isEqualTo(2);
    lake.requireReadsRight("after a retry");
  }

  @Test
  @Order(6)
  void twoRepairsAtOnceAreOneAndNothingIsLost() throws IOException {
    flip(metaShard(3, 1).get(2));
    long sequence = map.sequence();
    // The first looks at the map that the second switches before the first commits: told by its
    // commit alone, which is what is tried here.
    List<Row> rows = map.rows().collectAsList();
    StageReport winner = lake.repair("winner").run(new RepairWhat.Everything());
    assertThat(winner.figures()).containsEntry("map_sequence", sequence + 1);
    assertThatThrownBy(
            () ->
                map.commit(
                    lake.lake().spark().createDataFrame(rows, ShardMapTable.SCHEMA),
                    List.of(0, 1, 2, 3),
                    sequence,
                    "loser",
                    "attempt"))
        .isInstanceOf(io.metashard.shardmap.MapMovedException.class);
    lake.requireReadsRight("after two repairs");
  }

  @Test
  @Order(7)
  void aLocationThatIsGoneIsEmptiedAndItsNameUsedUp() throws IOException {
    List<Block> before = lake.blocks();
    Set<String> held =
        before.stream()
            .filter(block -> block.location().equals("l3"))
            .map(Damages::name)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(held).isNotEmpty();
    StageReport report = lake.repair("gone-3").run(new RepairWhat.Gone("l3"));
    assertThat(report.figures())
        .containsEntry("damage_left", 0L)
        .containsEntry("blocks_repaired", (long) held.size())
        .containsEntry("blocks_at_another_location", (long) held.size());
    assertThat(lake.blocks()).noneMatch(block -> block.location().equals("l3"));
    DamageSparkTest.requireOnlyPlacesChanged(before, lake.blocks(), held, Set.of());
    assertThat(lake.locations())
        .filteredOn(location -> location.name().equals("l3"))
        .extracting(Location::state)
        .containsExactly(Location.GONE);
    FileUtils.deleteDirectory(lake.location("l3").toFile());
    lake.requireReadsRight("without l3");
    assertThat(new VerifyJob(lake.context("verify-gone")).run().rowsOut()).isZero();
  }

  @Test
  @Order(8)
  void aLocationWhoseBlocksHaveNoDomainToGoToIsNotDeclaredGone() {
    // Six are left, which meta-shards of 4+2 need.
    assertThatThrownBy(() -> lake.repair("gone-4").run(new RepairWhat.Gone("l4")))
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("Cannot declare location l4 gone: without it 5 failure domains")
        .hasMessageContaining("meta-shards of rs 4+2")
        .satisfies(e -> assertThat(((MetashardException) e).exitCode()).isEqualTo(2));
    assertThat(lake.locations())
        .filteredOn(location -> location.name().equals("l4"))
        .extracting(Location::state)
        .containsExactly(Location.ACTIVE);
    assertThatThrownBy(() -> lake.repair("gone-x").run(new RepairWhat.Gone("nowhere")))
        .isInstanceOf(MetashardException.class)
        .hasMessageContaining("the lake knows no such location; there are l0, l1");
  }

  @Test
  @Order(9)
  void anEmptyLocationIsFilledAgainOnlyWhenThatIsAskedFor() throws IOException {
    long held = lake.blocks().stream().filter(block -> block.location().equals("l0")).count();
    FileUtils.deleteDirectory(lake.location("l0").toFile());
    StageReport verified = new VerifyJob(lake.context("verify-empty")).run();
    assertThat(verified.figures()).containsEntry(Findings.UNREADABLE, held);
    assertThat((String) verified.figures().get("what_to_do")).contains("repair --location NAME");
    long before = map.sequence();
    StageReport report = lake.repair("fill").run(new RepairWhat.At("l0"));
    assertThat(report.figures())
        .containsEntry("damage_left", 0L)
        .containsEntry("blocks_repaired", held)
        .containsEntry("blocks_at_another_location", 0L);
    assertThat(map.sequence()).isEqualTo(before + 1);
    lake.requireReadsRight("with a new l0");
  }

  @Test
  @Order(10)
  void whatIsBeyondRepairIsNamedAndNotTouchedAndTheRestIsRepaired() throws IOException {
    List<Block> hopeless = metaShard(2, 1);
    for (Block block : hopeless.subList(0, 3)) {
      flip(block);
    }
    List<Block> mendable = metaShard(3, 0);
    flip(mendable.get(0));
    flip(mendable.get(4));
    StageReport verified = new VerifyJob(lake.context("verify-lost")).run();
    assertThat(verified.figures())
        .containsEntry(Findings.CORRUPT, 5L)
        .containsEntry(Findings.LOST, 2L);
    List<Block> before = lake.blocks();
    StageReport report = lake.repair("beyond").run(new RepairWhat.Everything());
    assertThat(report.figures())
        .containsEntry("blocks_repaired", 2L)
        .containsEntry("left_lost", 2L)
        .containsEntry("left_corrupt", 3L);
    assertThat(report.rowsOut()).isEqualTo(5);
    DamageSparkTest.requireOnlyPlacesChanged(
        before,
        lake.blocks(),
        Set.of(Damages.name(mendable.get(0)), Damages.name(mendable.get(4))),
        Set.of());
    Set<String> named = new HashSet<>();
    for (Row row : findings("beyond")) {
      if (row.getAs(Findings.PROBLEM).equals(Findings.LOST)) {
        Block block = hopeless.get(row.<Integer>getAs(Findings.BLOCK_INDEX));
        named.add(row.getAs(Findings.OBJECT_ID));
        assertThat(row.<String>getAs(Findings.OBJECT_VERSION)).isEqualTo(block.objectVersion());
        assertThat(row.<Long>getAs(Findings.LENGTH)).isEqualTo(block.length());
        assertThat(row.<String>getAs(Findings.DETAIL))
            .contains(
                "bytes 0 to %d of the %d of object %s at version %s cannot be had: 1 of the 4 blocks"
                    .formatted(
                        block.length(), block.length(), block.objectId(), block.objectVersion()))
            .contains("block 0 at %s (corrupt)".formatted(hopeless.get(0).location()));
      }
    }
    assertThat(named)
        .containsExactlyInAnyOrder(hopeless.get(0).objectId(), hopeless.get(1).objectId());
  }
}
