package io.metashard.plan;

import io.metashard.Tier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where blocks go that are written again: where they were if that can be written; else to a domain
 * that none of their meta-shard's blocks is in, of the same tier if one is left, of the next slower
 * ones, of faster ones.
 *
 * <p>Which of several is told by a hash of meta-shard and location (rendezvous hashing): tasks that
 * know nothing of each other spread what a lost location held over all the others, and a repeated
 * one places it the same. Holds the room that is left: one per task, fed in one order.
 */
public final class RepairPlacement {
  private final Places places;
  private final List<Site> sites;
  private final Map<String, Site> siteByName = new HashMap<>();
  private final Map<String, Long> roomBytes = new HashMap<>();

  /**
   * @param places all locations
   * @param sites those that can be written, with the room that this task may fill
   */
  public RepairPlacement(Places places, List<Site> sites) {
    this.places = places;
    this.sites = sites.stream().sorted().toList();
    for (Site site : this.sites) {
      siteByName.put(site.name(), site);
      roomBytes.put(site.name(), site.roomBytes());
    }
  }

  /**
   * A block of a meta-shard.
   *
   * @param bytes it takes
   * @param moves whether it is written again; others stay where they are
   */
  public record Stored(int index, String location, long bytes, boolean moves) {}

  /**
   * Places the blocks of one meta-shard that are written again, and takes their room.
   *
   * @return locations by block index; a block for which there is none is not in it
   */
  public Map<Integer, String> place(String metaShardId, List<Stored> blocks) {
    Set<String> usedDomains = new HashSet<>();
    for (Stored block : blocks) {
      if (!block.moves()) {
        usedDomains.add(domain(block.location()));
      }
    }
    Map<Integer, String> placed = new HashMap<>();
    List<Stored> elsewhere = new ArrayList<>();
    for (Stored block : blocks) {
      if (block.moves()) {
        Site own = siteByName.get(block.location());
        if (own != null && isFree(own, block, usedDomains)) {
          take(own, block, usedDomains, placed);
        } else {
          elsewhere.add(block);
        }
      }
    }
    // The longest first: the room that suits it may suit others, too.
    elsewhere.sort(
        Comparator.comparingLong(Stored::bytes).reversed().thenComparingInt(Stored::index));
    long seed = Hash.of(metaShardId);
    for (Stored block : elsewhere) {
      sites.stream()
          .filter(site -> isFree(site, block, usedDomains))
          .min(
              Comparator.<Site>comparingInt(site -> distance(block, site))
                  .thenComparingLong(site -> Hash.of(seed, Hash.of(site.name())))
                  .thenComparing(Site::name))
          .ifPresent(site -> take(site, block, usedDomains, placed));
    }
    return placed;
  }

  private boolean isFree(Site site, Stored block, Set<String> usedDomains) {
    return !usedDomains.contains(site.domain()) && roomBytes.get(site.name()) >= block.bytes();
  }

  private void take(Site site, Stored block, Set<String> usedDomains, Map<Integer, String> placed) {
    usedDomains.add(site.domain());
    placed.put(block.index(), site.name());
    if (site.isLimited()) {
      roomBytes.merge(site.name(), -block.bytes(), Long::sum);
    }
  }

  /** A location that nobody knows is a domain of its own. */
  private String domain(String location) {
    return places.domains().getOrDefault(location, "unknown location " + location);
  }

  /** How far a site's tier is from the block's: 0 the same, slower ones before faster ones. */
  private int distance(Stored block, Site site) {
    Tier wanted = places.tier(block.location());
    int order = site.tier().compareTo(wanted);
    if (order == 0) {
      return 0;
    }
    long between =
        sites.stream()
            .map(Site::tier)
            .distinct()
            .filter(
                tier ->
                    order > 0
                        ? tier.compareTo(wanted) > 0 && tier.compareTo(site.tier()) <= 0
                        : tier.compareTo(wanted) < 0 && tier.compareTo(site.tier()) >= 0)
            .count();
    return (int) (order > 0 ? between : sites.size() + between);
  }
}
