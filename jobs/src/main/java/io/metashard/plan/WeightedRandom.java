package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * The seed idea: each meta-shard draws segments at random, weighted by the chance that they are
 * asked for, made safe.
 *
 * <p>Drawing is weighted sampling without replacement by exponential keys (Efraimidis and Spirakis,
 * "Weighted random sampling with a reservoir", 2006): a segment's key is -ln(u) / weight, and the
 * smallest keys are drawn first. u is a hash of seed, object, segment, round and weight class, so a
 * draw can be repeated anywhere, and a segment whose class did not change keeps its key. Round 0
 * draws until no segment is left, so that each is in a meta-shard; further rounds draw the keys
 * below a threshold once more, into other meta-shards, as far as the storage budget goes. Segments
 * of very different lengths would waste parity, so meta-shards are drawn within classes of length.
 */
record WeightedRandom(PlanOptions options, Width width) implements ShapePolicy {
  /** Most further draws of a segment. */
  private static final int ROUNDS = 3;

  /** Lengths of one class differ by a fifth at most. */
  private static final int LENGTH_CLASSES_PER_OCTAVE = 4;

  private record Draw(Piece piece, long lengthClass, double key) {
    static final Comparator<Draw> ORDER =
        Comparator.comparingLong(Draw::lengthClass)
            .reversed()
            .thenComparingDouble(Draw::key)
            .thenComparing(draw -> draw.piece().object().id())
            .thenComparingInt(draw -> draw.piece().segment());
  }

  @Override
  public List<Bundle> shape(List<PlanObject> objects, int step) {
    List<MetaShard> shards = new ArrayList<>(base(drawn(objects, 0, draw -> true), step));
    if (step < Step.NO_EXTRAS) {
      double largestKey = Step.drawnUpTo(step);
      for (int round = 1; round <= ROUNDS; round++) {
        List<Piece> again =
            drawn(
                objects,
                round,
                draw ->
                    weightClass(draw.piece().forecast()) > HeatClass.MIN
                        && draw.key() <= largestKey);
        shards.addAll(ShapePolicy.cut(Form.DRAWN, again, width.k(), width, Packing.Slicing.NEVER));
      }
    }
    return shards.stream().map(Bundle::of).toList();
  }

  /** Every segment once, in as many meta-shards as are asked for. */
  private List<MetaShard> base(List<Piece> pieces, int step) {
    int fewest = Math.min(options.draw().metaShards(), pieces.size());
    Packing.Slicing slicing = Step.slicing(step);
    List<MetaShard> shards = ShapePolicy.cut(Form.DRAWN, pieces, width.k(), width, slicing);
    if (shards.size() >= fewest) {
      return shards;
    }
    if (slicing != Packing.Slicing.NEVER) {
      // Shorter runs would cost parity that the budget does not have: slices cost none.
      return pieces.stream().map(piece -> ShapePolicy.sliced(piece, width)).toList();
    }
    return ShapePolicy.cut(
        Form.DRAWN, pieces, Math.min(width.k(), pieces.size() / fewest), width, slicing);
  }

  private List<Piece> drawn(List<PlanObject> objects, int round, Predicate<Draw> isDrawn) {
    List<Draw> draws = new ArrayList<>();
    for (PlanObject object : objects) {
      long idHash = Hash.of(object.id());
      for (PlanSegment segment : object.segments()) {
        Piece piece = Piece.whole(object, segment.segment());
        Draw draw = new Draw(piece, lengthClass(piece.length()), key(idHash, segment, round));
        if (isDrawn.test(draw)) {
          draws.add(draw);
        }
      }
    }
    draws.sort(Draw.ORDER);
    return draws.stream().map(Draw::piece).toList();
  }

  private double key(long idHash, PlanSegment segment, int round) {
    int weightClass = weightClass(segment);
    long hash = Hash.of(options.draw().seed(), idHash, segment.segment(), round, weightClass);
    return -StrictMath.log(Hash.unit(hash)) / StrictMath.scalb(1.0, weightClass);
  }

  private int weightClass(PlanSegment segment) {
    return HeatClass.of(
        switch (options.draw().weight()) {
          case P_REQUESTED -> segment.pRequested();
          case EXPECTED_REQUESTS -> segment.expectedRequests();
        });
  }

  private static long lengthClass(long length) {
    return (long)
        StrictMath.floor(StrictMath.log(length) / StrictMath.log(2) * LENGTH_CLASSES_PER_OCTAVE);
  }

  /**
   * Another class is another draw. What that saves is not foretold; it is taken for the whole time
   * of the reads, which is the most that it can be.
   */
  @Override
  public Gain gain(PlanObject object, StoredObject stored, int step) {
    Reading reading = options.reading();
    double saved = 0;
    for (PlanSegment segment : object.segments()) {
      StoredObject.Segment then = stored.segments().get(segment.segment());
      if (then != null && isMoved(then.requestsThen(), segment)) {
        long bytes = object.segmentation().length(segment.segment());
        saved += reading.loadMillis(segment.expectedRequests(), bytes);
      }
    }
    return saved > 0
        ? new Gain(saved, reading.moveMillis(object.bytes(), width.leastRatio() * object.bytes()))
        : Gain.NONE;
  }

  /** By the chance that Poisson arrivals give when that is the weight: beyond 1 nothing changes. */
  private boolean isMoved(double then, PlanSegment now) {
    int before = HeatClass.of(weight(then));
    int after = HeatClass.of(weight(now.expectedRequests()));
    return HeatClass.distance(before, after) >= options.hysteresisClasses();
  }

  private double weight(double requests) {
    return switch (options.draw().weight()) {
      case P_REQUESTED -> -StrictMath.expm1(-requests);
      case EXPECTED_REQUESTS -> requests;
    };
  }
}
