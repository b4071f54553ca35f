package io.metashard.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.metashard.LocationModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PartClassTest {
  private static final LocationModel.Disk DISK = new LocationModel.Disk(8, 1e8, 0.02, 6);
  private static final LocationModel.ObjectStore STORE =
      new LocationModel.ObjectStore(30, 5e7, 0.02, 6, 5500);
  private static final int LOCATIONS = 24;
  private static final List<PartClass.Site> IDLE =
      Collections.nCopies(LOCATIONS, new PartClass.Site(0, 1));

  private static Fetch at(int location, long bytes) {
    return new Fetch(1, 1, List.of(new Fetch.Choice(location, bytes)));
  }

  /** Any {@code needed} of blocks at locations that follow each other. */
  private static Fetch anyOf(int needed, int asked, int blocks, int first, long bytes) {
    return new Fetch(
        needed,
        asked,
        IntStream.range(0, blocks)
            .mapToObj(i -> new Fetch.Choice((first + i) % LOCATIONS, bytes))
            .toList());
  }

  private static List<Fetch> many(int count, IntFunction<Fetch> fetch) {
    return IntStream.range(0, count).mapToObj(fetch).toList();
  }

  @Test
  void alikePartsAreCountedAndRequestsToOneLocationTakeTurns() {
    assertThat(PartClass.of(many(16, i -> at(i, 1000)), IDLE, DISK))
        .singleElement()
        .satisfies(part -> assertThat(part.count()).isEqualTo(16))
        .satisfies(part -> assertThat(part.turns()).isEqualTo(1));
    assertThat(PartClass.of(many(16, i -> at(5, 1000)), IDLE, DISK))
        .singleElement()
        .satisfies(part -> assertThat(part.count()).isEqualTo(1))
        .satisfies(part -> assertThat(part.turns()).isEqualTo(16));
    assertThat(PartClass.of(List.of(anyOf(12, 13, 14, 3, 1000)), IDLE, DISK))
        .containsExactly(new PartClass(12, 13, 80, 0, 1, 1, 1));
  }

  @Test
  void copiesAreAsFastAsTheirLocationsOnAverageAndBlocksAsTheSlowest() {
    List<PartClass.Site> sites =
        List.of(new PartClass.Site(0.5, 0.25), new PartClass.Site(0, 1), new PartClass.Site(0, 1));
    PartClass copy = PartClass.of(List.of(anyOf(1, 1, 2, 0, 1000)), sites, DISK).get(0);
    assertThat(copy.slowness()).isEqualTo(0.625);
    // As long a wait as those of a half and of no busy time on average: 1/2 of a read.
    assertThat(copy.busy()).isEqualTo(Math.round(PartClass.BUSY_STEPS / 3.0f));
    PartClass blocks = PartClass.of(List.of(anyOf(3, 3, 3, 0, 1000)), sites, DISK).get(0);
    assertThat(blocks.slowness()).isEqualTo(1);
  }

  /**
   * Of a read that comes alone: mean and 99th percentile, drawn and as the simulation serves it.
   */
  private record Compared(double mean, double p99, double servedMean, double servedP99) {
    static Compared of(List<Fetch> layout, LocationModel model) {
      int reads = 20_000;
      Simulation simulation = new Simulation(model, LOCATIONS, 7);
      for (int i = 0; i < reads; i++) {
        simulation.read(i * 1e6, layout);
      }
      List<ReadPart> parts =
          PartClass.of(layout, IDLE, DISK).stream().map(part -> part.part(0)).toList();
      double[] drawn = new ReadTimes(reads, 7).of(model, parts);
      return new Compared(
          ReadTimes.mean(drawn),
          ReadTimes.p99(drawn),
          simulation.times().mean(),
          simulation.times().percentile(0.99));
    }
  }

  @Test
  void aReadIsDrawnAsTheSimulationServesIt() {
    List<List<Fetch>> layouts =
        List.of(
            many(16, i -> at(i, 4_000_000)),
            many(16, i -> at(i % 4, 1_000_000)),
            many(40, i -> at(i * 7 % LOCATIONS, i == 39 ? 200_000 : 3_000_000)),
            List.of(anyOf(12, 13, 14, 0, 8_000_000)),
            many(3, i -> anyOf(6, 7, 8, i * 8, 500_000)),
            many(6, i -> i == 0 ? anyOf(1, 1, 3, 0, 9_000_000) : at(3 + i, 2_000_000)),
            List.of(at(0, 5_000_000)));
    for (int i = 0; i < layouts.size(); i++) {
      for (LocationModel model : List.of(DISK, STORE)) {
        String name = "layout %d, %s".formatted(i, model.word());
        Compared read = Compared.of(layouts.get(i), model);
        assertThat(read.mean()).as(name).isCloseTo(read.servedMean(), withinPercentage(6));
        assertThat(read.p99()).as(name).isCloseTo(read.servedP99(), withinPercentage(6));
      }
    }
  }

  @Test
  void splitSegmentsThatShareLocationsAreDrawnOnTheSlowSide() {
    Compared read = Compared.of(many(8, i -> anyOf(6, 7, 8, i * 3, 500_000)), DISK);
    assertThat(read.mean()).isBetween(read.servedMean(), 1.1 * read.servedMean());
    assertThat(read.p99()).isBetween(read.servedP99(), 1.5 * read.servedP99());
  }

  @Test
  void objectsThatLieAnyhowAreReadInFewKinds() {
    SplittableRandom random = new SplittableRandom(3);
    List<PartClass.Site> sites =
        IntStream.range(0, LOCATIONS)
            .mapToObj(i -> new PartClass.Site(0.2 + 0.05 * random.nextDouble(), 1))
            .toList();
    Set<List<PartClass>> kinds = new HashSet<>();
    for (int i = 0; i < 15_000; i++) {
      int shape = random.nextInt(3);
      int last = 1 + random.nextInt(62);
      List<Fetch> fetches = new ArrayList<>();
      for (int segment = 0; segment <= last; segment++) {
        long bytes = segment == last ? 1 + random.nextLong(1 << 20) : 1 << 20;
        int first = random.nextInt(LOCATIONS);
        fetches.add(
            shape == 0
                ? at(first, bytes)
                : shape == 1 ? anyOf(1, 1, 3, first, bytes) : anyOf(6, 7, 8, first, bytes / 6));
      }
      List<PartClass> kind = PartClass.of(fetches, sites, DISK);
      assertThat(kind.size()).isBetween(1, PartClass.MOST_PARTS);
      kinds.add(kind);
    }
    assertThat(kinds).hasSizeBetween(100, 2000);
  }
}
