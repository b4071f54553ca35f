package io.metashard.simulate;

import io.metashard.LocationModel;
import java.util.Arrays;
import java.util.List;

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
    return of(model, List.of(ReadPart.only(reads, load)));
  }

  /**
   * Milliseconds of every draw, ascending.
   *
   * @param parts all of which must come
   */
  public double[] of(LocationModel model, List<ReadPart> parts) {
    double[] times = new double[draws];
    for (int draw = 0; draw < draws; draw++) {
      int place = 0;
      for (ReadPart part : parts) {
        double[] blocks = new double[part.blocks().asked()];
        for (int nth = 0; nth < part.count(); nth++) {
          for (int block = 0; block < blocks.length; block++) {
            blocks[block] = millis(model, part, draw, place);
            place += part.turns();
          }
          Arrays.sort(blocks);
          times[draw] = Math.max(times[draw], blocks[part.blocks().needed() - 1] * part.slowness());
        }
      }
    }
    Arrays.sort(times);
    return times;
  }

  /** Until all turns of one location are over; the first waits for other reads. */
  private double millis(LocationModel model, ReadPart part, int draw, int place) {
    double begin = model.waitMillis(part.load(), Luck.chance(seed, draw, place, WAIT));
    double end = 0;
    for (int turn = 0; turn < part.turns(); turn++) {
      double served =
          model.servedMillis(
              part.blocks().blockBytes(), Luck.chance(seed, draw, place + turn, SLOW));
      end = Math.max(end, begin + served);
      begin += model.heldMillis(served);
    }
    return end;
  }

  public static double mean(double[] times) {
    return Arrays.stream(times).sum() / times.length;
  }

  /** The time that 99 of 100 reads do not exceed. */
  public static double p99(double[] ascending) {
    return ascending[(int) Math.ceil(0.99 * ascending.length) - 1];
  }
}
