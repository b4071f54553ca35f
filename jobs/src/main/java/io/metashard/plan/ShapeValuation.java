package io.metashard.plan;

import io.metashard.ObjectIds;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What any choice of shapes is worth for a few kinds of objects: to find how far a plan is from the
 * best choice there is.
 *
 * <p>The value of a choice is the sum over all reads of the horizon of what each takes, in
 * milliseconds: the blocks that it needs, at locations that are as busy as just this choice makes
 * them, hot spots, and what its requests and blocks cost ({@code plan.request-cost}, {@code
 * plan.block-cost}). Lengths and heat are the objects' own, not those of their classes. Its bytes
 * are those of the meta-shards that the choice makes, packed as in a plan. Where blocks are placed
 * is no part of it: locations are taken for evenly busy.
 */
public final class ShapeValuation {
  private final PlanOptions options;
  private final Width width;
  private final int locations;
  private final List<List<PlanObject>> kinds;
  private final List<List<Known>> known = new ArrayList<>();
  private final Map<Long, Long> sharedBytes = new HashMap<>();

  /**
   * A shape of a kind.
   *
   * @param ownBytes physical ones, where it shares none
   * @param heldMillis that all its reads hold locations
   * @param heldSquared sum of the squares of that
   */
  private record Known(ReadShape shape, long ownBytes, double heldMillis, double heldSquared) {}

  /**
   * @param locations that serve reads
   * @param kinds objects of the same length and heat, each read whole or of one segment: a plan
   *     gives all of a kind the same shape
   */
  public ShapeValuation(
      PlanOptions options, Width width, int locations, List<List<PlanObject>> kinds) {
    this.options = options;
    this.width = width;
    this.locations = locations;
    this.kinds = kinds.stream().map(List::copyOf).toList();
    ShapePrices calm = new ShapePrices(options, width, Traffic.NONE);
    for (List<PlanObject> kind : this.kinds) {
      check(kind);
      List<Known> shapes = new ArrayList<>();
      for (ReadShape shape : calm.shapes(Balanced.unit(kind.get(0)))) {
        ShapePrices.Option option = option(calm, kind, shape);
        double requests = reads(kind) * kind.size() * option.requests();
        shapes.add(
            new Known(
                shape,
                shape.isOwn() ? physicalBytes(kind, Collections.nCopies(kind.size(), shape)) : 0,
                requests * option.heldMillis(),
                requests * option.heldSquared()));
      }
      known.add(shapes);
    }
  }

  private void check(List<PlanObject> kind) {
    for (PlanObject object : kind) {
      if (object.bytes() == 0
          || object.segments().size() > 1 && !Balanced.isReadWhole(object, options)
          || !object.segmentation().equals(kind.get(0).segmentation())
          || !object.segments().equals(kind.get(0).segments())) {
        throw new IllegalArgumentException(
            "Cannot value one shape for object %s: it is empty, its segments are read one by one, or it is of another length or heat than others of its kind"
                .formatted(ObjectIds.printable(object.id())));
      }
    }
  }

  /** How many shapes a kind may have; the first is the plainest. */
  public int shapes(int kind) {
    return known.get(kind).size();
  }

  /**
   * Physical bytes.
   *
   * @param chosen of each kind, which of its shapes
   */
  public long bytes(int[] chosen) {
    long bytes = 0;
    long key = 0;
    for (int i = 0; i < chosen.length; i++) {
      Known shape = known.get(i).get(chosen[i]);
      bytes += shape.ownBytes();
      key = key * (known.get(i).size() + 1) + (shape.shape().isOwn() ? 0 : chosen[i] + 1);
    }
    Long packed = sharedBytes.get(key);
    if (packed == null) {
      List<PlanObject> members = new ArrayList<>();
      List<ReadShape> shapes = new ArrayList<>();
      for (int i = 0; i < chosen.length; i++) {
        ReadShape shape = known.get(i).get(chosen[i]).shape();
        if (!shape.isOwn()) {
          members.addAll(kinds.get(i));
          shapes.addAll(Collections.nCopies(kinds.get(i).size(), shape));
        }
      }
      packed = physicalBytes(members, shapes);
      sharedBytes.put(key, packed);
    }
    return bytes + packed;
  }

  /** Milliseconds of all reads in the horizon; infinite where locations have no time for them. */
  public double millis(int[] chosen) {
    double horizon = options.reading().horizonMillis() * locations;
    double held = 0;
    double squared = 0;
    for (int i = 0; i < chosen.length; i++) {
      Known shape = known.get(i).get(chosen[i]);
      held += shape.heldMillis();
      squared += shape.heldSquared();
    }
    double busy = held / horizon;
    if (busy > Traffic.MOST_BUSY) {
      return Double.POSITIVE_INFINITY;
    }
    // No price of one more request: those that it makes wait are counted themselves.
    ShapePrices prices =
        new ShapePrices(options, width, new Traffic(0, busy, squared / horizon / (2 * (1 - busy))));
    double millis = 0;
    for (int i = 0; i < chosen.length; i++) {
      List<PlanObject> kind = kinds.get(i);
      ShapePrices.Option option = option(prices, kind, known.get(i).get(chosen[i]).shape());
      millis +=
          kind.size()
              * (reads(kind) * prices.millis(reads(kind), option) + prices.blockMillis(option));
    }
    return millis;
  }

  /**
   * The shapes that a plan of policy {@code balanced} gives the kinds.
   *
   * @throws IllegalArgumentException if the budget was too small for a choice: segments that find
   *     no others of similar length are cut then, which is none of the shapes
   */
  public int[] planned(BucketPlanner planner, Night night) {
    if (night.step() > Step.NO_EXTRAS) {
      throw new IllegalArgumentException(
          "Cannot tell shapes of a plan whose budget of %s leaves no choice of them"
              .formatted(options.storageBudget()));
    }
    Balanced policy =
        new Balanced(options, width, new ShapePrices(options, width, planner.traffic()));
    int[] chosen = new int[kinds.size()];
    for (int i = 0; i < chosen.length; i++) {
      ReadShape shape = policy.choose(Balanced.unit(kinds.get(i).get(0)), night.step());
      chosen[i] = known.get(i).stream().map(Known::shape).toList().indexOf(shape);
    }
    return chosen;
  }

  /** Physical bytes per byte that a plan may come to: some of the budget is left for dead bytes. */
  public double mostRatio() {
    return NightPlanner.ratioWithExtras(options, width);
  }

  /** Of each object of a kind. */
  private static double reads(List<PlanObject> kind) {
    return kind.get(0).expectedRequests() / kind.get(0).segments().size();
  }

  private static ShapePrices.Option option(
      ShapePrices prices, List<PlanObject> kind, ReadShape shape) {
    return prices.option(kind.get(0).segments().size(), kind.get(0).bytes(), shape);
  }

  private long physicalBytes(List<PlanObject> members, List<ReadShape> shapes) {
    return new Balanced(options, width, new ShapePrices(options, width, Traffic.NONE))
        .bundles(members, shapes).stream().mapToLong(Bundle::physicalBytes).sum();
  }
}
