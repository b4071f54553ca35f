package io.metashard.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.LocationModel;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SimulationTest {
  /** 1 ms and 1 ms a megabyte; never slow. */
  private static final LocationModel DISK = new LocationModel.Disk(1, 1e9, 0, 1);

  private static final long MB = 1_000_000;

  private static Fetch at(int location, long bytes) {
    return new Fetch(1, 1, List.of(new Fetch.Choice(location, bytes)));
  }

  private static Fetch of(int needed, int asked, int... locations) {
    return new Fetch(
        needed,
        asked,
        java.util.Arrays.stream(locations).mapToObj(l -> new Fetch.Choice(l, MB)).toList());
  }

  @Test
  void aDiskServesOneReadAfterTheOther() {
    Simulation simulation = new Simulation(DISK, 2, 1);
    assertThat(simulation.read(0, List.of(at(0, MB)))).isEqualTo(2);
    assertThat(simulation.read(1, List.of(at(0, 3 * MB)))).isEqualTo(1 + 4);
    assertThat(simulation.read(1, List.of(at(1, MB)))).isEqualTo(2);
    assertThat(simulation.read(100, List.of(at(0, MB)))).isEqualTo(2);
    assertThat(simulation.imbalance()).isCloseTo((5 - 3) / 3.0, within(1e-9));
  }

  @Test
  void aFastLocationServesAndIsFreeAgainInItsPartOfTheTime() {
    Simulation simulation = new Simulation(DISK, List.of(4.0, 1.0), 1);
    assertThat(simulation.read(0, List.of(at(0, MB)))).isEqualTo(0.5);
    assertThat(simulation.read(0, List.of(at(0, MB)))).isEqualTo(1);
    assertThat(simulation.read(0, List.of(at(1, MB)))).isEqualTo(2);
    // Both are needed: the slow one decides.
    assertThat(simulation.read(100, List.of(of(2, 2, 0, 1)))).isEqualTo(2);
    assertThat(simulation.read(200, List.of(of(1, 2, 0, 1)))).isEqualTo(0.5);
  }

  @Test
  void aReadEndsWithTheLastBlockThatItNeeds() {
    Simulation simulation = new Simulation(DISK, 4, 1);
    simulation.read(0, List.of(at(0, 9 * MB)));
    // All of the first three: waits 10 ms for location 0.
    assertThat(simulation.read(0, List.of(of(3, 3, 0, 1, 2)))).isEqualTo(12);
    // Two of three asked, of which location 0 is busy until 12 and the others until 2.
    assertThat(simulation.read(2, List.of(of(2, 3, 0, 1, 2)))).isEqualTo(2);
    // What was asked for in vain was served all the same.
    assertThat(simulation.read(4, List.of(at(0, MB)))).isEqualTo(14 + 2 - 4);
  }

  @Test
  void theLeastBusyChoicesAreAsked() {
    Simulation simulation = new Simulation(DISK, 3, 1);
    simulation.read(0, List.of(at(0, 9 * MB)));
    assertThat(simulation.read(0, List.of(of(1, 1, 0, 1, 2)))).isEqualTo(2);
    assertThat(simulation.read(0, List.of(of(1, 1, 0, 1, 2)))).isEqualTo(2);
    assertThat(simulation.read(0, List.of(of(1, 1, 0, 1, 2)))).isEqualTo(4);
  }

  @Test
  void anObjectStoreLetsReadsBeginAtItsLimitAndNoneWaitForAnothersBytes() {
    LocationModel store = new LocationModel.ObjectStore(10, 1e9, 0, 1, 500);
    Simulation simulation = new Simulation(store, 1, 1);
    assertThat(simulation.read(0, List.of(at(0, 100 * MB)))).isEqualTo(110);
    assertThat(simulation.read(0, List.of(at(0, 0)))).isEqualTo(2 + 10);
    assertThat(simulation.read(0, List.of(at(0, 0)))).isEqualTo(4 + 10);
    assertThat(simulation.read(50, List.of(at(0, 0)))).isEqualTo(10);
  }

  @Test
  void readsComeInOrderOfTime() {
    Simulation simulation = new Simulation(DISK, 1, 1);
    simulation.read(5, List.of(at(0, 1)));
    assertThatThrownBy(() -> simulation.read(4, List.of(at(0, 1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the last read was at 5.0 ms");
  }

  /** Mean wait of a queue M/D/1: busy * service / (2 (1 - busy)), by Pollaczek and Khinchine. */
  @Test
  void waitsAreThoseOfTheKnownFormula() {
    SplittableRandom random = new SplittableRandom(3);
    for (double busy : new double[] {0.3, 0.6, 0.8}) {
      Simulation simulation = new Simulation(DISK, 1, 1);
      double at = 0;
      for (int i = 0; i < 400_000; i++) {
        at += -Math.log(1 - random.nextDouble()) * 2 / busy;
        simulation.read(at, List.of(at(0, MB)));
      }
      double wait = busy * 2 / (2 * (1 - busy));
      assertThat(simulation.times().mean()).isCloseTo(2 + wait, within(0.05 * (2 + wait)));
      assertThat(simulation.busyShare()).isCloseTo(busy, within(0.01));
    }
  }

  @Test
  void slowReadsAreAsManyAndAsSlowAsSaid() {
    LocationModel model = new LocationModel.Disk(1, 1e9, 0.05, 10);
    Simulation simulation = new Simulation(model, 1, 7);
    for (int i = 0; i < 200_000; i++) {
      simulation.read(i * 1000.0, List.of(at(0, 0)));
    }
    assertThat(simulation.times().mean()).isCloseTo(model.meanMillis(0), within(0.01));
    assertThat(simulation.times().percentile(0.94)).isCloseTo(1, within(0.01));
    assertThat(simulation.times().percentile(0.975)).isCloseTo(5.5, within(0.2));
  }

  /** The exact mean of order statistics, beside draws. */
  @Test
  void theMeanFactorOfSomeOfManyReadsIsThatOfDraws() {
    LocationModel model = new LocationModel.Disk(1, 1e9, 0.2, 10);
    SplittableRandom random = new SplittableRandom(5);
    int compared = 0;
    for (int asked = 1; asked <= 9; asked += 4) {
      for (int needed = 1; needed <= asked; needed += 2) {
        double sum = 0;
        double[] factors = new double[asked];
        for (int draw = 0; draw < 60_000; draw++) {
          for (int i = 0; i < asked; i++) {
            factors[i] = model.servedMillis(0, random.nextDouble());
          }
          java.util.Arrays.sort(factors);
          sum += factors[needed - 1];
        }
        assertThat(model.meanFactor(needed, asked))
            .as("%d of %d", needed, asked)
            .isCloseTo(sum / 60_000, within(0.05));
        compared++;
      }
    }
    assertThat(compared).isEqualTo(9);
    assertThat(new LocationModel.Disk(1, 1, 1, 3).meanFactor(1, 1)).isCloseTo(2, within(1e-9));
  }

  @Test
  void percentilesAreWithinABinOfTheTruth() {
    TimeHistogram times = new TimeHistogram();
    assertThat(times.percentile(0.5)).isNaN();
    for (int i = 1; i <= 1000; i++) {
      times.add(i);
    }
    assertThat(times.percentile(0.5)).isBetween(500.0, 502.0);
    assertThat(times.percentile(0.99)).isBetween(990.0, 993.0);
    assertThat(times.percentile(1)).isBetween(1000.0, 1003.0);
    assertThat(times.mean()).isEqualTo(500.5);
    assertThatThrownBy(() -> times.add(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
  }
}
