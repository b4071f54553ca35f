package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.LocationModel;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ShapePricesTest {
  private static final PlanOptions OPTIONS =
      Lab.withCode(Lab.options(PlanOptions.Policy.BALANCED, 1.5, 2), DrawOptions.Code.RS, 2);
  private static final Width WIDTH = Width.of(OPTIONS, Lab.sites(14));
  private static final LocationModel DISK = OPTIONS.reading().model();
  private static final long MIB = 1 << 20;

  private static Units units(int parts, long bytes, double reads, long count) {
    Units.Counter counter = new Units.Counter();
    for (long i = 0; i < count; i++) {
      counter.add(parts, bytes, reads);
    }
    return counter.units();
  }

  @Test
  void nothingReadIsNoTraffic() {
    assertThat(Units.NONE.traffic(OPTIONS, WIDTH, 14)).isEqualTo(Traffic.NONE);
  }

  @Test
  void moreReadsMakeLocationsBusierAndNeverBusierThanThereIsTime() {
    double busy = 0;
    for (double reads = 1; reads < 1e9; reads *= 10) {
      Traffic traffic = units(1, MIB, reads, 1000).traffic(OPTIONS, WIDTH, 14);
      assertThat(traffic.busyShare()).isBetween(busy, Traffic.MOST_BUSY);
      busy = traffic.busyShare();
    }
    assertThat(busy).isGreaterThan(0.9);
  }

  @Test
  void busyLocationsMakeShapesNarrow() {
    Unit unit = Unit.of(1, MIB, 100);
    ShapePrices calm = new ShapePrices(OPTIONS, WIDTH, Traffic.NONE);
    ShapePrices busy = new ShapePrices(OPTIONS, WIDTH, new Traffic(0.05, 0.9, 60));
    assertThat(busy.choose(unit, 0).columns()).isLessThan(calm.choose(unit, 0).columns());
  }

  @Test
  void dearBytesMakeShapesCheap() {
    ShapePrices prices = new ShapePrices(OPTIONS, WIDTH, Traffic.NONE);
    Unit unit = Unit.of(16, 64 * MIB, 10);
    assertThat(prices.choose(unit, 0).isOwn()).isTrue();
    double ratio = Double.POSITIVE_INFINITY;
    for (int step = 0; step <= Step.NO_EXTRAS; step += 4) {
      ReadShape shape = prices.choose(unit, Step.bytePrice(step));
      double now =
          prices.options(unit).stream()
              .filter(option -> option.shape().equals(shape))
              .findFirst()
              .orElseThrow()
              .storageRatio();
      assertThat(now).isLessThanOrEqualTo(ratio);
      ratio = now;
    }
    assertThat(ratio).isLessThanOrEqualTo(WIDTH.leastRatio());
  }

  @Test
  void whatIsHardlyEverReadStaysWholeWhateverTheRoom() {
    ShapePrices prices = new ShapePrices(OPTIONS, WIDTH, Traffic.NONE);
    for (int parts : new int[] {1, 16}) {
      double rows = 0;
      for (double reads = 1e-6; reads < 1e3; reads *= 2) {
        ShapePrices.Option best = prices.best(Unit.of(parts, 64 * MIB, reads), 0);
        assertThat(best.rows()).as("%d parts, %s reads", parts, reads).isGreaterThanOrEqualTo(rows);
        rows = best.rows();
      }
      ShapePrices.Option cold = prices.best(Unit.of(parts, 64 * MIB, 1e-6), 0);
      assertThat(cold.shape().isOwn()).isFalse();
      assertThat(cold.rows()).isEqualTo(parts * WIDTH.leastRatio());
      assertThat(prices.choose(Unit.of(parts, 64 * MIB, 1), 0).columns()).isGreaterThan(8);
      double rowsOfOwn = prices.option(Unit.of(parts, MIB, 1), ReadShape.own(4, 2)).rows();
      // 16 parts in 4 columns are 4 meta-shards of 4 + 2.
      assertThat(rowsOfOwn).isEqualTo(parts == 1 ? 6 : 24);
    }
  }

  @Property(tries = 200)
  void partsAreCutOnlyWhereColumnsComeOutEven(
      @ForAll @IntRange(min = 2, max = 64) int parts,
      @ForAll @IntRange(min = 1, max = 23) int columns) {
    int slices = ShapePrices.slices(parts, columns, 4 * MIB);
    assertThat(slices).isBetween(1, 5);
    if (slices > 1) {
      assertThat(parts * slices % columns).isZero();
      assertThat(parts * slices / columns).isLessThanOrEqualTo(8);
    }
    assertThat(ShapePrices.slices(parts, columns, 100)).isEqualTo(1);
  }

  @Property(tries = 200)
  void whoMayChooseAmongMoreIsNotLater(
      @ForAll @IntRange(min = 1, max = 12) int needed,
      @ForAll @IntRange(min = 0, max = 3) int spare,
      @ForAll @DoubleRange(min = 0.1, max = 0.9) double busy,
      @ForAll @DoubleRange(min = 0.1, max = 100) double wait) {
    ReadFactors factors = new ReadFactors(DISK, new Traffic(1, busy, 1));
    double without = factors.of(wait, needed, needed, needed + spare);
    assertThat(factors.of(wait, needed, needed, needed + spare + 1))
        .isLessThanOrEqualTo(without * 1.02);
    assertThat(factors.of(wait, needed, needed, needed)).isGreaterThanOrEqualTo(1);
    assertThat(factors.of(wait * 2, needed, needed, needed + spare))
        .isGreaterThanOrEqualTo(without * 0.999);
    assertThat(factors.of(0, needed, needed, needed)).isEqualTo(DISK.meanFactor(needed, needed));
  }
}
