package io.metashard.plan;

import io.metashard.plan.Candidate.Priority;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What one bucket of the map holds, and what of it a plan would keep. */
final class StoredBucket {
  /** Meta-shards with a smaller share of live data are written anew. */
  private static final double LEAST_LIVE_SHARE = 0.5;

  /** What the last bytes of odd lengths cost is not worth a move. */
  private static final double TIGHTER_TOLERANCE = 1.02;

  private final Map<String, Shard> shards = new TreeMap<>();
  private final Map<String, Integer> widestOfBundle = new HashMap<>();
  private final Map<String, List<StoredBlock>> liveByObject = new HashMap<>();
  private final Set<String> stale = new HashSet<>();
  private final Map<String, DroppedObject> dropped = new TreeMap<>();
  private final Deadlines deadlines;

  /** A meta-shard as it is stored. */
  private static final class Shard {
    private final List<StoredBlock> blocks = new ArrayList<>();
    private final Set<String> objects = new HashSet<>();
    private final Set<Integer> segments = new HashSet<>();
    private long physicalBytes;
    private long dataBytes;
    private long liveBytes; // of data whose source is not known to have changed
    private Instant deadSince = Instant.MAX; // of what is dead for longest
    private boolean isServed;
    private boolean isBound; // to an object that the catalogue does not know

    private double liveShare() {
      return dataBytes == 0 ? 1 : (double) liveBytes / dataBytes;
    }
  }

  /** What it holds once objects are dropped whose sources are missing for too long. */
  StoredBucket(BucketInput input, Deadlines deadlines) {
    this.deadlines = deadlines;
    Set<String> present = new HashSet<>();
    List<PlanObject> encodable = input.encodable(deadlines);
    encodable.forEach(object -> present.add(object.id()));
    List<StoredBlock> kept = withoutDropped(input);
    for (StoredBlock block : kept) {
      if (block.live() && !block.isParity()) {
        liveByObject.computeIfAbsent(block.objectId(), id -> new ArrayList<>()).add(block);
      }
    }
    for (PlanObject object : encodable) {
      List<StoredBlock> live = liveByObject.get(object.id());
      if (live != null && !live.get(0).objectVersion().equals(object.version())) {
        stale.add(object.id());
      }
    }
    for (StoredBlock block : kept) {
      Shard shard = shards.computeIfAbsent(block.metaShardId(), id -> new Shard());
      shard.blocks.add(block);
      shard.physicalBytes += block.length();
      if (!block.isParity()) {
        shard.dataBytes += block.length();
        shard.objects.add(block.objectId());
        shard.segments.add(block.segment());
        widestOfBundle.merge(bundle(block), block.k(), Math::max);
        if (block.live() && !stale.contains(block.objectId())) {
          shard.liveBytes += block.length();
        }
        if (block.live()) {
          shard.isServed = true;
          shard.isBound |= !present.contains(block.objectId());
        } else if (block.deadSince().isBefore(shard.deadSince)) {
          shard.deadSince = block.deadSince();
        }
      }
    }
    if (!dropped.isEmpty()) {
      shards.values().removeIf(shard -> !shard.isServed);
    }
  }

  /** The blocks, of which those of dropped objects are dead from now on. */
  private List<StoredBlock> withoutDropped(BucketInput input) {
    Map<String, Instant> missing = new HashMap<>();
    for (MissingObject object : input.missing()) {
      if (deadlines.isDropped(object.since())) {
        missing.put(object.object().id(), object.since());
      }
    }
    if (missing.isEmpty()) {
      return input.stored();
    }
    List<StoredBlock> blocks = new ArrayList<>();
    for (StoredBlock block : input.stored()) {
      Instant since = block.live() && !block.isParity() ? missing.get(block.objectId()) : null;
      if (since == null) {
        blocks.add(block);
      } else {
        blocks.add(block.dead(deadlines.now()));
        dropped.put(
            block.objectId(), new DroppedObject(block.objectId(), block.objectBytes(), since));
      }
    }
    return blocks;
  }

  /** Objects of the map whose sources are missing for too long, by id. */
  List<DroppedObject> dropped() {
    return List.copyOf(dropped.values());
  }

  /**
   * What is asked of an object.
   *
   * @param survive domains that may be lost
   * @param width of its meta-shards at most
   */
  record Asked(ShapePolicy policy, int survive, Width width) {}

  /** The object as one that should be encoded; empty when it is well as it is. */
  Optional<Candidate> candidate(
      PlanObject object,
      Asked asked,
      Pressure pressure,
      Ideal ideal,
      PlanOptions options,
      Places places) {
    double leastRatio = asked.width().leastRatio();
    List<StoredBlock> live = liveByObject.get(object.id());
    if (live == null) {
      return Optional.of(Candidate.of(object, Priority.NEW, object.expectedRequests()));
    }
    if (stale.contains(object.id())) {
      return Optional.of(Candidate.of(object, Priority.STALE, object.expectedRequests()));
    }
    Set<String> unsafe = unsafe(live, asked.survive(), places);
    if (!unsafe.isEmpty()) {
      int survived = Integer.MAX_VALUE;
      for (StoredBlock block : live) {
        survived = Math.min(survived, survived(shards.get(block.metaShardId()), places));
      }
      return Optional.of(Candidate.leaving(object, Priority.UNSAFE, survived + 1, unsafe));
    }
    Optional<Candidate> erased = erased(object, live);
    if (erased.isPresent()) {
      return erased;
    }
    double mostPerByte =
        switch (pressure) {
          case CALM -> Double.POSITIVE_INFINITY;
          case TIGHT -> options.storageBudget();
          case TIGHTER -> leastRatio * TIGHTER_TOLERANCE;
          case TIGHTEST -> 0;
        };
    double physical = 0;
    boolean isTidied = false;
    for (StoredBlock block : live) {
      Shard shard = shards.get(block.metaShardId());
      if (block.length() > 0) {
        physical += (double) shard.physicalBytes * block.length() / shard.liveBytes;
      }
      isTidied |= shard.liveShare() < LEAST_LIVE_SHARE;
    }
    if (isTidied || physical > mostPerByte * object.bytes()) {
      double freed = physical - leastRatio * object.bytes();
      return Optional.of(Candidate.of(object, Priority.TIDY, freed));
    }
    Set<String> left = left(live, places);
    if (!left.isEmpty()) {
      return Optional.of(Candidate.leaving(object, Priority.DRAIN, 0, left));
    }
    if (options.full()) {
      return Optional.of(Candidate.of(object, Priority.FULL, object.expectedRequests()));
    }
    Gain gain = asked.policy().gain(object, shape(live), ideal.step());
    if (ideal.rents().areKnown()) {
      gain = gain.plus(tierGain(object, options, places, ideal.rents(), physical));
    }
    return gain.isWorthIt(options.moveCost())
        ? Optional.of(Candidate.of(object, Priority.RESHAPE, gain.savedMillis()))
        : Optional.empty();
  }

  /** What it would save to have all that became hotter or colder at the tiers that are for it. */
  private Gain tierGain(
      PlanObject object, PlanOptions options, Places places, TierRents rents, double physical) {
    Tiers tiers = Tiers.of(places);
    double saved = 0;
    for (StoredColumn column : columns(object, options)) {
      int at = tiers.indexOf(places.tier(column.location()));
      if (column.moved() && at >= 0) {
        int first = tiers.column(column.needed(), 0, 1, 0, 0).first();
        saved += rents.savedMillis(at, first, column.readMillis(), column.bytes());
      }
    }
    return saved > 0
        ? new Gain(saved, options.reading().moveMillis(object.bytes(), physical))
        : Gain.NONE;
  }

  /**
   * The columns that reads of an object are served from, as its forecast is now; parity, too, where
   * it stands in for data.
   */
  List<StoredColumn> columns(PlanObject object, PlanOptions options) {
    List<StoredBlock> live = liveByObject.get(object.id());
    if (live == null || stale.contains(object.id())) {
      return List.of();
    }
    Map<String, Map<String, Column>> bundles = new TreeMap<>();
    Map<String, Map<String, Column>> then = new TreeMap<>();
    Map<String, Integer> needed = new HashMap<>();
    Set<String> seen = new HashSet<>();
    for (StoredBlock block : live) {
      String bundle = bundle(block);
      Shard shard = shards.get(block.metaShardId());
      column(bundles, bundle, block).add(block, requestsNow(object, block));
      column(then, bundle, block).add(block, block.expectedRequests());
      boolean spread = block.k() == 1 || shard.objects.size() == 1;
      needed.put(bundle, spread ? widestOfBundle.get(bundle) : 0);
      if (spread && seen.add(block.metaShardId())) {
        for (StoredBlock parity : shard.blocks) {
          if (parity.isParity()) {
            column(bundles, bundle, parity).bytes += parity.length();
          }
        }
      }
    }
    List<StoredColumn> columns = new ArrayList<>();
    bundles.forEach(
        (bundle, at) -> {
          double all = 0;
          Set<String> moved = new HashSet<>();
          for (Map.Entry<String, Column> entry : at.entrySet()) {
            Column now = entry.getValue();
            all += millis(now, options.reading());
            if (now.read > 0
                && HeatClass.distance(
                        HeatClass.of(then.get(bundle).get(entry.getKey()).meanRequests()),
                        HeatClass.of(now.meanRequests()))
                    >= options.hysteresisClasses()) {
              moved.add(entry.getKey());
            }
          }
          boolean spread = needed.get(bundle) > 0;
          for (Map.Entry<String, Column> entry : at.entrySet()) {
            columns.add(
                new StoredColumn(
                    entry.getKey(),
                    entry.getValue().bytes,
                    spread ? all / at.size() : millis(entry.getValue(), options.reading()),
                    Math.max(1, needed.get(bundle)),
                    spread ? !moved.isEmpty() : moved.contains(entry.getKey())));
          }
        });
    return columns;
  }

  private static double requestsNow(PlanObject object, StoredBlock block) {
    return block.segment() < object.segments().size()
        ? object.segments().get(block.segment()).expectedRequests()
        : block.expectedRequests(); // of another segmentation
  }

  private static Column column(
      Map<String, Map<String, Column>> bundles, String bundle, StoredBlock block) {
    return bundles
        .computeIfAbsent(bundle, b -> new TreeMap<>())
        .computeIfAbsent(block.location(), l -> new Column());
  }

  /**
   * How many domains may be lost, whichever they are, and the meta-shard still decodes: fewer than
   * its parity where some share a domain; -1 if it does not decode as it is.
   */
  private static int survived(Shard shard, Places places) {
    Map<String, Integer> byDomain = new HashMap<>();
    int left = 0;
    for (StoredBlock block : shard.blocks) {
      String domain = places.domains().get(block.location());
      if (domain != null) { // else it is nowhere that could be read
        byDomain.merge(domain, 1, Integer::sum);
        left++;
      }
    }
    List<Integer> mostFirst = new ArrayList<>(byDomain.values());
    mostFirst.sort(Comparator.reverseOrder());
    int survived = -1;
    for (int i = 0; left >= shard.blocks.get(0).k(); i++) {
      survived++;
      left -= mostFirst.get(i);
    }
    return survived;
  }

  /** Bundles that survive less than is asked for. */
  private Set<String> unsafe(List<StoredBlock> live, int survive, Places places) {
    Set<String> unsafe = new HashSet<>();
    for (StoredBlock block : live) {
      if (survived(shards.get(block.metaShardId()), places) < survive) {
        unsafe.add(bundle(block));
      }
    }
    return unsafe;
  }

  /** The object as one to leave meta-shards that keep bytes which are due to go. */
  private Optional<Candidate> erased(PlanObject object, List<StoredBlock> live) {
    int level = Candidate.LEVELS;
    Set<String> longest = new HashSet<>();
    for (StoredBlock block : live) {
      Shard shard = shards.get(block.metaShardId());
      // One that is bound would keep them all the same.
      if (deadlines.isErased(shard.deadSince) && !shard.isBound) {
        long days = deadlines.daysDue(shard.deadSince);
        int own = (int) Math.max(0, Candidate.LEVELS - 1 - days);
        if (own < level) {
          level = own;
          longest.clear();
        }
        if (own == level) {
          longest.add(bundle(block));
        }
      }
    }
    return longest.isEmpty()
        ? Optional.empty()
        : Optional.of(Candidate.leaving(object, Priority.ERASE, level, longest));
  }

  /** Meta-shards that keep bytes which are due to go, for objects not in the catalogue. */
  long stuckShards() {
    return shards.values().stream()
        .filter(shard -> shard.isBound && deadlines.isErased(shard.deadSince))
        .count();
  }

  /** Bundles with blocks at places that are to be empty. */
  private Set<String> left(List<StoredBlock> live, Places places) {
    Set<String> left = new HashSet<>();
    for (StoredBlock block : live) {
      if (isLeft(shards.get(block.metaShardId()), places)) {
        left.add(bundle(block));
      }
    }
    return left;
  }

  /**
   * Objects that should be encoded anew and cannot be: not in the catalogue, they stay in
   * meta-shards that survive too little, or at places that are to be empty.
   */
  long stuck(List<PlanObject> encodable, PlanOptions options, Places places) {
    Set<String> ids = new HashSet<>();
    encodable.forEach(object -> ids.add(object.id()));
    long stuck = 0;
    for (Map.Entry<String, List<StoredBlock>> entry : liveByObject.entrySet()) {
      List<StoredBlock> live = entry.getValue();
      if (!ids.contains(entry.getKey())
          && !(unsafe(live, options.survive(), places).isEmpty() && left(live, places).isEmpty())) {
        stuck++;
      }
    }
    return stuck;
  }

  private static boolean isLeft(Shard shard, Places places) {
    return shard.blocks.stream().anyMatch(block -> places.isLeft(block.location()));
  }

  /** How an object is stored, as far as it tells how long a read takes. */
  private StoredObject shape(List<StoredBlock> live) {
    Map<Integer, List<StoredBlock>> bySegment = new TreeMap<>();
    for (StoredBlock block : live) {
      if (block.length() > 0) {
        bySegment.computeIfAbsent(block.segment(), segment -> new ArrayList<>()).add(block);
      }
    }
    Map<Integer, StoredObject.Segment> segments = new HashMap<>();
    bySegment.forEach(
        (segment, blocks) ->
            segments.put(
                segment,
                new StoredObject.Segment(
                    shapeOfSegment(blocks), blocks.get(0).expectedRequests())));
    return new StoredObject(shapeOfWhole(live), segments);
  }

  private ReadShape shapeOfSegment(List<StoredBlock> blocks) {
    int slices = (int) blocks.stream().mapToLong(StoredBlock::objectOffset).distinct().count();
    int copies = blocks.size() / slices;
    StoredBlock first = blocks.get(0);
    if (blocks.stream().allMatch(this::isCopy)) {
      return ReadShape.own(1, copies * (1 + first.m()) - 1);
    }
    return blocks.stream().allMatch(this::isOfOneSegment)
        ? ReadShape.own(first.k(), first.m())
        : ReadShape.shared(slices, copies - 1);
  }

  private ReadShape shapeOfWhole(List<StoredBlock> blocks) {
    StoredBlock first = blocks.get(0);
    Set<String> bundles = new HashSet<>();
    Set<String> columns = new HashSet<>(); // what lies together is one request
    Set<Long> offsets = new HashSet<>();
    int widest = 1;
    for (StoredBlock block : blocks) {
      bundles.add(bundle(block));
      columns.add(bundle(block) + " " + block.location());
      offsets.add(block.objectOffset());
      widest = Math.max(widest, widestOfBundle.get(bundle(block)));
    }
    if (blocks.stream().allMatch(this::isCopy)) {
      long asLongAsMayBe = 1 + first.objectBytes() / ShapePrices.MOST_COLUMN_BYTES;
      return bundles.size() <= 2 * asLongAsMayBe
          ? ReadShape.own(1, first.m())
          : ReadShape.shared(bundles.size(), first.m());
    }
    if (blocks.stream().allMatch(block -> isOfOneObject(block) && !isOfOneSegment(block))) {
      return ReadShape.own(widest, first.m());
    }
    int copies = Math.max(1, blocks.size() / offsets.size());
    return ReadShape.shared(Math.max(1, columns.size() / copies), copies - 1);
  }

  /** In meta-shards of one data block. */
  private boolean isCopy(StoredBlock block) {
    return widestOfBundle.get(bundle(block)) == 1;
  }

  private boolean isOfOneObject(StoredBlock block) {
    return shards.get(block.metaShardId()).objects.size() == 1;
  }

  private boolean isOfOneSegment(StoredBlock block) {
    return isOfOneObject(block)
        && block.k() > 1
        && shards.get(block.metaShardId()).segments.size() == 1;
  }

  private static String bundle(StoredBlock block) {
    return PlannedBlock.bundle(block.metaShardId());
  }

  /** Adds what is stored and what stays when the chosen objects leave. */
  void count(Set<String> chosen, Tally.Counter counter) {
    liveByObject.forEach(
        (id, live) -> {
          long bytes = live.get(0).objectBytes();
          counter.add(Tally.Measure.STORED_LOGICAL, bytes);
          if (!chosen.contains(id)) {
            counter.add(Tally.Measure.KEPT_LOGICAL, bytes);
          }
        });
    for (Shard shard : shards.values()) {
      counter.add(Tally.Measure.STORED_PHYSICAL, shard.physicalBytes);
      if (stays(shard, chosen)) {
        counter.add(Tally.Measure.KEPT_PHYSICAL, shard.physicalBytes);
        shard.blocks.forEach(block -> counter.addKept(block.location(), block.length()));
      }
    }
  }

  /** A column of blocks that stay: what lies together at one location. */
  private static final class Column {
    private long bytes;
    private double requests;
    private int read; // blocks that are served

    private void add(StoredBlock block, double expectedRequests) {
      bytes += block.length();
      requests += expectedRequests;
      read++;
    }

    private double meanRequests() {
      return read == 0 ? 0 : requests / read;
    }
  }

  /** What stays, with the bytes and reads that it brings to its locations. */
  List<Hot> hot(Set<String> chosen, Reading reading) {
    Map<String, Map<String, Column>> bundles = new TreeMap<>();
    Map<String, Double> plain = new HashMap<>();
    Map<String, Integer> counts = new HashMap<>();
    Set<String> spread = new HashSet<>();
    for (Shard shard : shards.values()) {
      if (!stays(shard, chosen)) {
        continue;
      }
      counts.merge(bundle(shard.blocks.get(0)), 1, Integer::sum);
      for (StoredBlock block : shard.blocks) {
        String bundle = bundle(block);
        Column column = column(bundles, bundle, block);
        column.bytes += block.length();
        if (isServed(block, chosen)) {
          column.requests += block.expectedRequests();
          column.read++;
          plain.merge(bundle, plainMillis(block, reading), Double::sum);
        }
        if (block.k() == 1 || shard.objects.size() == 1) {
          spread.add(bundle);
        }
      }
    }
    List<Hot> hot = new ArrayList<>();
    bundles.forEach(
        (bundle, columns) -> {
          double all = 0;
          for (Column column : columns.values()) {
            all += millis(column, reading);
          }
          boolean even = spread.contains(bundle);
          double each = all / columns.size();
          List<Hot.Column> at = new ArrayList<>();
          long bytes = 0;
          for (Map.Entry<String, Column> entry : columns.entrySet()) {
            Column column = entry.getValue();
            bytes += column.bytes;
            at.add(
                new Hot.Column(
                    at.size(),
                    column.bytes,
                    even ? each : millis(column, reading),
                    TierColumn.OF_ONE,
                    entry.getKey()));
          }
          at.sort(Comparator.comparingDouble(Hot.Column::readMillis).reversed());
          hot.add(
              new Hot(
                  bundle,
                  counts.get(bundle),
                  at.size(),
                  bytes,
                  plain.getOrDefault(bundle, 0.0),
                  at));
        });
    return hot;
  }

  /** Expected reading of all that stays, were nothing coded. */
  double plainMillis(Set<String> chosen, Reading reading) {
    double sum = 0;
    for (Shard shard : shards.values()) {
      for (StoredBlock block : shard.blocks) {
        sum += isServed(block, chosen) ? plainMillis(block, reading) : 0;
      }
    }
    return sum;
  }

  private static double plainMillis(StoredBlock block, Reading reading) {
    return reading.loadMillis(block.expectedRequests(), block.length());
  }

  private static boolean isServed(StoredBlock block, Set<String> chosen) {
    return block.live() && !block.isParity() && !chosen.contains(block.objectId());
  }

  private static double millis(Column column, Reading reading) {
    return column.read == 0 ? 0 : reading.loadMillis(column.requests / column.read, column.bytes);
  }

  /** A meta-shard stays as long as any object is served from it. */
  private static boolean stays(Shard shard, Set<String> chosen) {
    for (StoredBlock block : shard.blocks) {
      if (isServed(block, chosen)) {
        return true;
      }
    }
    return false;
  }
}
