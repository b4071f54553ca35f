package io.metashard.plan;

import java.io.Serializable;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How much of each class of columns each tier takes: what buckets must agree on so that no tier is
 * overfilled and the hottest are on the fastest.
 *
 * @param all bytes by class, of all buckets
 * @param taken by class and tier; in sum no more than {@code all}
 * @param room by tier, {@link Long#MAX_VALUE} where not limited
 * @param overflow by tier: heat of the hottest that had to go to slower ones, or {@link
 *     TierRents#ROOMY}
 */
public record TierFill(
    Map<TierColumn, Long> all,
    Map<TierColumn, List<Long>> taken,
    List<Long> room,
    List<Integer> overflow)
    implements Serializable {
  /** Where tiers are not told apart. */
  public static final TierFill NONE = new TierFill(Map.of(), Map.of(), List.of(), List.of());

  public TierFill {
    all = Map.copyOf(all);
    taken = Map.copyOf(taken);
    room = List.copyOf(room);
    overflow = List.copyOf(overflow);
  }

  boolean isNone() {
    return room.isEmpty();
  }

  /** What becomes of bytes that no tier has room for. */
  enum Rest {
    IS_REFUSED,
    IS_LEFT_OUT
  }

  /** What is being filled. */
  private static final class Filling {
    private final Map<TierColumn, Long> remaining;
    private final Map<TierColumn, long[]> taken = new TreeMap<>();
    private final long[] left;

    private Filling(Map<TierColumn, Long> columns, long[] room) {
      this.remaining = new TreeMap<>(columns);
      this.left = room.clone();
      columns.keySet().forEach(column -> taken.put(column, new long[room.length]));
    }

    /** Whether all of a class that was left is taken now. */
    private boolean take(TierColumn column, int tier, long atMost) {
      long bytes = Math.min(remaining.get(column), Math.max(0, Math.min(left[tier], atMost)));
      taken.get(column)[tier] += bytes;
      if (left[tier] != Long.MAX_VALUE) {
        left[tier] -= bytes;
      }
      remaining.merge(column, -bytes, Long::sum);
      return remaining.get(column) == 0;
    }
  }

  /**
   * The hottest to the fastest, as long as there is room; what nobody reads to the slowest. What
   * finds no room goes to slower ones, and at last to faster ones.
   *
   * @param room by tier
   * @param wanted by tier: so much of it is filled for the sake of speed; the rest is for what has
   *     no room elsewhere
   * @param rents of all objects: colder ones leave room for those that come another night
   * @param rest what is done with what has no room anywhere
   * @throws PlanRefusedException if not everything has room
   */
  static TierFill of(
      Tiers tiers,
      Map<TierColumn, Long> columns,
      long[] room,
      long[] wanted,
      TierRents rents,
      Rest rest) {
    Filling filling = new Filling(columns, room);
    int slowest = tiers.count() - 1;
    int[] overflow = new int[tiers.count()];
    java.util.Arrays.fill(overflow, TierRents.ROOMY);
    for (TierColumn column : filling.taken.keySet()) {
      int last = Math.min(column.last(), slowest);
      int first =
          column.heat() == TierColumn.UNREAD
              ? last
              : Math.min(last, rents.fastestFor(column.heat(), column.first()));
      boolean done = false;
      for (int tier = first; tier <= last && !done; tier++) {
        long reserve = room[tier] == Long.MAX_VALUE ? 0 : room[tier] - wanted[tier];
        done = filling.take(column, tier, filling.left[tier] - reserve);
        if (!done) {
          overflow[tier] = Math.max(overflow[tier], column.heat());
        }
      }
    }
    for (TierColumn column : filling.taken.keySet()) {
      int last = Math.min(column.last(), slowest);
      for (int tier = last; tier >= 0 && filling.remaining.get(column) > 0; tier--) {
        filling.take(column, tier, Long.MAX_VALUE);
      }
      for (int tier = last + 1; tier <= slowest && filling.remaining.get(column) > 0; tier++) {
        filling.take(column, tier, Long.MAX_VALUE);
      }
    }
    long tooMuch = filling.remaining.values().stream().mapToLong(Long::longValue).sum();
    if (rest == Rest.IS_REFUSED && tooMuch > 0) {
      throw new PlanRefusedException(refusal(tiers, columns, room, tooMuch));
    }
    Map<TierColumn, List<Long>> taken = new HashMap<>();
    filling.taken.forEach((column, bytes) -> taken.put(column, boxed(bytes)));
    List<Integer> over = new ArrayList<>();
    for (int heat : overflow) {
      over.add(heat);
    }
    return new TierFill(columns, taken, boxed(room), over);
  }

  private static List<Long> boxed(long[] values) {
    List<Long> list = new ArrayList<>();
    for (long value : values) {
      list.add(value);
    }
    return List.copyOf(list);
  }

  private static String refusal(
      Tiers tiers, Map<TierColumn, Long> columns, long[] room, long tooMuch) {
    List<String> rooms = new ArrayList<>();
    for (int tier = 0; tier < tiers.count(); tier++) {
      rooms.add(
          "tier %s has room for %d of its capacity of %s"
              .formatted(
                  tiers.fastestFirst().get(tier).name(),
                  room[tier],
                  tiers.fastestFirst().get(tier).isLimited()
                      ? tiers.fastestFirst().get(tier).capacityBytes() + " bytes"
                      : "its locations"));
    }
    return "Cannot place %d bytes: the tiers are %d bytes too small beside what the map keeps: %s; raise capacity in tiers or locations, add locations, lower plan.storage-budget or lower reshard.max-bytes-per-run"
        .formatted(
            columns.values().stream().mapToLong(Long::longValue).sum(),
            tooMuch,
            String.join(", ", rooms));
  }

  /**
   * What one bucket may fill.
   *
   * @param columns of the bucket, bytes by class
   * @param newBytes that it adds, of {@code allNewBytes} that all buckets add
   */
  TierQuota quota(Map<TierColumn, Long> columns, long newBytes, long allNewBytes) {
    long[] left = new long[room.size()];
    Map<TierColumn, long[]> parts = new HashMap<>();
    columns.forEach(
        (column, bytes) -> {
          long[] part = new long[left.length];
          for (int tier = 0; tier < left.length; tier++) {
            part[tier] = part(taken.get(column).get(tier), bytes, all.get(column));
          }
          parts.put(column, part);
        });
    for (int tier = 0; tier < left.length; tier++) {
      if (room.get(tier) == Long.MAX_VALUE) {
        left[tier] = Long.MAX_VALUE;
        continue;
      }
      long spare = room.get(tier);
      for (List<Long> bytes : taken.values()) {
        spare -= bytes.get(tier);
      }
      // Rounded down: the parts of all buckets are never more than the whole.
      left[tier] = part(spare, newBytes, allNewBytes);
      for (long[] part : parts.values()) {
        left[tier] += part[tier];
      }
    }
    return new TierQuota(left, parts);
  }

  /** A whole times bytes / all. */
  static long part(long whole, long bytes, long all) {
    return all == 0 || bytes == all
        ? whole
        : BigInteger.valueOf(whole)
            .multiply(BigInteger.valueOf(bytes))
            .divide(BigInteger.valueOf(all))
            .longValueExact();
  }
}
