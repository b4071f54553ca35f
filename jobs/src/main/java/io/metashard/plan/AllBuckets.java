package io.metashard.plan;

import java.util.List;
import java.util.NavigableMap;

/**
 * What planning asks of all buckets together. Answers are small, whatever the number of objects.
 */
public interface AllBuckets {
  /** What plans each of them. */
  BucketPlanner planner();

  /** How many objects and segments of each kind there are. */
  Units units();

  /** Whether the map holds no block yet. */
  boolean storeNothing();

  /** The sum of {@link BucketPlanner#tallyFromScratch}. */
  Tally tallyFromScratch(List<Integer> steps);

  /** The sum of {@link BucketPlanner#tally}. */
  Tally tally(Choice choice, List<Integer> steps);

  /** The sum of {@link BucketPlanner#tierDemandOfAll}. */
  TierDemand tierDemandOfAll(int step);

  /** The sum of {@link BucketPlanner#tierDemand}. */
  TierDemand tierDemand(Choice choice, int step);

  /** The first {@link Hot#MOST} of {@link BucketPlanner#hottest}, in order. */
  List<Hot> hottest(Choice choice, int step, String runKey);

  /** Bytes of the candidates of up to {@code longestBytes}, by rank. */
  NavigableMap<Integer, Long> bytesByRank(Pressure pressure, Ideal ideal, long longestBytes);

  /**
   * The first candidates of a rank or higher and of up to {@code longestBytes}, in order.
   *
   * @param limit most of them
   */
  List<Candidate> next(Pressure pressure, Ideal ideal, int fromRank, long longestBytes, int limit);
}
