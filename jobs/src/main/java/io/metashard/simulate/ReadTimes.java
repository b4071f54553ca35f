package io.metashard.simulate;

import io.metashard.LocationModel;
import java.util.Arrays;

/**
 * How long a read takes, drawn many times.
 *
 * <p>The n-th draw of a block's luck depends on the seed, n and the block's place among those asked
 * for, and on nothing else: the same for every kind of read. So reads differ by what they ask for
 * and never by luck, the same question has the same answer, and whoever waits for fewer blocks is
 * never later.
 */
public final class ReadTimes {
  private static final long WAIT = 0x9E3779B97F4A7C15L;
  private static final long SLOW = 0xC2B2AE3D27D4EB4FL;

  private final int draws;
  private final long seed;

  public ReadTimes(int draws, long seed) {
    this.draws = draws;
    this.seed = seed;
  }

  /**
   * Milliseconds of every draw, ascending.
   *
   * @param load of the locations that are asked
   */
  public double[] of(LocationModel model, BlockReads reads, LocationModel.Load load) {
    double[] times = new double[draws];
    double[] blocks = new double[reads.asked()];
    for (int draw = 0; draw < draws; draw++) {
      for (int block = 0; block < blocks.length; block++) {
        blocks[block] =
            model.millis(
                reads.blockBytes(),
                load,
                Luck.chance(seed, draw, block, WAIT),
                Luck.chance(seed, draw, block, SLOW));
      }
      Arrays.sort(blocks);
      times[draw] = blocks[reads.needed() - 1];
    }
    Arrays.sort(times);
    return times;
  }

  public static double mean(double[] times) {
    return Arrays.stream(times).sum() / times.length;
  }

  /** The time that 99 of 100 reads do not exceed. */
  public static double p99(double[] ascending) {
    return ascending[(int) Math.ceil(0.99 * ascending.length) - 1];
  }
}
