package io.metashard.plan;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Location;
import io.metashard.config.Settings;
import io.metashard.plan.DrawOptions.Code;
import io.metashard.plan.Lab.Result;
import io.metashard.plan.PlanOptions.Policy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BucketPlannerTest {
  private static final long KIB = 1024;

  private static PlanOptions balanced() {
    return Lab.options(Policy.BALANCED, 1.5, 2);
  }

  private static Lab lab(PlanOptions options, int domains, PlanObject... objects) {
    return new Lab(options, Lab.sites(domains), 1, List.of(objects));
  }

  private static PlanObject[] small(int count, double expected) {
    return IntStream.range(0, count)
        .mapToObj(i -> Lab.object("small/%03d".formatted(i), "r", 50 * KIB, 0, expected))
        .toArray(PlanObject[]::new);
  }

  private static Map<String, Long> shardsByForm(Result result) {
    return result.blocks().stream()
        .filter(block -> block.blockIndex() == 0)
        .collect(groupingBy(b -> b.form() + " " + b.k() + "+" + b.m(), TreeMap::new, counting()));
  }

  @Test
  void sevenEqualSegmentsBecomeFourAndThree() {
    Lab lab = lab(Lab.options(Policy.BALANCED, 2, 2), 8, small(7, 0));
    assertThat(shardsByForm(lab.plan(1)))
        .containsExactly(Map.entry("packed 3+2", 1L), Map.entry("packed 4+2", 1L));
  }

  @Test
  void segmentsOfSimilarLengthArePackedTogether() {
    List<PlanObject> objects = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      long bytes = i % 2 == 0 ? 60 * KIB : 100;
      objects.add(Lab.object("o" + i, "r", bytes, 0));
    }
    Lab lab = lab(balanced(), 8, objects.toArray(PlanObject[]::new));
    for (PlannedBlock block : lab.plan(1).blocks()) {
      assertThat(block.length()).isEqualTo(block.blockBytes());
    }
  }

  @Test
  void anObjectThatIsReadWholeIsStriped() {
    Lab lab = lab(balanced(), 8, Lab.object("whole", "r", 1024 * KIB, 0.9, 5));
    // 16 segments in six columns, each side by side at one location.
    Result result = lab.plan(1);
    assertThat(shardsByForm(result))
        .containsExactly(Map.entry("striped 4+2", 1L), Map.entry("striped 6+2", 2L));
    assertThat(result.blocks().stream().collect(groupingBy(PlannedBlock::location, counting())))
        .hasSize(8)
        .allSatisfy((location, blocks) -> assertThat(blocks).isBetween(2L, 3L));
    // Encoding goes by id, so the rows are written one after the other.
    List<String> ids =
        result.blocks().stream().map(PlannedBlock::metaShardId).distinct().sorted().toList();
    for (int row = 0; row < ids.size(); row++) {
      assertThat(ids.get(row)).startsWith(ids.get(0).substring(0, 13) + "%03x-".formatted(row));
    }
  }

  @Test
  void anObjectThatIsReadInPartsIsNotStriped() {
    Lab lab = lab(balanced(), 8, Lab.object("parts", "r", 1024 * KIB, 0.5, 0.1));
    assertThat(shardsByForm(lab.plan(1)).keySet()).allMatch(form -> form.startsWith("packed"));
  }

  @Test
  void theHottestSegmentsAreCopiedAsFarAsTheBudgetGoes() {
    PlanObject[] objects = small(120, 0.001);
    Set<String> hot = new HashSet<>();
    for (int i = 0; i < 6; i++) {
      objects[i] = Lab.object("hot/" + i, "r", 50 * KIB, 0, 1000.0 * (i + 1));
      hot.add("hot/" + i);
    }
    Lab lab = lab(balanced(), 8, objects);
    Result result = lab.plan(1);
    Set<String> stored = new HashSet<>();
    Set<String> copied = new HashSet<>();
    for (PlannedBlock block : result.blocks()) {
      if (block.objectId() != null
          && (block.form().equals("copies") || !stored.add(block.objectId()))) {
        copied.add(block.objectId());
      }
    }
    assertThat(copied).hasSizeGreaterThan(3).isSubsetOf(hot);
    for (int i = hot.size() - copied.size(); i < hot.size(); i++) {
      assertThat(copied).as("the hotter come first").contains("hot/" + i);
    }
    lab.write(result);
    assertThat(lab.storageRatio()).isBetween(1.40, 1.5);
  }

  @Test
  void aLakeOfOneSmallObjectIsSlicedToHoldTheBudget() {
    Lab lab = lab(balanced(), 8, Lab.object("only", "r", 60 * KIB, 0, 3));
    Result result = lab.plan(1);
    assertThat(shardsByForm(result)).containsExactly(Map.entry("split 6+2", 1L));
    assertThat(result.night().ratioAfter()).isBetween(1.33, 1.34);
    assertThat(result.night().spending()).contains("sliced");
  }

  @Test
  void anEmptyObjectIsOneCopyOfLengthZero() {
    Lab lab = lab(balanced(), 3, Lab.object("empty", "r", 0, 0));
    Result result = lab.plan(1);
    assertThat(result.blocks()).hasSize(3);
    assertThat(result.blocks())
        .allMatch(b -> b.codec().equals("copy") && b.length() == 0 && b.blockBytes() == 0);
    lab.write(result);
    assertThat(lab.plan(2).blocks()).isEmpty();
  }

  @Test
  void oneLostDomainIsSurvivedByXorAndNoneByPlainData() {
    Lab one = lab(Lab.options(Policy.BALANCED, 1.5, 1), 8, small(7, 0));
    assertThat(one.plan(1).blocks()).allMatch(b -> b.codec().equals("xor") && b.m() == 1);
    Lab none = lab(Lab.options(Policy.BALANCED, 1, 0), 1, small(7, 5));
    assertThat(none.plan(1).blocks())
        .hasSize(7)
        .allMatch(b -> b.codec().equals("copy") && b.m() == 0);
  }

  @Test
  void readsAndBytesAreEvenOverSites() {
    List<PlanObject> objects = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      objects.add(Lab.object("o" + i, "r", 50 * KIB, 0, 100.0 / (i + 1)));
    }
    Lab lab = lab(Lab.options(Policy.BALANCED, 1.2, 2), 12, objects.toArray(PlanObject[]::new));
    Map<String, Double> reads = new HashMap<>();
    Map<String, Long> bytes = new HashMap<>();
    for (PlannedBlock b : lab.plan(1).blocks()) {
      reads.merge(b.location(), b.expectedRequests() * b.length(), Double::sum);
      bytes.merge(b.location(), b.length(), Long::sum);
    }
    double mean = reads.values().stream().mapToDouble(d -> d).average().orElseThrow();
    double most = reads.values().stream().mapToDouble(d -> d).max().orElseThrow();
    // One object alone has 1.8 times the mean: nothing can be more even than that.
    assertThat(most / mean).isLessThan(1.9);
    long least = bytes.values().stream().mapToLong(l -> l).min().orElseThrow();
    long largest = bytes.values().stream().mapToLong(l -> l).max().orElseThrow();
    assertThat(bytes).hasSize(12);
    assertThat((double) largest / least).isLessThan(1.35);
  }

  @Test
  void drainingLocationsGetNothing() {
    List<Location> locations = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      String state = i == 0 ? Location.DRAINING : Location.ACTIVE;
      locations.add(
          new Location("l" + i, "file:/l" + i, "d" + i, "standard", Long.MAX_VALUE, state));
    }
    Lab lab = new Lab(balanced(), Site.of(locations), 1, List.of(small(30, 1)));
    assertThat(lab.plan(1).blocks()).isNotEmpty().noneMatch(b -> b.location().equals("l0"));
  }

  @Test
  void refusesFewerDomainsThanSurvivingNeeds() {
    assertThatThrownBy(() -> lab(balanced(), 2, small(3, 0)).plan(1))
        .isInstanceOf(PlanRefusedException.class)
        .hasMessage(
            "Cannot survive the loss of 2 domains: active locations with room are in 2 domains, 3 are needed (1 data and 2 parity blocks, each in a domain of its own); add locations in other domains, raise capacities or lower plan.survive");
  }

  @Test
  void refusesABudgetThatCannotBeMetAndNamesTheLeast() {
    assertThatThrownBy(() -> lab(Lab.options(Policy.BALANCED, 1.2, 2), 8, small(60, 0)).plan(1))
        .isInstanceOf(PlanRefusedException.class)
        .hasMessageStartingWith(
            "Cannot keep to plan.storage-budget = 1.2: 8 domains with plan.survive = 2 (up to 6+2) take at least 1.3333 bytes per byte")
        .hasMessageContaining("raise the budget, lower plan.survive, raise plan.max-k or add");
  }

  @Test
  void refusesWhenLocationsAreTooFull() {
    List<Site> sites = Lab.sites(8).stream().map(site -> site.withRoom(20 * KIB)).toList();
    assertThatThrownBy(() -> new Lab(balanced(), sites, 1, List.of(small(6, 0))).plan(1))
        .isInstanceOf(PlanRefusedException.class)
        .hasMessageContaining("they need 8 domains with room, only 0 have it; raise capacities");
  }

  @Test
  void anObjectLongerThanTheCapWaitsAndIsCounted() {
    Lab lab =
        lab(
            Lab.withCap(balanced(), 500 * KIB),
            8,
            Lab.object("long", "r", 501 * KIB, 0, 1e6),
            Lab.object("short", "r", 400 * KIB, 0, 1));
    Result result = lab.plan(1);
    assertThat(result.chosen()).containsExactly("short");
    assertThat(result.night().tally().sum(Tally.Measure.OBJECTS_TOO_LONG)).isEqualTo(1);
    lab.write(result);
    assertThat(lab.plan(2).night().remark())
        .isEqualTo(
            "nothing can be done: all 1 objects that wait are longer than reshard.max-bytes-per-run");
  }

  @Test
  void changedObjectsComeFirstThenNewOnesThenTheHotter() {
    PlanObject old = Lab.object("changed", "r", 100 * KIB, 0, 0);
    Lab lab = lab(Lab.withCap(balanced(), 100 * KIB), 8, old);
    lab.write(lab.plan(1));
    PlanObject changed =
        new PlanObject(
            old.id(), "v2", old.uri(), old.group(), old.segmentation(), 0, old.segments());
    lab.objects =
        List.of(
            changed,
            Lab.object("cold", "r", 100 * KIB, 0, 1),
            Lab.object("hot", "r", 100 * KIB, 0, 100));
    List<String> order = new ArrayList<>();
    for (int night = 0; night < 3; night++) {
      Result result = lab.plan(night);
      order.addAll(result.chosen());
      lab.write(result);
    }
    assertThat(order).containsExactly("changed", "hot", "cold");
  }

  private static Lab withMoveCost(double moveCost, Lab before, PlanObject... objects) {
    Lab lab =
        new Lab(
            Lab.withMoveCost(before.options, moveCost),
            before.sites,
            before.buckets,
            List.of(objects));
    return lab.over(before);
  }

  @Test
  void aSegmentThatHeatsUpIsCopiedOnlyWhenItMovesByTheHysteresis() {
    PlanObject[] objects = small(120, 0.001);
    Lab lab = lab(balanced(), 8, objects);
    lab.write(lab.plan(1));
    PlanObject[] warmer = objects.clone();
    warmer[5] = Lab.object("small/005", "r", 50 * KIB, 0, 0.1);
    lab.objects = List.of(warmer);
    assertThat(lab.plan(2).blocks()).isEmpty();
    warmer[5] = Lab.object("small/005", "r", 50 * KIB, 0, 1e5);
    lab.objects = List.of(warmer);
    Result moved = lab.plan(3);
    assertThat(moved.chosen()).containsExactly("small/005");
    assertThat(shardsByForm(moved)).containsExactly(Map.entry("copies 1+2", 1L));
    lab.write(moved);
    assertThat(lab.plan(4).blocks()).isEmpty();
  }

  @Test
  void aBetterFormThatSavesLessThanTheMoveTakesIsLeftForAnotherNight() {
    PlanObject[] objects = small(120, 0.001);
    Lab lab = lab(balanced(), 8, objects);
    lab.write(lab.plan(1));
    objects[5] = Lab.object("small/005", "r", 50 * KIB, 0, 64);
    assertThat(withMoveCost(1, lab, objects).plan(2).blocks()).isEmpty();
    Result free = withMoveCost(0, lab, objects).plan(2);
    assertThat(free.chosen()).containsExactly("small/005");
  }

  @Test
  void ofTwoThatWouldBeServedBetterTheOneThatSavesMorePerByteComesFirst() {
    PlanObject[] objects = small(120, 0.001);
    objects[7] = Lab.object("small/007", "r", 60 * KIB, 0, 0.001);
    Lab lab = lab(Lab.withCap(balanced(), 60 * KIB), 8, objects);
    while (lab.objects.size() > lab.encoded().size()) {
      lab.write(lab.plan(1));
    }
    objects[5] = Lab.object("small/005", "r", 50 * KIB, 0, 1e5);
    objects[7] = Lab.object("small/007", "r", 60 * KIB, 0, 4e5);
    lab.objects = List.of(objects);
    List<String> order = new ArrayList<>();
    for (int night = 0; night < 3; night++) {
      Result result = lab.plan(night);
      result.chosen().forEach(order::add);
      lab.write(result);
    }
    assertThat(order).containsExactly("small/007", "small/005");
  }

  /** Ids of objects that are served from meta-shards for which this holds. */
  private static Set<String> servedFrom(Lab lab, Predicate<StoredBlock> ofAnyBlock) {
    Set<String> shards = new HashSet<>();
    lab.map.stream().filter(ofAnyBlock).forEach(block -> shards.add(block.metaShardId()));
    Set<String> ids = new HashSet<>();
    lab.map.stream()
        .filter(block -> block.live() && !block.isParity() && shards.contains(block.metaShardId()))
        .forEach(block -> ids.add(block.objectId()));
    return ids;
  }

  /** Nights until nothing is planned any more; how often each object was encoded. */
  private static Map<String, Long> nights(Lab lab, int least) {
    List<String> encoded = new ArrayList<>();
    int nights = 0;
    for (Result result = lab.plan(1); !result.blocks().isEmpty(); result = lab.plan(nights)) {
      long bytes = 0;
      for (PlanObject object : lab.objects) {
        bytes += result.chosen().contains(object.id()) ? object.bytes() : 0;
      }
      assertThat(bytes).isLessThanOrEqualTo(lab.options.maxBytesPerRun());
      encoded.addAll(result.chosen());
      lab.write(result);
      assertThat(++nights).isLessThan(40);
    }
    assertThat(nights).isGreaterThanOrEqualTo(least);
    return encoded.stream().collect(groupingBy(id -> id, counting()));
  }

  @Test
  void aDrainingLocationIsEmptiedWithinTheLimitAndNothingElseMoves() {
    PlanOptions wide = Lab.withSafety(balanced(), 1.8, 2, 4);
    Lab before = lab(wide, 14, small(120, 1));
    before.write(before.plan(1));
    Set<String> there = servedFrom(before, block -> block.location().equals("site0"));
    assertThat(there).hasSizeBetween(20, 90);
    PlanOptions limited = Lab.withCap(wide, 12 * 50 * KIB);
    Lab lab = new Lab(limited, before.sites, 1, before.objects).over(before).draining();
    Tally tally = lab.plan(1).night().tally();
    assertThat(tally.sum(Tally.Measure.CHOSEN_DRAIN)).isEqualTo(12);
    assertThat(tally.sum(Tally.Measure.WAITING_DRAIN)).isEqualTo(there.size() - 12);
    assertThat(lab.plan(1).night().remark())
        .contains("objects wait", "have blocks at locations that drain or are gone");
    assertThat(nights(lab, there.size() / 12))
        .containsOnlyKeys(there)
        .allSatisfy((id, times) -> assertThat(times).isEqualTo(1));
    assertThat(lab.map).noneMatch(block -> block.location().equals("site0"));
    assertThat(lab.encoded()).hasSize(120);
  }

  @Test
  void whatTheCatalogueDoesNotKnowStaysAtADrainingLocationAndIsToldOf() {
    Lab before = lab(balanced(), 9, small(60, 1));
    before.write(before.plan(1));
    Lab lab = before.draining();
    Set<String> there = servedFrom(lab, block -> block.location().equals("site0"));
    String unknown = there.iterator().next();
    lab.objects = lab.objects.stream().filter(o -> !o.id().equals(unknown)).toList();
    Result result = lab.plan(2);
    assertThat(result.night().tally().sum(Tally.Measure.OBJECTS_STUCK)).isEqualTo(1);
    assertThat(result.night().remark())
        .contains("; 1 objects that the catalogue does not know survive less")
        .endsWith("run catalogue, or forget them");
    lab.write(result);
    assertThat(servedFrom(lab, block -> block.location().equals("site0"))).containsExactly(unknown);
  }

  @Test
  void whatHasNoSourceLeavesADrainingLocationAndIsReadFromTheMap() {
    Lab before = lab(balanced(), 9, small(60, 1));
    before.write(before.plan(1));
    Lab lab = before.draining();
    Set<String> there = servedFrom(lab, block -> block.location().equals("site0"));
    String missing = there.iterator().next();
    String released = there.stream().skip(1).findFirst().get();
    losing(lab, missing, PlanObject.Source.MISSING);
    losing(lab, released, PlanObject.Source.RELEASED);
    Result result = lab.plan(2);
    assertThat(result.night().tally().sum(Tally.Measure.OBJECTS_STUCK)).isZero();
    assertThat(result.blocks().stream().filter(block -> block.objectId() != null))
        .isNotEmpty()
        .allSatisfy(
            block ->
                assertThat(block.uri() == null)
                    .isEqualTo(Set.of(missing, released).contains(block.objectId())));
    lab.write(result);
    assertThat(servedFrom(lab, block -> block.location().equals("site0"))).isEmpty();
    assertThat(lab.encoded()).hasSize(60);
  }

  @Test
  void whatWasReleasedSurvivesTheLossOfThreeDomainsAndStaysSo() {
    Lab lab = lab(balanced(), 9, small(60, 1));
    lab.write(lab.plan(1));
    assertThat(lab.map).allSatisfy(block -> assertThat(block.m()).isEqualTo(2));
    List<String> released = List.of("small/003", "small/030");
    released.forEach(id -> losing(lab, id, PlanObject.Source.RELEASED));
    Result result = lab.plan(2);
    assertThat(result.night().tally().sum(Tally.Measure.CHOSEN_UNSAFE)).isEqualTo(2);
    lab.write(result);
    assertThat(servedFrom(lab, block -> block.m() == 3))
        .containsExactlyInAnyOrderElementsOf(released);
    assertThat(lab.map)
        .filteredOn(block -> block.m() == 3 && block.objectId() != null)
        .allSatisfy(block -> assertThat(released).contains(block.objectId()));
    assertThat(lab.plan(3).blocks()).isEmpty();
  }

  @Test
  void whatWasReleasedSurvivesAsMuchAsThereAreDomainsFor() {
    Lab lab = lab(Lab.withSafety(balanced(), 4, 2, 4), 3, small(20, 1));
    lab.write(lab.plan(1));
    losing(lab, "small/003", PlanObject.Source.RELEASED);
    assertThat(lab.plan(2).blocks()).isEmpty();
  }

  /** The object loses its source. */
  private static void losing(Lab lab, String id, PlanObject.Source state) {
    PlanObject lost = lab.objects.stream().filter(o -> o.id().equals(id)).findFirst().get();
    List<PlanObject> others =
        new ArrayList<>(lab.objects.stream().filter(o -> !o.id().equals(id)).toList());
    if (state == PlanObject.Source.MISSING) {
      List<MissingObject> missing = new ArrayList<>(lab.missing);
      missing.add(new MissingObject(lost, NIGHT_ONE));
      lab.missing = missing;
    } else {
      others.add(lost.without(state));
    }
    lab.objects = others;
  }

  @Test
  void objectsLeaveADrainingLocationOneMetaShardAfterTheOther() {
    PlanOptions wide = Lab.withSafety(balanced(), 1.8, 2, 4);
    Lab before = lab(wide, 14, small(120, 1));
    before.write(before.plan(1));
    Lab lab =
        new Lab(Lab.withCap(wide, 20 * 50 * KIB), before.sites, 1, before.objects)
            .over(before)
            .draining();
    lab.write(lab.plan(1));
    Set<String> withDead = new HashSet<>();
    Set<String> withLive = new HashSet<>();
    lab.map.stream()
        .filter(block -> !block.isParity())
        .forEach(block -> (block.live() ? withLive : withDead).add(block.metaShardId()));
    withDead.retainAll(withLive);
    assertThat(withDead).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void whatSurvivesLessThanIsAskedForNowIsEncodedAnewWithinTheLimit() {
    Lab before = lab(Lab.options(Policy.BALANCED, 1.6, 1), 9, small(60, 1));
    before.write(before.plan(1));
    PlanOptions safer = Lab.withSafety(before.options, 1.6, 2, 10);
    PlanObject[] and = Arrays.copyOf(small(60, 1), 61);
    and[60] = Lab.object("new", "r", 50 * KIB, 0, 1e6);
    Lab lab = lab(Lab.withCap(safer, 14 * 50 * KIB), 9, and).over(before);
    assertThat(lab.plan(1).chosen()).hasSize(14).doesNotContain("new");
    assertThat(lab.plan(1).night().remark()).contains("46 of them survive less than plan.survive");
    assertThat(nights(lab, 5)).hasSize(61).allSatisfy((id, n) -> assertThat(n).isEqualTo(1));
    assertThat(lab.map).hasSizeGreaterThan(61).allMatch(block -> block.m() >= 2);
  }

  @Test
  void blocksOfOneDomainAreSurvivedOnce() {
    Lab lab = lab(balanced(), 9, small(60, 1));
    lab.write(lab.plan(1));
    Map<String, String> domains = new HashMap<>(lab.places.domains());
    domains.put("site1", "domain0");
    lab.places = new Places(domains, lab.places.active());
    Set<String> unsafe = new HashSet<>();
    for (String id : servedFrom(lab, block -> block.location().equals("site0"))) {
      if (servedFrom(lab, block -> block.location().equals("site1")).contains(id)) {
        unsafe.add(id);
      }
    }
    Tally tally = lab.plan(1).night().tally();
    assertThat(tally.sum(Tally.Measure.CHOSEN_UNSAFE)).isEqualTo(unsafe.size()).isPositive();
  }

  private static final Instant NIGHT_ONE = Instant.parse("2026-01-01T00:00:00Z");

  /** The deadlines of a night so many days after the first, by the defaults but for dropping. */
  private static Deadlines on(int day, String... overrides) {
    Instant now = NIGHT_ONE.plus(Duration.ofDays(day));
    return Deadlines.from(Settings.parse("test", "", List.of(overrides)), now, Optional.of(now));
  }

  private static PlanObject changed(PlanObject object) {
    return new PlanObject(
        object.id(),
        "v2",
        object.uri(),
        object.group(),
        object.segmentation(),
        object.wholeShare(),
        object.segments());
  }

  /** A lake of packed objects, one of which changed on day 1: its former bytes are dead since. */
  private static Lab withDeadBytes(PlanOptions options, PlanObject... objects) {
    Lab lab = lab(options, 9, objects);
    lab.deadlines = on(0);
    lab.write(lab.plan(1));
    List<PlanObject> now = new ArrayList<>(lab.objects);
    now.set(7, changed(now.get(7)));
    lab.objects = now;
    lab.deadlines = on(1);
    lab.write(lab.plan(2));
    return lab;
  }

  /** Meta-shards that hold dead data. */
  private static Set<String> shardsWithDead(Lab lab) {
    Set<String> shards = new HashSet<>();
    lab.map.stream()
        .filter(block -> !block.live() && !block.isParity())
        .forEach(block -> shards.add(block.metaShardId()));
    return shards;
  }

  private static Set<String> besideDead(Lab lab) {
    Set<String> shards = shardsWithDead(lab);
    return servedFrom(lab, block -> shards.contains(block.metaShardId()));
  }

  @Test
  void deadBytesStayUntilTheirTimeIsAlmostOverAndThenTheOthersLeaveTheirMetaShardsTogether() {
    Lab lab = withDeadBytes(balanced(), small(60, 1));
    Set<String> others = besideDead(lab);
    assertThat(others).hasSizeBetween(3, 9).doesNotContain("small/007");
    lab.deadlines = on(23); // dead for 22 days
    assertThat(lab.plan(3).blocks()).isEmpty();
    lab.deadlines = on(24);
    Result result = lab.plan(4);
    assertThat(result.chosen()).isEqualTo(others);
    assertThat(result.night().tally().sum(Tally.Measure.CHOSEN_ERASE)).isEqualTo(others.size());
    lab.write(result);
    assertThat(shardsWithDead(lab)).isEmpty();
    assertThat(lab.encoded()).hasSize(60);
    assertThat(lab.plan(5).blocks()).isEmpty();
  }

  @Test
  void whatIsErasedComesBeforeWhatIsNewAndHoldsToTheLimitOfANight() {
    Lab before = withDeadBytes(balanced(), small(60, 1));
    int others = besideDead(before).size();
    PlanObject[] and = Arrays.copyOf(small(60, 1), 61);
    and[7] = changed(and[7]);
    and[60] = Lab.object("new", "r", 50 * KIB, 0, 1e6);
    Lab lab = lab(Lab.withCap(balanced(), 2 * 50 * KIB), 9, and).over(before);
    lab.deadlines = on(24);
    Result first = lab.plan(1);
    assertThat(first.chosen()).hasSize(2).doesNotContain("new");
    assertThat(first.night().tally().sum(Tally.Measure.WAITING_ERASE)).isEqualTo(others - 2);
    assertThat(first.night().remark())
        .contains(
            "; %d of them share meta-shards with bytes that are dead for almost"
                .formatted(others - 2));
    int day = 24;
    for (; !shardsWithDead(lab).stream().allMatch(id -> diedOn(lab, id) > 1); day++) {
      lab.deadlines = on(day);
      lab.write(lab.plan(day));
    }
    assertThat(day - 24).as("nights").isEqualTo((others + 1) / 2).isLessThanOrEqualTo(7);
    assertThat(lab.encoded()).hasSizeGreaterThanOrEqualTo(60);
  }

  /** Day on which the first bytes of a meta-shard died. */
  private static long diedOn(Lab lab, String metaShardId) {
    return lab.map.stream()
        .filter(block -> block.metaShardId().equals(metaShardId) && block.deadSince() != null)
        .mapToLong(block -> Duration.between(NIGHT_ONE, block.deadSince()).toDays())
        .min()
        .orElse(Long.MAX_VALUE);
  }

  @Test
  void whatWasDeadForLongestGoesFirst() {
    Lab before = withDeadBytes(balanced(), small(120, 1));
    Set<String> first = besideDead(before);
    List<PlanObject> now = new ArrayList<>(before.objects);
    int other = 0;
    while (first.contains("small/%03d".formatted(other)) || other == 7) {
      other++;
    }
    now.set(other, changed(now.get(other)));
    before.objects = now;
    before.deadlines = on(4);
    before.write(before.plan(3));
    assertThat(besideDead(before)).hasSizeGreaterThan(first.size());
    Lab lab = new Lab(Lab.withCap(balanced(), 50 * KIB), before.sites, 1, now).over(before);
    lab.deadlines = on(28);
    assertThat(first).containsAll(lab.plan(4).chosen());
  }

  @Test
  void deadBytesBesideAnObjectThatTheCatalogueDoesNotKnowStayAndAreToldOf() {
    Lab lab = withDeadBytes(balanced(), small(60, 1));
    String bound = besideDead(lab).iterator().next();
    lab.objects = lab.objects.stream().filter(o -> !o.id().equals(bound)).toList();
    lab.deadlines = on(24);
    Result result = lab.plan(3);
    // To encode the others anew would not end their meta-shard.
    assertThat(result.blocks()).isEmpty();
    assertThat(result.night().tally().sum(Tally.Measure.META_SHARDS_STUCK)).isEqualTo(1);
    assertThat(result.night().remark())
        .contains("; 1 meta-shards keep dead bytes for almost delete.erase-within or longer")
        .endsWith("run catalogue, or forget them");
  }

  @Test
  void deadBytesBesideAnObjectWithoutASourceGoAllTheSame() {
    Lab lab = withDeadBytes(balanced(), small(60, 1));
    String beside = besideDead(lab).iterator().next();
    losing(lab, beside, PlanObject.Source.MISSING);
    lab.deadlines = on(24);
    Result result = lab.plan(3);
    assertThat(result.dropped()).isEmpty();
    assertThat(result.night().tally().sum(Tally.Measure.META_SHARDS_STUCK)).isZero();
    lab.write(result);
    assertThat(shardsWithDead(lab)).isEmpty();
    assertThat(lab.encoded()).hasSize(60);
    // Once it is dropped, it is encoded no more.
    lab.deadlines = on(24, "objects.drop-missing-after=14d");
    Result dropping = lab.plan(4);
    assertThat(dropping.dropped()).containsExactly(beside);
    assertThat(dropping.chosen()).doesNotContain(beside);
    lab.write(dropping);
    assertThat(lab.encoded()).hasSize(59).doesNotContain(beside);
  }

  @Test
  void aMissingSourceIsKeptUntilItsTimeIsOverAndThenItsBlocksAreDeadOrGone() {
    PlanObject[] objects = Arrays.copyOf(small(60, 1), 61);
    objects[60] = Lab.object("hot", "r", 50 * KIB, 0, 1e6); // in meta-shards of its own
    Lab before = lab(balanced(), 9, objects);
    before.write(before.plan(1));
    Lab lab = lab(Lab.withSafety(balanced(), 3, 2, 10), 9, objects).over(before);
    Set<String> gone = Set.of("hot", "small/003");
    lab.missing =
        lab.objects.stream()
            .filter(object -> gone.contains(object.id()))
            .map(object -> new MissingObject(object, NIGHT_ONE.plus(Duration.ofDays(1))))
            .toList();
    lab.objects = lab.objects.stream().filter(object -> !gone.contains(object.id())).toList();
    lab.deadlines = on(14, "objects.drop-missing-after=14d");
    assertThat(lab.plan(2).dropped()).isEmpty();
    assertThat(lab.plan(2).night().remark()).doesNotContain("dropped");
    lab.deadlines = on(15, "objects.drop-missing-after=14d");
    Result result = lab.plan(3);
    assertThat(result.dropped()).isEqualTo(gone);
    assertThat(result.night().tally().sum(Tally.Measure.OBJECTS_DROPPED)).isEqualTo(2);
    assertThat(result.night().remark())
        .contains("; 2 objects are dropped, their sources are missing for");
    lab.write(result);
    assertThat(lab.encoded()).hasSize(59).doesNotContainAnyElementsOf(gone);
    assertThat(lab.map).noneMatch(block -> "hot".equals(block.objectId()));
    assertThat(lab.map)
        .filteredOn(block -> "small/003".equals(block.objectId()))
        .allMatch(block -> !block.live() && block.deadSince().equals(lab.deadlines.now()));
    assertThat(lab.plan(4).dropped()).isEmpty(); // once
  }

  @Test
  void drawsAtLeastTheMetaShardsAskedForFromASmallGroup() {
    Lab lab = lab(Lab.options(Policy.WEIGHTED_RANDOM, 3, 2), 8, small(7, 0));
    assertThat(lab.plan(1).blocks().stream().map(PlannedBlock::metaShardId).distinct().count())
        .isGreaterThanOrEqualTo(4);
  }

  @Test
  void drawsHotSegmentsSeveralTimesAndEverySegmentOnce() {
    PlanObject[] objects = small(200, 0);
    for (int i = 0; i < 10; i++) {
      objects[i] = Lab.object("hot/" + i, "r", 50 * KIB, 0, 50);
    }
    Lab lab = lab(Lab.options(Policy.WEIGHTED_RANDOM, 1.5, 2), 8, objects);
    Result result = lab.plan(1);
    Map<String, Set<String>> shardsOf = new TreeMap<>();
    for (PlannedBlock b : result.blocks()) {
      if (b.objectId() != null) {
        assertThat(
                shardsOf.computeIfAbsent(b.objectId(), id -> new HashSet<>()).add(b.metaShardId()))
            .as("%s twice in one meta-shard", b.objectId())
            .isTrue();
      }
    }
    assertThat(shardsOf).hasSize(200);
    int hot = 0;
    int cold = 0;
    for (Map.Entry<String, Set<String>> draws : shardsOf.entrySet()) {
      if (draws.getKey().startsWith("hot/")) {
        hot += draws.getValue().size();
      } else {
        cold += draws.getValue().size();
      }
    }
    assertThat(hot).isGreaterThan(2 * 10);
    assertThat(cold).isEqualTo(190);
    assertThat(result.night().ratioAfter()).isLessThanOrEqualTo(1.5);
  }

  @Test
  void manyTinyObjectsMeetTheBudgetWithBothPolicies() {
    for (Policy policy : Policy.values()) {
      List<PlanObject> tiny = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        tiny.add(Lab.object("t" + i, "r", 1 + (i * 7919) % 4096, 0, i % 3));
      }
      Lab lab = new Lab(Lab.options(policy, 1.5, 2), Lab.sites(8), 1, tiny);
      Result result = lab.plan(1);
      assertThat(result.night().ratioAfter()).as(policy.word()).isLessThanOrEqualTo(1.5);
      lab.write(result);
      assertThat(lab.storageRatio()).as(policy.word()).isLessThanOrEqualTo(1.5);
    }
  }

  @Test
  void theDrawDependsOnItsSeedAndOnlyXorHasOneParity() {
    PlanOptions one = Lab.withCode(Lab.options(Policy.WEIGHTED_RANDOM, 1.5, 1), Code.XOR);
    DrawOptions draw = one.draw();
    PlanOptions two =
        new PlanOptions(
            one.policy(),
            one.storageBudget(),
            one.survive(),
            one.maxK(),
            one.moreParity(),
            one.isolateBy(),
            one.stripedWholeShare(),
            one.hysteresisClasses(),
            one.moveCost(),
            one.buckets(),
            new DrawOptions(draw.metaShards(), draw.weight(), draw.maxK(), draw.code(), 2),
            one.full(),
            one.maxBytesPerRun(),
            one.reading());
    List<PlannedBlock> first = lab(one, 8, small(60, 1)).plan(1).blocks();
    assertThat(first).isEqualTo(lab(one, 8, small(60, 1)).plan(1).blocks());
    assertThat(first).isNotEqualTo(lab(two, 8, small(60, 1)).plan(1).blocks());
    assertThat(first).allMatch(b -> b.m() == 1 && b.codec().equals(b.k() == 1 ? "copy" : "xor"));
  }

  @Test
  void metaShardIdsDifferBetweenRunsAndHoldNoObjectId() {
    Lab lab = lab(balanced(), 8, small(60, 1));
    Set<String> ids = new HashSet<>();
    lab.plan(1).blocks().forEach(b -> ids.add(b.metaShardId()));
    int one = ids.size();
    Lab later = lab(balanced(), 8, small(60, 1));
    later.write(new Result(lab.plan(1).night(), List.of()));
    later.plan(1).blocks().forEach(b -> ids.add(b.metaShardId()));
    assertThat(ids).hasSize(2 * one).allMatch(id -> id.matches("[0-9a-f]{16}-[0-9a-f]{22}"));
  }
}
