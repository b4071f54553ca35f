package io.metashard.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many of each {@link Unit} there are: a histogram that buckets add up, however many segments.
 */
public record Units(Map<Unit, Long> counts) {
  public static final Units NONE = new Units(Map.of());

  private static final int ROUNDS = 12;
  private static final int BISECTIONS = 32;

  /** New part of what is expected of the locations, from round to round. */
  private static final double STEP = 0.4;

  public Units {
    counts = Map.copyOf(counts);
  }

  /** Both together. */
  public Units plus(Units other) {
    Map<Unit, Long> sum = new TreeMap<>(counts);
    other.counts.forEach((unit, count) -> sum.merge(unit, count, Math::addExact));
    return new Units(sum);
  }

  /** A shape of a class of units, with what all of them together cost. */
  private record Priced(double millis, double bytes, double held, double squared) {}

  /**
   * How busy locations are when every unit has the shape that is best for all, within the storage
   * budget.
   *
   * <p>The shapes depend on how busy locations are, and that on the shapes: both are found in
   * rounds. In each the price of bytes is bisected so that the budget is kept.
   *
   * @param locations that serve reads
   */
  public Traffic traffic(PlanOptions options, Width width, int locations) {
    double horizon = options.reading().horizonMillis() * locations;
    double reads = 0;
    double logical = 0;
    List<Map.Entry<Unit, Long>> sorted = new ArrayList<>(new TreeMap<>(counts).entrySet());
    for (Map.Entry<Unit, Long> entry : sorted) {
      reads += entry.getKey().reads() * entry.getValue();
      logical += entry.getKey().bytes() * entry.getValue();
    }
    if (reads == 0) {
      return Traffic.NONE;
    }
    Traffic traffic = new Traffic(reads / horizon, 0, 0);
    for (int round = 0; round < ROUNDS; round++) {
      ShapePrices prices = new ShapePrices(options, width, traffic);
      List<List<Priced>> priced = new ArrayList<>();
      for (Map.Entry<Unit, Long> entry : sorted) {
        priced.add(priced(prices, entry.getKey(), entry.getValue()));
      }
      List<Priced> chosen = withinBudget(priced, options.storageBudget() * logical);
      double held = 0;
      double squared = 0;
      for (Priced one : chosen) {
        held += one.held();
        squared += one.squared();
      }
      double busy = Math.min(Traffic.MOST_BUSY, held / horizon);
      double wait = squared / horizon / (2 * (1 - busy));
      traffic =
          new Traffic(
              traffic.readsPerMilli(),
              traffic.busyShare() + STEP * (busy - traffic.busyShare()),
              traffic.waitMillis() + STEP * (wait - traffic.waitMillis()));
    }
    return traffic;
  }

  private static List<Priced> priced(ShapePrices prices, Unit unit, long count) {
    List<Priced> priced = new ArrayList<>();
    double reads = unit.reads() * count;
    for (ShapePrices.Option option : prices.options(unit)) {
      double requests = reads * option.requests();
      priced.add(
          new Priced(
              reads * prices.millis(unit, option),
              unit.bytes() * count * option.storageRatio(),
              requests * option.heldMillis(),
              requests * option.heldSquared()));
    }
    return priced;
  }

  private static List<Priced> withinBudget(List<List<Priced>> priced, double budgetBytes) {
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
        if (shape.millis() + bytePrice * shape.bytes() < best.millis() + bytePrice * best.bytes()) {
          best = shape;
        }
      }
      chosen.add(best);
    }
    return chosen;
  }
}
