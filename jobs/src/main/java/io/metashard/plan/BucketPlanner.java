package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import io.metashard.plan.Tally.Measure;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Plans one bucket of the shard map by itself: which of its objects want encoding, what storage a
 * choice of them takes, and their blocks.
 *
 * <p>Pure, and independent of the order of its input. What buckets must agree on (the {@link
 * Choice}, the step, room at limited sites) is passed in.
 */
public record BucketPlanner(
    PlanOptions options, Width width, Traffic traffic, Places places, Deadlines deadlines)
    implements Serializable {
  private static final double MICROS = 1000; // in a millisecond

  /** So that no sum of buckets overflows. */
  private static final double MOST_MILLIS = 1e13;

  /**
   * What all buckets share when blocks are placed.
   *
   * @param sites with the room that all buckets together may use
   * @param allNewBytes physical bytes that all buckets together add; a bucket's share of limited
   *     room is its share of these
   * @param runKey makes meta-shard ids unique among runs: run id and map sequence
   * @param fill how much of each tier is for what; {@link TierFill#NONE} where tiers are not told
   *     apart
   * @param hottest what is placed for all buckets together
   */
  public record Placing(
      List<Site> sites, long allNewBytes, String runKey, TierFill fill, Hottest hottest)
      implements Serializable {
    public Placing {
      // ArrayList and List.of are both serializable; copyOf gives the latter.
      sites = List.copyOf(sites);
    }

    /** Where tiers are not told apart, and a bucket stands by itself. */
    public Placing(List<Site> sites, long allNewBytes, String runKey) {
      this(sites, allNewBytes, runKey, TierFill.NONE, Hottest.NONE);
    }

    Placing with(Hottest placed) {
      return new Placing(sites, allNewBytes, runKey, fill, placed);
    }
  }

  /**
   * A planner that knows how busy locations will be, where the policy asks for it.
   *
   * @param places where blocks are, of which the active ones serve reads
   * @param deadlines of what blocks may be kept
   * @param buckets what a planner is to plan, to be looked at once
   */
  public static BucketPlanner of(
      PlanOptions options,
      Width width,
      Places places,
      Deadlines deadlines,
      Function<BucketPlanner, AllBuckets> buckets) {
    BucketPlanner untold = new BucketPlanner(options, width, Traffic.NONE, places, deadlines);
    return options.policy() == PlanOptions.Policy.BALANCED
        ? new BucketPlanner(
            options,
            width,
            buckets.apply(untold).units().traffic(options, width, places.active().size()),
            places,
            deadlines)
        : untold;
  }

  /** The same for a lake in which nothing has been missing or dead for too long. */
  public static BucketPlanner of(
      PlanOptions options,
      Width width,
      Places places,
      Function<BucketPlanner, AllBuckets> buckets) {
    return of(options, width, places, Deadlines.NONE, buckets);
  }

  /** How many objects and segments of each kind there are, to find the traffic from. */
  public Units units(BucketInput input) {
    Units.Counter counter = new Units.Counter();
    input.encodable(deadlines).forEach(object -> Balanced.count(object, options, counter));
    return counter.units();
  }

  private ShapePolicy policy() {
    return ShapePolicy.of(options, width, traffic);
  }

  /** How wide meta-shards may be of what the map alone has. */
  private Width widthOfReleased() {
    return width.surviving(PlanOptions.SURVIVE_RELEASED);
  }

  private ShapePolicy policyOfReleased() {
    return ShapePolicy.of(options, widthOfReleased(), traffic);
  }

  private static boolean isReleased(PlanObject object) {
    return object.source() == PlanObject.Source.RELEASED;
  }

  /** The objects that want encoding, in rank order. */
  public List<Candidate> candidates(BucketInput input, Pressure pressure, Ideal ideal) {
    StoredBucket stored = new StoredBucket(input, deadlines);
    StoredBucket.Asked asked = new StoredBucket.Asked(policy(), options.survive(), width);
    StoredBucket.Asked ofReleased =
        new StoredBucket.Asked(
            policyOfReleased(),
            Math.max(options.survive(), widthOfReleased().m()),
            widthOfReleased());
    List<Candidate> candidates = new ArrayList<>();
    for (PlanObject object : input.encodable(deadlines)) {
      stored
          .candidate(
              object, isReleased(object) ? ofReleased : asked, pressure, ideal, options, places)
          .ifPresent(candidates::add);
    }
    candidates.sort(Candidate.ORDER);
    return candidates;
  }

  /** What all objects would take if nothing were stored yet, at each of the steps. */
  public Tally tallyFromScratch(BucketInput input, List<Integer> steps) {
    Tally.Counter counter = new Tally.Counter();
    List<PlanObject> objects = input.encodable(deadlines);
    objects.forEach(object -> counter.add(Measure.CHOSEN_BYTES, object.bytes()));
    countNew(objects, steps, counter);
    return counter.tally();
  }

  /** What the bucket holds and would hold, with the chosen objects encoded at each of the steps. */
  public Tally tally(BucketInput input, Choice choice, List<Integer> steps) {
    Tally.Counter counter = new Tally.Counter();
    List<Candidate> candidates = candidates(input, choice.pressure(), choice.ideal());
    Set<String> chosen = new HashSet<>();
    for (Candidate candidate : candidates) {
      boolean isChosen = choice.selection().contains(candidate);
      if (isChosen) {
        chosen.add(candidate.objectId());
      }
      counter.add(candidate.priority().measure(isChosen), 1);
      if (candidate.bytes() > choice.selection().longestBytes() && candidate.priority().isDue()) {
        counter.add(Measure.OBJECTS_TOO_LONG, 1);
      }
    }
    long notEncoded = candidates.stream().filter(c -> c.priority().isFirstEncoding()).count();
    List<PlanObject> encodable = input.encodable(deadlines);
    long present =
        encodable.stream().filter(one -> one.source() == PlanObject.Source.PRESENT).count();
    counter.add(Measure.OBJECTS_PRESENT, present);
    counter.add(Measure.OBJECTS_ENCODED, present - notEncoded); // those have a source
    List<PlanObject> objects = only(chosen, encodable);
    objects.forEach(object -> counter.add(Measure.CHOSEN_BYTES, object.bytes()));
    StoredBucket stored = new StoredBucket(input, deadlines);
    stored.count(chosen, counter);
    counter.add(Measure.READ_MICROS, plainMicros(input, chosen, stored));
    counter.add(Measure.OBJECTS_DROPPED, stored.dropped().size());
    counter.add(Measure.META_SHARDS_STUCK, stored.stuckShards());
    counter.add(Measure.OBJECTS_STUCK, stored.stuck(encodable, options, places));
    countNew(objects, steps, counter);
    return counter.tally();
  }

  /** The objects that leave the map because their sources are missing for too long, by id. */
  public List<DroppedObject> dropped(BucketInput input) {
    return new StoredBucket(input, deadlines).dropped();
  }

  private void countNew(List<PlanObject> objects, List<Integer> steps, Tally.Counter counter) {
    Policies policies = policies();
    for (int step : steps) {
      long bytes = 0;
      for (Grouped grouped : bundles(objects, policies, step)) {
        bytes = Math.addExact(bytes, grouped.bundle().physicalBytes());
      }
      counter.addNew(step, bytes);
    }
  }

  /** What all objects would ask of tiers, and what of the stored ones does not suit its tier. */
  public TierDemand tierDemandOfAll(BucketInput input, int step) {
    Tiers tiers = Tiers.of(places);
    Map<TierColumn, Long> rising = new TreeMap<>();
    StoredBucket stored = new StoredBucket(input, deadlines);
    List<PlanObject> objects = input.encodable(deadlines);
    for (PlanObject object : objects) {
      for (StoredColumn column : stored.columns(object, options)) {
        int at = tiers.indexOf(places.tier(column.location()));
        if (column.moved() && at > 0) {
          rising.merge(
              new TierColumn(at, at, TierColumn.heatOf(column.readMillis(), column.bytes())),
              column.bytes(),
              Math::addExact);
        }
      }
    }
    Map<String, Long> storedAt = new TreeMap<>();
    input.stored().forEach(b -> storedAt.merge(b.location(), b.length(), Math::addExact));
    return new TierDemand(columns(bundles(objects, policies(), step), tiers), rising, storedAt);
  }

  /** What the chosen objects ask of tiers. */
  public TierDemand tierDemand(BucketInput input, Choice choice, int step) {
    return new TierDemand(
        columns(
            bundles(only(chosen(input, choice), input.encodable(deadlines)), policies(), step),
            Tiers.of(places)),
        Map.of(),
        Map.of());
  }

  private Map<TierColumn, Long> columns(List<Grouped> bundles, Tiers tiers) {
    Map<TierColumn, Long> columns = new TreeMap<>();
    for (Grouped grouped : bundles) {
      count(Placement.columns(grouped.bundle(), options.reading(), tiers), columns);
    }
    return columns;
  }

  private static void count(List<Hot.Column> some, Map<TierColumn, Long> columns) {
    some.forEach(one -> columns.merge(one.tiers(), one.bytes(), Math::addExact));
  }

  private Set<String> chosen(BucketInput input, Choice choice) {
    Set<String> chosen = new HashSet<>();
    for (Candidate candidate : candidates(input, choice.pressure(), choice.ideal())) {
      if (choice.selection().contains(candidate)) {
        chosen.add(candidate.objectId());
      }
    }
    return chosen;
  }

  /**
   * The blocks to be written for the chosen objects, sorted by meta-shard and block index.
   *
   * @throws PlanRefusedException if limited sites have no room left for a meta-shard
   */
  public List<PlannedBlock> plan(BucketInput input, Choice choice, int step, Placing placing) {
    Set<String> chosen = chosen(input, choice);
    List<Named> named = named(input, chosen, step, placing.runKey());
    Hottest hottest = placing.hottest();
    Placement placement =
        placement(
            named.stream().map(Named::hot).filter(hot -> !hottest.has(hot.id())).toList(), placing);
    StoredBucket stored = new StoredBucket(input, deadlines);
    List<Hot> kept = stored.hot(chosen, options.reading());
    double plainMillis = plainMicros(input, chosen, stored) / MICROS;
    for (Hot hot : kept) {
      boolean counted = hottest.has(hot.id());
      plainMillis -= counted ? hot.plainMillis() : 0;
      for (Hot.Column column : hot.columns()) {
        placement.add(column.location(), column.bytes(), counted ? 0 : column.readMillis());
      }
    }
    for (Named each : named) {
      plainMillis -= hottest.has(each.hot().id()) ? each.hot().plainMillis() : 0;
    }
    double part = hottest.part(plainMillis);
    hottest.millisAt().forEach((location, millis) -> placement.add(location, 0, part * millis));
    List<PlannedBlock> blocks = new ArrayList<>();
    for (Named each : named) {
      List<String> sites = hottest.sites().get(each.hot().id());
      addBlocks(input.bucket(), each, sites == null ? placement.place(each.hot()) : sites, blocks);
    }
    blocks.sort(
        Comparator.comparing(PlannedBlock::metaShardId).thenComparingInt(PlannedBlock::blockIndex));
    return blocks;
  }

  /** The bucket's most read meta-shards, new ones and those that stay, the hottest first. */
  public List<Hot> hottest(BucketInput input, Choice choice, int step, String runKey) {
    Set<String> chosen = chosen(input, choice);
    List<Hot> hot =
        new ArrayList<>(new StoredBucket(input, deadlines).hot(chosen, options.reading()));
    named(input, chosen, step, runKey).forEach(named -> hot.add(named.hot()));
    return hot.stream()
        .filter(one -> one.hottestMillis() > 0)
        .sorted(Hot.ORDER)
        .limit(Hot.MOST)
        .toList();
  }

  /**
   * Where the most read of all buckets are to be.
   *
   * @param hottest of all, in order
   * @param allMicros {@link Measure#READ_MICROS} of all buckets
   */
  Hottest placed(List<Hot> hottest, Placing placing, long allMicros) {
    List<Hot> fresh = hottest.stream().filter(hot -> !hot.isStored()).toList();
    return Hottest.of(hottest, placement(fresh, placing), allMicros / MICROS);
  }

  /** Expected reading of all that the bucket will hold, were nothing coded. */
  private long plainMicros(BucketInput input, Set<String> chosen, StoredBucket stored) {
    double millis = stored.plainMillis(chosen, options.reading());
    for (PlanObject object : input.encodable(deadlines)) {
      if (chosen.contains(object.id())) {
        for (PlanSegment segment : object.segments()) {
          long bytes = object.segmentation().length(segment.segment());
          millis += options.reading().loadMillis(segment.expectedRequests(), bytes);
        }
      }
    }
    return Math.round(Math.min(MOST_MILLIS, millis) * MICROS);
  }

  /** New meta-shards, the hottest first. */
  private List<Named> named(BucketInput input, Set<String> chosen, int step, String runKey) {
    List<Named> named = new ArrayList<>();
    String run = "%012x".formatted(Hash.of(runKey) >>> 16);
    Tiers known = Tiers.of(places);
    Tiers tiers = known.areOne() ? Tiers.NONE : known; // a logarithm a column less
    int shards = 0;
    List<PlanObject> objects = only(chosen, input.encodable(deadlines));
    for (Grouped grouped : bundles(objects, policies(), step)) {
      List<String> ids = new ArrayList<>();
      for (int row = 0; row < grouped.bundle().rows().size(); row++) {
        ids.add(
            "%s%03x-%s%04x%06x"
                .formatted(prefix(grouped.bundle()), row, run, input.bucket(), shards++));
      }
      named.add(
          new Named(
              ids, grouped, Placement.hot(grouped.bundle(), ids.get(0), options.reading(), tiers)));
    }
    named.sort(Named.HOTTEST_FIRST);
    return named;
  }

  /** Meta-shards and the group of their objects. */
  private record Grouped(String group, Bundle bundle) {}

  /**
   * @param ids of the meta-shards
   * @param hot their columns
   */
  private record Named(List<String> ids, Grouped grouped, Hot hot) {
    static final Comparator<Named> HOTTEST_FIRST = Comparator.comparing(Named::hot, Hot.ORDER);
  }

  private static List<PlanObject> only(Set<String> ids, List<PlanObject> objects) {
    return objects.stream().filter(object -> ids.contains(object.id())).toList();
  }

  /**
   * @param ofReleased of what the map alone has
   */
  private record Policies(ShapePolicy ofOthers, ShapePolicy ofReleased) {}

  private Policies policies() {
    return new Policies(policy(), policyOfReleased());
  }

  /** All meta-shards of the objects, in an order that depends on nothing but the objects. */
  private List<Grouped> bundles(List<PlanObject> objects, Policies policies, int step) {
    // What must survive more is not packed with others: it would cost their bytes, too.
    List<Grouped> bundles =
        bundles(
            objects.stream().filter(object -> !isReleased(object)).toList(),
            width,
            policies.ofOthers(),
            step);
    bundles.addAll(
        bundles(
            objects.stream().filter(BucketPlanner::isReleased).toList(),
            widthOfReleased(),
            policies.ofReleased(),
            step));
    return bundles;
  }

  private static List<Grouped> bundles(
      List<PlanObject> objects, Width width, ShapePolicy policy, int step) {
    Map<String, List<PlanObject>> groups = new TreeMap<>();
    objects.stream()
        .sorted(Comparator.comparing(PlanObject::id))
        .forEach(o -> groups.computeIfAbsent(o.group(), group -> new ArrayList<>()).add(o));
    List<Grouped> bundles = new ArrayList<>();
    groups.forEach(
        (group, members) -> {
          List<PlanObject> filled = new ArrayList<>();
          for (PlanObject object : members) {
            if (object.bytes() == 0) {
              bundles.add(new Grouped(group, empty(object, width)));
            } else {
              filled.add(object);
            }
          }
          policy.shape(filled, step).forEach(bundle -> bundles.add(new Grouped(group, bundle)));
        });
    return bundles;
  }

  /** An empty object is one meta-shard of length 0, so that it is in the map. */
  private static Bundle empty(PlanObject object, Width width) {
    return Bundle.of(new MetaShard(Form.COPIES, width.shape(1), List.of(Piece.whole(object, 0))));
  }

  private Placement placement(List<Hot> fresh, Placing placing) {
    long newBytes = fresh.stream().mapToLong(Hot::bytes).sum();
    if (placing.fill().isNone()) {
      return new Placement(
          placing.sites().stream()
              .map(site -> share(site, newBytes, placing.allNewBytes()))
              .toList(),
          options.reading());
    }
    Tiers tiers = Tiers.of(places);
    TierFill fill = placing.fill();
    Map<TierColumn, Long> columns = new TreeMap<>();
    fresh.forEach(hot -> count(hot.columns(), columns));
    TierQuota quota = fill.quota(columns, newBytes, placing.allNewBytes());
    List<Site> sites = new ArrayList<>();
    for (Site site : placing.sites()) {
      int tier = tiers.indexOf(site.tier());
      long room = fill.room().get(tier);
      sites.add(
          room == Long.MAX_VALUE
              ? share(site, newBytes, placing.allNewBytes())
              : share(site, quota.left(tier), room));
    }
    return new Placement(sites, options.reading(), tiers, quota);
  }

  /** The room of a site that is for so much of all. */
  private static Site share(Site site, long bytes, long all) {
    return site.isLimited() ? site.withRoom(TierFill.part(site.roomBytes(), bytes, all)) : site;
  }

  /**
   * 13 hex digits; sorting by them spreads objects evenly, keeps together what begins with one
   * object, and, with the row after them, writes the rows of a bundle one after the other.
   */
  private static String prefix(Bundle bundle) {
    Piece first = bundle.rows().get(0).data().get(0);
    long members = 0;
    for (MetaShard row : bundle.rows()) {
      for (Piece piece : row.data()) {
        members = Hash.of(members, Hash.of(piece.object().id()), piece.offset());
      }
    }
    return "%08x%05x".formatted((int) (Hash.of(first.object().id()) >>> 32), members >>> 44);
  }

  private static void addBlocks(
      int bucket, Named named, List<String> sites, List<PlannedBlock> blocks) {
    Bundle bundle = named.grouped().bundle();
    for (int row = 0; row < bundle.rows().size(); row++) {
      MetaShard shard = bundle.rows().get(row);
      List<String> at = new ArrayList<>();
      bundle.columnOf().get(row).forEach(column -> at.add(sites.get(column)));
      at.addAll(sites.subList(bundle.columns(), sites.size()));
      addBlocks(bucket, named.ids().get(row), named.grouped().group(), shard, at, blocks);
    }
  }

  private static void addBlocks(
      int bucket,
      String id,
      String group,
      MetaShard shard,
      List<String> sites,
      List<PlannedBlock> blocks) {
    long blockBytes = shard.blockBytes();
    for (int index = 0; index < shard.shape().blocks(); index++) {
      Optional<Piece> piece =
          index < shard.shape().k() ? Optional.of(shard.data().get(index)) : Optional.empty();
      Optional<PlanObject> object = piece.map(Piece::object);
      double expected = piece.map(p -> p.forecast().expectedRequests()).orElse(0.0);
      blocks.add(
          new PlannedBlock(
              bucket,
              id,
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
              group,
              shard.form().word(),
              expected,
              HeatClass.of(expected)));
    }
  }
}
