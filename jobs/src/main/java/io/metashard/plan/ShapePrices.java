package io.metashard.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What each shape costs: milliseconds of reading, and bytes.
 *
 * <p>A read takes as long as the last block that it needs ({@link ReadFactors}). Beside that it
 * makes others wait: by the formula of Pollaczek and Khinchine a queue's mean wait is {@code lambda
 * * E[s^2] / (2 (1 - busy))}, and its derivative is what one more request costs all others. So each
 * shape is chosen by itself, at that price of the locations' time and at a price of stored bytes
 * ({@link Step}).
 */
final class ShapePrices {
  /** Widths of what shares its parity; between them little changes. */
  private static final int[] SHARED_COLUMNS = {1, 2, 3, 4, 6, 8, 12, 16};

  /** Widths of shapes of their own that are tried, where there are more between k and 2 k. */
  private static final int WIDTHS_PER_OCTAVE = 8;

  /**
   * Most bytes that lie side by side for one read: a column is within one container, about. Longer
   * ones are several, read at once.
   */
  static final long MOST_COLUMN_BYTES = 64L << 20;

  /** Part of a location's work that may come from one block before it counts as a hot spot. */
  private static final double MOST_OF_ONE = 0.5;

  /** Mean waits that a hot spot of all of a location's work costs each read: not to be had. */
  private static final double HOT_SPOT = 1000;

  /** Columns shorter than this are not worth a request of their own. */
  private static final long LEAST_COLUMN_BYTES = 4096;

  /** Further copies of what shares its parity. */
  private static final int MOST_COPIES = 2;

  /**
   * Slices of one part, where parts do not come out even, meta-shards that they make of an object,
   * and the least length of one: each is a row of the map.
   */
  private static final int MOST_SLICES = 5;

  private static final int MOST_SLICED_ROWS = 8;
  private static final long LEAST_SLICE_BYTES = 128 << 10;

  private static final int MOST_KEPT = 100_000;

  private final Reading reading;
  private final Width width;
  private final int moreParity;
  private final Traffic traffic;
  private final ReadFactors factors;
  private final Map<Unit, List<Option>> known = new HashMap<>();
  private final Map<Wish, Option> bestKnown = new HashMap<>();

  /** Buckets have the same classes again and again. */
  private record Wish(Unit unit, double bytePrice) {}

  /**
   * A shape that a unit may have, and what follows from its length.
   *
   * @param millis of one read, what it makes others wait and what its requests cost included
   * @param storageRatio physical bytes per logical byte
   * @param requests that one read makes
   * @param heldMillis that a request holds its location, on average
   * @param heldSquared mean of the square of that
   * @param blocks that share the reads
   * @param rows of the map, with its part of those of parity
   */
  record Option(
      ReadShape shape,
      double millis,
      double storageRatio,
      int requests,
      double heldMillis,
      double heldSquared,
      int blocks,
      double rows) {}

  /**
   * @param traffic how busy locations are
   */
  ShapePrices(PlanOptions options, Width width, Traffic traffic) {
    this.reading = options.reading();
    this.width = width;
    this.moreParity = options.moreParity();
    this.traffic = traffic;
    this.factors = new ReadFactors(reading.model(), traffic);
  }

  /** All that a unit may be, the plainest first. Those of the same length have the same. */
  List<Option> options(Unit unit) {
    return known.computeIfAbsent(
        unit.anyHeat(), u -> shapes(u).stream().map(s -> option(u, s)).toList());
  }

  List<ReadShape> shapes(Unit unit) {
    List<ReadShape> shapes = new ArrayList<>();
    for (int columns : SHARED_COLUMNS) {
      if (columns == 1 || columns <= width.k() && canHave(unit, columns)) {
        shapes.add(ReadShape.shared(columns, 0));
      }
    }
    for (int copies = 1; copies <= MOST_COPIES && copies < width.k(); copies++) {
      shapes.add(ReadShape.shared(1, copies));
    }
    for (int parity = width.m(); parity <= width.m() + moreParity; parity++) {
      // No more blocks than the widest of the others have: locations may be full.
      int most = Math.min(width.k(), width.k() + width.m() - parity);
      for (int columns = 1; parity > 0 && columns <= most; columns++) {
        boolean isTried = columns % Math.max(1, columns / WIDTHS_PER_OCTAVE) == 0;
        if ((isTried || columns == most) && canHave(unit, columns)) {
          shapes.add(ReadShape.own(columns, parity));
        }
      }
    }
    return shapes;
  }

  private static boolean canHave(Unit unit, int columns) {
    return columns == 1
        || unit.bytes() / columns >= LEAST_COLUMN_BYTES
            && (unit.parts() == 1 || columns <= unit.parts() || slices(unit, columns) > 1);
  }

  private static int slices(Unit unit, int columns) {
    return slices(unit.parts(), columns, (long) (unit.bytes() / unit.parts()));
  }

  /**
   * Into how many slices each of several parts is cut, so that all columns are equally long; 1
   * where that would be too many, or is not needed.
   */
  static int slices(int parts, int columns, long partBytes) {
    int divisor = columns;
    for (int rest = parts; rest != 0; ) {
      int next = divisor % rest;
      divisor = rest;
      rest = next;
    }
    int slices = columns / divisor;
    return slices <= MOST_SLICES
            && parts / divisor <= MOST_SLICED_ROWS
            && partBytes / slices >= LEAST_SLICE_BYTES
        ? slices
        : 1;
  }

  /** Bytes of the longest column: parts are not cut where they come out even. */
  private static double columnBytes(int parts, double bytes, ReadShape shape) {
    int columns = shape.columns();
    return parts == 1 || slices(parts, columns, (long) (bytes / parts)) > 1
        ? bytes / columns
        : bytes * ((parts + columns - 1) / columns) / parts;
  }

  /** What a shape would cost a unit. */
  Option option(Unit unit, ReadShape shape) {
    return option(unit.parts(), unit.bytes(), shape);
  }

  /**
   * What a shape costs for what is read at once.
   *
   * @param parts segments that it consists of
   */
  Option option(int parts, double bytes, ReadShape shape) {
    double column = columnBytes(parts, bytes, shape);
    int pieces = (int) Math.max(1, Math.ceil(column / MOST_COLUMN_BYTES));
    long pieceBytes = (long) (column / pieces);
    int asked = shape.asked(reading.extraReads());
    int requests = asked * pieces;
    double plain = reading.model().plainMillis(pieceBytes);
    double held = reading.model().heldMillis(reading.model().meanMillis(pieceBytes));
    double plainHeld = reading.model().heldMillis(plain);
    // What does not depend on how long reads take does not vary with it.
    double squared =
        plainHeld * plainHeld * (plainHeld == plain ? reading.model().meanSquaredFactor() : 1);
    double busy = traffic.busyShare();
    double wait = traffic.waitMillis();
    double read =
        plain * factors.of(plain > 0 ? wait / plain : 0, shape.columns(), asked, shape.blocks());
    double others =
        requests
            * traffic.readsPerMilli()
            * (squared / (2 * (1 - busy)) + wait / (1 - busy) * held);
    return new Option(
        shape,
        read + others + reading.requestMillis() * requests,
        shape.isOwn()
            ? 1 + shape.spare() * column / bytes
            : (1 + shape.spare()) * width.leastRatio(),
        requests,
        held,
        squared,
        shape.blocks() * pieces,
        rows(parts, bytes, shape));
  }

  private double rows(int parts, double bytes, ReadShape shape) {
    int columns = shape.columns();
    int pieces = parts == 1 ? columns : parts * slices(parts, columns, (long) (bytes / parts));
    return shape.isOwn()
        ? pieces + (double) shape.spare() * ((pieces + columns - 1) / columns)
        : pieces * (1 + shape.spare()) * width.leastRatio();
  }

  /** Milliseconds of one read of a unit, with what it costs to come from few locations. */
  double millis(Unit unit, Option option) {
    return millis(unit.reads(), option);
  }

  /** The same for so many reads in the horizon. */
  double millis(double reads, Option option) {
    double busy = traffic.busyShare();
    if (busy == 0) {
      return option.millis();
    }
    double ofOneBlock =
        reads / reading.horizonMillis() * option.requests() * option.heldMillis() / option.blocks();
    return option.millis()
        + Math.max(0, ofOneBlock / busy - MOST_OF_ONE) * HOT_SPOT * traffic.waitMillis();
  }

  /** The same of a unit in any shape, one that is stored, say. */
  double millis(Unit unit, ReadShape shape) {
    return millis(unit, option(unit, shape));
  }

  /** Milliseconds that the blocks of a unit must save. */
  double blockMillis(Option option) {
    return option.rows() * reading.blockMillis();
  }

  /** Milliseconds that all reads of a unit, its blocks and its bytes cost. */
  double cost(Unit unit, Option option, double bytePrice) {
    return cost(unit.reads(), unit.bytes(), option, bytePrice);
  }

  private double cost(double reads, double bytes, Option option, double bytePrice) {
    return reads * millis(reads, option)
        + blockMillis(option)
        + bytePrice * option.storageRatio() * bytes;
  }

  /** The shape of the least cost: {@link #best}. */
  ReadShape choose(Unit unit, double bytePrice) {
    return best(unit, bytePrice).shape();
  }

  /**
   * What costs least.
   *
   * @param bytePrice what a stored byte must save, in milliseconds of all reads in the horizon
   */
  Option best(Unit unit, double bytePrice) {
    if (bestKnown.size() > MOST_KEPT) {
      bestKnown.clear();
    }
    return bestKnown.computeIfAbsent(new Wish(unit, bytePrice), this::cheapest);
  }

  private Option cheapest(Wish wish) {
    List<Option> options = options(wish.unit());
    double reads = wish.unit().reads();
    double bytes = wish.unit().bytes();
    Option best = options.get(0);
    double least = Double.POSITIVE_INFINITY;
    for (Option option : options) {
      double cost = cost(reads, bytes, option, wish.bytePrice());
      if (cost < least) {
        least = cost;
        best = option;
      }
    }
    return best;
  }
}
