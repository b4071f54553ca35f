package io.metashard.simulate;

import io.metashard.LocationModel;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Parts of a read that are told apart no further, so that the kinds of reads stay few however many
 * objects there are.
 *
 * @param needed blocks
 * @param asked blocks
 * @param size of the longest block, in steps of an eighth of a factor of two
 * @param busy share of their time that the locations are, in 32nds
 * @param slowness as in {@link ReadPart}
 * @param turns as in {@link ReadPart}
 * @param count as in {@link ReadPart}
 */
public record PartClass(
    int needed, int asked, int size, int busy, double slowness, int turns, int count) {
  /** A kind of read is told apart from others by its bytes to an eighth of a factor of two. */
  public static final int SIZES_PER_OCTAVE = 8;

  /** And by how busy its locations are, to so many parts of their time. */
  public static final int BUSY_STEPS = 32;

  /** Differing parts that a read is drawn with; the quicker ones are of the kind of the last. */
  public static final int MOST_PARTS = 2;

  /** Turns and counts above 4 are told apart to half of a factor of two. */
  private static final int COUNTS_PER_OCTAVE = 2;

  /**
   * What is known of a location.
   *
   * @param busyShare of its time
   * @param slowness in how many times of the model's a request takes place there
   */
  public record Site(double busyShare, double slowness) implements Serializable {}

  /** A part before it is put in a class: {@code count} and {@code turns} need not be whole. */
  private record Part(
      int needed, int asked, int size, double waits, double slowness, double turns, double count) {
    PartClass asClass() {
      return new PartClass(
          needed,
          asked,
          size,
          busyClass(waits / (1 + waits)),
          slowness,
          rounded(turns),
          rounded(count));
    }

    /** By which parts are put together. */
    List<Object> key() {
      return List.of(needed, asked, size, slowness, rounded(turns));
    }

    /** As many parts as both, and as many requests; how long they wait is averaged. */
    Part and(Part other) {
      double both = count + other.count;
      return new Part(
          needed,
          asked,
          size,
          (waits * count + other.waits * other.count) / both,
          slowness,
          (turns * count + other.turns * other.count) / both,
          both);
    }

    double meanMillis(LocationModel model) {
      return (turns + waits) * slowness * model.meanMillis(bytes(size));
    }

    /** To whole factors of two below the largest part of the read. */
    Part below(int largest) {
      int coarse = largest - (largest - size) / SIZES_PER_OCTAVE * SIZES_PER_OCTAVE;
      return new Part(needed, asked, coarse, waits, slowness, turns, count);
    }
  }

  /**
   * The classes of what one read asks for, the slowest first, of at most {@link #MOST_PARTS} kinds.
   *
   * <p>Requests of one read to one location are served there in turn: fetches of the same locations
   * are fewer parts of more turns each. Smaller parts are told apart by whole factors of two, up to
   * the largest, never down.
   *
   * @param sites by the numbers that the fetches name them by
   * @param model that tells slower parts from quicker ones
   */
  public static List<PartClass> of(List<Fetch> fetches, List<Site> sites, LocationModel model) {
    double[] requests = new double[sites.size()];
    for (Fetch fetch : fetches) {
      for (Fetch.Choice choice : fetch.choices()) {
        requests[choice.location()] += (double) fetch.asked() / fetch.choices().size();
      }
    }
    List<Part> parts =
        new ArrayList<>(fetches.stream().map(fetch -> part(fetch, requests, sites)).toList());
    int largest = parts.stream().mapToInt(Part::size).max().orElse(0);
    parts = together(parts.stream().map(part -> part.below(largest)).toList());
    parts.sort(
        Comparator.comparingDouble((Part part) -> part.meanMillis(model))
            .reversed()
            .thenComparing(Part::toString));
    while (parts.size() > MOST_PARTS) {
      int last = parts.size() - 1;
      parts.set(last - 1, parts.get(last - 1).and(parts.get(last)));
      parts.remove(last);
    }
    return parts.stream().map(Part::asClass).toList();
  }

  /** What a read asks for in all. */
  public static int asked(List<Fetch> fetches) {
    return fetches.stream().mapToInt(Fetch::asked).sum();
  }

  private static Part part(Fetch fetch, double[] requests, List<Site> sites) {
    double[] asked = new double[fetch.choices().size()];
    double waits = 0;
    double most = 0;
    double sum = 0;
    long bytes = 0;
    int choices = 0;
    for (Fetch.Choice choice : fetch.choices()) {
      Site site = sites.get(choice.location());
      double busy = Math.min(site.busyShare(), LocationModel.Load.MOST_BUSY);
      asked[choices++] = requests[choice.location()];
      waits += busy / (1 - busy);
      most = Math.max(most, site.slowness());
      sum += site.slowness();
      bytes = Math.max(bytes, choice.bytes());
    }
    // The least busy are asked.
    Arrays.sort(asked);
    double turns = Math.max(1, asked[fetch.needed() - 1]);
    return new Part(
        fetch.needed(),
        fetch.asked(),
        sizeClass(bytes),
        waits / choices,
        // Of copies all serve alike many, in any order; several blocks take as long as the slowest.
        fetch.needed() == 1 ? (float) (sum / choices) : most,
        turns,
        1 / turns);
  }

  private static List<Part> together(List<Part> parts) {
    Map<List<Object>, Part> byKey = new HashMap<>();
    parts.forEach(part -> byKey.merge(part.key(), part, Part::and));
    return new ArrayList<>(byKey.values());
  }

  /** To a whole number, 1 or more, to half of a factor of two. */
  private static int rounded(double number) {
    double octaves = Math.log(Math.max(1, Math.round(number))) / Math.log(2);
    return Math.toIntExact(
        Math.round(
            Math.pow(2, Math.round(octaves * COUNTS_PER_OCTAVE) / (double) COUNTS_PER_OCTAVE)));
  }

  private static int sizeClass(long bytes) {
    return (int) Math.round(Math.log(bytes + 1.0) / Math.log(2) * SIZES_PER_OCTAVE);
  }

  private static int busyClass(double share) {
    return (int) Math.round(Math.min(share, 1) * BUSY_STEPS);
  }

  private static long bytes(int size) {
    return Math.round(Math.pow(2, size / (double) SIZES_PER_OCTAVE)) - 1;
  }

  /**
   * A part of the class.
   *
   * @param meanMillis of the reads that its locations serve
   */
  public ReadPart part(double meanMillis) {
    return new ReadPart(
        new BlockReads(needed, asked, bytes(size)),
        turns,
        new LocationModel.Load(busy / (double) BUSY_STEPS, meanMillis),
        slowness,
        count);
  }
}
