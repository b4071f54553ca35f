package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.Buckets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class HottestTest {
  private static final int BUCKETS = 8;
  private static final int SITES = 12;
  private static final PlanOptions OPTIONS = Lab.options(PlanOptions.Policy.BALANCED, 1.5, 2);

  /** Most of the reading goes to a few objects, each of which is the hottest of its bucket. */
  private static List<PlanObject> skewed(Random random) {
    List<PlanObject> objects = new ArrayList<>();
    for (int i = 0; i < 96; i++) {
      double reads = i < 4 ? 3000 + random.nextInt(1000) : 10 + random.nextInt(90);
      objects.add(Lab.object("object-" + i, "root", 6 << 20, 1, reads));
    }
    return objects;
  }

  /** Expected reading by site of a plan, and by bucket. */
  private static Map<String, Double> load(List<PlannedBlock> blocks, Reading reading) {
    Map<String, Double> load = new HashMap<>();
    Map<String, List<PlannedBlock>> shards =
        blocks.stream().collect(Collectors.groupingBy(PlannedBlock::metaShardId));
    for (List<PlannedBlock> shard : shards.values()) {
      double all = 0;
      for (PlannedBlock block : shard) {
        all += reading.loadMillis(block.expectedRequests(), block.length());
      }
      boolean ofOne =
          shard.stream().map(PlannedBlock::objectId).filter(id -> id != null).distinct().count()
              == 1;
      for (PlannedBlock block : shard) {
        double millis =
            ofOne
                ? all / shard.size()
                : reading.loadMillis(block.expectedRequests(), block.length());
        load.merge(block.location(), millis, Double::sum);
      }
    }
    return load;
  }

  private static double imbalance(Map<String, Double> load) {
    double sum = load.values().stream().mapToDouble(Double::doubleValue).sum();
    double mean = sum / SITES;
    return (Collections.max(load.values()) - mean) / mean;
  }

  private record Plans(List<PlannedBlock> alone, List<PlannedBlock> together, Hottest hottest) {}

  private static Plans plans(List<PlanObject> objects, List<Site> sites) {
    List<BucketInput> inputs = new ArrayList<>();
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      int here = bucket;
      inputs.add(
          new BucketInput(
              bucket,
              objects.stream().filter(o -> Buckets.of(o.id(), BUCKETS) == here).toList(),
              List.of()));
    }
    Width width = Width.of(OPTIONS, sites);
    BucketPlanner planner =
        BucketPlanner.of(
            OPTIONS, width, Places.ofSites(sites), any -> new MemoryBuckets(inputs, any));
    NightPlanner planning = new NightPlanner(OPTIONS, width);
    AllBuckets all = new MemoryBuckets(inputs, planner);
    Night night = planning.plan(all);
    BucketPlanner.Placing together = planning.placing(all, night, sites, "run");
    List<PlannedBlock> a = new ArrayList<>();
    List<PlannedBlock> b = new ArrayList<>();
    for (BucketInput input : inputs) {
      a.addAll(planner.plan(input, night.choice(), night.step(), together.with(Hottest.NONE)));
      b.addAll(planner.plan(input, night.choice(), night.step(), together));
    }
    return new Plans(a, b, together.hottest());
  }

  @Test
  void theMostReadOfAllBucketsAreSpreadTogetherAndTheOthersAroundThem() {
    double alone = 0;
    double together = 0;
    for (int seed = 0; seed < 20; seed++) {
      Plans plans = plans(skewed(new Random(seed)), Lab.sites(SITES));
      assertThat(plans.hottest().sites()).isNotEmpty();
      alone += imbalance(load(plans.alone(), OPTIONS.reading()));
      together += imbalance(load(plans.together(), OPTIONS.reading()));
    }
    assertThat(together).isLessThan(alone / 2);
  }

  @Property(tries = 40)
  void nothingElseOfAPlanChangesAndDomainsStayApart(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 60) int count) {
    List<PlanObject> objects = Lab.randomObjects(new Random(seed), count, 2);
    Plans plans = plans(objects, Lab.sites(SITES));
    assertThat(unplaced(plans.together())).isEqualTo(unplaced(plans.alone()));
    plans.together().stream()
        .collect(Collectors.groupingBy(PlannedBlock::metaShardId))
        .values()
        .forEach(
            shard ->
                assertThat(shard.stream().map(PlannedBlock::location)).doesNotHaveDuplicates());
    assertThat(plans.hottest().plainMillis().size()).isLessThanOrEqualTo(Hot.MOST);
  }

  private static List<String> unplaced(List<PlannedBlock> blocks) {
    return blocks.stream()
        .map(
            b ->
                "%s %d %s %d %d"
                    .formatted(
                        b.metaShardId(),
                        b.blockIndex(),
                        b.objectId(),
                        b.objectOffset(),
                        b.length()))
        .sorted()
        .toList();
  }

  @Property(tries = 40)
  void sitesOfLittleRoomAreNeverOverfilled(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 60) int count) {
    List<PlanObject> objects = Lab.randomObjects(new Random(seed), count, 1);
    long bytes = objects.stream().mapToLong(PlanObject::bytes).sum();
    long room = bytes / 4 + (1 << 20);
    List<Site> sites = Lab.sites(SITES).stream().map(site -> site.withRoom(room)).toList();
    List<PlannedBlock> blocks;
    try {
      blocks = plans(objects, sites).together();
    } catch (PlanRefusedException e) {
      assertThat(e).hasMessageContaining("room");
      return;
    }
    Map<String, Long> at = new HashMap<>();
    blocks.forEach(b -> at.merge(b.location(), b.length(), Long::sum));
    assertThat(at.values()).allMatch(stored -> stored <= room);
  }
}
