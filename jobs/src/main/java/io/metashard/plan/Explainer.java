package io.metashard.plan;

import io.metashard.Amounts;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Tells why the objects of a bucket are stored as they are, after a plan: what each shape would
 * cost, at the prices that the plan was made by.
 *
 * <p>Reads are those forecast. Choices are made for classes of length and heat ({@link Unit}), so a
 * saving told here may be off the one that decided by a fifth.
 *
 * @param step at which the plan was made
 */
public record Explainer(BucketPlanner planner, Choice choice, int step) implements Serializable {
  /** Colder segments are not worth words about the time of their reads. */
  private static final double HARDLY_READ = 0.0625;

  /** Bytes that must save less than this in a horizon cost next to nothing. */
  private static final double LITTLE_MILLIS = 0.1;

  /**
   * What became of each object of a bucket.
   *
   * @param planned the bucket's blocks of the plan
   * @return in the order of object id and segment
   */
  public List<Explanation> explain(BucketInput input, List<PlannedBlock> planned) {
    Map<String, Fate> fates = new HashMap<>();
    for (Candidate candidate : planner.candidates(input, choice.pressure(), choice.ideal())) {
      fates.put(candidate.objectId(), Fate.of(candidate, choice.selection()));
    }
    planner.dropped(input).forEach(dropped -> fates.put(dropped.objectId(), Fate.DROPPED));
    Laid before = new Laid();
    // Blocks of what is encoded anew, or dropped, are dead once the run is over.
    input
        .stored()
        .forEach(
            block ->
                before.add(
                    block,
                    "",
                    block.live()
                        && !fates.getOrDefault(block.objectId(), Fate.KEPT).leavesItsBlocks()));
    Laid after = new Laid();
    planned.forEach(block -> after.add(StoredBlock.of(block), block.form(), true));
    Words words =
        switch (planner.options().policy()) {
          case BALANCED -> new BalancedWords();
          case WEIGHTED_RANDOM -> new DrawnWords();
        };
    List<Explanation> explanations = new ArrayList<>();
    input.encodable(planner.deadlines()).stream()
        .filter(object -> fates.containsKey(object.id()) || isKeptAsSuch(object))
        .sorted(Comparator.comparing(PlanObject::id))
        .forEach(
            object -> {
              Fate fate = fates.getOrDefault(object.id(), Fate.KEPT);
              explain(object, fate, fate.isEncoded() ? after : before, words, explanations);
            });
    explainMissing(input, fates, before, words, explanations);
    explanations.sort(
        Comparator.comparing(Explanation::objectId).thenComparingInt(Explanation::fromSegment));
    return explanations;
  }

  /** Whether it is told segment by segment even where nothing is chosen for it. */
  private static boolean isKeptAsSuch(PlanObject object) {
    return object.source() != PlanObject.Source.MISSING;
  }

  /** Those that stay or are dropped: each as a whole, since nothing is chosen for it. */
  private static void explainMissing(
      BucketInput input,
      Map<String, Fate> fates,
      Laid before,
      Words words,
      List<Explanation> explanations) {
    Set<String> served = new HashSet<>();
    for (StoredBlock block : input.stored()) {
      if (block.live() && !block.isParity()) {
        served.add(block.objectId());
      }
    }
    for (MissingObject missing : input.missing()) {
      PlanObject object = missing.object();
      Fate fate = fates.getOrDefault(object.id(), Fate.KEPT_WITHOUT_SOURCE);
      if (served.contains(object.id())
          && (fate == Fate.KEPT_WITHOUT_SOURCE || fate == Fate.DROPPED)) {
        int segments = object.segments().size();
        Stored stored = fate == Fate.DROPPED ? Stored.GONE : before.of(object, 0, segments);
        explanations.add(
            words.ofStored(
                new Part(object, 0, segments, false, Balanced.unit(object)),
                fate,
                stored,
                "its source is missing since " + missing.since()));
      }
    }
  }

  private void explain(
      PlanObject object, Fate fate, Laid laid, Words words, List<Explanation> explanations) {
    List<PlanSegment> segments = object.segments();
    boolean whole =
        planner.options().policy() == PlanOptions.Policy.BALANCED
            && Balanced.isReadWhole(object, planner.options());
    if (whole) {
      explanations.add(
          words.explanation(
              new Part(object, 0, segments.size(), true, Balanced.unit(object)),
              fate,
              laid.of(object, 0, segments.size())));
      return;
    }
    int from = 0;
    while (from < segments.size()) {
      Unit unit = Balanced.unit(object, segments.get(from));
      Stored stored = laid.of(object, from, from + 1);
      int to = from + 1;
      double bytes = stored.bytes();
      while (to < segments.size() && Balanced.unit(object, segments.get(to)).equals(unit)) {
        Stored next = laid.of(object, to, to + 1);
        if (!next.isLike(stored)) {
          break;
        }
        bytes += next.bytes();
        to++;
      }
      explanations.add(
          words.explanation(new Part(object, from, to, false, unit), fate, stored.with(bytes)));
      from = to;
    }
  }

  /**
   * Segments of one object that are told of together.
   *
   * @param unit that each read of them is one of
   */
  private record Part(PlanObject object, int from, int to, boolean whole, Unit unit) {
    double requests() {
      double sum = 0;
      for (PlanSegment segment : object.segments().subList(from, to)) {
        sum += segment.expectedRequests();
      }
      return sum;
    }

    /** A read of a whole object is one request of each of its segments. */
    double reads() {
      return whole ? requests() / (to - from) : requests();
    }

    long bytes() {
      long sum = 0;
      for (int segment = from; segment < to; segment++) {
        sum += object.segmentation().length(segment);
      }
      return sum;
    }
  }

  /**
   * How segments are stored.
   *
   * @param bytes that they take, their part of parity included
   */
  private record Stored(String form, int k, int m, int copies, ReadShape shape, double bytes) {
    static final Stored NOWHERE =
        new Stored(Explanation.SOURCE, 0, 0, 0, ReadShape.shared(1, 0), 0);
    static final Stored GONE = new Stored(Explanation.NOWHERE, 0, 0, 0, ReadShape.shared(1, 0), 0);

    boolean isLike(Stored other) {
      return form.equals(other.form)
          && k == other.k
          && m == other.m
          && copies == other.copies
          && shape.equals(other.shape);
    }

    Stored with(double all) {
      return new Stored(form, k, m, copies, shape, all);
    }
  }

  /** Blocks, by what they hold and what they are placed with. */
  private static final class Laid {
    private final Map<String, List<StoredBlock>> byObject = new HashMap<>();
    private final Map<String, long[]> bytesOfShard = new HashMap<>(); // all, and of live data
    private final Map<String, Set<List<Object>>> segmentsOfBundle = new HashMap<>();
    private final Map<String, Integer> widestOfBundle = new HashMap<>();
    private final Map<String, String> formOfBundle = new HashMap<>();

    void add(StoredBlock block, String form, boolean live) {
      String bundle = PlannedBlock.bundle(block.metaShardId());
      long[] bytes = bytesOfShard.computeIfAbsent(block.metaShardId(), id -> new long[2]);
      bytes[0] += block.length();
      formOfBundle.put(bundle, form);
      widestOfBundle.merge(bundle, block.k(), Math::max);
      if (!block.isParity()) {
        segmentsOfBundle
            .computeIfAbsent(bundle, id -> new HashSet<>())
            .add(List.of(block.objectId(), block.segment()));
        if (live) {
          bytes[1] += block.length();
          byObject.computeIfAbsent(block.objectId(), id -> new ArrayList<>()).add(block);
        }
      }
    }

    Stored of(PlanObject object, int from, int to) {
      List<StoredBlock> blocks =
          byObject.getOrDefault(object.id(), List.of()).stream()
              .filter(block -> block.segment() >= from && block.segment() < to)
              .toList();
      if (blocks.isEmpty()) {
        return Stored.NOWHERE;
      }
      int k = 0;
      int m = 0;
      double bytes = 0;
      boolean own = true;
      boolean ownObject = true;
      Map<Long, Integer> copiesAt = new HashMap<>();
      Set<String> locations = new HashSet<>();
      for (StoredBlock block : blocks) {
        String bundle = PlannedBlock.bundle(block.metaShardId());
        k = Math.max(k, widestOfBundle.get(bundle));
        m = Math.max(m, block.m());
        long[] all = bytesOfShard.get(block.metaShardId());
        bytes += all[1] == 0 ? 0 : (double) all[0] * block.length() / all[1];
        copiesAt.merge(block.objectOffset(), 1, Integer::sum);
        locations.add(block.location());
        for (List<Object> other : segmentsOfBundle.get(bundle)) {
          int segment = (int) other.get(1);
          boolean same = other.get(0).equals(object.id());
          ownObject &= same;
          own &= same && segment >= from && segment < to;
        }
      }
      int copies = copiesAt.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
      int columns = to - from > 1 ? locations.size() / copies : copiesAt.size();
      String told = formOfBundle.get(PlannedBlock.bundle(blocks.get(0).metaShardId()));
      Form seen =
          k == 1
              ? Form.COPIES
              : own && to - from == 1 ? Form.SPLIT : ownObject ? Form.STRIPED : Form.PACKED;
      return new Stored(
          told.isEmpty() ? seen.word() : told,
          k,
          m,
          copies,
          own ? ReadShape.own(k, m) : ReadShape.shared(Math.max(1, columns), copies - 1),
          bytes);
    }
  }

  /** The words of a policy. */
  private abstract class Words {
    final ShapePrices prices =
        new ShapePrices(planner.options(), planner.width(), planner.traffic());

    abstract Explanation explanation(Part part, Fate fate, Stored stored);

    /** Of what is as it is, whatever could be. */
    Explanation ofStored(Part part, Fate fate, Stored stored, String reason) {
      ShapePrices.Option has = prices.option(part.unit(), stored.shape());
      return of(part, fate, stored, has, Rival.NONE, reason);
    }

    Explanation of(
        Part part, Fate fate, Stored stored, ShapePrices.Option has, Rival rival, String reason) {
      ShapePrices.Option plain = prices.option(part.unit(), ReadShape.shared(1, 0));
      double millis = prices.millis(part.unit(), has);
      double plainMillis = prices.millis(part.unit(), plain);
      return new Explanation(
          part.object().id(),
          part.object().bytes(),
          part.from(),
          part.to(),
          part.whole(),
          fate,
          stored.form(),
          stored.k(),
          stored.m(),
          stored.copies(),
          part.bytes(),
          stored.bytes(),
          part.requests(),
          part.reads(),
          millis,
          plainMillis,
          part.reads() * (plainMillis - millis),
          (has.storageRatio() - plain.storageRatio()) * part.bytes(),
          rival.text(),
          rival.millis(),
          rival.moreBytes(),
          reason);
    }
  }

  /** The shape that comes next. */
  private record Rival(String text, double millis, double moreBytes) {
    static final Rival NONE = new Rival("", Double.NaN, 0);
  }

  private final class BalancedWords extends Words {
    private final double bytePrice = Step.bytePrice(step);

    @Override
    Explanation explanation(Part part, Fate fate, Stored stored) {
      Unit unit = part.unit();
      ShapePrices.Option plain = prices.option(unit, ReadShape.shared(1, 0));
      if (part.object().bytes() == 0) {
        return of(part, fate, stored, plain, Rival.NONE, "empty: copies keep it in the map");
      }
      if (step >= Step.NO_EXTRAS + 1) {
        ShapePrices.Option has = prices.option(unit, stored.shape());
        return of(part, fate, stored, has, Rival.NONE, tight(fate, stored));
      }
      ShapePrices.Option best = prices.best(unit, bytePrice);
      ShapePrices.Option has = fate.isEncoded() ? best : prices.option(unit, stored.shape());
      ShapePrices.Option next = next(part, best);
      Rival rival =
          new Rival(
              text(next.shape(), part),
              prices.millis(unit, next),
              (next.storageRatio() - plain.storageRatio()) * part.bytes());
      return of(part, fate, stored, has, rival, reason(part, fate, stored, plain, best, next));
    }

    private static String tight(Fate fate, Stored stored) {
      return !fate.isEncoded()
          ? "the storage budget leaves nothing beyond safety"
          : stored.form().equals(Form.SPLIT.word())
              ? "cut to hold the storage budget: there are too few others of its length to pack it with"
              : "the storage budget leaves nothing beyond safety: packed";
    }

    /** What is best of all others. */
    private ShapePrices.Option next(Part part, ShapePrices.Option best) {
      return prices.options(part.unit()).stream()
          .filter(option -> !option.shape().equals(best.shape()))
          .min(Comparator.comparingDouble(option -> prices.cost(part.unit(), option, bytePrice)))
          .orElse(best);
    }

    private String reason(
        Part part,
        Fate fate,
        Stored stored,
        ShapePrices.Option plain,
        ShapePrices.Option best,
        ShapePrices.Option next) {
      String chosen = text(best.shape(), part);
      if (fate.isEncoded()) {
        return best.shape().equals(plain.shape())
            ? packed(part, plain, next)
            : against(part, plain, best);
      }
      if (stored.equals(Stored.NOWHERE)) {
        return "will be "
            + chosen
            + (best.shape().equals(plain.shape()) ? "" : ": that " + against(part, plain, best));
      }
      if (best.shape().equals(stored.shape())) {
        return "the shape that its forecast asks for";
      }
      if (fate == Fate.KEPT) {
        return "encoded now it would be %s; that is not enough for a move".formatted(chosen);
      }
      return "will be " + chosen;
    }

    private String packed(Part part, ShapePrices.Option plain, ShapePrices.Option next) {
      if (part.requests() / (part.to() - part.from()) < HARDLY_READ) {
        return "hardly read: packed, which costs least";
      }
      double saved = saved(part, plain, next);
      if (saved <= 0) {
        return "no other shape would be read faster";
      }
      return "packed, as %s would %s"
          .formatted(text(next.shape(), part), told(part, plain, next, "save", "store"));
    }

    private String against(Part part, ShapePrices.Option plain, ShapePrices.Option option) {
      return told(part, plain, option, "saves", "stores");
    }

    /** {@code saves 12s of reading and stores 4 MiB more, which must save 2,000 ms or more}. */
    private String told(
        Part part,
        ShapePrices.Option plain,
        ShapePrices.Option option,
        String saves,
        String stores) {
      double more = (option.storageRatio() - plain.storageRatio()) * part.bytes();
      String reading =
          saves + " " + millis(saved(part, plain, option)) + " of reading" + blocks(plain, option);
      if (more < 1) {
        return reading + " at no more storage";
      }
      String storing = "%s and %s %s more".formatted(reading, stores, Amounts.bytes((long) more));
      double worth = bytePrice * more;
      return worth < LITTLE_MILLIS
          ? storing + ", for which the budget has room"
          : storing + ", which must save " + millis(worth) + " or more";
    }

    /** Where it counts: {@code in 9 more blocks, which must save 0.5 ms or more}. */
    private String blocks(ShapePrices.Option plain, ShapePrices.Option option) {
      long more = Math.round(option.rows() - plain.rows());
      double worth = prices.blockMillis(option) - prices.blockMillis(plain);
      return more < 1 || worth < LITTLE_MILLIS
          ? ""
          : " in %d more blocks, which must save %s or more".formatted(more, millis(worth));
    }

    private double saved(Part part, ShapePrices.Option plain, ShapePrices.Option option) {
      return part.reads()
          * (prices.millis(part.unit(), plain) - prices.millis(part.unit(), option));
    }
  }

  private static String millis(double millis) {
    return millis >= 10_000 ? Amounts.duration(millis / 1000) : Amounts.number(millis) + " ms";
  }

  private static String text(ReadShape shape, Part part) {
    if (!shape.isOwn()) {
      return shape.spare() > 0
          ? "packed, %d times".formatted(shape.spare() + 1)
          : shape.columns() > 1 ? "packed in %d columns".formatted(shape.columns()) : "packed";
    }
    Form form = shape.columns() == 1 ? Form.COPIES : part.whole() ? Form.STRIPED : Form.SPLIT;
    return "%s %d+%d".formatted(form.word(), shape.columns(), shape.spare());
  }

  /** Draws are not chosen by prices: what they came to is told, and what it costs by the model. */
  private final class DrawnWords extends Words {
    @Override
    Explanation explanation(Part part, Fate fate, Stored stored) {
      DrawOptions draw = planner.options().draw();
      List<PlanSegment> segments = part.object().segments().subList(part.from(), part.to());
      String weight =
          switch (draw.weight()) {
            case P_REQUESTED -> mean(segments, PlanSegment::pRequested, "p_requested");
            case EXPECTED_REQUESTS ->
                mean(segments, PlanSegment::expectedRequests, "expected_requests");
          };
      String reason =
          stored.equals(Stored.NOWHERE)
              ? "will be drawn by " + weight
              : "drawn into %d meta-shard%s by %s"
                      .formatted(stored.copies(), stored.copies() == 1 ? "" : "s", weight)
                  + (step < Step.NO_EXTRAS && fate.isEncoded()
                      ? "; keys up to %s are drawn again"
                          .formatted(Amounts.number(Step.drawnUpTo(step)))
                      : "");
      return of(part, fate, stored, prices.option(part.unit(), stored.shape()), Rival.NONE, reason);
    }

    private static String mean(
        List<PlanSegment> segments,
        java.util.function.ToDoubleFunction<PlanSegment> weight,
        String name) {
      return name
          + " = "
          + Amounts.number(segments.stream().collect(Collectors.averagingDouble(weight)));
    }
  }
}
