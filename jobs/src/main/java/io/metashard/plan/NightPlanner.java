package io.metashard.plan;

import io.metashard.plan.Tally.Measure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.function.Function;

/**
 * Decides over all buckets what each may not decide alone: which objects are encoded in this run,
 * and how much storage beyond the necessary is spent.
 *
 * <p>Both come from sums over buckets, so nothing that grows with the objects is ever in one place.
 */
public record NightPlanner(PlanOptions options, Width width, TierRooms rooms) {
  /** The ladder of steps is searched coarsely first: two passes over the buckets, 25 steps. */
  private static final int COARSE = 12;

  /**
   * Share of what the budget leaves for extras that they do not use: bytes die between nights, and
   * a map at its limit would have to be tidied at once.
   */
  private static final double LEFT_FOR_DEAD_BYTES = 1.0 / 8;

  /**
   * A lake of a few bytes cannot keep any ratio: so much over the budget is no reason to refuse.
   */
  private static final long NEGLIGIBLE_BYTES = 4096;

  /** Where tiers are not told apart. */
  public NightPlanner(PlanOptions options, Width width) {
    this(options, width, TierRooms.NONE);
  }

  /**
   * The plan of one run.
   *
   * @throws PlanRefusedException if the storage budget cannot be held
   */
  public Night plan(AllBuckets buckets) {
    Choice choice = choice(buckets, Pressure.CALM, Ideal.of(Step.LEAST));
    boolean fromScratch = buckets.storeNothing() && choice.selection().isEverything();
    if (!fromScratch) {
      Ideal ideal = ideal(buckets, search(0, buckets::tallyFromScratch).step());
      // With nothing stored, no form can be other than the ideal: the choice is the same.
      choice =
          buckets.storeNothing()
              ? new Choice(Pressure.CALM, ideal, choice.selection())
              : choice(buckets, Pressure.CALM, ideal);
    }
    Tally tally = Tally.NOTHING;
    for (Pressure pressure : Pressure.values()) {
      if (pressure != Pressure.CALM) {
        if (buckets.storeNothing()) {
          break; // there is nothing to tidy
        }
        choice = choice(buckets, pressure, choice.ideal());
      }
      Choice tried = choice;
      Found found =
          search(fromScratch ? 0 : choice.idealStep(), steps -> buckets.tally(tried, steps));
      if (found.fits()) {
        return new Night(choice, found.step(), found.tally(), remark(found.tally()));
      }
      tally = found.tally();
    }
    double after = tally.ratioAfter(Step.LEAST);
    if (after <= tally.ratioBefore()) {
      return new Night(choice, Step.LEAST, tally, overBudget(tally, after));
    }
    throw new PlanRefusedException(
        "Cannot keep to plan.storage-budget = %s: %d domains with plan.survive = %d (%s) take at least %.4f bytes per byte for the %d objects of this run and what the map keeps; raise the budget, lower plan.survive, raise plan.max-k or add locations in further domains"
            .formatted(
                options.storageBudget(),
                width.domains(),
                options.survive(),
                width,
                after,
                tally.chosen()));
  }

  private Ideal ideal(AllBuckets buckets, int step) {
    return rooms.tiers().areOne()
        ? Ideal.of(step)
        : new Ideal(step, rooms.rents(buckets.tierDemandOfAll(step)));
  }

  /**
   * What buckets share when the blocks of a night are placed.
   *
   * @param sites with all their capacity
   * @param runKey as in {@link BucketPlanner.Placing}
   * @throws PlanRefusedException if the tiers have no room for all of them
   */
  public BucketPlanner.Placing placing(
      AllBuckets buckets, Night night, List<Site> sites, String runKey) {
    Map<String, Long> keptAt = night.tally().keptBytesAt();
    BucketPlanner.Placing placing =
        new BucketPlanner.Placing(
            sites.stream().map(site -> TierRooms.withRoomLeft(site, keptAt)).toList(),
            night.newBytes(),
            runKey,
            rooms.tiers().areOne()
                ? TierFill.NONE
                : rooms.fill(
                    buckets.tierDemand(night.choice(), night.step()),
                    keptAt,
                    night.choice().ideal().rents()),
            Hottest.NONE);
    List<Hot> hottest = buckets.hottest(night.choice(), night.step(), runKey);
    try {
      return placing.with(
          buckets.planner().placed(hottest, placing, night.tally().sum(Measure.READ_MICROS)));
    } catch (PlanRefusedException e) {
      return placing; // by itself, each bucket's share of the room may do
    }
  }

  private Choice choice(AllBuckets buckets, Pressure pressure, Ideal ideal) {
    long limit = options.maxBytesPerRun();
    NavigableMap<Integer, Long> bytesByRank = buckets.bytesByRank(pressure, ideal, limit);
    Selection selection = Selection.of(bytesByRank, limit);
    if (!selection.isEverything()) {
      long chosen =
          bytesByRank.headMap(selection.belowRank(), false).values().stream()
              .mapToLong(Long::longValue)
              .sum();
      List<Candidate> next =
          buckets.next(pressure, ideal, selection.belowRank(), limit, Selection.MOST_FURTHER);
      selection = selection.filled(next, limit - chosen);
    }
    return new Choice(pressure, ideal, selection);
  }

  /**
   * The first step that fits, or the last one, which does not.
   *
   * @param tally has {@code step} among its steps
   */
  private record Found(int step, boolean fits, Tally tally) {}

  private Found search(int from, Function<List<Integer>, Tally> tally) {
    List<Integer> coarse = new ArrayList<>();
    for (int step = from; step < Step.NO_EXTRAS; step += COARSE) {
      coarse.add(step);
    }
    for (int step = Math.max(from, Step.NO_EXTRAS); step <= Step.LEAST; step++) {
      coarse.add(step);
    }
    Found found = first(coarse, tally.apply(coarse));
    List<Integer> between = new ArrayList<>();
    int tooMuch = coarse.indexOf(found.step()) - 1;
    if (found.fits() && tooMuch >= 0) {
      for (int step = coarse.get(tooMuch) + 1; step < found.step(); step++) {
        between.add(step);
      }
    }
    if (between.isEmpty()) {
      return found;
    }
    Found finer = first(between, tally.apply(between));
    return finer.fits() ? finer : found;
  }

  private Found first(List<Integer> steps, Tally tally) {
    for (int step : steps) {
      if (fits(tally, step)) {
        return new Found(step, true, tally);
      }
    }
    return new Found(steps.get(steps.size() - 1), false, tally);
  }

  private boolean fits(Tally tally, int step) {
    if (step < Step.NO_EXTRAS) {
      return tally.physicalAfter(step) <= ratioWithExtras(options, width) * tally.logicalAfter();
    }
    return tally.physicalAfter(step)
        <= options.storageBudget() * tally.logicalAfter() + NEGLIGIBLE_BYTES;
  }

  /** Physical bytes per byte that a plan with extras may come to. */
  static double ratioWithExtras(PlanOptions options, Width width) {
    double budget = options.storageBudget();
    return budget - Math.max(0, budget - width.leastRatio()) * LEFT_FOR_DEAD_BYTES;
  }

  private String overBudget(Tally tally, double after) {
    return "the map stays over plan.storage-budget = %s, at %.4f: %s"
        .formatted(options.storageBudget(), after, remark(tally));
  }

  private String remark(Tally tally) {
    StringBuilder words = new StringBuilder(whatIsDone(tally));
    long dropped = tally.sum(Measure.OBJECTS_DROPPED);
    if (dropped > 0) {
      words.append(
          "; %d objects are dropped, their sources are missing for objects.drop-missing-after"
              .formatted(dropped));
    }
    long shards = tally.sum(Measure.META_SHARDS_STUCK);
    if (shards > 0) {
      words.append(
          "; %d meta-shards keep dead bytes for almost delete.erase-within or longer, since the catalogue does not know objects in them: run catalogue, or forget them"
              .formatted(shards));
    }
    long stuck = tally.sum(Measure.OBJECTS_STUCK);
    if (stuck > 0) {
      words.append(
          "; %d objects that the catalogue does not know survive less than plan.survive asks, or have blocks at locations that drain or are gone: run catalogue, or forget them"
              .formatted(stuck));
    }
    return words.toString();
  }

  private String whatIsDone(Tally tally) {
    long waiting = tally.waiting();
    if (tally.chosen() > 0) {
      return waiting == 0
          ? options.full()
              ? "all objects will be encoded anew (plan.full), whatever reshard.max-bytes-per-run says"
              : "all objects will be encoded"
          : "%d objects wait for the next run (reshard.max-bytes-per-run)%s"
              .formatted(waiting, whatWaits(tally));
    }
    if (tally.sum(Measure.OBJECTS_PRESENT) == 0) {
      return "nothing to do: the catalogue has no present objects";
    }
    if (waiting > 0) {
      return "nothing can be done: all %d objects that wait are longer than reshard.max-bytes-per-run%s"
          .formatted(waiting, whatWaits(tally));
    }
    return "nothing to do: every object is encoded at its source's version and in a form that suits its forecast";
  }

  private static String whatWaits(Tally tally) {
    StringBuilder words = new StringBuilder();
    long unsafe = tally.sum(Measure.WAITING_UNSAFE);
    if (unsafe > 0) {
      words.append("; %d of them survive less than plan.survive asks".formatted(unsafe));
    }
    long erased = tally.sum(Measure.WAITING_ERASE);
    if (erased > 0) {
      words.append(
          "; %d of them share meta-shards with bytes that are dead for almost delete.erase-within"
              .formatted(erased));
    }
    long drained = tally.sum(Measure.WAITING_DRAIN);
    if (drained > 0) {
      words.append(
          "; %d of them have blocks at locations that drain or are gone".formatted(drained));
    }
    return words.toString();
  }
}
