package io.metashard;

import java.io.Serializable;

/**
 * How long one block takes to be read at a location.
 *
 * <p>A read of {@code bytes} takes a fixed time and a time per byte; some reads, by chance, take
 * several times as long.
 */
public sealed interface LocationModel extends Serializable {
  /** What tables call it. */
  String word();

  /** Milliseconds before the first byte. */
  double firstByteMillis();

  /** Of one read. */
  double bytesPerSecond();

  /** Share of reads that are slow. */
  double slowShare();

  /** Slow reads take between 1 and this many times as long, evenly spread. */
  double slowFactor();

  /**
   * Milliseconds that a read waits for others before it begins.
   *
   * @param chance in [0, 1): the larger, the longer
   */
  double waitMillis(Load load, double chance);

  /** Milliseconds of a read that is not slow. */
  default double plainMillis(long bytes) {
    return firstByteMillis() + bytes / bytesPerSecond() * 1000;
  }

  /**
   * Milliseconds of one read once it has begun.
   *
   * @param slowChance in [0, 1), decides whether it is slow, and how slow
   */
  default double servedMillis(long bytes, double slowChance) {
    double factor =
        slowChance < slowShare() ? 1 + (slowFactor() - 1) * (slowChance / slowShare()) : 1;
    return plainMillis(bytes) * factor;
  }

  /**
   * Milliseconds after the beginning of a read before the location begins another.
   *
   * @param servedMillis of the read
   */
  double heldMillis(double servedMillis);

  /**
   * How many times as long as a plain read it takes, on average, until {@code needed} of {@code
   * asked} reads that begin together are done: of n slow ones among them, evenly spread factors are
   * in order statistics known exactly.
   */
  default double meanFactor(int needed, int asked) {
    if (needed < 1 || asked < needed) {
      throw new IllegalArgumentException(
          "Cannot wait for %d of %d reads: 1 or more, and no more than are asked for"
              .formatted(needed, asked));
    }
    double sum = 0;
    double chance = StrictMath.pow(1 - slowShare(), asked); // of none slow
    for (int slow = 0; slow <= asked; slow++) {
      int waited = needed - (asked - slow); // so many slow ones are waited for
      sum += chance * (waited <= 0 ? 1 : 1 + (slowFactor() - 1) * waited / (slow + 1));
      if (slowShare() == 1) {
        return 1 + (slowFactor() - 1) * needed / (asked + 1);
      }
      chance *= (double) (asked - slow) / (slow + 1) * slowShare() / (1 - slowShare());
    }
    // With very many reads of which nearly all are slow, chances are too small for a double.
    return Math.max(1, sum);
  }

  /** Mean of the square of how many times as long as a plain read a read takes. */
  default double meanSquaredFactor() {
    double factor = slowFactor();
    return 1 - slowShare() + slowShare() * (factor * factor + factor + 1) / 3;
  }

  /** Milliseconds of a read on average, waiting not included. */
  default double meanMillis(long bytes) {
    return plainMillis(bytes) * (1 + slowShare() * (slowFactor() - 1) / 2);
  }

  /**
   * Milliseconds of one read.
   *
   * @param waitChance in [0, 1), decides how long it waits
   * @param slowChance in [0, 1), decides whether it is slow, and how slow
   */
  default double millis(long bytes, Load load, double waitChance, double slowChance) {
    return waitMillis(load, waitChance) + servedMillis(bytes, slowChance);
  }

  /**
   * How busy a location is.
   *
   * @param busyShare of its time, 0 to less than 1
   * @param meanMillis of the reads it serves
   */
  record Load(double busyShare, double meanMillis) implements Serializable {
    /** A location with more work than time has no steady state: it is taken for this busy. */
    public static final double MOST_BUSY = 0.98;

    public static final Load NONE = new Load(0, 0);

    public Load {
      if (!(busyShare >= 0 && meanMillis >= 0) || Double.isInfinite(meanMillis)) {
        throw new IllegalArgumentException(
            "Cannot use a load of %s with reads of %s ms: both must be 0 or more"
                .formatted(busyShare, meanMillis));
      }
      busyShare = Math.min(busyShare, MOST_BUSY);
    }
  }

  /**
   * One disk: reads are served one after the other, first come, first served.
   *
   * <p>The wait is that of a queue with random arrivals and one server (M/M/1): none with
   * probability 1 - busy, else exponential with mean {@code meanMillis / (1 - busy)}.
   */
  record Disk(double firstByteMillis, double bytesPerSecond, double slowShare, double slowFactor)
      implements LocationModel {
    public Disk {
      check(firstByteMillis, bytesPerSecond, slowShare, slowFactor);
    }

    @Override
    public String word() {
      return "disk";
    }

    @Override
    public double waitMillis(Load load, double chance) {
      double busy = load.busyShare();
      return chance < 1 - busy ? 0 : load.meanMillis() / (1 - busy) * Math.log(busy / (1 - chance));
    }

    @Override
    public double heldMillis(double servedMillis) {
      return servedMillis;
    }
  }

  /**
   * An object store: reads do not wait for each other, but no more begin in a second than it takes.
   *
   * @param requestsPerSecond that it takes
   */
  record ObjectStore(
      double firstByteMillis,
      double bytesPerSecond,
      double slowShare,
      double slowFactor,
      double requestsPerSecond)
      implements LocationModel {
    public ObjectStore {
      check(firstByteMillis, bytesPerSecond, slowShare, slowFactor);
      if (!(requestsPerSecond > 0)) {
        throw new IllegalArgumentException(
            "Cannot use a location of %s requests per second: more than 0 are needed"
                .formatted(requestsPerSecond));
      }
    }

    @Override
    public String word() {
      return "object-store";
    }

    @Override
    public double waitMillis(Load load, double chance) {
      return 0;
    }

    @Override
    public double heldMillis(double servedMillis) {
      return 1000 / requestsPerSecond;
    }
  }

  private static void check(
      double firstByteMillis, double bytesPerSecond, double slowShare, double slowFactor) {
    if (!(firstByteMillis >= 0
        && bytesPerSecond > 0
        && slowShare >= 0
        && slowShare <= 1
        && slowFactor >= 1)) {
      throw new IllegalArgumentException(
          "Cannot use a location of %s ms, %s bytes/s, %s slow reads, %s times as long: needed are 0 or more, more than 0, 0 to 1, 1 or more"
              .formatted(firstByteMillis, bytesPerSecond, slowShare, slowFactor));
    }
  }
}
