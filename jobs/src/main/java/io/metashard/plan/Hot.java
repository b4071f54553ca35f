package io.metashard.plan;

import io.metashard.Shape;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;

/**
 * Meta-shards that are at the same locations and are among those most read.
 *
 * @param id of the first of new ones; the name of a bundle of stored ones
 * @param shards how many they are
 * @param data columns of data; the others are parity
 * @param bytes physical ones
 * @param plainMillis that their reads would take were they not coded: what a bucket's reads are
 *     counted in
 * @param columns the hottest first
 */
public record Hot(
    String id, int shards, int data, long bytes, double plainMillis, List<Column> columns)
    implements Serializable {
  /** Those with the hottest column first. */
  static final Comparator<Hot> ORDER =
      Comparator.comparingDouble(Hot::hottestMillis).reversed().thenComparing(Hot::id);

  /** A list of them is small, whatever the number of objects. */
  public static final int MOST = 256;

  /**
   * What lies at one location.
   *
   * @param index data first
   * @param readMillis expected reading of it
   * @param tiers what it asks of tiers
   * @param location empty where it is to be chosen
   */
  public record Column(int index, long bytes, double readMillis, TierColumn tiers, String location)
      implements Serializable {
    static final Comparator<Column> HOTTEST_FIRST =
        Comparator.comparingDouble(Column::readMillis)
            .reversed()
            .thenComparing(Comparator.comparingLong(Column::bytes).reversed())
            .thenComparingInt(Column::index);

    /** The same column, which asks this of tiers. */
    Column with(TierColumn asked) {
      return new Column(index, bytes, readMillis, asked, location);
    }
  }

  public Hot {
    columns = List.copyOf(columns);
    if (columns.isEmpty() || columns.size() > Shape.MAX_BLOCKS) {
      throw new IllegalArgumentException(
          "Cannot place %d columns: there are 1 to %d".formatted(columns.size(), Shape.MAX_BLOCKS));
    }
  }

  /** Expected reading of the hottest column: what is placed in order of. */
  public double hottestMillis() {
    return columns.get(0).readMillis();
  }

  boolean isStored() {
    return !columns.get(0).location().isEmpty();
  }
}
