package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

class OutcomesTest {
  private static Scorecard.Bin bin(
      double mean, double segments, double squaredError, double requested) {
    return new Scorecard.Bin(
        0,
        "m",
        VolumeClass.of(mean),
        (int) Math.floor(Math.log(mean) / Math.log(2) * Scorecard.BINS_PER_OCTAVE),
        segments,
        segments * mean,
        segments * mean,
        0,
        squaredError,
        0,
        0,
        requested);
  }

  @Test
  void chancesMoveToHowOftenSegmentsWereRequested() {
    // A Poisson mean of 0.5 would be requested by 39 %; half as many were.
    Outcomes outcomes =
        Outcomes.of(
            new Scorecard(List.of(bin(0.5, 100_000, 50_000, 20_000), bin(4, 1000, 4000, 980))));
    assertThat(outcomes.call(0.5).getDouble(2)).isCloseTo(0.2, within(0.01));
    assertThat(outcomes.call(4.0).getDouble(2)).isCloseTo(0.98, within(0.01));
  }

  @Test
  void widerErrorsMakeWiderIntervals() {
    Outcomes exact = Outcomes.of(new Scorecard(List.of(bin(20, 100, 100 * 20, 100))));
    Outcomes loose = Outcomes.of(new Scorecard(List.of(bin(20, 100, 100 * 220, 100))));
    assertThat(exact.dispersions().get(VolumeClass.HOT.ordinal())).isZero();
    assertThat(loose.dispersions().get(VolumeClass.HOT.ordinal())).isCloseTo(0.5, within(1e-9));
    assertThat(exact.call(20.0).getDouble(0)).isEqualTo(14);
    assertThat(exact.call(20.0).getDouble(1)).isEqualTo(26);
    assertThat(loose.call(20.0).getDouble(1)).isGreaterThan(35);
  }

  @Test
  void chancesAreMonotoneAndIntervalsHoldTheMean() {
    Random random = new Random(4);
    int cases = 0;
    for (int round = 0; round < 20; round++) {
      List<Scorecard.Bin> bins = new ArrayList<>();
      for (double mean = 1e-6; mean < 1e4; mean *= 3) {
        double segments = 1 + random.nextInt(1000);
        bins.add(
            bin(
                mean,
                segments,
                segments * mean * (1 + 5 * random.nextDouble()),
                Math.floor(random.nextDouble() * segments)));
      }
      Outcomes outcomes = Outcomes.of(new Scorecard(bins));
      double last = 0;
      for (double chance = 0; chance <= 1; chance += 0.01) {
        double moved = outcomes.calibrated(chance);
        assertThat(moved).isBetween(last, 1 + 1e-12);
        last = moved;
      }
      for (double mean = 1e-12; mean < 1e9; mean *= 7) {
        Row row = outcomes.call(mean);
        assertThat(row.getDouble(0)).isBetween(0.0, mean);
        assertThat(row.getDouble(1)).isFinite().isGreaterThanOrEqualTo(mean);
        assertThat(row.getDouble(2)).isGreaterThan(0).isLessThan(1);
        cases++;
      }
    }
    assertThat(cases).isEqualTo(20 * 25);
  }

  @Test
  void poolsWhatWouldDescend() {
    double[] fitted =
        Outcomes.poolAdjacentViolators(
            List.of(
                new double[] {0, 1, 1},
                new double[] {1, 3, 1},
                new double[] {2, 2, 1},
                new double[] {3, 4, 1}));
    assertThat(fitted).containsExactly(1, 2.5, 2.5, 4);
  }
}
