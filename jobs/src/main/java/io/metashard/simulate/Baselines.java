package io.metashard.simulate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * Layouts that plans are compared with. Objects are placed at random, as those who proposed them
 * do; blocks of one object are at different locations.
 */
public final class Baselines {
  /** What EC-Cache adds to the objects' bytes (Rashmi et al., OSDI 2016, section 7). */
  public static final double EC_CACHE_OVERHEAD = 0.15;

  private static final int EC_CACHE_K = 10;

  private final List<SimulatedObject> objects;
  private final int locations;
  private final long seed;

  /**
   * @param objects with what is forecast of them
   * @param seed of the placement
   */
  public Baselines(List<SimulatedObject> objects, int locations, long seed) {
    this.objects = List.copyOf(objects);
    this.locations = locations;
    this.seed = seed;
  }

  /** The objects as they are: each at one location. */
  public List<PlacedBlock> source() {
    return uniform(1, 0);
  }

  /** Every object in {@code k} slices and {@code m} parity blocks; k = 1: copies. */
  public List<PlacedBlock> uniform(int k, int m) {
    if (k + m > locations) {
      throw new IllegalArgumentException(
          "Cannot place %d+%d blocks at different locations: there are %d"
              .formatted(k, m, locations));
    }
    List<PlacedBlock> blocks = new ArrayList<>();
    for (SimulatedObject object : objects) {
      add(object, k, m, blocks);
    }
    return blocks;
  }

  /**
   * EC-Cache: 10 slices of every object, one parity block, and one more for the most popular, as
   * far as the overhead goes.
   */
  public List<PlacedBlock> ecCache() {
    if (EC_CACHE_K + 2 > locations) {
      throw new IllegalArgumentException(
          "Cannot place EC-Cache's %d blocks at different locations: there are %d"
              .formatted(EC_CACHE_K + 2, locations));
    }
    long all = objects.stream().mapToLong(SimulatedObject::bytes).sum();
    double left = EC_CACHE_OVERHEAD * all;
    List<SimulatedObject> hottest = new ArrayList<>(objects);
    hottest.sort(
        Comparator.comparingDouble(SimulatedObject::expectedRequests)
            .reversed()
            .thenComparing(SimulatedObject::objectId));
    for (SimulatedObject object : hottest) {
      left -= slice(object, EC_CACHE_K);
    }
    List<PlacedBlock> blocks = new ArrayList<>();
    for (SimulatedObject object : hottest) {
      int m = left >= slice(object, EC_CACHE_K) ? 2 : 1;
      left -= (m - 1) * slice(object, EC_CACHE_K);
      add(object, EC_CACHE_K, m, blocks);
    }
    return blocks;
  }

  /**
   * Selective replication: the objects whose copies are read most get one more, again and again,
   * until the storage is used.
   *
   * @param ratio physical bytes per logical byte
   */
  public List<PlacedBlock> selective(double ratio) {
    record Copied(SimulatedObject object, int copies) {
      double readsOfEach() {
        return object.expectedRequests() * object.bytes() / copies;
      }
    }
    PriorityQueue<Copied> queue =
        new PriorityQueue<>(
            Comparator.comparingDouble(Copied::readsOfEach)
                .reversed()
                .thenComparing(copied -> copied.object().objectId()));
    objects.forEach(object -> queue.add(new Copied(object, 1)));
    double left = (ratio - 1) * objects.stream().mapToLong(SimulatedObject::bytes).sum();
    List<PlacedBlock> blocks = new ArrayList<>();
    while (!queue.isEmpty()) {
      Copied hottest = queue.poll();
      if (hottest.copies() < locations && hottest.object().bytes() <= left) {
        left -= hottest.object().bytes();
        queue.add(new Copied(hottest.object(), hottest.copies() + 1));
      } else {
        add(hottest.object(), 1, hottest.copies() - 1, blocks);
      }
    }
    return blocks;
  }

  /**
   * SP-Cache (Yu, Huang, Wang, Zhang and Letaief, 2018): objects in the more parts without any
   * redundancy, the more bytes are read of them.
   *
   * @param scale parts per byte read in the horizon
   */
  public List<PlacedBlock> spCache(double scale) {
    List<PlacedBlock> blocks = new ArrayList<>();
    for (SimulatedObject object : objects) {
      double parts = Math.ceil(scale * object.expectedRequests() * object.bytes());
      add(
          object,
          (int) Math.max(1, Math.min(Math.min(locations, object.bytes()), parts)),
          0,
          blocks);
    }
    return blocks;
  }

  private static long slice(SimulatedObject object, int k) {
    return Math.max(0, (object.bytes() - 1) / k + 1);
  }

  private void add(SimulatedObject object, int k, int m, List<PlacedBlock> blocks) {
    String id = object.objectId();
    int[] places = places(id, k + m);
    long slice = slice(object, k);
    int parts = (int) Math.min(k, slice == 0 ? 1 : (object.bytes() - 1) / slice + 1);
    for (int i = 0; i < parts; i++) {
      long offset = i * slice;
      blocks.add(
          new PlacedBlock(
              id, offset, Math.min(slice, object.bytes() - offset), id, id, parts, i, places[i]));
    }
    for (int i = 0; i < m; i++) {
      blocks.add(new PlacedBlock(null, 0, slice, id, id, parts, parts + i, places[parts + i]));
    }
  }

  /** Different locations, drawn for an object. */
  private int[] places(String objectId, int count) {
    SplittableRandom random = new SplittableRandom(seed * 31 + objectId.hashCode());
    return java.util.Arrays.copyOf(Luck.permutation(locations, random), count);
  }
}
