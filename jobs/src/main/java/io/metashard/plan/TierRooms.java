package io.metashard.plan;

import io.metashard.Tier;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What room the tiers have: their own capacities, and those of their locations.
 *
 * @param places all locations, with their tiers
 * @param sites those that take new blocks, with all their capacity
 */
public record TierRooms(Places places, List<Site> sites) {
  /** Where no tiers are told apart. */
  public static final TierRooms NONE = new TierRooms(Places.ofSites(List.of()), List.of());

  /**
   * Part of a tier's capacity that is not filled for the sake of speed: so objects that come, and
   * columns that are as long as they are, find their place.
   */
  private static final int SLACK_PART = 32;

  public TierRooms {
    sites = List.copyOf(sites);
  }

  Tiers tiers() {
    return Tiers.of(places);
  }

  /** By tier: what may be added beside what is at its locations; {@link Long#MAX_VALUE}: any. */
  long[] left(Map<String, Long> bytesAt) {
    Tiers tiers = tiers();
    Map<Tier, Long> used = new HashMap<>();
    bytesAt.forEach((location, bytes) -> used.merge(places.tier(location), bytes, Math::addExact));
    long[] left = new long[tiers.count()];
    for (int i = 0; i < left.length; i++) {
      Tier tier = tiers.fastestFirst().get(i);
      left[i] = atSites(tier, bytesAt);
      if (tier.isLimited()) {
        long ofTier = Math.max(0, tier.capacityBytes() - used.getOrDefault(tier, 0L));
        left[i] = Math.min(left[i], ofTier);
      }
    }
    return left;
  }

  private long atSites(Tier tier, Map<String, Long> bytesAt) {
    long sum = 0;
    for (Site site : sites) {
      if (site.tier().equals(tier)) {
        if (!site.isLimited()) {
          return Long.MAX_VALUE;
        }
        sum = saturated(sum, withRoomLeft(site, bytesAt).roomBytes());
      }
    }
    return sum;
  }

  private static long saturated(long a, long b) {
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
  }

  /** The same, less what is not filled for the sake of speed. */
  long[] wanted(Map<String, Long> bytesAt) {
    long[] all = left(Map.of());
    long[] wanted = left(bytesAt);
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i] != Long.MAX_VALUE) {
        wanted[i] = Math.max(0, wanted[i] - all[i] / SLACK_PART);
      }
    }
    return wanted;
  }

  static Site withRoomLeft(Site site, Map<String, Long> bytesAt) {
    return site.isLimited()
        ? site.withRoom(Math.max(0, site.roomBytes() - bytesAt.getOrDefault(site.name(), 0L)))
        : site;
  }

  /** What all objects would fill, were they placed anew. */
  TierRents rents(TierDemand demand) {
    Tiers tiers = tiers();
    TierFill fill =
        TierFill.of(
            tiers,
            demand.columns(),
            left(Map.of()),
            wanted(Map.of()),
            TierRents.NONE,
            TierFill.Rest.IS_LEFT_OUT);
    int[] overflow = fill.overflow().stream().mapToInt(Integer::intValue).toArray();
    return TierRents.of(tiers, overflow, demand, wanted(demand.storedAt()));
  }

  /**
   * What new blocks fill beside kept ones.
   *
   * @throws PlanRefusedException if not all of them have room
   */
  TierFill fill(TierDemand demand, Map<String, Long> keptAt, TierRents rents) {
    return TierFill.of(
        tiers(), demand.columns(), left(keptAt), wanted(keptAt), rents, TierFill.Rest.IS_REFUSED);
  }
}
