package io.metashard.plan;

import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import io.metashard.Location;
import io.metashard.Tier;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The locations that the map's blocks may be at, as they are now.
 *
 * @param domains what fails as one, by name, of all that can be read: draining ones, too
 * @param active names of those that keep blocks
 * @param tierOf their tiers, by name; what is not in it is of {@link Tier#ONLY}
 */
public record Places(Map<String, String> domains, Set<String> active, Map<String, Tier> tierOf)
    implements Serializable {
  public Places {
    domains = Map.copyOf(domains);
    active = Set.copyOf(active);
    tierOf = Map.copyOf(tierOf);
  }

  /** Where no tiers are told apart. */
  public Places(Map<String, String> domains, Set<String> active) {
    this(domains, active, Map.of());
  }

  /** Those that are not gone; no tiers told apart. */
  public static Places of(List<Location> locations) {
    return of(locations, Map.of());
  }

  /**
   * Those that are not gone.
   *
   * @param tiers by location
   */
  public static Places of(List<Location> locations, Map<String, Tier> tiers) {
    return new Places(
        locations.stream()
            .filter(location -> !location.state().equals(Location.GONE))
            .collect(toMap(Location::name, Location::domain)),
        locations.stream()
            .filter(location -> location.state().equals(Location.ACTIVE))
            .map(Location::name)
            .collect(toSet()),
        tiers);
  }

  /** Where all take new blocks. */
  public static Places ofSites(List<Site> sites) {
    return new Places(
        sites.stream().collect(toMap(Site::name, Site::domain)),
        sites.stream().map(Site::name).collect(toSet()),
        sites.stream().collect(toMap(Site::name, Site::tier)));
  }

  /** Whether blocks there are to be elsewhere: it drains, or is gone. */
  boolean isLeft(String location) {
    return !active.contains(location);
  }

  Tier tier(String location) {
    return tierOf.getOrDefault(location, Tier.ONLY);
  }
}
