package io.metashard.plan;

import io.metashard.Location;
import java.io.Serializable;
import java.util.List;

/**
 * A location as planning sees it: one that takes new blocks.
 *
 * @param name of the location
 * @param domain what fails as one
 * @param roomBytes most bytes to add; {@link Long#MAX_VALUE} when not limited
 */
public record Site(String name, String domain, long roomBytes)
    implements Serializable, Comparable<Site> {
  public Site {
    if (roomBytes < 0) {
      throw new IllegalArgumentException(
          "Cannot place blocks at %s: its room of %d bytes is negative".formatted(name, roomBytes));
    }
  }

  /** The active locations, sorted by name, with all their capacity free. */
  public static List<Site> of(List<Location> locations) {
    return locations.stream()
        .filter(location -> location.state().equals(Location.ACTIVE))
        .map(location -> new Site(location.name(), location.domain(), location.capacityBytes()))
        .sorted()
        .toList();
  }

  public boolean isLimited() {
    return roomBytes != Long.MAX_VALUE;
  }

  /** The same site with the given room. */
  public Site withRoom(long bytes) {
    return new Site(name, domain, bytes);
  }

  @Override
  public int compareTo(Site other) {
    return name.compareTo(other.name);
  }
}
