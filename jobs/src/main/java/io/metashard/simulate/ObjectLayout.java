package io.metashard.simulate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Where the blocks of one object and of its meta-shards are, and what a reader asks for.
 *
 * <p>As a reader would: blocks that lie side by side are one request; where a read touches all data
 * of a meta-shard any k of its blocks do, and some more than k are asked for (late binding, as in
 * EC-Cache, Rashmi et al., OSDI 2016); of copies the least busy one is read.
 */
public final class ObjectLayout {
  private final List<PlacedBlock> data;
  private final Map<String, List<PlacedBlock>> shards;

  private ObjectLayout(List<PlacedBlock> data, Map<String, List<PlacedBlock>> shards) {
    this.data = data;
    this.shards = shards;
  }

  /**
   * @param blocks all blocks of the meta-shards that hold the object, in any order
   */
  public static ObjectLayout of(String objectId, List<PlacedBlock> blocks) {
    List<PlacedBlock> data = new ArrayList<>();
    Map<String, List<PlacedBlock>> shards = new HashMap<>();
    List<PlacedBlock> ordered = new ArrayList<>(blocks);
    // Of locations that are as busy, the first is asked.
    ordered.sort(
        Comparator.comparing(PlacedBlock::metaShardId).thenComparingInt(PlacedBlock::blockIndex));
    for (PlacedBlock block : ordered) {
      shards.computeIfAbsent(block.metaShardId(), id -> new ArrayList<>()).add(block);
      if (objectId.equals(block.objectId())) {
        data.add(block);
      }
    }
    data.sort(
        Comparator.comparingLong(PlacedBlock::objectOffset)
            .thenComparing(PlacedBlock::metaShardId)
            .thenComparingInt(PlacedBlock::blockIndex));
    return new ObjectLayout(data, shards);
  }

  /**
   * What a read of a range asks for.
   *
   * @param from first byte
   * @param to first byte after the range
   * @param extra blocks asked for beyond what is needed, at most
   * @throws IllegalArgumentException if no block holds a byte of the range
   */
  public List<Fetch> fetches(long from, long to, int extra) {
    List<List<PlacedBlock>> touched = touched(from, to);
    Map<String, Map<String, List<PlacedBlock>>> bundles = new LinkedHashMap<>();
    List<Fetch> fetches = new ArrayList<>();
    for (List<PlacedBlock> twins : touched) {
      PlacedBlock first = twins.get(0);
      if (first.k() == 1 || twins.size() > 1) {
        fetches.add(anyOf(first.k() == 1 ? copies(twins) : twins, from, to));
      } else {
        bundles
            .computeIfAbsent(first.bundle(), b -> new LinkedHashMap<>())
            .computeIfAbsent(first.metaShardId(), id -> new ArrayList<>())
            .add(first);
      }
    }
    for (Map<String, List<PlacedBlock>> rows : bundles.values()) {
      boolean whole = rows.values().stream().allMatch(row -> row.size() == row.get(0).k());
      if (whole) {
        fetches.add(stripe(rows, extra));
      } else {
        fetches.addAll(columns(rows, from, to));
      }
    }
    return joined(fetches);
  }

  /** Length of the object, as far as blocks hold it. */
  public long bytes() {
    return data.stream().mapToLong(b -> b.objectOffset() + b.length()).max().orElse(0);
  }

  /** The data blocks of a range; those that hold the same bytes are together. */
  private List<List<PlacedBlock>> touched(long from, long to) {
    Map<Long, List<PlacedBlock>> byOffset = new TreeMap<>();
    for (PlacedBlock block : data) {
      long end = block.objectOffset() + block.length();
      if (block.objectOffset() < to && end > from || block.objectOffset() == from && from == to) {
        byOffset.computeIfAbsent(block.objectOffset(), offset -> new ArrayList<>()).add(block);
      }
    }
    long covered = from;
    List<List<PlacedBlock>> touched = new ArrayList<>();
    for (List<PlacedBlock> twins : byOffset.values()) {
      PlacedBlock first = twins.get(0);
      if (first.objectOffset() > covered) {
        break;
      }
      covered = Math.max(covered, first.objectOffset() + first.length());
      touched.add(twins);
    }
    if (covered < to || touched.isEmpty()) {
      throw new IllegalArgumentException(
          "Cannot read bytes %d to %d of an object: its layout ends at %d"
              .formatted(from, to, covered));
    }
    return touched;
  }

  private List<PlacedBlock> copies(List<PlacedBlock> twins) {
    List<PlacedBlock> copies = new ArrayList<>();
    twins.forEach(twin -> copies.addAll(shards.get(twin.metaShardId())));
    return copies;
  }

  private static Fetch anyOf(List<PlacedBlock> copies, long from, long to) {
    List<Fetch.Choice> choices = new ArrayList<>();
    Set<Integer> locations = new HashSet<>();
    PlacedBlock range = copies.get(0);
    for (PlacedBlock copy : copies) {
      if (locations.add(copy.location())) {
        choices.add(new Fetch.Choice(copy.location(), overlap(range, from, to)));
      }
    }
    return new Fetch(1, 1, choices);
  }

  /** Meta-shards that are read whole, side by side: a column of each is one request. */
  private Fetch stripe(Map<String, List<PlacedBlock>> rows, int extra) {
    Map<Integer, Long> bytes = new LinkedHashMap<>();
    Set<Integer> holdData = new HashSet<>();
    for (String row : rows.keySet()) {
      for (PlacedBlock block : shards.get(row)) {
        bytes.merge(block.location(), block.length(), Long::sum);
        if (block.objectId() != null) {
          holdData.add(block.location());
        }
      }
    }
    List<Fetch.Choice> choices = new ArrayList<>();
    bytes.forEach((location, length) -> choices.add(new Fetch.Choice(location, length)));
    int needed = holdData.size();
    return new Fetch(needed, Math.min(choices.size(), needed + extra), choices);
  }

  private static List<Fetch> columns(Map<String, List<PlacedBlock>> rows, long from, long to) {
    Map<Integer, Long> bytes = new LinkedHashMap<>();
    for (List<PlacedBlock> row : rows.values()) {
      for (PlacedBlock block : row) {
        bytes.merge(block.location(), overlap(block, from, to), Long::sum);
      }
    }
    List<Fetch> fetches = new ArrayList<>();
    bytes.forEach(
        (location, length) ->
            fetches.add(new Fetch(1, 1, List.of(new Fetch.Choice(location, length)))));
    return fetches;
  }

  /** Copies of consecutive parts at the same locations are read as one. */
  private static List<Fetch> joined(List<Fetch> fetches) {
    List<Fetch> joined = new ArrayList<>();
    for (Fetch fetch : fetches) {
      Fetch last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
      if (last != null && fetch.choices().size() > 1 && isAlike(last, fetch)) {
        List<Fetch.Choice> choices = new ArrayList<>();
        for (int i = 0; i < fetch.choices().size(); i++) {
          Fetch.Choice choice = fetch.choices().get(i);
          choices.add(
              new Fetch.Choice(choice.location(), choice.bytes() + last.choices().get(i).bytes()));
        }
        joined.set(joined.size() - 1, new Fetch(fetch.needed(), fetch.asked(), choices));
      } else {
        joined.add(fetch);
      }
    }
    return joined;
  }

  private static boolean isAlike(Fetch a, Fetch b) {
    return a.needed() == b.needed()
        && a.asked() == b.asked()
        && a.choices().stream()
            .map(Fetch.Choice::location)
            .toList()
            .equals(b.choices().stream().map(Fetch.Choice::location).toList());
  }

  private static long overlap(PlacedBlock block, long from, long to) {
    return Math.max(
        0,
        Math.min(to, block.objectOffset() + block.length()) - Math.max(from, block.objectOffset()));
  }

  @Override
  public String toString() {
    return "%d blocks of %d meta-shards, %d of the object"
        .formatted(shards.values().stream().mapToInt(List::size).sum(), shards.size(), data.size());
  }
}
