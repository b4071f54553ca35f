package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import java.util.ArrayList;
import java.util.List;

/** Which meta-shards the chosen objects of one bucket and group become. */
sealed interface ShapePolicy permits Balanced, WeightedRandom {
  /**
   * @param objects of one bucket and group, sorted by id, none empty
   * @param step of {@link Step}
   * @return meta-shards that hold every byte of the objects at least once
   */
  List<Bundle> shape(List<PlanObject> objects, int step);

  /**
   * What it would bring to encode an object anew, as its forecast asks for it: {@link Gain#NONE}
   * unless the heat of one of its segments moved by the hysteresis.
   *
   * @param step of {@link Step} whose price of bytes the new form would have
   */
  Gain gain(PlanObject object, StoredObject stored, int step);

  static ShapePolicy of(PlanOptions options, Width width, Traffic traffic) {
    return switch (options.policy()) {
      case BALANCED -> new Balanced(options, width, new ShapePrices(options, width, traffic));
      case WEIGHTED_RANDOM -> new WeightedRandom(options, width);
    };
  }

  /** The meta-shards of a sequence of whole segments, cut by {@link Packing}. */
  static List<MetaShard> cut(
      Form form, List<Piece> pieces, int maxK, Width width, Packing.Slicing slicing) {
    long[] lengths = pieces.stream().mapToLong(Piece::length).toArray();
    List<MetaShard> shards = new ArrayList<>();
    for (Packing.Run run : Packing.cut(lengths, maxK, width.m(), slicing)) {
      if (run.sliced()) {
        shards.add(sliced(pieces.get(run.from()), width));
      } else {
        shards.add(
            new MetaShard(form, width.shape(run.size()), pieces.subList(run.from(), run.to())));
      }
    }
    return shards;
  }

  /** One segment as a meta-shard of its own, as wide as may be. */
  static MetaShard sliced(Piece piece, Width width) {
    List<Piece> slices = piece.sliced(width.k());
    return new MetaShard(Form.SPLIT, width.shape(slices.size()), slices);
  }
}
