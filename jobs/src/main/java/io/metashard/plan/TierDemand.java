package io.metashard.plan;

import java.util.Map;
import java.util.TreeMap;

/**
 * What buckets ask of tiers, added up: as many numbers as there are classes and locations.
 *
 * @param columns bytes of new columns
 * @param rising bytes of stored columns whose heat moved since they were written; {@code first} and
 *     {@code last} are the tier that they are at
 * @param storedAt bytes of all stored blocks, by location
 */
public record TierDemand(
    Map<TierColumn, Long> columns, Map<TierColumn, Long> rising, Map<String, Long> storedAt) {
  public static final TierDemand NONE = new TierDemand(Map.of(), Map.of(), Map.of());

  public TierDemand {
    columns = Map.copyOf(columns);
    rising = Map.copyOf(rising);
    storedAt = Map.copyOf(storedAt);
  }

  /** Both together. */
  public TierDemand plus(TierDemand other) {
    return new TierDemand(
        added(columns, other.columns),
        added(rising, other.rising),
        added(storedAt, other.storedAt));
  }

  private static <K extends Comparable<K>> Map<K, Long> added(Map<K, Long> a, Map<K, Long> b) {
    Map<K, Long> sum = new TreeMap<>(a);
    b.forEach((key, value) -> sum.merge(key, value, Math::addExact));
    return sum;
  }

  long bytes() {
    return columns.values().stream().mapToLong(Long::longValue).sum();
  }
}
