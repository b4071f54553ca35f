package io.metashard.plan;

import io.metashard.Tier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The tiers that take new blocks, the fastest first, by number: 0 is the fastest.
 *
 * @param domainsUpTo by tier: domains of it and of faster ones
 * @param domainsFrom by tier: domains of it and of slower ones
 */
record Tiers(List<Tier> fastestFirst, List<Integer> domainsUpTo, List<Integer> domainsFrom) {
  static final Tiers NONE = new Tiers(List.of(), List.of(), List.of());

  Tiers {
    fastestFirst = List.copyOf(fastestFirst);
    domainsUpTo = List.copyOf(domainsUpTo);
    domainsFrom = List.copyOf(domainsFrom);
  }

  /** Those of the active locations. */
  static Tiers of(Places places) {
    Map<Tier, Set<String>> domains = new HashMap<>();
    for (String location : places.active()) {
      domains
          .computeIfAbsent(places.tier(location), tier -> new HashSet<>())
          .add(places.domains().get(location));
    }
    List<Tier> tiers = new ArrayList<>(new TreeSet<>(domains.keySet()));
    List<Integer> upTo = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (Tier tier : tiers) {
      seen.addAll(domains.get(tier));
      upTo.add(seen.size());
    }
    List<Integer> from = new ArrayList<>();
    seen.clear();
    for (int i = tiers.size() - 1; i >= 0; i--) {
      seen.addAll(domains.get(tiers.get(i)));
      from.add(0, seen.size());
    }
    return new Tiers(tiers, upTo, from);
  }

  /** Whether there is nothing to tell apart, and nothing that fills up. */
  boolean areOne() {
    return count() == 0 || count() == 1 && !fastestFirst.get(0).isLimited();
  }

  int count() {
    return fastestFirst.size();
  }

  double speed(int tier) {
    return fastestFirst.get(tier).speed();
  }

  /** The number of a tier; -1 if no active location is of it. */
  int indexOf(Tier tier) {
    return fastestFirst.indexOf(tier);
  }

  /**
   * What a column asks of tiers.
   *
   * @param needed columns that a read of any of them waits for: in fewer domains than that, a fast
   *     tier makes no read faster
   * @param rank of the column among those of its bundle, the hottest first
   * @param columns of the bundle, parity included, each in a domain of its own
   */
  TierColumn column(int needed, int rank, int columns, double readMillis, long bytes) {
    if (count() == 0) {
      return TierColumn.OF_ONE;
    }
    int first = 0;
    while (first < count() - 1 && domainsUpTo.get(first) < Math.max(needed, rank + 1)) {
      first++;
    }
    int last = count() - 1;
    while (last > 0 && domainsFrom.get(last) < columns - rank) {
      last--;
    }
    return new TierColumn(Math.min(first, last), last, TierColumn.heatOf(readMillis, bytes));
  }
}
