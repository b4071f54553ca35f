package io.metashard.simulate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Layouts that plans are compared with. Objects are placed at random, as those who proposed them
 * do; blocks of one object are at different locations.
 *
 * @param heats of all objects that are laid out
 */
public record Baselines(List<Heat> heats, int locations) {
  /** What EC-Cache adds to the objects' bytes (Rashmi et al., OSDI 2016, section 7). */
  public static final double EC_CACHE_OVERHEAD = 0.15;

  private static final int EC_CACHE_K = 10;

  /** Halvings of a factor of 2^128: as exact as a double is. */
  private static final int BISECTIONS = 64;

  private static final int MOST_OCTAVES = 64;

  public Baselines {
    heats = List.copyOf(heats);
  }

  /** The objects as they are: each at one location. */
  public LayoutRule source() {
    return new LayoutRule.Uniform(1, 0);
  }

  /**
   * Every object in {@code k} slices and {@code m} parity blocks; k = 1: copies.
   *
   * @throws IllegalArgumentException if there are too few locations
   */
  public LayoutRule uniform(int k, int m) {
    requireLocations("%d+%d blocks".formatted(k, m), k + m);
    return new LayoutRule.Uniform(k, m);
  }

  /**
   * EC-Cache: 10 slices of every object, one parity block, and one more for the most popular, as
   * far as the overhead goes.
   *
   * @throws IllegalArgumentException if there are too few locations
   */
  public LayoutRule ecCache() {
    requireLocations("EC-Cache's %d blocks".formatted(EC_CACHE_K + 2), EC_CACHE_K + 2);
    List<Heat> hottest = new ArrayList<>(heats);
    hottest.sort(Comparator.comparingDouble(Heat::requests).reversed());
    double left = 0;
    for (Heat heat : hottest) {
      left += (EC_CACHE_OVERHEAD - 1.0 / EC_CACHE_K) * heat.allBytes();
    }
    double from = Double.POSITIVE_INFINITY;
    for (Heat heat : hottest) {
      left -= heat.allBytes() / EC_CACHE_K;
      if (left < 0) {
        break;
      }
      from = heat.requests();
    }
    return new LayoutRule.MoreForTheHottest(EC_CACHE_K, 1, from);
  }

  /**
   * Selective replication: as many copies as make every copy be read as many bytes, about, with no
   * more storage than the budget.
   *
   * @param ratio physical bytes per logical byte
   */
  public LayoutRule selective(double ratio) {
    double budget = ratio * heats.stream().mapToDouble(Heat::allBytes).sum();
    double most = heats.stream().mapToDouble(Heat::readBytes).max().orElse(0);
    double tooLow = -MOST_OCTAVES;
    double fits = 0;
    for (int i = 0; i < BISECTIONS; i++) {
      double middle = (tooLow + fits) / 2;
      if (storedBytes(copies(most, middle)) <= budget) {
        fits = middle;
      } else {
        tooLow = middle;
      }
    }
    return copies(most, fits);
  }

  private LayoutRule.Copies copies(double most, double octaves) {
    return new LayoutRule.Copies(
        Math.max(Double.MIN_NORMAL, most * Math.pow(2, octaves)), locations);
  }

  private double storedBytes(LayoutRule.Copies rule) {
    double bytes = 0;
    for (Heat heat : heats) {
      bytes += heat.allBytes() * rule.copies(heat.readBytes());
    }
    return bytes;
  }

  /**
   * SP-Cache (Yu, Huang, Wang, Zhang and Letaief, 2018): objects in the more parts without any
   * redundancy, the more bytes are read of them.
   *
   * @param mostParts of the object that most bytes are read of
   */
  public LayoutRule spCache(int mostParts) {
    double most = heats.stream().mapToDouble(Heat::readBytes).max().orElse(0);
    return new LayoutRule.Split(most > 0 ? mostParts / most : 0, locations);
  }

  private void requireLocations(String what, int least) {
    if (least > locations) {
      throw new IllegalArgumentException(
          "Cannot place %s at different locations: there are %d".formatted(what, locations));
    }
  }

  /**
   * The blocks of an object.
   *
   * @param locations how many there are
   * @param seed of the placement
   */
  public static List<PlacedBlock> blocks(
      SimulatedObject object, LayoutRule rule, int locations, long seed) {
    LayoutRule.Parts shape = rule.of(object);
    String id = object.objectId();
    int[] places = places(id, shape.data() + shape.spare(), locations, seed);
    long slice = Math.max(0, (object.bytes() - 1) / shape.data() + 1);
    int parts = (int) Math.min(shape.data(), slice == 0 ? 1 : (object.bytes() - 1) / slice + 1);
    List<PlacedBlock> blocks = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      long offset = i * slice;
      blocks.add(
          new PlacedBlock(
              id, offset, Math.min(slice, object.bytes() - offset), id, id, parts, i, places[i]));
    }
    for (int i = parts; i < parts + shape.spare(); i++) {
      blocks.add(new PlacedBlock(null, 0, slice, id, id, parts, i, places[i]));
    }
    return blocks;
  }

  /** The same of all objects. */
  public static List<PlacedBlock> blocks(
      List<SimulatedObject> objects, LayoutRule rule, int locations, long seed) {
    List<PlacedBlock> blocks = new ArrayList<>();
    objects.forEach(object -> blocks.addAll(blocks(object, rule, locations, seed)));
    return blocks;
  }

  /** Where an object is that no layout holds: at one location. */
  public static int sourceOf(String objectId, int locations, long seed) {
    return places(objectId, 1, locations, seed)[0];
  }

  /** Different locations, drawn for an object. */
  private static int[] places(String objectId, int count, int locations, long seed) {
    SplittableRandom random = new SplittableRandom(seed * 31 + objectId.hashCode());
    return java.util.Arrays.copyOf(Luck.permutation(locations, random), count);
  }
}
