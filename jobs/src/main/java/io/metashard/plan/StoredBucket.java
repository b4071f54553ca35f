package io.metashard.plan;

import io.metashard.plan.Candidate.Priority;
import io.metashard.plan.ShapePolicy.Stored;
import io.metashard.plan.ShapePolicy.StoredForm;
import java.util.ArrayList;
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

  /** A meta-shard as it is stored. */
  private static final class Shard {
    private final List<StoredBlock> blocks = new ArrayList<>();
    private final Set<String> objects = new HashSet<>();
    private final Set<Integer> segments = new HashSet<>();
    private long physicalBytes;
    private long dataBytes;
    private long liveBytes; // of data whose source is not known to have changed

    private double liveShare() {
      return dataBytes == 0 ? 1 : (double) liveBytes / dataBytes;
    }
  }

  StoredBucket(BucketInput input) {
    for (StoredBlock block : input.stored()) {
      if (block.live() && !block.isParity()) {
        liveByObject.computeIfAbsent(block.objectId(), id -> new ArrayList<>()).add(block);
      }
    }
    for (PlanObject object : input.objects()) {
      List<StoredBlock> live = liveByObject.get(object.id());
      if (live != null && !live.get(0).objectVersion().equals(object.version())) {
        stale.add(object.id());
      }
    }
    for (StoredBlock block : input.stored()) {
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
      }
    }
  }

  /** Why the object should be encoded; empty when it is well as it is. */
  Optional<Priority> priority(
      PlanObject object,
      ShapePolicy policy,
      Pressure pressure,
      int idealStep,
      double budget,
      double leastRatio) {
    List<StoredBlock> live = liveByObject.get(object.id());
    if (live == null) {
      return Optional.of(Priority.NEW);
    }
    if (stale.contains(object.id())) {
      return Optional.of(Priority.STALE);
    }
    double mostPerByte =
        switch (pressure) {
          case CALM -> Double.POSITIVE_INFINITY;
          case TIGHT -> budget;
          case TIGHTER -> leastRatio * TIGHTER_TOLERANCE;
          case TIGHTEST -> 0;
        };
    ShapePolicy.Wish wish = policy.wish(object, idealStep);
    Map<Long, Integer> copies = new HashMap<>();
    live.forEach(block -> copies.merge(block.objectOffset(), 1, Integer::sum));
    double physical = 0;
    boolean reshape = false;
    for (StoredBlock block : live) {
      Shard shard = shards.get(block.metaShardId());
      if (block.length() > 0) {
        physical += (double) shard.physicalBytes * block.length() / shard.liveBytes;
      }
      reshape =
          reshape
              || shard.liveShare() < LEAST_LIVE_SHARE
              || isServedBetter(object, block, copies.get(block.objectOffset()), policy, wish);
    }
    reshape |= physical > mostPerByte * object.bytes();
    return reshape ? Optional.of(Priority.RESHAPE) : Optional.empty();
  }

  private boolean isServedBetter(
      PlanObject object, StoredBlock block, int copies, ShapePolicy policy, ShapePolicy.Wish wish) {
    if (block.length() == 0 || block.segment() >= object.segments().size()) {
      return false;
    }
    PlanSegment segment = object.segments().get(block.segment());
    if (!policy.moved(block.expectedRequests(), segment)) {
      return false;
    }
    Shard shard = shards.get(block.metaShardId());
    int widest = widestOfBundle.get(bundle(block));
    StoredForm form =
        widest == 1
            ? StoredForm.COPY
            : shard.objects.size() > 1
                ? StoredForm.SHARED
                : shard.segments.size() == 1 && block.k() > 1
                    ? StoredForm.OWN_SEGMENT
                    : StoredForm.OWN;
    return wish.wantsOther(segment, new Stored(form, widest, copies));
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
  }

  /** Bytes and reads that kept blocks bring to their locations. */
  void load(Set<String> chosen, Reading reading, Placement placement) {
    Map<String, Map<String, Column>> bundles = new TreeMap<>();
    Set<String> spread = new HashSet<>();
    for (Shard shard : shards.values()) {
      if (!stays(shard, chosen)) {
        continue;
      }
      for (StoredBlock block : shard.blocks) {
        String bundle = bundle(block);
        Column column =
            bundles
                .computeIfAbsent(bundle, b -> new TreeMap<>())
                .computeIfAbsent(block.location(), l -> new Column());
        column.bytes += block.length();
        if (block.live() && !block.isParity() && !chosen.contains(block.objectId())) {
          column.requests += block.expectedRequests();
          column.read++;
        }
        if (block.k() == 1 || shard.objects.size() == 1) {
          spread.add(bundle);
        }
      }
    }
    bundles.forEach(
        (bundle, columns) -> {
          double all = 0;
          for (Column column : columns.values()) {
            all += millis(column, reading);
          }
          boolean even = spread.contains(bundle);
          double each = all / columns.size();
          columns.forEach(
              (location, column) ->
                  placement.add(location, column.bytes, even ? each : millis(column, reading)));
        });
  }

  private static double millis(Column column, Reading reading) {
    return column.read == 0 ? 0 : reading.loadMillis(column.requests / column.read, column.bytes);
  }

  /** A meta-shard stays as long as any object is served from it. */
  private static boolean stays(Shard shard, Set<String> chosen) {
    for (StoredBlock block : shard.blocks) {
      if (block.live() && !block.isParity() && !chosen.contains(block.objectId())) {
        return true;
      }
    }
    return false;
  }
}
