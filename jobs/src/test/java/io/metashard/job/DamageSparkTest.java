package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Block;
import io.metashard.encode.Findings;
import io.metashard.shardmap.ShardMap;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Damages at random: every one is found, every one is repaired, and every byte is read right before
 * and after. {@code -Dmetashard.damages=N -Dmetashard.damage-seed=S}; a thousand: {@code mvn
 * -Pendurance verify}.
 */
@Tag("slow")
class DamageSparkTest {
  private static final long SEED = Long.getLong("metashard.damage-seed", 20260302);
  private static final int PER_ROUND = 25;
  private static final int LOCATIONS = 9;
  private static final int OBJECTS = 60;

  @Test
  void fiftyDamagesAreFoundAndRepairedAndReadsAreRight() throws IOException {
    damages(Integer.getInteger("metashard.damages", 50));
  }

  @Test
  @Tag("endurance")
  void aThousandDamagesAreFoundAndRepairedAndReadsAreRight() throws IOException {
    damages(Integer.getInteger("metashard.endurance-damages", 1_000));
  }

  private static void damages(int wanted) throws IOException {
    SmallLake lake = new SmallLake("damage", LOCATIONS, OBJECTS, SEED);
    Damages damages = new Damages(lake, SEED);
    ShardMap map = new ShardMap(lake.lake());
    int done = 0;
    long found = 0;
    long repaired = 0;
    int rounds = 0;
    while (done < wanted) {
      rounds++;
      String round = "round %d of seed %d".formatted(rounds, SEED);
      int now = damages.round(Math.min(PER_ROUND, wanted - done));
      assertThat(now).as(round).isPositive();
      done += now;
      lake.requireReadsRight("damaged, " + round);
      String verify = "verify-" + rounds;
      StageReport report = new VerifyJob(lake.context(verify)).run();
      assertThat(report.figures()).as(round).doesNotContainKey(Findings.LOST);
      List<Row> findings =
          lake.lake().read(VerifyFindings.TABLE).where("run_id = '" + verify + "'").collectAsList();
      assertThat(badBlocks(findings)).as(round).isEqualTo(damages.badBlocks());
      assertThat(badFooters(findings)).as(round).isEqualTo(damages.badFooters());
      found += damages.badBlocks().size() + damages.badFooters().size();
      Set<String> onlyFooter =
          lake.blocks().stream()
              .filter(block -> damages.badFooters().contains(block.path()))
              .map(Damages::name)
              .collect(Collectors.toCollection(TreeSet::new));
      onlyFooter.removeAll(damages.badBlocks());
      long sequence = map.sequence();
      List<Block> before = lake.blocks();
      StageReport mended = lake.repair("repair-" + rounds).run(new RepairWhat.Findings(verify));
      assertThat(mended.figures()).as(round).containsEntry("damage_left", 0L);
      assertThat(mended.figures().get("blocks_repaired"))
          .as(round)
          .isEqualTo((long) damages.badBlocks().size() + onlyFooter.size());
      repaired += damages.badBlocks().size() + damages.badFooters().size();
      assertThat(map.sequence()).isEqualTo(sequence + 1);
      requireOnlyPlacesChanged(before, lake.blocks(), damages.badBlocks(), onlyFooter);
      lake.requireReadsRight("repaired, " + round);
    }
    StageReport whole = new VerifyJob(lake.context("verify-last")).run();
    assertThat(whole.rowsOut()).isZero();
    assertThat(found).isEqualTo(repaired).isPositive();
    System.out.printf(
        "damages: %d in %d rounds of seed %d %s; blocks and footers found bad: %d, repaired: %d; bytes lost: 0%n",
        done, rounds, SEED, damages.counts(), found, repaired);
  }

  private static Set<String> badBlocks(List<Row> findings) {
    return findings.stream()
        .filter(row -> row.getAs(Findings.META_SHARD_ID) != null)
        .map(
            row ->
                row.<String>getAs(Findings.META_SHARD_ID)
                    + " "
                    + row.<Integer>getAs(Findings.BLOCK_INDEX))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> badFooters(List<Row> findings) {
    return findings.stream()
        .filter(row -> row.getAs(Findings.PROBLEM).equals(Findings.FOOTER))
        .map(row -> row.<String>getAs(Findings.PATH))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Bytes and checksums of all blocks are what they were; domains of a meta-shard are distinct. */
  static void requireOnlyPlacesChanged(
      List<Block> before, List<Block> after, Set<String> bad, Set<String> rewritten) {
    assertThat(after).hasSameSizeAs(before);
    for (int i = 0; i < before.size(); i++) {
      Block old = before.get(i);
      Block now = after.get(i);
      boolean isNew = bad.contains(Damages.name(old)) || rewritten.contains(Damages.name(old));
      assertThat(now.path().equals(old.path())).as(Damages.name(old)).isNotEqualTo(isNew);
      assertThat(
              now.movedTo(
                      old.location(),
                      old.path(),
                      old.containerOffset(),
                      old.frameBytes(),
                      old.generation(),
                      old.writtenAt())
                  .agreesWith(old))
          .as(Damages.name(old))
          .isTrue();
      assertThat(now.live()).isEqualTo(old.live());
    }
    long distinct =
        after.stream()
            .map(block -> block.metaShardId() + " " + block.location())
            .distinct()
            .count();
    assertThat(distinct).isEqualTo(after.size());
  }
}
