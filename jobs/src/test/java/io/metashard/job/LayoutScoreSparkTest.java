package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.metashard.Block;
import io.metashard.Location;
import io.metashard.LocationModel;
import io.metashard.SharedSpark;
import io.metashard.Tier;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.plan.PlannedBlock;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.simulate.PlacedBlock;
import io.metashard.simulate.ReadRequest;
import io.metashard.simulate.Replay;
import io.metashard.simulate.SimulateOptions;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
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

  private static final int SEGMENTS = 16;
  private static final long SEGMENT_BYTES = 1 << 20;
  private static final long LARGE_BYTES = SEGMENTS * SEGMENT_BYTES;

  /** As in {@link #NEVER_SLOW}, but some are. */
  private static final SimulateOptions SOME_SLOW =
      new SimulateOptions(
          20_000,
          1,
          1,
          new LocationModel.Disk(8, 1e8, 0.02, 6),
          new LocationModel.ObjectStore(30, 5e7, 0.02, 6, 5500));

  private static Row largeObject(String id) {
    return RowFactory.create(
        id,
        "u",
        "r",
        LARGE_BYTES,
        "v",
        NOON,
        NOON,
        SEGMENTS,
        SEGMENT_BYTES,
        Objects.PRESENT,
        null,
        "pending");
  }

  /** Whole reads of a large object, which count in every segment, and ranged ones of one. */
  private static Stream<Row> demandOfLarge(
      String id, double whole, int segment, double ranged, long rangedBytes) {
    return IntStream.range(0, SEGMENTS)
        .mapToObj(
            s ->
                RowFactory.create(
                    Date.valueOf("2026-01-21"),
                    id,
                    s,
                    SEGMENT_BYTES,
                    NOON,
                    whole + (s == segment ? ranged : 0),
                    whole,
                    (long) whole * SEGMENT_BYTES
                        + (s == segment ? (long) ranged * rangedBytes : 0)));
  }

  /** Parity where {@code segment} is -1. */
  private static Block largeBlock(
      String id, String shard, int k, int m, int index, int segment, int location) {
    return new Block(
        1,
        0,
        1,
        segment < 0 ? null : id,
        segment < 0 ? null : "v",
        segment < 0 ? 0 : LARGE_BYTES,
        true,
        segment,
        Math.max(0, segment) * SEGMENT_BYTES,
        SEGMENT_BYTES,
        shard,
        k,
        m,
        "rs",
        index,
        SEGMENT_BYTES,
        "l" + location,
        "",
        0,
        65_536,
        0,
        null,
        "none",
        "g",
        NOON.toInstant(),
        0,
        0);
  }

  /** Segments of two objects by turns, and parity: two at each of some locations. */
  private static List<Block> scattered(int locations) {
    List<Block> rows = new ArrayList<>();
    for (int s = 0; s < SEGMENTS; s++) {
      String shard = "%016d-0".formatted(s * 1000);
      rows.add(largeBlock("a", shard, 2, 1, 0, s, s % locations));
      rows.add(largeBlock("b", shard, 2, 1, 1, s, (s + 1) % locations));
      rows.add(largeBlock("", shard, 2, 1, 2, -1, (s + 2) % locations));
    }
    return rows;
  }

  /** An object in four rows of four columns that lie side by side, and a column of parity. */
  private static List<Block> striped() {
    List<Block> rows = new ArrayList<>();
    for (int row = 0; row < 4; row++) {
      String shard = "%013d%03d".formatted(7, row);
      for (int column = 0; column < 4; column++) {
        rows.add(largeBlock("a", shard, 4, 1, column, row * 4 + column, column));
      }
      rows.add(largeBlock("", shard, 4, 1, 4, -1, 4));
    }
    return rows;
  }

  private static List<Location> locations(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Location("l" + i, "u" + i, "l" + i, "standard", 1, "active"))
        .toList();
  }

  private static LayoutScore score(
      Stream<Row> demand, List<Block> map, int locations, SimulateOptions options) {
    return LayoutScore.of(
        table(Demand.SCHEMA, demand.toArray(Row[]::new)),
        table(Objects.SCHEMA, largeObject("a"), largeObject("b")),
        table(ShardMapTable.SCHEMA, map.stream().map(ShardMapTable::row).toArray(Row[]::new)),
        locations(locations),
        Duration.ofDays(30),
        options);
  }

  private static LayoutScore.Time time(LayoutScore score, String layout, LocationModel model) {
    return score.times().stream()
        .filter(time -> time.layout().equals(layout) && time.model().equals(model.word()))
        .findFirst()
        .orElseThrow();
  }

  /** What replaying whole reads of object {@code a}, one by one, through a map would take. */
  private static Replay replay(List<Block> map, int locations, LocationModel model) {
    List<PlacedBlock> blocks =
        map.stream()
            .map(
                block ->
                    new PlacedBlock(
                        block.objectId(),
                        block.objectOffset(),
                        block.length(),
                        block.metaShardId(),
                        PlannedBlock.bundle(block.metaShardId()),
                        block.k(),
                        block.blockIndex(),
                        Integer.parseInt(block.location().substring(1))))
            .toList();
    return Replay.of(
        blocks,
        IntStream.range(0, 20_000)
            .mapToObj(i -> new ReadRequest(i * 60_000.0, "a", 0, LARGE_BYTES))
            .iterator(),
        model,
        locations,
        1,
        1);
  }

  @Test
  void anObjectInManySegmentsThatIsReadWholeIsOneReadAsAReplayOfItTakes() {
    for (int locations : List.of(16, 5)) {
      List<Block> map = locations == 5 ? striped() : scattered(locations);
      LayoutScore score = score(demandOfLarge("a", 10, 0, 0, 0), map, locations, SOME_SLOW);
      // A request a segment, or one a column, of which one more than needed is asked for.
      double requests = locations == 5 ? 5 : 16;
      assertThat(score.blockReads())
          .isEqualTo(Map.of(NightScores.PLANNED, 10 * requests, NightScores.SOURCE, 10.0));
      assertThat(score.readsAt()).hasSize(locations).containsEntry("l0", 10.0);
      assertThat(score.loadImbalance()).isCloseTo(0, within(1e-12));
      for (LocationModel model : SOME_SLOW.models()) {
        Replay replay = replay(map, locations, model);
        LayoutScore.Time planned = time(score, NightScores.PLANNED, model);
        assertThat(planned.meanMillis())
            .as("%s, %d", model.word(), locations)
            .isCloseTo(replay.meanMillis(), withinPercentage(5));
        assertThat(planned.p99Millis())
            .as("%s, %d", model.word(), locations)
            .isCloseTo(replay.p99Millis(), withinPercentage(5));
        assertThat(time(score, NightScores.SOURCE, model).meanMillis())
            .isCloseTo(model.meanMillis(LARGE_BYTES), withinPercentage(5));
      }
    }
  }

  @Test
  void wholeAndRangedReadsOfTheSameSegmentsAreToldApart() {
    // Half of 12 requests for segment 3 are whole reads, the others read a 16th of it.
    long part = SEGMENT_BYTES / 16;
    LayoutScore score =
        score(
            Stream.concat(demandOfLarge("a", 6, 3, 6, part), demandOfLarge("b", 0, 5, 4, part)),
            scattered(8),
            8,
            NEVER_SLOW);
    assertThat(score.blockReads())
        .isEqualTo(Map.of(NightScores.PLANNED, 6 * 16 + 6 + 4.0, NightScores.SOURCE, 16.0));
    assertThat(score.readsAt())
        .containsEntry("l3", 12 + 6.0)
        .containsEntry("l6", 12 + 4.0)
        .containsEntry("l0", 12.0);
    for (LocationModel model : NEVER_SLOW.models()) {
      // A disk serves the two segments at it one after the other; a store serves both at once.
      double whole =
          model.word().equals("disk")
              ? 2 * model.plainMillis(SEGMENT_BYTES)
              : model.plainMillis(SEGMENT_BYTES);
      assertThat(time(score, NightScores.PLANNED, model).meanMillis())
          .as(model.word())
          .isCloseTo((6 * whole + 10 * model.plainMillis(part)) / 16, withinPercentage(3));
      assertThat(time(score, NightScores.PLANNED, model).p99Millis())
          .as(model.word())
          .isCloseTo(whole, withinPercentage(3));
      assertThat(time(score, NightScores.SOURCE, model).meanMillis())
          .as(model.word())
          .isCloseTo(
              (6 * model.plainMillis(LARGE_BYTES) + 10 * model.plainMillis(part)) / 16,
              withinPercentage(3));
    }
  }

  @Test
  void kindsThatAreDrawnStayFewAndStandForAll() {
    Dataset<Row> reads =
        SharedSpark.session()
            .range(20_000)
            .select(lit(1).as(RequestedReads.REQUESTS), col("id").as(RequestedReads.BYTES))
            .withColumn(
                RequestedReads.REQUESTS,
                when(col(RequestedReads.BYTES).lt(10), 1000.0).otherwise(1.0));
    Dataset<Row> alone =
        ReadTimeTask.kindsOfOnePart(
            NightScores.PLANNED,
            reads,
            col(RequestedReads.BYTES).plus(1).cast("int"),
            col(RequestedReads.BYTES).plus(1).cast("int"),
            lit(1000.0),
            lit(0.0),
            lit(1.0));
    try (ReadKinds kinds = ReadKinds.of(alone)) {
      assertThat(kinds.drawn(20_000).count()).isEqualTo(20_000);
      Dataset<Row> few = kinds.drawn(1000);
      List<Row> drawn = few.collectAsList();
      assertThat(drawn).hasSizeBetween(600, 1000);
      assertThat(drawn.stream().filter(row -> row.<Double>getAs("requests") == 1000)).hasSize(10);
      double requests = drawn.stream().mapToDouble(row -> row.<Double>getAs("requests")).sum();
      assertThat(requests).isCloseTo(10 * 1000 + 19_990, withinPercentage(3));
      assertThat(few.collectAsList()).containsExactlyInAnyOrderElementsOf(drawn);
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
