package io.metashard.plan;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.Tier;
import io.metashard.plan.PlanOptions.Policy;
import io.metashard.simulate.PlacedBlock;
import io.metashard.simulate.ReadRequest;
import io.metashard.simulate.Replay;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** What holds of plans whose locations are of several tiers. */
class TierPropertiesTest {
  private static final int TRIES = 20;
  private static final Tier FAST = new Tier("fast", 4, Long.MAX_VALUE);
  private static final Tier SLOW = new Tier("slow", 1, Long.MAX_VALUE);

  private static Tier withCapacity(Tier tier, long bytes) {
    return new Tier(tier.name(), tier.speed(), bytes);
  }

  private static List<Site> sites(Tier tier, int count, int firstDomain) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> new Site(tier.name() + i, "domain" + (firstDomain + i), Long.MAX_VALUE, tier))
        .toList();
  }

  private static List<Site> both(List<Site> a, List<Site> b) {
    List<Site> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  /** Two or three tiers of any capacities, in domains of their own or in the same ones. */
  private static Lab randomLab(long seed) {
    Random random = new Random(seed);
    int survive = random.nextInt(3);
    List<PlanObject> objects =
        Lab.randomObjects(random, 1 + random.nextInt(60), 1 + random.nextInt(2));
    long bytes = objects.stream().mapToLong(PlanObject::bytes).sum();
    int slow = 2 + survive + random.nextInt(8);
    Tier fast = withCapacity(FAST, (long) (bytes * random.nextDouble()));
    List<Site> sites =
        both(
            sites(fast, 1 + random.nextInt(6), random.nextBoolean() ? 0 : 100),
            sites(random.nextInt(4) == 0 ? withCapacity(SLOW, 3 * bytes) : SLOW, slow, 0));
    if (random.nextBoolean()) {
      Tier cold = new Tier("cold", 0.25, random.nextBoolean() ? bytes / 2 : Long.MAX_VALUE);
      sites = both(sites, sites(cold, 1 + random.nextInt(4), random.nextBoolean() ? 0 : 200));
    }
    PlanOptions options =
        Lab.options(random.nextBoolean() ? Policy.BALANCED : Policy.WEIGHTED_RANDOM, 6, survive);
    return new Lab(options, sites, 1 << random.nextInt(3), objects);
  }

  private static Map<String, Long> bytesByTier(Lab lab) {
    Map<String, Tier> tierOf = lab.sites.stream().collect(toMap(Site::name, Site::tier));
    Map<String, Long> bytes = new HashMap<>();
    lab.map.forEach(b -> bytes.merge(tierOf.get(b.location()).name(), b.length(), Long::sum));
    return bytes;
  }

  /**
   * @return whether it was refused, for want of room
   */
  private static boolean isRefused(Lab lab, int night) {
    try {
      lab.write(lab.plan(night));
      return false;
    } catch (PlanRefusedException e) {
      assertThat(e.getMessage()).containsAnyOf("domains with room", "tiers are");
      return true;
    }
  }

  @Property(tries = TRIES)
  void noTierIsEverOverfilledWhateverBecomesOfTheHeat(@ForAll long seed) {
    Lab lab = randomLab(seed);
    Random random = new Random(seed);
    for (int night = 0; night < 3 && !isRefused(lab, night); night++) {
      Map<String, Long> bytes = bytesByTier(lab);
      for (Site site : lab.sites) {
        assertThat(bytes.getOrDefault(site.tier().name(), 0L))
            .isLessThanOrEqualTo(site.tier().capacityBytes());
      }
      lab.objects = heated(lab.objects, u -> random.nextInt(3) == 0 ? u * 1000 : u / 10);
    }
  }

  private static List<PlanObject> heated(List<PlanObject> objects, DoubleUnaryOperator heat) {
    List<PlanObject> after = new ArrayList<>();
    for (PlanObject o : objects) {
      List<PlanSegment> segments = new ArrayList<>();
      for (PlanSegment s : o.segments()) {
        double requests = Math.min(1e6, heat.applyAsDouble(s.expectedRequests()));
        segments.add(new PlanSegment(s.segment(), requests, -Math.expm1(-requests)));
      }
      after.add(
          new PlanObject(
              o.id(), o.version(), o.uri(), o.group(), o.segmentation(), o.wholeShare(), segments));
    }
    return after;
  }

  @Property(tries = TRIES)
  void aSecondPlanOnTheSameForecastIsEmpty(@ForAll long seed) {
    Lab lab = randomLab(seed);
    if (!isRefused(lab, 1)) {
      assertThat(lab.plan(2).blocks()).isEmpty();
    }
  }

  @Property(tries = TRIES)
  void theOrderOfTheInputDoesNotMatter(@ForAll long seed) {
    Lab lab = randomLab(seed);
    List<PlannedBlock> blocks;
    try {
      blocks = lab.plan(1).blocks();
    } catch (PlanRefusedException e) {
      return;
    }
    assertThat(lab.plan(2).blocks()).isEqualTo(blocks);
  }

  @Property(tries = TRIES)
  void blocksOfAMetaShardAreInDifferentDomainsThoughTiersShareThem(@ForAll long seed) {
    Lab lab = randomLab(seed);
    if (isRefused(lab, 1)) {
      return;
    }
    Map<String, String> domains = lab.sites.stream().collect(toMap(Site::name, Site::domain));
    Map<String, List<String>> used = new HashMap<>();
    for (StoredBlock block : lab.map) {
      used.computeIfAbsent(block.metaShardId(), id -> new ArrayList<>())
          .add(domains.get(block.location()));
    }
    assertThat(used.values()).allSatisfy(all -> assertThat(all).doesNotHaveDuplicates());
  }

  @Property(tries = TRIES)
  void oneTierWithoutALimitChangesNothing(@ForAll long seed) {
    Random random = new Random(seed);
    List<PlanObject> objects = Lab.randomObjects(random, 40, 2);
    PlanOptions options = Lab.options(Policy.BALANCED, 2, 2);
    List<PlannedBlock> plain = new Lab(options, Lab.sites(9), 2, objects).plan(1).blocks();
    List<Site> of =
        Lab.sites(9).stream()
            .map(s -> new Site(s.name(), s.domain(), s.roomBytes(), FAST))
            .toList();
    assertThat(new Lab(options, of, 2, objects).plan(1).blocks()).isEqualTo(plain);
  }

  /** Objects of one segment, their heat of a heavy tail, beside a fast tier for some of them. */
  private static Lab oneSegmentLab(long seed, double share) {
    Random random = new Random(seed);
    List<PlanObject> objects = new ArrayList<>();
    long bytes = 0;
    for (int i = 0; i < 80; i++) {
      double requests = random.nextInt(3) == 0 ? 0 : 10 * Math.exp(2 * random.nextGaussian());
      PlanObject object = Lab.object("o" + i, "r", 20_000 + random.nextInt(40_000), 0, requests);
      bytes += object.bytes();
      objects.add(object);
    }
    List<Site> sites =
        both(sites(withCapacity(FAST, (long) (bytes * share)), 8, 100), sites(SLOW, 8, 0));
    return new Lab(Lab.options(Policy.BALANCED, 1.6, 2), sites, 2, objects);
  }

  /** Requests per byte of the data at a tier, as the forecast is now. */
  private static double heat(Lab lab, String tier) {
    Map<String, Tier> tierOf = lab.sites.stream().collect(toMap(Site::name, Site::tier));
    Map<String, PlanObject> objects = lab.objects.stream().collect(toMap(PlanObject::id, o -> o));
    double requests = 0;
    long bytes = 0;
    for (StoredBlock block : lab.map) {
      if (!block.isParity() && block.live() && tierOf.get(block.location()).name().equals(tier)) {
        requests += objects.get(block.objectId()).expectedRequests();
        bytes += block.length();
      }
    }
    return bytes == 0 ? Double.NaN : requests / bytes;
  }

  @Property(tries = 15)
  void whatIsOnTheFastTierIsHotterByFar(@ForAll long seed) {
    Lab lab = oneSegmentLab(seed, 0.3);
    lab.write(lab.plan(1));
    assertThat(heat(lab, "fast")).isGreaterThan(3 * heat(lab, "slow"));
    long capacity = lab.sites.get(0).tier().capacityBytes();
    assertThat(bytesByTier(lab).get("fast")).isBetween(capacity / 2, capacity);
  }

  @Property(tries = 15)
  void whatNobodyReadsIsOnTheSlowTierThoughTheFastOneHasRoom(@ForAll long seed) {
    Lab lab = oneSegmentLab(seed, 10);
    lab.write(lab.plan(1));
    Map<String, Tier> tierOf = lab.sites.stream().collect(toMap(Site::name, Site::tier));
    int cold = 0;
    for (StoredBlock block : lab.map) {
      if (!block.isParity() && block.expectedRequests() == 0) {
        assertThat(tierOf.get(block.location()).name()).isEqualTo("slow");
        cold++;
      } else if (!block.isParity()) {
        assertThat(tierOf.get(block.location()).name()).isEqualTo("fast");
      }
    }
    assertThat(cold).isPositive();
  }

  @Property(tries = 15)
  void whatBecomesHotGoesToTheFastTierAndWhatBecomesColdLeavesItUntilNothingMoves(
      @ForAll long seed) {
    Lab lab = turnedRound(seed);
    planUntilNothingMoves(lab);
    assertThat(heat(lab, "fast")).isGreaterThan(2 * heat(lab, "slow"));
    long capacity = lab.sites.get(0).tier().capacityBytes();
    assertThat(bytesByTier(lab).get("fast")).isLessThanOrEqualTo(capacity);
  }

  /** In all: of one lake that was laid out well by chance, the plan may be no better. */
  @Example
  void afterHotAndColdChangePlacesReadsAreFasterOnceNothingMoves() {
    double before = 0;
    double after = 0;
    int lakes = 0;
    for (long seed = 1; seed <= 15; seed++) {
      Lab lab = turnedRound(seed);
      before += readMillis(lab, lab.sites);
      planUntilNothingMoves(lab);
      after += readMillis(lab, lab.sites);
      lakes++;
    }
    assertThat(lakes).isEqualTo(15);
    assertThat(after).isLessThan(0.9 * before);
  }

  /** A lake with a map that was made when its hottest objects were its coldest. */
  private static Lab turnedRound(long seed) {
    Lab first = oneSegmentLab(seed, 0.3);
    first.write(first.plan(1));
    List<PlanObject> after = new ArrayList<>();
    for (int i = 0; i < first.objects.size(); i++) {
      PlanObject other = first.objects.get(first.objects.size() - 1 - i);
      double requests = other.expectedRequests();
      after.addAll(heated(List.of(first.objects.get(i)), u -> requests));
    }
    return new Lab(Lab.withMoveCost(first.options, 0.01), first.sites, first.buckets, after)
        .over(first);
  }

  /** Plans night after night until nothing moves. */
  private static void planUntilNothingMoves(Lab lab) {
    int nights = 0;
    for (Lab.Result night = lab.plan(1); !night.blocks().isEmpty(); night = lab.plan(nights)) {
      lab.write(night);
      assertThat(++nights).isLessThan(8);
    }
    assertThat(nights).isPositive();
  }

  /** Mean time of reads as the forecast has them, through the blocks of a lake. */
  private static double readMillis(Lab lab, List<Site> sites) {
    List<String> names = sites.stream().map(Site::name).toList();
    List<PlacedBlock> blocks = new ArrayList<>();
    for (StoredBlock b : lab.map) {
      blocks.add(
          new PlacedBlock(
              b.objectId(),
              b.objectOffset(),
              b.length(),
              b.metaShardId(),
              PlannedBlock.bundle(b.metaShardId()),
              b.k(),
              b.blockIndex(),
              names.indexOf(b.location())));
    }
    List<ReadRequest> reads = new ArrayList<>();
    for (PlanObject object : lab.objects) {
      for (int i = 0; i < Math.min(500, object.expectedRequests()); i++) {
        reads.add(new ReadRequest(50.0 * reads.size(), object.id(), 0, object.bytes()));
      }
    }
    List<Double> speeds = sites.stream().map(site -> site.tier().speed()).toList();
    return Replay.of(blocks, reads.iterator(), lab.options.reading().model(), speeds, 0, 1)
        .meanMillis();
  }

  @Property(tries = 10)
  void readsAreFasterThanFromAPlanThatIsBlindForTheSameTiers(@ForAll long seed) {
    Lab lab = oneSegmentLab(seed, 0.6);
    List<Site> alike =
        lab.sites.stream().map(s -> new Site(s.name(), s.domain(), s.roomBytes())).toList();
    Lab blind = new Lab(lab.options, alike, lab.buckets, lab.objects);
    lab.write(lab.plan(1));
    blind.write(blind.plan(1));
    assertThat(readMillis(lab, lab.sites)).isLessThan(0.8 * readMillis(blind, lab.sites));
  }

  @Example
  void aPlanThatNoTierHasRoomForIsRefusedWithTheTiersAndTheirNumbers() {
    List<PlanObject> objects = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      objects.add(Lab.object("o" + i, "r", 60_000, 0, i));
    }
    List<Site> sites =
        both(
            sites(withCapacity(FAST, 100_000), 4, 100), sites(withCapacity(SLOW, 1_000_000), 8, 0));
    Lab lab = new Lab(Lab.options(Policy.BALANCED, 1.4, 2), sites, 1, objects);
    assertThatThrownBy(() -> lab.plan(1))
        .isInstanceOf(PlanRefusedException.class)
        .hasMessageContaining("tier fast has room for 100000 of its capacity of 100000 bytes")
        .hasMessageContaining("tier slow has room for 1000000 of its capacity of 1000000 bytes")
        .hasMessageContaining("raise capacity in tiers");
  }

  @Example
  void aSmallFastTierMakesNoMetaShardWider() {
    PlanOptions options = Lab.options(Policy.BALANCED, 1.6, 2);
    List<Site> slow = sites(SLOW, 6, 0);
    List<Site> fast = sites(withCapacity(FAST, 1 << 20), 5, 100);
    assertThat(Width.of(options, both(fast, slow)).k()).isEqualTo(4);
    assertThat(Width.of(options, both(fast, sites(SLOW, 2, 0))).domains()).isEqualTo(7);
  }
}
