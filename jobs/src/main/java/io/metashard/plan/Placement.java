package io.metashard.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Places the blocks of meta-shards at sites so that expected reads and stored bytes are even.
 *
 * <p>Greedy, the hottest block first to the site that is read least so far (the LPT rule of Graham,
 * 1969: at most 4/3 of the best maximum); blocks that nobody is expected to read go to where the
 * fewest bytes are. Ties are broken by a hash of the meta-shard, so that not every bucket begins at
 * the same site.
 */
final class Placement {
  private final List<State> states = new ArrayList<>();
  private final Map<String, State> byName = new HashMap<>();

  private static final class State {
    private final Site site;
    private final long nameHash;
    private long roomBytes;
    private long bytes;
    private double readBytes;

    private State(Site site) {
      this.site = site;
      this.nameHash = Hash.of(site.name());
      this.roomBytes = site.roomBytes();
    }
  }

  /** What one block is to be placed for. */
  private record Load(int index, long bytes, double readBytes) {
    static final Comparator<Load> HOTTEST_FIRST =
        Comparator.comparingDouble(Load::readBytes)
            .reversed()
            .thenComparing(Comparator.comparingLong(Load::bytes).reversed())
            .thenComparingInt(Load::index);
  }

  Placement(List<Site> sites) {
    sites.stream()
        .sorted()
        .forEach(
            site -> {
              State state = new State(site);
              states.add(state);
              byName.put(site.name(), state);
            });
  }

  /** Counts what a site holds already; it takes no room. Other locations are passed over. */
  void add(String location, long bytes, double readBytes) {
    State state = byName.get(location);
    if (state != null) {
      state.bytes += bytes;
      state.readBytes += readBytes;
    }
  }

  /**
   * The names of the sites of a meta-shard's blocks, by block index, in pairwise different domains.
   *
   * @throws PlanRefusedException if fewer domains than blocks have room
   */
  List<String> place(MetaShard shard, String metaShardId) {
    long seed = Hash.of(metaShardId);
    int k = shard.shape().k();
    List<Load> loads = new ArrayList<>();
    for (MetaShard.Piece piece : shard.data()) {
      loads.add(new Load(loads.size(), piece.length(), shard.readBytes(piece)));
    }
    for (int parity = k; parity < shard.shape().blocks(); parity++) {
      loads.add(new Load(parity, shard.blockBytes(), shard.parityReadBytes()));
    }
    loads.sort(Load.HOTTEST_FIRST);
    String[] names = new String[loads.size()];
    Set<String> usedDomains = new HashSet<>();
    for (Load load : loads) {
      State best = best(load, usedDomains, seed);
      if (best == null) {
        throw new PlanRefusedException(
            "Cannot place a meta-shard of %s with blocks of %d bytes: it needs %d domains with room, only %d have it; raise capacities, add locations or lower reshard.max-bytes-per-run"
                .formatted(
                    shard.shape(), shard.blockBytes(), names.length, domainsWithRoom(shard)));
      }
      usedDomains.add(best.site.domain());
      best.bytes += load.bytes();
      best.readBytes += load.readBytes();
      if (best.site.isLimited()) {
        best.roomBytes -= load.bytes();
      }
      names[load.index()] = best.site.name();
    }
    return List.of(names);
  }

  private State best(Load load, Set<String> usedDomains, long seed) {
    State best = null;
    for (State state : states) {
      if (state.roomBytes >= load.bytes()
          && !usedDomains.contains(state.site.domain())
          && (best == null || isBetter(state, best, load.readBytes() > 0, seed))) {
        best = state;
      }
    }
    return best;
  }

  private static boolean isBetter(State a, State b, boolean byReads, long seed) {
    int reads = Double.compare(a.readBytes, b.readBytes);
    int bytes = Long.compare(a.bytes, b.bytes);
    int order = byReads ? (reads != 0 ? reads : bytes) : (bytes != 0 ? bytes : reads);
    return order != 0 ? order < 0 : Hash.of(seed, a.nameHash) < Hash.of(seed, b.nameHash);
  }

  private long domainsWithRoom(MetaShard shard) {
    return states.stream()
        .filter(state -> state.roomBytes >= shard.blockBytes())
        .map(state -> state.site.domain())
        .distinct()
        .count();
  }
}
