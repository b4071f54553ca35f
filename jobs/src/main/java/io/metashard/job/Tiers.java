package io.metashard.job;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.Tier;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.simulate.Prices;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The tiers of the configuration; none: all locations are alike.
 *
 * @param byName as configured
 * @param prices of each
 */
record Tiers(Map<String, Tier> byName, Map<String, Prices> prices) {
  private static final String SPEED = "speed";
  private static final String CAPACITY = "capacity";
  private static final String STORAGE = "storage-per-gib-month";
  private static final String READS = "per-1000-reads";
  private static final Set<String> KEYS = Set.of("name", SPEED, CAPACITY, STORAGE, READS);

  Tiers {
    byName = Map.copyOf(byName);
    prices = Map.copyOf(prices);
  }

  /**
   * Reads them.
   *
   * @throws SettingsException if one makes no sense, or two have one name
   */
  static Tiers from(Settings settings) {
    Prices all = Prices.from(settings);
    Map<String, Tier> byName = new HashMap<>();
    Map<String, Prices> prices = new HashMap<>();
    for (Settings item : settings.items("tiers", null, KEYS)) {
      Tier tier;
      try {
        tier =
            new Tier(
                item.string("name"),
                item.has(SPEED) ? item.number(SPEED) : 1,
                item.has(CAPACITY) ? item.bytes(CAPACITY) : Long.MAX_VALUE);
      } catch (SettingsException e) {
        throw e;
      } catch (IllegalArgumentException e) {
        throw new SettingsException(e.getMessage() + " (" + item.source() + ")", e);
      }
      if (byName.put(tier.name(), tier) != null) {
        throw new SettingsException(
            "Cannot use tiers of %s: two are named %s; names are unique"
                .formatted(settings.source(), tier.name()));
      }
      prices.put(
          tier.name(),
          new Prices(
              all.currency(),
              price(item, STORAGE, all.storagePerGibMonth()),
              price(item, READS, all.per1000Reads()),
              all.per1000Writes(),
              all.movePerGib()));
    }
    return new Tiers(byName, prices);
  }

  private static double price(Settings item, String key, double ofAll) {
    return item.has(key) ? item.number(key) : ofAll;
  }

  boolean areNone() {
    return byName.isEmpty();
  }

  /**
   * @throws SettingsException if a configured location is of none of them
   */
  void requireFor(List<Location> configured) {
    for (Location location : configured) {
      if (!areNone() && !byName.containsKey(location.tier())) {
        throw new SettingsException(
            "Cannot use location %s: its tier %s is not in tiers, which are %s; add it there, or name one of these"
                .formatted(
                    location.name(),
                    ObjectIds.printable(location.tier()),
                    byName.keySet().stream().sorted().collect(Collectors.joining(", "))));
      }
    }
  }

  /** Those that no location is of, by name. */
  List<String> without(List<Location> locations) {
    Set<String> used = locations.stream().map(Location::tier).collect(Collectors.toSet());
    return byName.keySet().stream().filter(name -> !used.contains(name)).sorted().toList();
  }

  /** The tiers of locations, by name of the location; empty where there are no tiers. */
  Map<String, Tier> of(List<Location> locations) {
    Map<String, Tier> tiers = new TreeMap<>();
    for (Location location : locations) {
      Tier tier = byName.get(location.tier());
      if (tier != null) {
        tiers.put(location.name(), tier);
      }
    }
    return tiers;
  }

  /** The prices of a tier; those of all where there is no such tier. */
  Prices prices(String tier, Prices all) {
    return prices.getOrDefault(tier, all);
  }
}
