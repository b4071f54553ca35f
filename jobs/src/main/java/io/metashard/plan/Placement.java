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
 * <p>Greedy, the hottest column first to the site that is read least so far (the LPT rule of
 * Graham, 1969: at most 4/3 of the best maximum); columns that nobody is expected to read go to
 * where the fewest bytes are. Ties are broken by a hash of the meta-shard, so that not every bucket
 * begins at the same site.
 */
final class Placement {
  private final Reading reading;
  private final List<State> states = new ArrayList<>();
  private final Map<String, State> byName = new HashMap<>();

  private static final class State {
    private final Site site;
    private final long nameHash;
    private long roomBytes;
    private long bytes;
    private double readMillis;

    private State(Site site) {
      this.site = site;
      this.nameHash = Hash.of(site.name());
      this.roomBytes = site.roomBytes();
    }
  }

  /** What one column is to be placed for. */
  private record Load(int index, long bytes, double readMillis) {
    static final Comparator<Load> HOTTEST_FIRST =
        Comparator.comparingDouble(Load::readMillis)
            .reversed()
            .thenComparing(Comparator.comparingLong(Load::bytes).reversed())
            .thenComparingInt(Load::index);
  }

  Placement(List<Site> sites, Reading reading) {
    this.reading = reading;
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
  void add(String location, long bytes, double readMillis) {
    State state = byName.get(location);
    if (state != null) {
      state.bytes += bytes;
      state.readMillis += readMillis;
    }
  }

  /**
   * Milliseconds of reading that each column of data is expected to take in the horizon; copies of
   * one share its reads.
   */
  static double[] readMillis(Bundle bundle, Reading reading) {
    List<List<MetaShard.Piece>> columns = bundle.pieces();
    Map<String, Integer> copies = new HashMap<>();
    columns.forEach(column -> copies.merge(key(column), 1, Integer::sum));
    double[] millis = new double[columns.size()];
    double all = 0;
    for (int i = 0; i < millis.length; i++) {
      List<MetaShard.Piece> column = columns.get(i);
      double requests = 0;
      for (MetaShard.Piece piece : column) {
        requests += piece.forecast().expectedRequests();
      }
      millis[i] =
          reading.loadMillis(requests / column.size(), Bundle.bytes(column))
              / copies.get(key(column));
      all += millis[i];
    }
    if (bundle.spreadsReads()) {
      java.util.Arrays.fill(millis, all / (bundle.columns() + bundle.m()));
    }
    return millis;
  }

  private static String key(List<MetaShard.Piece> column) {
    return column.get(0).offset() + " " + column.get(0).object().id();
  }

  private List<Load> loads(Bundle bundle) {
    List<Load> loads = new ArrayList<>();
    double[] millis = readMillis(bundle, reading);
    for (List<MetaShard.Piece> column : bundle.pieces()) {
      loads.add(new Load(loads.size(), Bundle.bytes(column), millis[loads.size()]));
    }
    double ofParity = bundle.spreadsReads() ? millis[0] : 0;
    while (loads.size() < bundle.columns() + bundle.m()) {
      loads.add(new Load(loads.size(), bundle.parityBytes(), ofParity));
    }
    return loads;
  }

  /**
   * The names of the sites of a bundle's columns, parity last, in pairwise different domains.
   *
   * @throws PlanRefusedException if fewer domains than columns have room
   */
  List<String> place(Bundle bundle, String id) {
    long seed = Hash.of(id);
    List<Load> loads = loads(bundle);
    loads.sort(Load.HOTTEST_FIRST);
    String[] names = new String[loads.size()];
    Set<String> usedDomains = new HashSet<>();
    for (Load load : loads) {
      State best = best(load, usedDomains, seed);
      if (best == null) {
        throw new PlanRefusedException(
            "Cannot place %d meta-shards of %d+%d with up to %d bytes a location: they need %d domains with room, only %d have it; raise capacities, add locations or lower reshard.max-bytes-per-run"
                .formatted(
                    bundle.rows().size(),
                    bundle.columns(),
                    bundle.m(),
                    bundle.parityBytes(),
                    names.length,
                    domainsWithRoom(bundle.parityBytes())));
      }
      usedDomains.add(best.site.domain());
      best.bytes += load.bytes();
      best.readMillis += load.readMillis();
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
          && (best == null || isBetter(state, best, load.readMillis() > 0, seed))) {
        best = state;
      }
    }
    return best;
  }

  private static boolean isBetter(State a, State b, boolean byReads, long seed) {
    int reads = Double.compare(a.readMillis, b.readMillis);
    int bytes = Long.compare(a.bytes, b.bytes);
    int order = byReads ? (reads != 0 ? reads : bytes) : (bytes != 0 ? bytes : reads);
    return order != 0 ? order < 0 : Hash.of(seed, a.nameHash) < Hash.of(seed, b.nameHash);
  }

  private long domainsWithRoom(long bytes) {
    return states.stream()
        .filter(state -> state.roomBytes >= bytes)
        .map(state -> state.site.domain())
        .distinct()
        .count();
  }
}
