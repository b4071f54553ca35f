package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Shape by heat and length: each object that is read whole, and each segment of the others, has the
 * shape whose reads and bytes cost least at the price of bytes that keeps the storage budget.
 *
 * <p>What shares its parity with others is packed in order of length: a column is a whole object, a
 * part of one that is read whole, a segment, or a slice of one.
 */
record Balanced(PlanOptions options, Width width, ShapePrices prices) implements ShapePolicy {
  private static final int MOST_ROWS = 1024;

  /**
   * Columns of as many pieces, about as long, make rows of equal blocks, and parity is as long as
   * the longest. Equal lengths: what is of one object stays together, so that a change of it ends
   * few others.
   */
  private static final Comparator<List<Piece>> LIKE_BY_LIKE =
      Comparator.comparingInt((List<Piece> column) -> column.size())
          .reversed()
          .thenComparing(Comparator.comparingLong((List<Piece> c) -> Bundle.bytes(c)).reversed())
          .thenComparing(column -> column.get(0).object().id())
          .thenComparingLong(column -> column.get(0).offset());

  @Override
  public List<Bundle> shape(List<PlanObject> objects, int step) {
    List<Bundle> bundles = new ArrayList<>();
    List<List<Piece>> shared = new ArrayList<>();
    Map<Unit, ReadShape> chosen = new HashMap<>();
    for (PlanObject object : objects) {
      if (step > Step.NO_EXTRAS) {
        object.segments().forEach(s -> shared.add(List.of(Piece.whole(object, s.segment()))));
      } else if (isReadWhole(object)) {
        ReadShape shape = chosen.computeIfAbsent(unit(object), unit -> choose(unit, step));
        addWhole(object, shape, bundles, shared);
      } else {
        for (PlanSegment segment : object.segments()) {
          ReadShape shape =
              chosen.computeIfAbsent(unit(object, segment), unit -> choose(unit, step));
          add(List.of(Piece.whole(object, segment.segment())), shape, bundles, shared);
        }
      }
    }
    pack(shared, Step.slicing(step), bundles);
    return bundles;
  }

  /**
   * The meta-shards of objects that are read whole, or have one segment.
   *
   * @param shapes of each
   */
  List<Bundle> bundles(List<PlanObject> objects, List<ReadShape> shapes) {
    List<Bundle> bundles = new ArrayList<>();
    List<List<Piece>> shared = new ArrayList<>();
    for (int i = 0; i < objects.size(); i++) {
      addWhole(objects.get(i), shapes.get(i), bundles, shared);
    }
    pack(shared, Packing.Slicing.NEVER, bundles);
    return bundles;
  }

  private void addWhole(
      PlanObject object, ReadShape shape, List<Bundle> bundles, List<List<Piece>> shared) {
    List<Piece> pieces = new ArrayList<>();
    object.segments().forEach(s -> pieces.add(Piece.whole(object, s.segment())));
    for (List<Piece> part : parts(pieces, shape)) {
      add(part, shape, bundles, shared);
    }
  }

  private void pack(List<List<Piece>> shared, Packing.Slicing slicing, List<Bundle> bundles) {
    shared.sort(LIKE_BY_LIKE);
    long[] lengths = shared.stream().mapToLong(Bundle::bytes).toArray();
    for (Packing.Run run : Packing.cut(lengths, width.k(), width.m(), slicing)) {
      bundles.add(
          run.sliced()
              ? Bundle.of(ShapePolicy.sliced(shared.get(run.from()).get(0), width))
              : Bundle.of(Form.PACKED, shared.subList(run.from(), run.to()), width.m(), width));
    }
  }

  ReadShape choose(Unit unit, int step) {
    return prices.choose(unit, Step.bytePrice(step));
  }

  /** Counts what is read at once, for {@link Units#traffic}. */
  static void count(PlanObject object, PlanOptions options, Units.Counter counter) {
    if (object.bytes() == 0) {
      return;
    }
    if (isReadWhole(object, options)) {
      int parts = object.segments().size();
      counter.add(parts, object.bytes(), object.expectedRequests() / parts);
      return;
    }
    for (PlanSegment segment : object.segments()) {
      long bytes = object.segmentation().length(segment.segment());
      counter.add(1, bytes, segment.expectedRequests());
    }
  }

  /** A read of a whole object is one of each of its segments. */
  static Unit unit(PlanObject object) {
    int parts = object.segments().size();
    return Unit.of(parts, object.bytes(), object.expectedRequests() / parts);
  }

  static Unit unit(PlanObject object, PlanSegment segment) {
    return Unit.of(1, object.segmentation().length(segment.segment()), segment.expectedRequests());
  }

  private boolean isReadWhole(PlanObject object) {
    return isReadWhole(object, options);
  }

  static boolean isReadWhole(PlanObject object, PlanOptions options) {
    return object.segments().size() >= 2
        && object.expectedRequests() > 0
        && object.wholeShare() >= options.stripedWholeShare();
  }

  /** Parts of a long object whose columns are short enough. */
  private static List<List<Piece>> parts(List<Piece> pieces, ReadShape shape) {
    long longest = pieces.get(0).length();
    long rows = Math.max(1, Math.min(MOST_ROWS, ShapePrices.MOST_COLUMN_BYTES / longest));
    int most = (int) Math.min(pieces.size(), rows * shape.columns());
    List<List<Piece>> parts = new ArrayList<>();
    for (int from = 0; from < pieces.size(); from += most) {
      parts.add(pieces.subList(from, Math.min(pieces.size(), from + most)));
    }
    return parts;
  }

  private void add(
      List<Piece> pieces, ReadShape shape, List<Bundle> bundles, List<List<Piece>> shared) {
    List<List<Piece>> columns = columns(pieces, shape.columns());
    if (shape.isOwn()) {
      Form form = columns.size() == 1 ? Form.COPIES : pieces.size() > 1 ? Form.STRIPED : Form.SPLIT;
      bundles.add(Bundle.of(form, columns, shape.spare(), width));
    } else {
      // Next to each other in order, most come into one bundle, and so to different locations.
      for (int copy = 0; copy <= shape.spare(); copy++) {
        shared.addAll(columns);
      }
    }
  }

  /** As even as whole pieces allow; a single one is cut. */
  private static List<List<Piece>> columns(List<Piece> pieces, int most) {
    List<List<Piece>> columns = new ArrayList<>();
    if (pieces.size() == 1) {
      pieces.get(0).sliced(most).forEach(slice -> columns.add(List.of(slice)));
      return columns;
    }
    int slices = ShapePrices.slices(pieces.size(), most, pieces.get(0).length());
    if (slices > 1) {
      List<Piece> cut = new ArrayList<>();
      pieces.forEach(piece -> cut.addAll(piece.sliced(slices)));
      return even(cut, most);
    }
    return even(pieces, most);
  }

  private static List<List<Piece>> even(List<Piece> pieces, int most) {
    List<List<Piece>> columns = new ArrayList<>();
    int count = Math.min(most, pieces.size());
    int from = 0;
    for (int column = 0; column < count; column++) {
      int size = pieces.size() / count + (column < pieces.size() % count ? 1 : 0);
      columns.add(List.copyOf(pieces.subList(from, from + size)));
      from += size;
    }
    return columns;
  }

  @Override
  public Gain gain(PlanObject object, StoredObject stored, int step) {
    boolean anyMoved = object.segments().stream().anyMatch(segment -> isMoved(segment, stored));
    if (step > Step.NO_EXTRAS || !anyMoved) {
      return Gain.NONE;
    }
    if (isReadWhole(object)) {
      Unit unit = unit(object);
      ShapePrices.Option best = prices.best(unit, Step.bytePrice(step));
      double reads = object.expectedRequests() / object.segments().size();
      double saved = prices.millis(unit, stored.whole()) - prices.millis(unit, best);
      return gain(reads * saved, object.bytes(), best.storageRatio() * object.bytes());
    }
    double saved = 0;
    double physicalBytes = 0;
    boolean anyBetter = false;
    for (PlanSegment segment : object.segments()) {
      StoredObject.Segment before = stored.segments().get(segment.segment());
      if (before != null) {
        Unit unit = unit(object, segment);
        ShapePrices.Option best = prices.best(unit, Step.bytePrice(step));
        double ofRead = prices.millis(unit, before.shape()) - prices.millis(unit, best);
        saved += segment.expectedRequests() * ofRead;
        anyBetter |= ofRead > 0 && isMoved(segment, stored);
        physicalBytes += best.storageRatio() * object.segmentation().length(segment.segment());
      }
    }
    return anyBetter ? gain(saved, object.bytes(), physicalBytes) : Gain.NONE;
  }

  private Gain gain(double savedMillis, long bytes, double physicalBytes) {
    return new Gain(savedMillis, options.reading().moveMillis(bytes, physicalBytes));
  }

  private boolean isMoved(PlanSegment now, StoredObject stored) {
    StoredObject.Segment then = stored.segments().get(now.segment());
    return then != null
        && HeatClass.distance(HeatClass.of(then.requestsThen()), now.heatClass())
            >= options.hysteresisClasses();
  }
}
