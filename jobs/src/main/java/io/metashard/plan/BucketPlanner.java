package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import io.metashard.plan.Tally.Measure;
import java.io.Serializable;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Plans one bucket of the shard map by itself: which of its objects want encoding, what storage a
 * choice of them takes, and their blocks.
 *
 * <p>Pure, and independent of the order of its input. What buckets must agree on (the {@link
 * Choice}, the step, room at limited sites) is passed in.
 */
public record BucketPlanner(PlanOptions options, Width width) implements Serializable {

  /**
   * What all buckets share when blocks are placed.
   *
   * @param sites with the room that all buckets together may use
   * @param allNewBytes physical bytes that all buckets together add; a bucket's share of limited
   *     room is its share of these
   * @param runKey makes meta-shard ids unique among runs: run id and map sequence
   */
  public record Placing(List<Site> sites, long allNewBytes, String runKey) implements Serializable {
    public Placing {
      // ArrayList and List.of are both serializable; copyOf gives the latter.
      sites = List.copyOf(sites);
    }
  }

  /** The objects that want encoding, in rank order. */
  public List<Candidate> candidates(BucketInput input, Pressure pressure, int idealStep) {
    StoredBucket stored = new StoredBucket(input);
    ShapePolicy policy = ShapePolicy.of(options, width);
    List<Candidate> candidates = new ArrayList<>();
    for (PlanObject object : input.objects()) {
      stored
          .priority(
              object, policy, pressure, idealStep, options.storageBudget(), width.leastRatio())
          .map(priority -> Candidate.of(object, priority))
          .ifPresent(candidates::add);
    }
    candidates.sort(Candidate.ORDER);
    return candidates;
  }

  /** What all objects would take if nothing were stored yet, at each of the steps. */
  public Tally tallyFromScratch(BucketInput input, List<Integer> steps) {
    Tally.Counter counter = new Tally.Counter();
    input.objects().forEach(object -> counter.add(Measure.CHOSEN_BYTES, object.bytes()));
    countNew(input.objects(), steps, counter);
    return counter.tally();
  }

  /** What the bucket holds and would hold, with the chosen objects encoded at each of the steps. */
  public Tally tally(BucketInput input, Choice choice, List<Integer> steps) {
    Tally.Counter counter = new Tally.Counter();
    List<Candidate> candidates = candidates(input, choice.pressure(), choice.idealStep());
    Set<String> chosen = new HashSet<>();
    for (Candidate candidate : candidates) {
      boolean isChosen = choice.selection().contains(candidate);
      if (isChosen) {
        chosen.add(candidate.objectId());
      }
      switch (candidate.priority()) {
        case STALE -> counter.add(isChosen ? Measure.CHOSEN_STALE : Measure.WAITING_STALE, 1);
        case NEW -> counter.add(isChosen ? Measure.CHOSEN_NEW : Measure.WAITING_NEW, 1);
        case RESHAPE -> counter.add(isChosen ? Measure.CHOSEN_RESHAPE : Measure.WAITING_RESHAPE, 1);
      }
      if (candidate.bytes() > choice.selection().longestBytes()
          && candidate.priority() != Candidate.Priority.RESHAPE) {
        counter.add(Measure.OBJECTS_TOO_LONG, 1);
      }
    }
    long notEncoded =
        candidates.stream().filter(c -> c.priority() != Candidate.Priority.RESHAPE).count();
    counter.add(Measure.OBJECTS_PRESENT, input.objects().size());
    counter.add(Measure.OBJECTS_ENCODED, input.objects().size() - notEncoded);
    List<PlanObject> objects = only(chosen, input.objects());
    objects.forEach(object -> counter.add(Measure.CHOSEN_BYTES, object.bytes()));
    new StoredBucket(input).count(chosen, counter);
    countNew(objects, steps, counter);
    return counter.tally();
  }

  private void countNew(List<PlanObject> objects, List<Integer> steps, Tally.Counter counter) {
    for (int step : steps) {
      long bytes = 0;
      for (GroupShard shard : shards(objects, step)) {
        bytes = Math.addExact(bytes, shard.shard().physicalBytes());
      }
      counter.addNew(step, bytes);
    }
  }

  /**
   * The blocks to be written for the chosen objects, sorted by meta-shard and block index.
   *
   * @throws PlanRefusedException if limited sites have no room left for a meta-shard
   */
  public List<PlannedBlock> plan(BucketInput input, Choice choice, int step, Placing placing) {
    Set<String> chosen = new HashSet<>();
    for (Candidate candidate : candidates(input, choice.pressure(), choice.idealStep())) {
      if (choice.selection().contains(candidate)) {
        chosen.add(candidate.objectId());
      }
    }
    List<GroupShard> shards = shards(only(chosen, input.objects()), step);
    long newBytes = shards.stream().mapToLong(shard -> shard.shard().physicalBytes()).sum();
    Placement placement =
        new Placement(
            placing.sites().stream()
                .map(site -> share(site, newBytes, placing.allNewBytes()))
                .toList());
    new StoredBucket(input).load(chosen, placement);

    List<Named> named = new ArrayList<>();
    String run = "%012x".formatted(Hash.of(placing.runKey()) >>> 16);
    for (GroupShard shard : shards) {
      String id = "%s-%s%04x%06x".formatted(prefix(shard), run, input.bucket(), named.size());
      named.add(new Named(id, shard));
    }
    named.sort(Named.HOTTEST_FIRST);
    List<PlannedBlock> blocks = new ArrayList<>();
    for (Named shard : named) {
      List<String> sites = placement.place(shard.shard().shard(), shard.id());
      addBlocks(input.bucket(), shard, sites, blocks);
    }
    blocks.sort(
        Comparator.comparing(PlannedBlock::metaShardId).thenComparingInt(PlannedBlock::blockIndex));
    return blocks;
  }

  /** A meta-shard and the group of its objects. */
  private record GroupShard(String group, MetaShard shard) {
    /** Expected bytes read of its most read block. */
    double hottest() {
      double hottest = 0;
      for (Piece piece : shard.data()) {
        hottest = Math.max(hottest, shard.readBytes(piece));
      }
      return hottest;
    }
  }

  private record Named(String id, GroupShard shard) {
    static final Comparator<Named> HOTTEST_FIRST =
        Comparator.comparingDouble((Named named) -> named.shard().hottest())
            .reversed()
            .thenComparing(Named::id);
  }

  private static List<PlanObject> only(Set<String> ids, List<PlanObject> objects) {
    return objects.stream().filter(object -> ids.contains(object.id())).toList();
  }

  /** All meta-shards of the objects, in an order that depends on nothing but the objects. */
  private List<GroupShard> shards(List<PlanObject> objects, int step) {
    ShapePolicy policy = ShapePolicy.of(options, width);
    Map<String, List<PlanObject>> groups = new TreeMap<>();
    objects.stream()
        .sorted(Comparator.comparing(PlanObject::id))
        .forEach(o -> groups.computeIfAbsent(o.group(), group -> new ArrayList<>()).add(o));
    List<GroupShard> shards = new ArrayList<>();
    groups.forEach(
        (group, members) -> {
          List<PlanObject> filled = new ArrayList<>();
          for (PlanObject object : members) {
            if (object.bytes() == 0) {
              shards.add(new GroupShard(group, empty(object)));
            } else {
              filled.add(object);
            }
          }
          policy.shape(filled, step).forEach(shard -> shards.add(new GroupShard(group, shard)));
        });
    return shards;
  }

  /** An empty object is one meta-shard of length 0, so that it is in the map. */
  private MetaShard empty(PlanObject object) {
    return new MetaShard(Form.COPIES, width.shape(1), List.of(Piece.whole(object, 0)));
  }

  private static Site share(Site site, long newBytes, long allNewBytes) {
    if (!site.isLimited() || newBytes == allNewBytes) {
      return site;
    }
    return site.withRoom(
        BigInteger.valueOf(site.roomBytes())
            .multiply(BigInteger.valueOf(newBytes))
            .divide(BigInteger.valueOf(allNewBytes))
            .longValueExact());
  }

  /** Sorting by it spreads objects evenly and keeps what begins with one object together. */
  private static String prefix(GroupShard shard) {
    Piece first = shard.shard().data().get(0);
    long members = 0;
    for (Piece piece : shard.shard().data()) {
      members = Hash.of(members, Hash.of(piece.object().id()), piece.offset());
    }
    return "%08x%08x"
        .formatted((int) (Hash.of(first.object().id()) >>> 32), (int) (members >>> 32));
  }

  private static void addBlocks(
      int bucket, Named named, List<String> sites, List<PlannedBlock> blocks) {
    MetaShard shard = named.shard().shard();
    long blockBytes = shard.blockBytes();
    for (int index = 0; index < shard.shape().blocks(); index++) {
      Optional<Piece> piece =
          index < shard.shape().k() ? Optional.of(shard.data().get(index)) : Optional.empty();
      Optional<PlanObject> object = piece.map(Piece::object);
      double expected = piece.map(p -> p.forecast().expectedRequests()).orElse(0.0);
      blocks.add(
          new PlannedBlock(
              bucket,
              named.id(),
              shard.shape().codec(),
              shard.shape().k(),
              shard.shape().m(),
              index,
              object.map(PlanObject::id).orElse(null),
              object.map(PlanObject::version).orElse(null),
              object.map(PlanObject::uri).orElse(null),
              object.map(PlanObject::bytes).orElse(0L),
              piece.map(Piece::segment).orElse(-1),
              piece.map(Piece::offset).orElse(0L),
              piece.map(Piece::length).orElse(blockBytes),
              blockBytes,
              sites.get(index),
              named.shard().group(),
              shard.form().word(),
              expected,
              HeatClass.of(expected)));
    }
  }
}
