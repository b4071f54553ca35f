package io.metashard.plan;

import io.metashard.Location;
import io.metashard.Tier;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A location as planning sees it: one that takes new blocks.
 *
 * @param name of the location
 * @param domain what fails as one
 * @param roomBytes most bytes to add; {@link Long#MAX_VALUE} when not limited
 * @param tier that it is of, and fills up with
 */
public record Site(String name, String domain, long roomBytes, Tier tier)
    implements Serializable, Comparable<Site> {
  public Site {
    if (roomBytes < 0) {
      throw new IllegalArgumentException(
          "Cannot place blocks at %s: its room of %d bytes is negative".formatted(name, roomBytes));
    }
  }

  /** Where no tiers are told apart. */
  public Site(String name, String domain, long roomBytes) {
    this(name, domain, roomBytes, Tier.ONLY);
  }

  /** The active locations, sorted by name, with all their capacity free; no tiers told apart. */
  public static List<Site> of(List<Location> locations) {
    return of(locations, Map.of());
  }

  /**
   * The active locations, sorted by name, with all their capacity free.
   *
   * @param tiers by location; others are of {@link Tier#ONLY}
   */
  public static List<Site> of(List<Location> locations, Map<String, Tier> tiers) {
    return locations.stream()
        .filter(location -> location.state().equals(Location.ACTIVE))
        .map(
            location ->
                new Site(
                    location.name(),
                    location.domain(),
                    location.capacityBytes(),
                    tiers.getOrDefault(location.name(), Tier.ONLY)))
        .sorted()
        .toList();
  }

  public boolean isLimited() {
    return roomBytes != Long.MAX_VALUE;
  }

  /** The same site with the given room. */
  public Site withRoom(long bytes) {
    return new Site(name, domain, bytes, tier);
  }

  @Override
  public int compareTo(Site other) {
    return name.compareTo(other.name);
  }
}
