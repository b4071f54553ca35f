package io.metashard.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many of each {@link Unit} there are, with their bytes and reads: a histogram that buckets add
 * up, however many segments.
 */
public record Units(Map<Unit, Sum> sums) {
  public static final Units NONE = new Units(Map.of());

  private static final int ROUNDS = 24;

  /** After so many, rounds differ less and less, and each is a candidate. */
  private static final int UNSETTLED = 8;

  private static final int BISECTIONS = 32;

  /** New part of what is expected of the locations, from round to round, until then. */
  private static final double STEP = 0.4;

  /** Prices of the locations' time that are tried, in times of the one that the rounds end at. */
  private static final int LEAST_POWER = -4;

  private static final int MOST_POWER = 32;
  private static final int POWERS_PER_OCTAVE = 4;

  /**
   * A candidate must be better by this part than what the rounds end at, which moves smoothly with
   * the forecast.
   */
  private static final double BETTER = 0.01;

  /**
   * All of one class: what is decided for the class as such is reckoned by what it really holds.
   *
   * @param bytes of all
   * @param readParts their reads, in {@link Unit#readPart()}: whole numbers, so that their sum does
   *     not depend on its order
   */
  public record Sum(long count, long bytes, long readParts) {
    Sum plus(Sum other) {
      return new Sum(
          Math.addExact(count, other.count),
          Math.addExact(bytes, other.bytes),
          Math.addExact(readParts, other.readParts));
    }
  }

  public Units {
    sums = Map.copyOf(sums);
  }

  /** Counts units one after the other. */
  static final class Counter {
    private final Map<Unit, Sum> sums = new TreeMap<>();

    /**
     * @param parts segments that are read at once
     */
    void add(int parts, long bytes, double reads) {
      Unit unit = Unit.of(parts, bytes, reads);
      sums.merge(unit, new Sum(1, bytes, unit.readParts(reads)), Sum::plus);
    }

    Units units() {
      return new Units(sums);
    }
  }

  /** Both together. */
  public Units plus(Units other) {
    Map<Unit, Sum> sum = new TreeMap<>(sums);
    other.sums.forEach((unit, more) -> sum.merge(unit, more, Sum::plus));
    return new Units(sum);
  }

  /**
   * How busy locations are when every unit has the shape that is best for all, within the storage
   * budget, and what is to be taken for the price of their time.
   *
   * <p>The shapes depend on how busy locations are, and that on the shapes: both are found in
   * rounds. In each the price of bytes is bisected so that the budget is kept. As shapes are
   * chosen, not mixed, there may be nothing to settle at: narrow ones leave locations so idle that
   * wide ones pay, and these make them so busy that narrow ones do. And where locations have no
   * time for the shapes that are best for each by itself, the price must be above what queues make
   * of it. So other prices are tried, too, and of all the one counts whose shapes' reads take least
   * at locations as busy as they make them.
   *
   * @param locations that serve reads
   */
  public Traffic traffic(PlanOptions options, Width width, int locations) {
    double reads = 0;
    double logical = 0;
    List<Class> classes = new ArrayList<>();
    for (Map.Entry<Unit, Sum> entry : new TreeMap<>(sums).entrySet()) {
      Class one = new Class(entry.getKey(), entry.getValue());
      classes.add(one);
      reads += one.reads();
      logical += entry.getValue().bytes();
    }
    if (reads == 0) {
      return Traffic.NONE;
    }
    double horizon = options.reading().horizonMillis() * locations;
    Chooser chooser =
        new Chooser(options, width, classes, options.storageBudget() * logical, horizon);
    Traffic traffic = new Traffic(reads / horizon, 0, 0);
    Best best = new Best(chooser);
    for (int round = 1; round < ROUNDS; round++) {
      List<Chosen> chosen = chooser.choose(traffic);
      if (round > UNSETTLED) {
        best.add(traffic, chosen);
      }
      double step = STEP * Math.min(1, (double) UNSETTLED / round);
      traffic = traffic.towards(chooser.traffic(chosen), step);
    }
    for (int power = LEAST_POWER; power <= MOST_POWER; power++) {
      Traffic other = traffic.atPrice(StrictMath.pow(2, (double) power / POWERS_PER_OCTAVE));
      best.add(other, chooser.choose(other));
    }
    double ended = chooser.millis(chooser.choose(traffic));
    return best.millis < ended * (1 - BETTER) ? best.traffic : traffic;
  }

  /** That of which reads take least so far. */
  private static final class Best {
    private final Chooser chooser;
    private Traffic traffic = Traffic.NONE;
    private double millis = Double.POSITIVE_INFINITY;

    private Best(Chooser chooser) {
      this.chooser = chooser;
    }

    private void add(Traffic other, List<Chosen> chosen) {
      double reads = chooser.millis(chosen);
      if (reads < millis) {
        millis = reads;
        traffic = other;
      }
    }
  }

  /** A class of units. */
  private record Class(Unit unit, Sum sum) {
    double reads() {
      return sum.readParts() * unit.readPart();
    }

    double meanBytes() {
      return (double) sum.bytes() / sum.count();
    }
  }

  /** A shape of a class, with what all reads and bytes of the class cost at its length and heat. */
  private record Priced(Class of, ReadShape shape, double millis, double bytes) {}

  /** A class in its shape, with the time that its reads hold the locations. */
  private record Chosen(Class of, ReadShape shape, double held, double squared) {}

  /**
   * @param budgetBytes physical ones
   * @param horizonMillis of all locations together
   */
  private record Chooser(
      PlanOptions options,
      Width width,
      List<Class> classes,
      double budgetBytes,
      double horizonMillis) {

    /** The best shapes at a price of the locations' time. */
    List<Chosen> choose(Traffic traffic) {
      ShapePrices prices = new ShapePrices(options, width, traffic);
      List<Chosen> chosen = new ArrayList<>();
      for (Priced one : withinBudget(classes.stream().map(of -> priced(prices, of)).toList())) {
        Class of = one.of();
        ShapePrices.Option option = prices.option(of.unit().parts(), of.meanBytes(), one.shape());
        double requests = of.reads() * option.requests();
        chosen.add(
            new Chosen(
                of, one.shape(), requests * option.heldMillis(), requests * option.heldSquared()));
      }
      return chosen;
    }

    /** What shapes make of the locations, as far as these have the time. */
    Traffic traffic(List<Chosen> chosen) {
      double squared = 0;
      for (Chosen one : chosen) {
        squared += one.squared();
      }
      double busy = Math.min(Traffic.MOST_BUSY, busyShare(chosen));
      return new Traffic(0, busy, squared / horizonMillis / (2 * (1 - busy)));
    }

    private double busyShare(List<Chosen> chosen) {
      double held = 0;
      for (Chosen one : chosen) {
        held += one.held();
      }
      return held / horizonMillis;
    }

    /**
     * What all reads take at locations that are as busy as the shapes make them, and what the
     * blocks cost; infinite where locations have no time for them.
     */
    double millis(List<Chosen> chosen) {
      if (busyShare(chosen) > Traffic.MOST_BUSY) {
        return Double.POSITIVE_INFINITY;
      }
      ShapePrices prices = new ShapePrices(options, width, traffic(chosen));
      double sum = 0;
      for (Chosen one : chosen) {
        Class of = one.of();
        ShapePrices.Option option = prices.option(of.unit().parts(), of.meanBytes(), one.shape());
        sum +=
            of.reads() * prices.millis(of.reads() / of.sum().count(), option)
                + of.sum().count() * prices.blockMillis(option);
      }
      return sum;
    }

    private static List<Priced> priced(ShapePrices prices, Class of) {
      List<Priced> priced = new ArrayList<>();
      for (ShapePrices.Option option : prices.options(of.unit())) {
        priced.add(
            new Priced(
                of,
                option.shape(),
                of.reads() * prices.millis(of.unit(), option)
                    + of.sum().count() * prices.blockMillis(option),
                of.sum().bytes() * option.storageRatio()));
      }
      return priced;
    }

    private List<Priced> withinBudget(List<List<Priced>> priced) {
      List<Priced> free = cheapest(priced, 0);
      if (bytes(free) <= budgetBytes) {
        return free;
      }
      double low = Step.bytePrice(0);
      double high = Step.bytePrice(Step.NO_EXTRAS);
      for (int i = 0; i < BISECTIONS; i++) {
        double middle = StrictMath.sqrt(low * high);
        if (bytes(cheapest(priced, middle)) <= budgetBytes) {
          high = middle;
        } else {
          low = middle;
        }
      }
      return cheapest(priced, high);
    }

    private static double bytes(List<Priced> chosen) {
      double sum = 0;
      for (Priced one : chosen) {
        sum += one.bytes();
      }
      return sum;
    }

    private static List<Priced> cheapest(List<List<Priced>> priced, double bytePrice) {
      List<Priced> chosen = new ArrayList<>(priced.size());
      for (List<Priced> shapes : priced) {
        Priced best = shapes.get(0);
        for (Priced shape : shapes) {
          if (shape.millis() + bytePrice * shape.bytes()
              < best.millis() + bytePrice * best.bytes()) {
            best = shape;
          }
        }
        chosen.add(best);
      }
      return chosen;
    }
  }
}
