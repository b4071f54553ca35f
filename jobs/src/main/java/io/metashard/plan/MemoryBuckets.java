package io.metashard.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Buckets in memory: a lake small enough for one place, such as a simulated one. */
public record MemoryBuckets(List<BucketInput> inputs, BucketPlanner planner) implements AllBuckets {
  @Override
  public Units units() {
    return inputs.stream().map(planner::units).reduce(Units.NONE, Units::plus);
  }

  @Override
  public boolean storeNothing() {
    return inputs.stream().allMatch(input -> input.stored().isEmpty());
  }

  @Override
  public Tally tallyFromScratch(List<Integer> steps) {
    return inputs.stream()
        .map(input -> planner.tallyFromScratch(input, steps))
        .reduce(zero(steps), Tally::plus);
  }

  @Override
  public Tally tally(Choice choice, List<Integer> steps) {
    return inputs.stream()
        .map(input -> planner.tally(input, choice, steps))
        .reduce(zero(steps), Tally::plus);
  }

  @Override
  public TierDemand tierDemandOfAll(int step) {
    return inputs.stream()
        .map(input -> planner.tierDemandOfAll(input, step))
        .reduce(TierDemand.NONE, TierDemand::plus);
  }

  @Override
  public TierDemand tierDemand(Choice choice, int step) {
    return inputs.stream()
        .map(input -> planner.tierDemand(input, choice, step))
        .reduce(TierDemand.NONE, TierDemand::plus);
  }

  private static Tally zero(List<Integer> steps) {
    Tally.Counter counter = new Tally.Counter();
    steps.forEach(step -> counter.addNew(step, 0));
    return counter.tally();
  }

  @Override
  public List<Hot> hottest(Choice choice, int step, String runKey) {
    return inputs.stream()
        .flatMap(input -> planner.hottest(input, choice, step, runKey).stream())
        .sorted(Hot.ORDER)
        .limit(Hot.MOST)
        .toList();
  }

  @Override
  public NavigableMap<Integer, Long> bytesByRank(
      Pressure pressure, Ideal ideal, long longestBytes) {
    NavigableMap<Integer, Long> bytes = new TreeMap<>();
    candidates(pressure, ideal, longestBytes)
        .forEach(c -> bytes.merge(c.rank(), c.bytes(), Math::addExact));
    return bytes;
  }

  @Override
  public List<Candidate> next(
      Pressure pressure, Ideal ideal, int fromRank, long longestBytes, int limit) {
    return candidates(pressure, ideal, longestBytes).stream()
        .filter(c -> c.rank() >= fromRank)
        .limit(limit)
        .toList();
  }

  private List<Candidate> candidates(Pressure pressure, Ideal ideal, long longestBytes) {
    List<Candidate> candidates = new ArrayList<>();
    inputs.forEach(input -> candidates.addAll(planner.candidates(input, pressure, ideal)));
    return candidates.stream()
        .filter(c -> c.bytes() <= longestBytes)
        .sorted(Candidate.ORDER)
        .toList();
  }
}
