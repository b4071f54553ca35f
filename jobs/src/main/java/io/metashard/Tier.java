package io.metashard;

import java.io.Serializable;
import java.util.Comparator;

/**
 * A class of locations that are read alike and fill up together.
 *
 * @param speed how many times as fast a read there is as one that the model of locations describes,
 *     above 0
 * @param capacityBytes most bytes of blocks at all its locations together; {@link Long#MAX_VALUE}
 *     when not limited
 */
public record Tier(String name, double speed, long capacityBytes)
    implements Comparable<Tier>, Serializable {
  /** Of locations that name none. */
  public static final String STANDARD = "standard";

  /** All there is where no tiers are told apart. */
  public static final Tier ONLY = new Tier(STANDARD, 1, Long.MAX_VALUE);

  private static final Comparator<Tier> FASTEST_FIRST =
      Comparator.comparingDouble(Tier::speed).reversed().thenComparing(Tier::name);

  public Tier {
    if (name == null || !name.matches("[a-z0-9][a-z0-9._-]{0,62}")) {
      throw new IllegalArgumentException(
          "Cannot use tier name %s: it must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit"
              .formatted(ObjectIds.printable(name)));
    }
    if (!(speed > 0) || Double.isInfinite(speed)) {
      throw new IllegalArgumentException(
          "Cannot use tier %s: speed %s is not a finite number above 0; 1 is as fast as simulate says"
              .formatted(name, speed));
    }
    if (capacityBytes < 0) {
      throw new IllegalArgumentException(
          "Cannot use tier %s: capacity %d is negative".formatted(name, capacityBytes));
    }
  }

  public boolean isLimited() {
    return capacityBytes != Long.MAX_VALUE;
  }

  /** The fastest first, then by name. */
  @Override
  public int compareTo(Tier other) {
    return FASTEST_FIRST.compare(this, other);
  }
}
