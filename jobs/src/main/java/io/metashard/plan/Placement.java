package io.metashard.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  private final Optional<TierQuota> quota;
  private final Tiers tiers;
  private final List<State> states = new ArrayList<>();
  private final Map<String, State> byName = new HashMap<>();

  private static final class State {
    private final Site site;
    private final long nameHash;
    private final int tier;
    private long roomBytes;
    private long bytes;
    private double readMillis;

    private State(Site site, int tier) {
      this.site = site;
      this.tier = tier;
      this.nameHash = Hash.of(site.name());
      this.roomBytes = site.roomBytes();
    }
  }

  /** Where tiers are not told apart. */
  Placement(List<Site> sites, Reading reading) {
    this(sites, reading, Tiers.NONE, Optional.empty());
  }

  /** Within each tier by itself, as far as its quota goes. */
  Placement(List<Site> sites, Reading reading, Tiers tiers, TierQuota quota) {
    this(sites, reading, tiers, Optional.of(quota));
  }

  private Placement(List<Site> sites, Reading reading, Tiers tiers, Optional<TierQuota> quota) {
    this.reading = reading;
    this.tiers = tiers;
    this.quota = quota;
    sites.stream()
        .sorted()
        .forEach(
            site -> {
              State state = new State(site, quota.isPresent() ? tiers.indexOf(site.tier()) : 0);
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

  /** The columns of a bundle, parity last in index, the hottest first in order. */
  static List<Hot.Column> columns(Bundle bundle, Reading reading, Tiers tiers) {
    List<Hot.Column> columns = new ArrayList<>();
    double[] millis = readMillis(bundle, reading);
    for (List<MetaShard.Piece> pieces : bundle.pieces()) {
      columns.add(fresh(columns.size(), Bundle.bytes(pieces), millis[columns.size()]));
    }
    double ofParity = bundle.spreadsReads() ? millis[0] : 0;
    while (columns.size() < bundle.columns() + bundle.m()) {
      columns.add(fresh(columns.size(), bundle.parityBytes(), ofParity));
    }
    columns.sort(Hot.Column.HOTTEST_FIRST);
    int needed = bundle.spreadsReads() ? bundle.columns() : 1;
    for (int rank = 0; rank < columns.size(); rank++) {
      Hot.Column one = columns.get(rank);
      columns.set(
          rank,
          one.with(tiers.column(needed, rank, columns.size(), one.readMillis(), one.bytes())));
    }
    return columns;
  }

  private static Hot.Column fresh(int index, long bytes, double readMillis) {
    return new Hot.Column(index, bytes, readMillis, TierColumn.OF_ONE, "");
  }

  /** What placing needs to know of a bundle. */
  static Hot hot(Bundle bundle, String id, Reading reading, Tiers tiers) {
    double plain = 0;
    for (MetaShard row : bundle.rows()) {
      for (MetaShard.Piece piece : row.data()) {
        plain += plainMillis(piece, reading);
      }
    }
    return new Hot(
        id,
        bundle.rows().size(),
        bundle.columns(),
        bundle.physicalBytes(),
        plain,
        columns(bundle, reading, tiers));
  }

  /** A slice's part of its segment's. */
  private static double plainMillis(MetaShard.Piece piece, Reading reading) {
    long segmentBytes = piece.object().segmentation().length(piece.segment());
    return segmentBytes == 0
        ? 0
        : reading.loadMillis(piece.forecast().expectedRequests(), segmentBytes)
            * piece.length()
            / segmentBytes;
  }

  /**
   * The names of the sites of the columns, parity last, in pairwise different domains.
   *
   * @throws PlanRefusedException if fewer domains than columns have room
   */
  List<String> place(Hot hot) {
    long seed = Hash.of(hot.id());
    String[] names = new String[hot.columns().size()];
    Set<String> usedDomains = new HashSet<>();
    for (Hot.Column column : hot.columns()) {
      State best = best(column, usedDomains, seed);
      if (best == null) {
        long longest = hot.columns().stream().mapToLong(Hot.Column::bytes).max().orElseThrow();
        throw new PlanRefusedException(
            "Cannot place %d meta-shards of %d+%d with up to %d bytes a location: they need %d domains with room, only %d have it%s; raise capacities, add locations or lower reshard.max-bytes-per-run"
                .formatted(
                    hot.shards(),
                    hot.data(),
                    names.length - hot.data(),
                    longest,
                    names.length,
                    domainsWithRoom(longest),
                    leftAtTiers()));
      }
      usedDomains.add(best.site.domain());
      best.bytes += column.bytes();
      best.readMillis += column.readMillis();
      if (best.site.isLimited()) {
        best.roomBytes -= column.bytes();
      }
      if (quota.isPresent()) {
        quota.get().take(best.tier, column.bytes());
      }
      names[column.index()] = best.site.name();
    }
    return List.of(names);
  }

  /** At the tier that it is meant for; else at the next slower ones, else at faster ones. */
  private State best(Hot.Column load, Set<String> usedDomains, long seed) {
    if (quota.isEmpty()) {
      return best(load, 0, usedDomains, seed);
    }
    int target = quota.get().target(load.tiers(), load.bytes());
    State best = null;
    for (int tier = target; best == null && tier < tiers.count(); tier++) {
      best = best(load, tier, usedDomains, seed);
    }
    for (int tier = target - 1; best == null && tier >= 0; tier--) {
      best = best(load, tier, usedDomains, seed);
    }
    return best;
  }

  private State best(Hot.Column load, int tier, Set<String> usedDomains, long seed) {
    State best = null;
    for (State state : states) {
      if (state.tier == tier
          && hasRoom(state, load.bytes())
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

  private boolean hasRoom(State state, long bytes) {
    return state.roomBytes >= bytes && (quota.isEmpty() || quota.get().left(state.tier) >= bytes);
  }

  /** Of tiers that are limited: what is left of this bucket's part. */
  private String leftAtTiers() {
    if (quota.isEmpty()) {
      return "";
    }
    StringBuilder words = new StringBuilder();
    for (int tier = 0; tier < tiers.count(); tier++) {
      if (quota.get().left(tier) != Long.MAX_VALUE) {
        words.append(
            ", and of tier %s this bucket may fill %d bytes more"
                .formatted(tiers.fastestFirst().get(tier).name(), quota.get().left(tier)));
      }
    }
    return words.toString();
  }

  private long domainsWithRoom(long bytes) {
    return states.stream()
        .filter(state -> hasRoom(state, bytes))
        .map(state -> state.site.domain())
        .distinct()
        .count();
  }
}
