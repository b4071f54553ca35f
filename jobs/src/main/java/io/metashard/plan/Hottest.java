package io.metashard.plan;

import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the most read meta-shards of all buckets are: they are placed first, all together, and each
 * bucket places the others around them.
 *
 * @param sites of new ones' columns, parity last, by their id
 * @param plainMillis of all of them, by their id ({@link Hot#plainMillis})
 * @param millisAt expected reading of them, by location
 * @param othersMillis plain milliseconds of all that is not among them
 */
public record Hottest(
    Map<String, List<String>> sites,
    Map<String, Double> plainMillis,
    Map<String, Double> millisAt,
    double othersMillis)
    implements Serializable {
  /** Each bucket by itself. */
  public static final Hottest NONE = new Hottest(Map.of(), Map.of(), Map.of(), 0);

  public Hottest {
    sites = Map.copyOf(sites);
    plainMillis = Map.copyOf(plainMillis);
    millisAt = Map.copyOf(millisAt);
  }

  /**
   * Places those that are new, after those that are stored.
   *
   * @param hottest in order
   * @param allMillis plain milliseconds of all buckets
   * @throws PlanRefusedException if locations have no room for one
   */
  static Hottest of(List<Hot> hottest, Placement placement, double allMillis) {
    Map<String, List<String>> sites = new HashMap<>();
    Map<String, Double> plain = new HashMap<>();
    Map<String, Double> millisAt = new HashMap<>();
    double others = allMillis;
    for (Hot hot : hottest) {
      plain.put(hot.id(), hot.plainMillis());
      others -= hot.plainMillis();
      if (hot.isStored()) {
        for (Hot.Column column : hot.columns()) {
          placement.add(column.location(), column.bytes(), column.readMillis());
          millisAt.merge(column.location(), column.readMillis(), Double::sum);
        }
      }
    }
    for (Hot hot : hottest) {
      if (!hot.isStored()) {
        List<String> at = placement.place(hot);
        sites.put(hot.id(), at);
        for (Hot.Column column : hot.columns()) {
          millisAt.merge(at.get(column.index()), column.readMillis(), Double::sum);
        }
      }
    }
    return new Hottest(sites, plain, millisAt, Math.max(0, others));
  }

  boolean has(String id) {
    return plainMillis.containsKey(id);
  }

  /**
   * A bucket's part of what the others are to make up for.
   *
   * @param plainMillis of what the bucket has beside the hottest
   */
  double part(double plainMillis) {
    return othersMillis > 0 ? Math.max(0, Math.min(1, plainMillis / othersMillis)) : 0;
  }
}
