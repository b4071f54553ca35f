package io.metashard.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.LocationModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Locations are found again from times that their models gave. */
class LocationFitTest {
  private static final long[] LENGTHS = {32 << 10, 128 << 10, 512 << 10, 2 << 20, 8 << 20};
  private static final int SEEDS = 200;
  private static final int READS = 600;
  private static final double JITTER = 0.05;

  /** Times that a model gives, a few percent longer or shorter each, as no two reads are alike. */
  private static List<TimedRead> drawn(LocationModel model, int reads, double jitter, long seed) {
    Random random = new Random(seed);
    List<TimedRead> drawn = new ArrayList<>();
    for (int i = 0; i < reads; i++) {
      long bytes = LENGTHS[i % LENGTHS.length];
      double noise = Math.exp(jitter * random.nextGaussian());
      drawn.add(new TimedRead(bytes, model.servedMillis(bytes, random.nextDouble()) * noise));
    }
    return drawn;
  }

  private static boolean isNear(double found, double right, double share) {
    return Math.abs(found - right) <= share * right;
  }

  @Test
  void bothModelsAreFoundAgainWhateverTheSeed() {
    List<LocationModel> models =
        List.of(
            new LocationModel.Disk(2, 125e6, 0.05, 10), // as conf/reference.conf
            new LocationModel.ObjectStore(30, 60e6, 0.02, 5, 5500),
            new LocationModel.Disk(8, 200e6, 0.2, 20),
            new LocationModel.ObjectStore(12, 400e6, 0.1, 8, 1000));
    int near = 0;
    for (LocationModel model : models) {
      int ofModel = 0;
      for (long seed = 0; seed < SEEDS; seed++) {
        LocationFit fit = LocationFit.of(drawn(model, READS, JITTER, seed));
        assertThat(fit.reads()).isEqualTo(READS);
        assertThat(fit.speedSeen()).as("%s, seed %d", model, seed).isTrue();
        boolean isNear =
            isNear(fit.firstByteMillis(), model.firstByteMillis(), 0.1)
                && isNear(fit.bytesPerSecond(), model.bytesPerSecond(), 0.1)
                && Math.abs(fit.slowShare() - model.slowShare()) <= 0.05
                && isNear(fit.slowFactor(), model.slowFactor(), 0.5);
        ofModel += isNear ? 1 : 0;
      }
      assertThat(ofModel).as("of %d seeds, %s", SEEDS, model).isGreaterThanOrEqualTo(195);
      near += ofModel;
    }
    assertThat(near).isGreaterThanOrEqualTo(models.size() * SEEDS * 98 / 100);
  }

  @Test
  void manyReadsLeaveNoBiasOfTheSlowOnes() {
    LocationModel model = new LocationModel.Disk(2, 125e6, 0.2, 10);
    double share = 0;
    double factor = 0;
    for (long seed = 0; seed < SEEDS; seed++) {
      LocationFit fit = LocationFit.of(drawn(model, READS, 0, seed));
      share += fit.slowShare() / SEEDS;
      factor += fit.slowFactor() / SEEDS;
      // Without jitter the line is exact: its medians are plain reads.
      assertThat(fit.firstByteMillis()).isCloseTo(2, within(1e-6));
      assertThat(fit.bytesPerSecond()).isCloseTo(125e6, within(1.0));
    }
    assertThat(share).isCloseTo(0.2, within(0.005));
    assertThat(factor).isCloseTo(10, within(0.1));
  }

  @Test
  void aLocationWithoutSlowReadsHasNone() {
    LocationFit fit =
        LocationFit.of(drawn(new LocationModel.Disk(5, 50e6, 0, 10), READS, JITTER, 1));
    assertThat(fit.slowShare()).isZero();
    assertThat(fit.slowFactor()).isEqualTo(1);
    assertThat(fit.disk().meanMillis(1 << 20)).isCloseTo(5 + 1.048576 * 1000 / 50, within(1.0));
  }

  @Test
  void aSpeedThatNoReadWasLongEnoughForIsALowerBound() {
    LocationModel model = new LocationModel.ObjectStore(100, 1e12, 0, 1, 100);
    for (long seed = 0; seed < SEEDS; seed++) {
      LocationFit fit = LocationFit.of(drawn(model, 50, 0.02, seed));
      assertThat(fit.speedSeen()).isFalse();
      // A tenth of the first byte's time for 8 MiB.
      assertThat(fit.bytesPerSecond()).isCloseTo((8 << 20) / 0.010, within(1e8));
      assertThat(fit.firstByteMillis()).isCloseTo(100, within(5.0));
    }
  }

  @Test
  void aLocationThatAnswersAtOnceHasNoFirstByteBelowZero() {
    LocationModel model = new LocationModel.Disk(0, 1e9, 0.1, 4);
    int none = 0;
    for (long seed = 0; seed < SEEDS; seed++) {
      LocationFit fit = LocationFit.of(drawn(model, READS, JITTER, seed));
      assertThat(fit.firstByteMillis()).isBetween(0.0, 0.01);
      assertThat(fit.bytesPerSecond()).isCloseTo(1e9, within(1e8));
      none += fit.firstByteMillis() == 0 ? 1 : 0;
    }
    assertThat(none).as("seeds for which a plain line would be below 0").isBetween(20, 180);
  }

  @Test
  void tooFewReadsAreRefused() {
    List<TimedRead> reads = drawn(new LocationModel.Disk(2, 125e6, 0, 1), 14, 0, 1);
    assertThatThrownBy(() -> LocationFit.of(reads))
        .hasMessage(
            "Cannot tell how fast a location is from 14 reads of 5 lengths, 2 of the rarest: 3 lengths and 3 reads of each are needed");
    assertThatThrownBy(() -> LocationFit.of(List.of()))
        .hasMessageContaining("from 0 reads of 0 lengths");
  }
}
