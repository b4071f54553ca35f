package io.metashard.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a byte must save to be worth its place at a tier: the Lagrange multipliers of the tiers'
 * capacities. With them each column is decided by itself.
 *
 * @param speeds by tier, the fastest first
 * @param overflow by tier: heat of the hottest that it has no room for; {@link #ROOMY} if it has
 *     room for all
 * @param perByte by tier: milliseconds of reading that a byte there must save, against the slowest
 * @param risesFrom by tier: heat from which what is stored at slower ones finds room there now
 */
record TierRents(
    List<Double> speeds, List<Integer> overflow, List<Double> perByte, List<Integer> risesFrom)
    implements Serializable {
  static final int ROOMY = Integer.MIN_VALUE;

  static final TierRents NONE = new TierRents(List.of(), List.of(), List.of(), List.of());

  TierRents {
    speeds = List.copyOf(speeds);
    overflow = List.copyOf(overflow);
    perByte = List.copyOf(perByte);
    risesFrom = List.copyOf(risesFrom);
  }

  /**
   * @param overflow of all objects at all capacities
   * @param demand with what has become hotter than it was
   * @param left by tier: bytes that there is room for now
   */
  static TierRents of(Tiers tiers, int[] overflow, TierDemand demand, long[] left) {
    List<Double> speeds = new ArrayList<>();
    List<Integer> over = new ArrayList<>();
    List<Integer> rises = new ArrayList<>();
    List<Double> perByte = new ArrayList<>(Collections.nCopies(tiers.count(), 0.0));
    for (int tier = 0; tier < tiers.count(); tier++) {
      speeds.add(tiers.speed(tier));
      over.add(overflow[tier]);
      rises.add(risesFrom(tier, overflow[tier], demand.rising(), left[tier]));
    }
    for (int tier = tiers.count() - 2; tier >= 0; tier--) {
      double saved = 1 / tiers.speed(tier + 1) - 1 / tiers.speed(tier);
      double ofHottestOutside =
          overflow[tier] == ROOMY ? 0 : saved * TierColumn.millisPerByte(overflow[tier]);
      perByte.set(tier, perByte.get(tier + 1) + ofHottestOutside);
    }
    return new TierRents(speeds, over, perByte, rises);
  }

  /** The hottest come first, as long as they find room. */
  private static int risesFrom(int tier, int overflow, Map<TierColumn, Long> rising, long left) {
    TreeMap<Integer, Long> byHeat = new TreeMap<>(Collections.reverseOrder());
    rising.forEach(
        (column, bytes) -> {
          if (column.first() > tier && column.heat() >= overflow) {
            byHeat.merge(column.heat(), bytes, Math::addExact);
          }
        });
    int from = Integer.MAX_VALUE;
    long room = left;
    for (Map.Entry<Integer, Long> entry : byHeat.entrySet()) {
      if (entry.getValue() > room) {
        return from;
      }
      room -= entry.getValue();
      from = entry.getKey();
    }
    return from;
  }

  boolean areKnown() {
    return !speeds.isEmpty();
  }

  /** The fastest tier, from one on, whose room is for columns of a heat or hotter ones. */
  int fastestFor(int heat, int first) {
    if (!areKnown()) {
      return first;
    }
    int tier = Math.min(first, speeds.size() - 1);
    while (tier < speeds.size() - 1 && heat < overflow.get(tier)) {
      tier++;
    }
    return tier;
  }

  /**
   * Milliseconds that it would save to have a column at the tier that is right for it.
   *
   * @param now the tier that it is at
   * @param first the fastest that is of use to it
   */
  double savedMillis(int now, int first, double readMillis, long bytes) {
    int heat = TierColumn.heatOf(readMillis, bytes);
    int right =
        heat == TierColumn.UNREAD ? Math.max(now, speeds.size() - 1) : fastestFor(heat, first);
    while (right < now && heat < risesFrom.get(right)) {
      right++;
    }
    double rent = (perByte.get(now) - perByte.get(right)) * bytes;
    return Math.max(0, readMillis / speeds.get(now) - readMillis / speeds.get(right) + rent);
  }
}
