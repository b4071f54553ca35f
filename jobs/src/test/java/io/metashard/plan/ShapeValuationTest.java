package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.LocationModel;
import io.metashard.Segmentation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ShapeValuationTest {
  private static final int LOCATIONS = 6;
  private static final long MIB = 1 << 20;
  private static final double HORIZON_MILLIS = 86_400_000;

  private static PlanOptions options(double budget) {
    PlanOptions plain = Lab.options(PlanOptions.Policy.BALANCED, budget, 2);
    return Lab.withReading(
        Lab.withCode(plain, DrawOptions.Code.RS, 2),
        new Reading(
            new LocationModel.ObjectStore(30, 100e6, 0.05, 10, 3500), 1, 2, 0.05, HORIZON_MILLIS));
  }

  private static List<PlanObject> kind(
      String name, int count, int segments, long bytes, double reads) {
    Segmentation segmentation = new Segmentation(bytes, (bytes + segments - 1) / segments);
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                new PlanObject(
                    name + i,
                    "1",
                    "file:/" + name + i,
                    "root",
                    segmentation,
                    1,
                    IntStream.range(0, segmentation.segments())
                        .mapToObj(s -> new PlanSegment(s, reads, 1))
                        .toList()))
        .toList();
  }

  private static ShapeValuation valuation(double budget, List<List<PlanObject>> kinds) {
    PlanOptions options = options(budget);
    return new ShapeValuation(options, Width.of(options, Lab.sites(LOCATIONS)), LOCATIONS, kinds);
  }

  @Test
  void bytesAreThoseOfTheMetaShards() {
    ShapeValuation valuation =
        valuation(2, List.of(kind("a", 8, 1, MIB, 5), kind("b", 1, 4, 4 * MIB, 7)));
    int[] plain = {0, 0};
    // Eight of 1 MiB in two of 4 + 2, and 4 MiB with nothing of its length beside it.
    assertThat(valuation.bytes(plain)).isEqualTo(12 * MIB + (2 + 2 + 2 * 4) * MIB);
    assertThat(valuation.millis(plain)).isPositive().isFinite();
  }

  @Test
  void readsThatLocationsHaveNoTimeForAreWorthNothing() {
    double most = LOCATIONS * HORIZON_MILLIS * 3.5; // requests of a location in a millisecond
    assertThat(valuation(2, List.of(kind("a", 8, 1, MIB, most / 8 * 0.9))).millis(new int[1]))
        .isFinite();
    assertThat(valuation(2, List.of(kind("a", 8, 1, MIB, most / 8 * 0.98))).millis(new int[1]))
        .isInfinite();
  }

  @Test
  void thePlansOwnShapesTakeThePlansBytes() {
    List<List<PlanObject>> kinds =
        List.of(
            kind("a", 4, 1, 8 * MIB, 20_000),
            kind("b", 8, 16, 10 * MIB, 5_000),
            kind("c", 16, 1, 17 * MIB, 40));
    List<PlanObject> objects = kinds.stream().flatMap(List::stream).toList();
    List<BucketInput> inputs = List.of(new BucketInput(0, objects, List.of()));
    for (double budget : new double[] {1.7, 2, 3}) {
      PlanOptions options = options(budget);
      Width width = Width.of(options, Lab.sites(LOCATIONS));
      BucketPlanner planner =
          BucketPlanner.of(
              options,
              width,
              Places.ofSites(Lab.sites(LOCATIONS)),
              p -> new MemoryBuckets(inputs, p));
      Night night = new NightPlanner(options, width).plan(new MemoryBuckets(inputs, planner));
      ShapeValuation valuation = valuation(budget, kinds);
      int[] planned = valuation.planned(planner, night);
      assertThat(valuation.bytes(planned)).isEqualTo(night.newBytes());
      assertThat(valuation.millis(planned)).isLessThan(valuation.millis(new int[3]));
    }
  }

  @Test
  void objectsOfOneKindAreAlike() {
    List<PlanObject> mixed = new ArrayList<>(kind("a", 1, 1, MIB, 5));
    mixed.addAll(kind("b", 1, 1, MIB, 6));
    assertThatThrownBy(() -> valuation(2, List.of(mixed)))
        .hasMessageContaining("Cannot value one shape for object b0");
  }
}
