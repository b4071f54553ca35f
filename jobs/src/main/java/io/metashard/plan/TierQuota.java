package io.metashard.plan;

import java.util.HashMap;
import java.util.Map;

/** What one bucket may still place at each tier. */
final class TierQuota {
  /** Of columns of no length. */
  private static final long[] NOTHING = {};

  private final long[] left;
  private final Map<TierColumn, long[]> parts;
  private final Map<TierColumn, Integer> slowest = new HashMap<>();

  /**
   * @param left by tier, {@link Long#MAX_VALUE} where not limited
   * @param parts by class and tier: bytes of the bucket that are meant for it
   */
  TierQuota(long[] left, Map<TierColumn, long[]> parts) {
    this.left = left;
    this.parts = parts;
    parts.forEach(
        (column, part) -> {
          for (int tier = 0; tier < part.length; tier++) {
            if (part[tier] > 0) {
              slowest.put(column, tier);
            }
          }
        });
  }

  /** Bytes that the bucket may have at a tier, and has not yet. */
  long left(int tier) {
    return left[tier];
  }

  /** The tier that a column is meant for; of a class that is divided, the fastest with a part. */
  int target(TierColumn column, long bytes) {
    long[] part = parts.getOrDefault(column, NOTHING);
    for (int tier = 0; tier < part.length; tier++) {
      if (part[tier] > 0 && part[tier] >= bytes / 2) { // to the nearest whole column
        part[tier] -= bytes;
        return tier;
      }
    }
    return slowest.getOrDefault(column, column.last());
  }

  void take(int tier, long bytes) {
    if (left[tier] != Long.MAX_VALUE) {
      left[tier] -= bytes;
    }
  }
}
