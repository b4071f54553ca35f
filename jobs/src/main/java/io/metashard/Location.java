package io.metashard;

/**
 * A place where containers are written.
 *
 * @param name never reused, even after the location is gone
 * @param uri root of the location, any Hadoop file system URI, without a trailing slash
 * @param domain what fails as one: two locations of one domain are lost together
 * @param tier name of the {@link Tier}; a free word where tiers are not told apart
 * @param capacityBytes most bytes to store here; {@link Long#MAX_VALUE} when not limited
 * @param state one of {@link #ACTIVE}, {@link #DRAINING}, {@link #GONE}
 */
public record Location(
    String name, String uri, String domain, String tier, long capacityBytes, String state)
    implements Comparable<Location>, java.io.Serializable {
  public static final String ACTIVE = "active";
  public static final String DRAINING = "draining";
  public static final String GONE = "gone";

  public Location {
    if (name == null || !name.matches("[a-z0-9][a-z0-9._-]{0,62}")) {
      throw new IllegalArgumentException(
          "Cannot use location name %s: it must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit"
              .formatted(ObjectIds.printable(name)));
    }
    if (uri == null || uri.isBlank() || domain == null || domain.isBlank()) {
      throw new IllegalArgumentException(
          "Cannot use location %s: uri and domain must be set".formatted(name));
    }
    if (capacityBytes < 0) {
      throw new IllegalArgumentException(
          "Cannot use location %s: capacity %d is negative".formatted(name, capacityBytes));
    }
    if (!ACTIVE.equals(state) && !DRAINING.equals(state) && !GONE.equals(state)) {
      throw new IllegalArgumentException(
          "Cannot use location %s: state %s is not one of active, draining, gone"
              .formatted(name, ObjectIds.printable(state)));
    }
  }

  @Override
  public int compareTo(Location other) {
    return name.compareTo(other.name);
  }
}
