package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sum;

import io.metashard.Location;
import io.metashard.Tier;
import io.metashard.plan.Site;
import io.metashard.shardmap.ShardMapTable;
import io.metashard.store.HadoopStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Where a repair may write: active locations that answer and take a trial file, with the room that
 * is left there.
 *
 * @param usable with all of their room
 * @param unusable why others are not, by name
 */
record RepairSites(List<Site> usable, Map<String, String> unusable) {
  RepairSites {
    usable = List.copyOf(usable);
    unusable = java.util.Collections.unmodifiableMap(new TreeMap<>(unusable));
  }

  /**
   * Asks each location, from the driver.
   *
   * @param map all rows, as {@link ShardMapTable#SCHEMA}
   * @param refilled location that may be empty although the map names blocks there; or none, ""
   */
  static RepairSites look(
      JobContext context,
      Dataset<Row> map,
      List<Location> locations,
      NightlyJob.Extent extent,
      String refilled) {
    Map<String, Long> stored = new HashMap<>();
    map.groupBy(col(ShardMapTable.LOCATION))
        .agg(sum(ShardMapTable.physicalBytes()))
        .collectAsList()
        .forEach(row -> stored.put(row.getString(0), row.getLong(1)));
    Map<String, Tier> tiers = Tiers.from(context.settings()).of(locations);
    List<Site> usable = new ArrayList<>();
    Map<String, String> unusable = new TreeMap<>();
    for (Location location : locations) {
      if (location.state().equals(Location.ACTIVE)) {
        boolean mayBeEmpty =
            location.name().equals(refilled) || !stored.containsKey(location.name());
        try {
          requireWritable(context, location, extent, mayBeEmpty);
          usable.add(site(location, tiers, stored));
        } catch (IOException | RuntimeException e) {
          unusable.put(location.name(), Failures.message(e));
        }
      } else if (location.state().equals(Location.DRAINING)) {
        unusable.put(location.name(), "it is draining");
      }
    }
    return new RepairSites(withinTiers(usable, locations, tiers, stored), unusable);
  }

  private static void requireWritable(
      JobContext context, Location location, NightlyJob.Extent extent, boolean mayBeEmpty)
      throws IOException {
    try (HadoopStore store = new HadoopStore(location.uri(), context.hadoop())) {
      if (!store.list("").hasNext() && !mayBeEmpty) {
        throw new IOException(
            "Cannot write to location %s: the map names blocks there and it has no file at all; bring it back, or say that it was replaced by an empty one: repair --location %s"
                .formatted(location.name(), location.name()));
      }
    }
    if (extent == NightlyJob.Extent.FULL) {
      new WriteTrial(location.uri(), context.hadoop()).run();
    }
  }

  private static Site site(Location location, Map<String, Tier> tiers, Map<String, Long> stored) {
    long room =
        location.capacityBytes() == Long.MAX_VALUE
            ? Long.MAX_VALUE
            : Math.max(0, location.capacityBytes() - stored.getOrDefault(location.name(), 0L));
    return new Site(
        location.name(), location.domain(), room, tiers.getOrDefault(location.name(), Tier.ONLY));
  }

  /** Each gets an equal part of what its tier may still hold, if that is less. */
  private static List<Site> withinTiers(
      List<Site> sites,
      List<Location> locations,
      Map<String, Tier> tiers,
      Map<String, Long> stored) {
    Map<Tier, Long> used = new HashMap<>();
    for (Location location : locations) {
      Tier tier = tiers.getOrDefault(location.name(), Tier.ONLY);
      used.merge(tier, stored.getOrDefault(location.name(), 0L), Long::sum);
    }
    return sites.stream()
        .map(
            site -> {
              if (!site.tier().isLimited()) {
                return site;
              }
              long alike = sites.stream().filter(one -> one.tier().equals(site.tier())).count();
              long left =
                  Math.max(0, site.tier().capacityBytes() - used.getOrDefault(site.tier(), 0L));
              return site.withRoom(Math.min(site.roomBytes(), left / alike));
            })
        .toList();
  }

  /** The room that each of some tasks may fill, which know nothing of each other. */
  List<Site> forEachOf(int tasks) {
    return usable.stream()
        .map(site -> site.isLimited() ? site.withRoom(site.roomBytes() / tasks) : site)
        .toList();
  }
}
