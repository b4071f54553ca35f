package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.LocationModel;
import io.metashard.SharedSpark;
import io.metashard.Tier;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.SimulateOptions;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class LayoutScoreSparkTest {
  private static final Timestamp NOON = Timestamp.from(Instant.parse("2026-01-21T12:00:00Z"));
  private static final SimulateOptions NEVER_SLOW =
      new SimulateOptions(
          100,
          1,
          1,
          new LocationModel.Disk(2, 1e6, 0, 1),
          new LocationModel.ObjectStore(30, 1e6, 0, 1, 5500));

  private static Dataset<Row> table(StructType schema, Row... rows) {
    return SharedSpark.session().createDataFrame(List.of(rows), schema);
  }

  private static Row demand(String id, double requests, long bytes) {
    return RowFactory.create(
        Date.valueOf("2026-01-21"), id, 0, 100_000L, NOON, requests, 0.0, bytes);
  }

  private static Row object(String id) {
    return RowFactory.create(
        id, "u", "r", 100_000L, "v", NOON, NOON, 1, 100_000L, Objects.PRESENT, null, "pending");
  }

  private static Row block(
      String id, String shard, int k, int index, long offset, long length, String location) {
    boolean parity = index >= k;
    return ShardMapTable.row(
        new Block(
            1,
            0,
            1,
            parity ? null : id,
            parity ? null : "v",
            parity ? 0 : 100_000,
            true,
            parity ? -1 : 0,
            parity ? 0 : offset,
            length,
            shard,
            k,
            1,
            k == 1 ? "copy" : "rs",
            index,
            length,
            location,
            "",
            0,
            65_536,
            0,
            null,
            "none",
            "g",
            NOON.toInstant(),
            0,
            0));
  }

  @Test
  void copiesAreReadInThePartsOfTheTimeOfTheirTiers() {
    LayoutScore score =
        LayoutScore.of(
            table(Demand.SCHEMA, demand("fast", 10, 10 * 100_000L)),
            table(Objects.SCHEMA, object("fast")),
            table(
                ShardMapTable.SCHEMA,
                block("fast", "c", 1, 0, 0, 100_000, "l0"),
                block("fast", "c", 1, 1, 0, 100_000, "l1")),
            Stream.of("l0", "l1")
                .map(name -> new Location(name, "u" + name, name, "standard", 1, "active"))
                .toList(),
            Map.of("l0", new Tier("nvme", 4, Long.MAX_VALUE)),
            Duration.ofDays(1),
            NEVER_SLOW);
    assertThat(score.readsAt()).isEqualTo(Map.of("l0", 5.0, "l1", 5.0));
    Map<String, Double> source = new java.util.HashMap<>();
    int compared = 0;
    for (LayoutScore.Time time : score.times()) {
      if (time.layout().equals(NightScores.SOURCE)) {
        source.put(time.model(), time.meanMillis());
      }
    }
    for (LayoutScore.Time time : score.times()) {
      if (time.layout().equals(NightScores.PLANNED)) {
        assertThat(time.meanMillis())
            .isCloseTo(source.get(time.model()) * (0.25 + 1) / 2, within(0.5));
        compared++;
      }
    }
    assertThat(compared).isEqualTo(2);
  }

  @Test
  void loadsAndTimesAreThoseThatAPencilFinds() {
    // Of a copied object, one in two slices of its own, and one that the map does not serve.
    Dataset<Row> map =
        table(
            ShardMapTable.SCHEMA,
            block("copied", "c", 1, 0, 0, 100_000, "l0"),
            block("copied", "c", 1, 1, 0, 100_000, "l1"),
            block("split", "s", 2, 0, 0, 50_000, "l0"),
            block("split", "s", 2, 1, 50_000, 50_000, "l1"),
            block("split", "s", 2, 2, 0, 50_000, "l2"));
    LayoutScore score =
        LayoutScore.of(
            table(
                Demand.SCHEMA,
                demand("copied", 10, 10 * 100_000L),
                demand("split", 6, 6 * 100_000L),
                demand("unmapped", 4, 4 * 1_000L)),
            table(Objects.SCHEMA, object("copied"), object("split"), object("unmapped")),
            map,
            Stream.of("l0", "l1", "l2", "l3")
                .map(name -> new Location(name, "u" + name, name, "standard", 1, "active"))
                .toList(),
            Duration.ofDays(1),
            NEVER_SLOW);
    // l0 and l1 serve half of the copies' reads and, with l2, a block of each split read.
    assertThat(score.loadImbalance()).isCloseTo((11 - 28 / 4.0) / (28 / 4.0), within(1e-12));
    assertThat(score.blockReads())
        .isEqualTo(Map.of(NightScores.PLANNED, 10 + 6 * 3 + 4.0, NightScores.SOURCE, 20.0));
    assertThat(score.times()).hasSize(4);
    for (LayoutScore.Time time : score.times()) {
      double request = time.model().equals("disk") ? 2 : 30;
      double split = time.layout().equals(NightScores.PLANNED) ? 50 : 100;
      double mean = request + (10 * 100 + 6 * split + 4 * 1) / 20;
      // Sizes are told apart to an eighth of a factor of two.
      assertThat(time.meanMillis()).as(time.toString()).isCloseTo(mean, within(0.05 * mean));
      assertThat(time.p99Millis())
          .as(time.toString())
          .isCloseTo(request + 100, within(0.05 * (request + 100)));
    }
  }

  @Test
  void nothingRequestedHasNoTimesAndAnEmptyMapReadsFromSources() {
    Dataset<Row> objects = table(Objects.SCHEMA, object("a"));
    Dataset<Row> none = table(ShardMapTable.SCHEMA);
    LayoutScore quiet =
        LayoutScore.of(
            table(Demand.SCHEMA), objects, none, List.of(), Duration.ofDays(1), NEVER_SLOW);
    assertThat(quiet.times()).isEmpty();
    assertThat(quiet.loadImbalance()).isNaN();
    LayoutScore unmapped =
        LayoutScore.of(
            table(Demand.SCHEMA, demand("a", 3, 300_000)),
            objects,
            none,
            List.of(),
            Duration.ofDays(1),
            NEVER_SLOW);
    assertThat(unmapped.blockReads())
        .isEqualTo(Map.of(NightScores.PLANNED, 3.0, NightScores.SOURCE, 3.0));
    assertThat(unmapped.times()).extracting(LayoutScore.Time::layout).hasSize(4);
  }
}
