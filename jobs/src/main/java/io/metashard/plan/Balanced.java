package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Shape by heat: objects that are read whole are striped, small hot segments are copied, the rest
 * is packed with others of similar length.
 */
record Balanced(PlanOptions options, Width width) implements ShapePolicy {
  /** Above it, a segment takes longer to transfer than to find, and copies no longer pay. */
  private static final long LONGEST_COPIED_BYTES = 1L << 20;

  /** Colder ones would wait unread on their copies. */
  private static final double LEAST_REQUESTS_COPIED = 1;

  /**
   * Equal lengths: the segments of an object stay together, so that a change of it ends few others.
   */
  private static final Comparator<Piece> LONGEST_FIRST =
      Comparator.comparingLong(Piece::length)
          .reversed()
          .thenComparing((Piece piece) -> piece.object().id())
          .thenComparingInt(Piece::segment);

  @Override
  public List<MetaShard> shape(List<PlanObject> objects, int step) {
    List<MetaShard> shards = new ArrayList<>();
    List<Piece> packed = new ArrayList<>();
    for (PlanObject object : objects) {
      List<MetaShard> stripes = stripes(object, step);
      shards.addAll(stripes);
      if (stripes.isEmpty()) {
        for (PlanSegment segment : object.segments()) {
          Piece piece = Piece.whole(object, segment.segment());
          if (isCopied(piece.length(), segment, step)) {
            shards.add(new MetaShard(Form.COPIES, width.shape(1), List.of(piece)));
          } else {
            packed.add(piece);
          }
        }
      }
    }
    packed.sort(LONGEST_FIRST);
    shards.addAll(ShapePolicy.cut(Form.PACKED, packed, width.k(), width, Step.slicing(step)));
    return shards;
  }

  /** The stripes of an object that is better striped; none when it is not. */
  private List<MetaShard> stripes(PlanObject object, int step) {
    if (!isReadWhole(object) || step > Step.NO_EXTRAS || width.k() == 1) {
      return List.of();
    }
    List<Piece> pieces =
        object.segments().stream().map(s -> Piece.whole(object, s.segment())).toList();
    List<MetaShard> stripes =
        ShapePolicy.cut(Form.STRIPED, pieces, width.k(), width, Packing.Slicing.NEVER);
    long physical = stripes.stream().mapToLong(MetaShard::physicalBytes).sum();
    // A short stripe has as much parity as a long one: each object pays for its own.
    return physical <= options.storageBudget() * object.bytes() ? stripes : List.of();
  }

  private boolean isReadWhole(PlanObject object) {
    return object.segments().size() >= 2
        && object.expectedRequests() > 0
        && object.wholeShare() >= options.stripedWholeShare();
  }

  private boolean isCopied(long length, PlanSegment segment, int step) {
    return step < Step.NO_EXTRAS
        && width.m() > 0
        && width.k() > 1
        && length <= LONGEST_COPIED_BYTES
        && segment.expectedRequests() >= LEAST_REQUESTS_COPIED
        && segment.expectedRequests() / length >= Step.copiedFrom(step);
  }

  @Override
  public boolean moved(double then, PlanSegment now) {
    return HeatClass.distance(HeatClass.of(then), now.heatClass()) >= options.hysteresisClasses();
  }

  @Override
  public boolean wantsOther(PlanObject object, PlanSegment segment, StoredForm stored, int step) {
    if (!stripes(object, step).isEmpty()) {
      return stored != StoredForm.OWN;
    }
    long length = object.segmentation().length(segment.segment());
    return isCopied(length, segment, step) != (stored == StoredForm.COPY);
  }
}
