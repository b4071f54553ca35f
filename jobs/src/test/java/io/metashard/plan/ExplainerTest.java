package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metashard.plan.Lab.Result;
import io.metashard.plan.PlanOptions.Policy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ExplainerTest {
  private static final long MIB = 1 << 20;
  private static final long SEED = 7;

  private static PlanOptions options(Policy policy) {
    return Lab.withCode(Lab.options(policy, 1.6, 2), DrawOptions.Code.RS, 2);
  }

  private static Lab lab(PlanOptions options, List<PlanObject> objects) {
    return new Lab(options, Lab.sites(12), 1, objects);
  }

  private static List<Explanation> explain(Lab lab, Result result) {
    BucketInput input = new BucketInput(0, lab.objects, lab.missing, lab.map);
    BucketPlanner planner =
        BucketPlanner.of(
            lab.options,
            Width.of(lab.options, lab.sites),
            Places.ofSites(lab.sites),
            lab.deadlines,
            any -> new MemoryBuckets(List.of(input), any));
    return new Explainer(planner, result.night().choice(), result.night().step())
        .explain(input, result.blocks());
  }

  private static List<PlanObject> mixed() {
    return List.of(
        Lab.object("cold", "r", MIB, 0, 0),
        Lab.object("empty", "r", 0, 0, 3),
        Lab.object("hot/whole", "r", 16 * MIB, 1, 5000),
        Lab.object("hot/small", "r", 60_000, 0, 90_000),
        Lab.object("warm", "r", 16 * MIB, 0, 900, 900, 0.001, 0.001));
  }

  private static List<Explanation> of(List<Explanation> all, String id) {
    return all.stream().filter(e -> e.objectId().equals(id)).toList();
  }

  @Test
  void hotObjectsSaveReadingAndColdOnesStorage() {
    Lab lab = lab(options(Policy.BALANCED), mixed());
    List<Explanation> all = explain(lab, lab.plan(1));
    Explanation whole = of(all, "hot/whole").get(0);
    assertThat(of(all, "hot/whole")).hasSize(1);
    assertThat(whole.readWhole()).isTrue();
    assertThat(whole.segments()).isEqualTo(16);
    // A read of the whole is one request of each of its segments.
    assertThat(whole.reads()).isEqualTo(5000);
    assertThat(whole.requests()).isEqualTo(16 * 5000);
    assertThat(whole.readMillis()).isLessThan(whole.plainMillis() / 2);
    assertThat(whole.savedMillis())
        .isCloseTo(5000 * (whole.plainMillis() - whole.readMillis()), within(1e-6));
    assertThat(whole.shape()).startsWith("striped");
    assertThat(whole.fate()).isEqualTo(Fate.NEW);
    assertThat(whole.reason()).startsWith("saves ").contains("of reading");
    assertThat(of(all, "cold")).hasSize(1);
    assertThat(of(all, "cold").get(0).reason()).isEqualTo("hardly read: packed, which costs least");
    assertThat(of(all, "cold").get(0).savedMillis()).isZero();
    assertThat(of(all, "empty").get(0).reason()).startsWith("empty");
    // What the winner saves is worth more than the bytes it stores more, else it had not won.
    double price = Step.bytePrice(lab.plan(1).night().step());
    for (Explanation each : all) {
      assertThat(each.savedMillis() - price * each.moreBytes()).as(each.toString()).isNotNegative();
    }
  }

  @Test
  void alikeNeighboursAreToldOfTogether() {
    Lab lab = lab(options(Policy.BALANCED), mixed());
    List<Explanation> warm = of(explain(lab, lab.plan(1)), "warm");
    assertThat(warm).hasSize(8);
    assertThat(warm).allMatch(e -> e.segments() == 2 && !e.readWhole());
    assertThat(warm.stream().mapToDouble(Explanation::requests).sum())
        .isCloseTo(8 * 900 + 8 * 0.001, within(1e-9));
  }

  @Test
  void everyByteAndFormOfThePlanIsExplained() {
    for (Policy policy : Policy.values()) {
      Random random = new Random(SEED);
      List<PlanObject> objects = Lab.randomObjects(random, 60, 2);
      Lab lab = lab(options(policy), objects);
      Result first = lab.plan(1);
      List<Explanation> all = explain(lab, first);
      assertThat(all.stream().mapToLong(Explanation::bytes).sum())
          .isEqualTo(objects.stream().mapToLong(PlanObject::bytes).sum());
      assertThat(all.stream().mapToDouble(Explanation::storedBytes).sum())
          .isCloseTo(first.blocks().stream().mapToLong(PlannedBlock::length).sum(), within(1.0));
      Map<String, Double> told = new TreeMap<>();
      all.forEach(e -> told.merge(e.form(), e.storedBytes(), Double::sum));
      Map<String, Double> planned = new TreeMap<>();
      first.blocks().forEach(b -> planned.merge(b.form(), (double) b.length(), Double::sum));
      assertThat(told.keySet()).as("%s, seed %d", policy, SEED).isEqualTo(planned.keySet());
      told.forEach((form, bytes) -> assertThat(bytes).isCloseTo(planned.get(form), within(1.0)));
      assertThat(all).allMatch(e -> !e.reason().isEmpty());
      assertThat(all)
          .isSortedAccordingTo(
              Comparator.comparing(Explanation::objectId)
                  .thenComparingInt(Explanation::fromSegment));
    }
  }

  @Test
  void whatIsWellStaysAndWhatChangedIsEncoded() {
    Lab lab = lab(options(Policy.BALANCED), mixed());
    lab.write(lab.plan(1));
    List<Explanation> still = explain(lab, lab.plan(2));
    assertThat(still).allMatch(e -> e.fate() == Fate.KEPT);
    assertThat(of(still, "hot/whole").get(0).shape()).startsWith("striped");
    assertThat(of(still, "hot/whole").get(0).reason())
        .isEqualTo("the shape that its forecast asks for");
    double stored = still.stream().mapToDouble(Explanation::storedBytes).sum();
    assertThat(stored)
        .isCloseTo(lab.map.stream().mapToLong(StoredBlock::length).sum(), within(1.0));
    List<PlanObject> changed = new ArrayList<>(lab.objects);
    PlanObject old = changed.remove(0);
    changed.add(
        0,
        new PlanObject(
            old.id(), "v2", old.uri(), old.group(), old.segmentation(), 0, old.segments()));
    lab.objects = changed;
    Explanation now = of(explain(lab, lab.plan(3)), "cold").get(0);
    assertThat(now.fate()).isEqualTo(Fate.CHANGED);
    assertThat(now.fate().why()).isEqualTo("its source changed");
  }

  @Test
  void aLimitMakesColderOnesWaitAndTooLongOnesForEver() {
    PlanOptions capped = Lab.withCap(options(Policy.BALANCED), 3 * MIB);
    List<PlanObject> objects =
        List.of(
            Lab.object("a", "r", 2 * MIB, 0, 500),
            Lab.object("b", "r", 2 * MIB, 0, 1),
            Lab.object("c", "r", 8 * MIB, 0, 800));
    Lab lab = lab(capped, objects);
    List<Explanation> all = explain(lab, lab.plan(1));
    assertThat(of(all, "a").get(0).fate()).isEqualTo(Fate.NEW);
    Explanation waits = of(all, "b").get(0);
    assertThat(waits.fate()).isEqualTo(Fate.WAITS_NEW);
    assertThat(waits.shape()).isEqualTo(Explanation.SOURCE);
    assertThat(waits.storedBytes()).isZero();
    assertThat(waits.reason()).startsWith("will be ");
    assertThat(of(all, "c").get(0).fate()).isEqualTo(Fate.TOO_LONG);
  }

  @Test
  void drawsSayWhatTheyCameTo() {
    Lab lab = lab(options(Policy.WEIGHTED_RANDOM), mixed());
    List<Explanation> all = explain(lab, lab.plan(1));
    Explanation hot = of(all, "hot/small").get(0);
    assertThat(hot.form()).isEqualTo("drawn");
    assertThat(hot.reason())
        .startsWith("drawn into " + hot.copies() + " meta-shard")
        .contains("by p_requested = 1");
    assertThat(hot.other()).isEmpty();
  }

  @Test
  void anObjectWithoutASourceStaysOrIsDroppedAndIsToldSinceWhenItIsMissing() {
    Lab lab = lab(options(Policy.BALANCED), mixed());
    lab.write(lab.plan(1));
    Instant since = Instant.parse("2026-01-02T00:00:00Z");
    lab.missing = List.of(new MissingObject(lab.objects.get(0), since));
    lab.objects = lab.objects.subList(1, lab.objects.size());
    Explanation kept = of(explain(lab, lab.plan(2)), "cold").get(0);
    assertThat(kept.fate()).isEqualTo(Fate.KEPT_WITHOUT_SOURCE);
    assertThat(kept.shape()).isEqualTo("striped 8+2"); // all of its meta-shard is of it
    assertThat(kept.storedBytes()).isGreaterThan(kept.bytes()).isLessThan(2.0 * kept.bytes());
    assertThat(kept.reason()).isEqualTo("its source is missing since 2026-01-02T00:00:00Z");
    lab.deadlines = new Deadlines(since.plusSeconds(1), since, Instant.MIN);
    List<Explanation> all = explain(lab, lab.plan(3));
    Explanation dropped = of(all, "cold").get(0);
    assertThat(dropped.fate()).isEqualTo(Fate.DROPPED);
    assertThat(dropped.fate().word()).isEqualTo("dropped");
    assertThat(dropped.shape()).isEqualTo("none");
    assertThat(dropped.storedBytes()).isZero();
    assertThat(all).isSortedAccordingTo(Comparator.comparing(Explanation::objectId));
    lab.write(lab.plan(4));
    // What the map does not hold is not told of.
    assertThat(of(explain(lab, lab.plan(5)), "cold")).isEmpty();
  }
}
