package io.metashard.plan;

import io.metashard.LocationModel;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long a read of several blocks takes, in times of a plain read of one: some must be waited
 * for, each waits for others at its location, some are slow, and the least busy ones are asked.
 *
 * <p>No formula is known for the order statistics of waits that are chosen from; they are drawn,
 * with the same luck for all shapes, and kept: there are few.
 */
final class ReadFactors {
  private static final int DRAWS = 100;

  /** How busy locations are is told apart in such parts. */
  private static final int BUSY_STEPS = 64;

  /** Mean waits, in times of a plain read, are drawn at halves of an octave. */
  private static final int WAITS_PER_OCTAVE = 2;

  private static final int LEAST_WAIT = -6 * WAITS_PER_OCTAVE;
  private static final int MOST_WAIT = 16 * WAITS_PER_OCTAVE;

  /**
   * Standard deviation of how busy locations are, in parts of their mean: forecasts are wrong by
   * something, and hot spots come of it.
   */
  private static final double UNEVEN = 0.15;

  private static final int MOST_KEPT = 200_000;

  private record Key(
      double slowShare,
      double slowFactor,
      int busy,
      int waitClass,
      int needed,
      int asked,
      int from) {}

  private static final ConcurrentHashMap<Key, Double> KEPT = new ConcurrentHashMap<>();

  private final double slowShare;
  private final double slowFactor;
  private final int busy;
  private final LocationModel model;

  ReadFactors(LocationModel model, Traffic traffic) {
    this.model = model;
    this.slowShare = model.slowShare();
    this.slowFactor = model.slowFactor();
    this.busy = (int) StrictMath.rint(traffic.busyShare() * BUSY_STEPS);
  }

  /**
   * @param waitFactor mean wait of a request, in times of a plain read
   * @param needed blocks that must come
   * @param asked blocks that are asked for
   * @param from blocks that could be asked for
   */
  double of(double waitFactor, int needed, int asked, int from) {
    if (!(waitFactor > 0) || busy == 0) {
      return model.meanFactor(needed, asked);
    }
    double place = StrictMath.log(waitFactor) / StrictMath.log(2) * WAITS_PER_OCTAVE;
    if (place <= LEAST_WAIT) {
      double least = StrictMath.pow(2, (double) LEAST_WAIT / WAITS_PER_OCTAVE);
      double without = model.meanFactor(needed, asked);
      return without + (at(LEAST_WAIT, needed, asked, from) - without) * waitFactor / least;
    }
    int below = (int) Math.min(StrictMath.floor(place), MOST_WAIT - 1);
    double part = Math.min(1, place - below);
    return at(below, needed, asked, from) * (1 - part) + at(below + 1, needed, asked, from) * part;
  }

  private double at(int wait, int needed, int asked, int from) {
    if (KEPT.size() > MOST_KEPT) {
      KEPT.clear();
    }
    return KEPT.computeIfAbsent(
        new Key(slowShare, slowFactor, busy, wait, needed, asked, from), this::drawn);
  }

  private double drawn(Key key) {
    double share = (double) key.busy() / BUSY_STEPS;
    double mean = StrictMath.pow(2, (double) key.waitClass() / WAITS_PER_OCTAVE);
    double sum = 0;
    double[] waits = new double[key.from()];
    double[] ends = new double[key.asked()];
    for (int draw = 0; draw < DRAWS; draw++) {
      for (int i = 0; i < waits.length; i++) {
        waits[i] = waiting(draw, i, share, mean);
      }
      if (key.asked() < key.from()) {
        Arrays.sort(waits);
      }
      for (int i = 0; i < ends.length; i++) {
        double luck = chance(draw, i, 2);
        ends[i] = waits[i] + (luck < slowShare ? 1 + (slowFactor - 1) * (luck / slowShare) : 1);
      }
      Arrays.sort(ends);
      sum += ends[key.needed() - 1];
    }
    return sum / DRAWS;
  }

  /** None with the chance that the location is free, else exponential, as in a queue M/M/1. */
  private static double waiting(int draw, int block, double share, double mean) {
    double uneven = 1 + UNEVEN * normal(draw, block);
    double busy = Math.max(0.01, Math.min(Traffic.MOST_BUSY, share * uneven));
    double chance = chance(draw, block, 1);
    if (chance < 1 - busy) {
      return 0;
    }
    double ofAll = mean * (1 - share) / Math.max(0.01, share);
    return ofAll / (1 - busy) * StrictMath.log(busy / (1 - chance));
  }

  /** By Box and Muller. */
  private static double normal(int draw, int block) {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - chance(draw, block, 3)));
    return radius * StrictMath.cos(2 * Math.PI * chance(draw, block, 4));
  }

  private static double chance(int draw, int block, int purpose) {
    return Hash.unit(Hash.of(draw, block, purpose)) * (1 - 0x1p-20);
  }
}
