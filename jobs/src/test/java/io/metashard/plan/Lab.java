package io.metashard.plan;

import io.metashard.Buckets;
import io.metashard.LocationModel;
import io.metashard.Segmentation;
import io.metashard.plan.DrawOptions.Code;
import io.metashard.plan.DrawOptions.Weight;
import io.metashard.plan.PlanOptions.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/** A lake in memory whose nights are planned and taken as written. */
final class Lab {
  final PlanOptions options;
  final List<Site> sites;
  final int buckets;
  List<PlanObject> objects;
  List<MissingObject> missing = List.of();
  Deadlines deadlines = Deadlines.NONE;
  Places places;
  List<StoredBlock> map = new ArrayList<>();
  private final Map<String, Integer> bucketOfShard = new HashMap<>();
  private int sequence;

  /** A night and the blocks it plans. */
  record Result(Night night, List<PlannedBlock> blocks, Set<String> dropped) {
    Result(Night night, List<PlannedBlock> blocks) {
      this(night, blocks, Set.of());
    }

    Set<String> chosen() {
      Set<String> ids = new HashSet<>();
      blocks.stream().filter(b -> b.objectId() != null).forEach(b -> ids.add(b.objectId()));
      return ids;
    }
  }

  Lab(PlanOptions options, List<Site> sites, int buckets, List<PlanObject> objects) {
    this.options = options;
    this.sites = sites;
    this.buckets = buckets;
    this.objects = objects;
    this.places = Places.ofSites(sites);
  }

  static PlanOptions options(Policy policy, double budget, int survive) {
    return new PlanOptions(
        policy,
        budget,
        survive,
        10,
        0,
        Isolation.ROOT,
        0.6,
        2,
        1,
        0,
        new DrawOptions(4, Weight.P_REQUESTED, 10, Code.RS, 1),
        false,
        Long.MAX_VALUE,
        new Reading(new LocationModel.Disk(2, 125e6, 0.05, 10), 1, 0.5, 0.05, 86_400_000));
  }

  static PlanOptions withCap(PlanOptions o, long maxBytesPerRun) {
    return new PlanOptions(
        o.policy(),
        o.storageBudget(),
        o.survive(),
        o.maxK(),
        o.moreParity(),
        o.isolateBy(),
        o.stripedWholeShare(),
        o.hysteresisClasses(),
        o.moveCost(),
        o.buckets(),
        o.draw(),
        o.full(),
        maxBytesPerRun,
        o.reading());
  }

  static PlanOptions withReading(PlanOptions o, Reading reading) {
    return new PlanOptions(
        o.policy(),
        o.storageBudget(),
        o.survive(),
        o.maxK(),
        o.moreParity(),
        o.isolateBy(),
        o.stripedWholeShare(),
        o.hysteresisClasses(),
        o.moveCost(),
        o.buckets(),
        o.draw(),
        o.full(),
        o.maxBytesPerRun(),
        reading);
  }

  static PlanOptions withMoveCost(PlanOptions o, double moveCost) {
    return new PlanOptions(
        o.policy(),
        o.storageBudget(),
        o.survive(),
        o.maxK(),
        o.moreParity(),
        o.isolateBy(),
        o.stripedWholeShare(),
        o.hysteresisClasses(),
        moveCost,
        o.buckets(),
        o.draw(),
        o.full(),
        o.maxBytesPerRun(),
        o.reading());
  }

  static PlanOptions withSafety(PlanOptions o, double storageBudget, int survive, int maxK) {
    return new PlanOptions(
        o.policy(),
        storageBudget,
        survive,
        maxK,
        o.moreParity(),
        o.isolateBy(),
        o.stripedWholeShare(),
        o.hysteresisClasses(),
        o.moveCost(),
        o.buckets(),
        o.draw(),
        o.full(),
        o.maxBytesPerRun(),
        o.reading());
  }

  static PlanOptions withCode(PlanOptions o, Code code) {
    return withCode(o, code, o.moreParity());
  }

  static PlanOptions withCode(PlanOptions o, Code code, int moreParity) {
    DrawOptions d = o.draw();
    return new PlanOptions(
        o.policy(),
        o.storageBudget(),
        o.survive(),
        o.maxK(),
        moreParity,
        o.isolateBy(),
        o.stripedWholeShare(),
        o.hysteresisClasses(),
        o.moveCost(),
        o.buckets(),
        new DrawOptions(d.metaShards(), d.weight(), d.maxK(), code, d.seed()),
        o.full(),
        o.maxBytesPerRun(),
        o.reading());
  }

  /** One site a domain, without limits. */
  static List<Site> sites(int domains) {
    return IntStream.range(0, domains)
        .mapToObj(i -> new Site("site" + i, "domain" + i, Long.MAX_VALUE))
        .toList();
  }

  static PlanObject object(
      String id, String root, long bytes, double wholeShare, double... expected) {
    Segmentation segmentation = Segmentation.of(bytes, 16, 65_536, 64L << 20);
    List<PlanSegment> segments = new ArrayList<>();
    for (int i = 0; i < segmentation.segments(); i++) {
      double requests = expected.length == 0 ? 0 : expected[i % expected.length];
      segments.add(new PlanSegment(i, requests, -Math.expm1(-requests)));
    }
    return new PlanObject(
        id,
        "v1",
        "file:/" + root + "/x",
        Isolation.ROOT.group(root, id),
        segmentation,
        wholeShare,
        segments);
  }

  /** Sizes from 0 to 32 MiB, mostly small; heat of a heavy tail, and often none. */
  static List<PlanObject> randomObjects(Random random, int count, int roots) {
    List<PlanObject> objects = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long bytes =
          switch (random.nextInt(10)) {
            case 0 -> random.nextInt(3);
            case 1 -> 65_536L * (1 + random.nextInt(8));
            default -> (long) Math.pow(2, 4 + 21 * random.nextDouble());
          };
      double[] expected =
          random
              .doubles(16)
              .map(u -> u < 0.3 ? 0 : Math.exp(8 * random.nextGaussian()) * 0.1)
              .map(e -> Math.min(e, 1e6))
              .toArray();
      objects.add(
          object(
              "o%d/%x".formatted(i, random.nextInt()),
              "root" + random.nextInt(roots),
              bytes,
              random.nextBoolean() ? 0 : random.nextDouble(),
              expected));
    }
    return objects;
  }

  /** This lake over another's map. */
  Lab over(Lab before) {
    map = new ArrayList<>(before.map);
    bucketOfShard.putAll(before.bucketOfShard);
    sequence = before.sequence;
    return this;
  }

  /** This lake with its first site draining. */
  Lab draining() {
    Lab lab = new Lab(options, sites.subList(1, sites.size()), buckets, objects).over(this);
    lab.places = new Places(places.domains(), lab.places.active());
    return lab;
  }

  /** Objects that the map serves. */
  Set<String> encoded() {
    Set<String> ids = new HashSet<>();
    map.stream().filter(b -> b.live() && !b.isParity()).forEach(b -> ids.add(b.objectId()));
    return ids;
  }

  private List<BucketInput> inputs(Random shuffle) {
    List<BucketInput> inputs = new ArrayList<>();
    for (int bucket = 0; bucket < buckets; bucket++) {
      int here = bucket;
      List<PlanObject> members =
          new ArrayList<>(
              objects.stream().filter(o -> Buckets.of(o.id(), buckets) == here).toList());
      List<StoredBlock> stored =
          new ArrayList<>(
              map.stream().filter(b -> bucketOfShard.get(b.metaShardId()) == here).toList());
      Collections.shuffle(members, shuffle);
      Collections.shuffle(stored, shuffle);
      List<MissingObject> gone =
          new ArrayList<>(
              missing.stream().filter(o -> Buckets.of(o.object().id(), buckets) == here).toList());
      Collections.shuffle(gone, shuffle);
      inputs.add(new BucketInput(bucket, members, gone, stored));
    }
    Collections.shuffle(inputs, shuffle);
    return inputs;
  }

  /** Plans, with everything in an order given by the seed. */
  Result plan(long orderSeed) {
    Width width = Width.of(options, sites);
    List<BucketInput> inputs = inputs(new Random(orderSeed));
    BucketPlanner planner =
        BucketPlanner.of(options, width, places, deadlines, any -> new MemoryBuckets(inputs, any));
    NightPlanner planning = new NightPlanner(options, width, new TierRooms(places, sites));
    AllBuckets all = new MemoryBuckets(inputs, planner);
    Night night = planning.plan(all);
    BucketPlanner.Placing placing = planning.placing(all, night, sites, "run " + sequence);
    List<PlannedBlock> blocks = new ArrayList<>();
    for (BucketInput input : inputs) {
      blocks.addAll(planner.plan(input, night.choice(), night.step(), placing));
    }
    blocks.sort(
        java.util.Comparator.comparing(PlannedBlock::metaShardId)
            .thenComparingInt(PlannedBlock::blockIndex));
    Set<String> dropped = new HashSet<>();
    for (BucketInput input : inputs) {
      planner.dropped(input).forEach(object -> dropped.add(object.objectId()));
    }
    return new Result(night, blocks, dropped);
  }

  /** What a reshard and its commit make of the map. */
  void write(Result result) {
    sequence++;
    Set<String> leaving = result.chosen();
    leaving.addAll(result.dropped());
    List<StoredBlock> after = new ArrayList<>();
    Set<String> served = new HashSet<>();
    for (StoredBlock b : map) {
      StoredBlock now = b.live() && leaving.contains(b.objectId()) ? b.dead(deadlines.now()) : b;
      after.add(now);
      if (now.live() && now.blockIndex() < now.k()) {
        served.add(now.metaShardId());
      }
    }
    after.removeIf(b -> !served.contains(b.metaShardId()));
    for (PlannedBlock b : result.blocks()) {
      after.add(StoredBlock.of(b));
      bucketOfShard.put(b.metaShardId(), b.bucket());
    }
    map = after;
  }

  /** Physical bytes of the map for each logical byte served. */
  double storageRatio() {
    long physical = map.stream().mapToLong(StoredBlock::length).sum();
    long logical = logicalBytes();
    return logical == 0 ? 0 : (double) physical / logical;
  }

  /** Bytes of the objects that the map serves. */
  long logicalBytes() {
    Map<String, Long> logical = new HashMap<>();
    for (StoredBlock b : map) {
      if (b.live() && b.blockIndex() < b.k()) {
        logical.put(b.objectId(), b.objectBytes());
      }
    }
    return logical.values().stream().mapToLong(Long::longValue).sum();
  }
}
