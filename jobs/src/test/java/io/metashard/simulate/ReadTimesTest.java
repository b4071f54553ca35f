package io.metashard.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.LocationModel;
import io.metashard.LocationModel.Load;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class ReadTimesTest {
  private static final int TRIES = 200;
  private static final int DRAWS = 200;
  private static final SimulateOptions DEFAULTS = SimulateOptions.from(Settings.defaults());
  private static final long MIB = 1 << 20;

  private static ReadTimes times(long seed) {
    return new ReadTimes(DRAWS, seed);
  }

  /** No draw of the first is later than that of the same rank of the second. */
  private static void requireNeverSlower(double[] first, double[] second) {
    for (int i = 0; i < DRAWS; i++) {
      assertThat(first[i]).as("draw %d", i).isLessThanOrEqualTo(second[i]);
    }
  }

  @Property(tries = TRIES)
  void readingMoreBytesIsNeverFaster(
      @ForAll @IntRange(min = 1, max = 12) int slices,
      @ForAll @LongRange(min = 1, max = 4 * MIB) long sliceBytes,
      @ForAll @LongRange(min = 0, max = 48 * MIB) long bytes,
      @ForAll @LongRange(min = 0, max = MIB) long more,
      @ForAll @DoubleRange(min = 0, max = 1.5) double busy,
      @ForAll long seed) {
    Load load = new Load(busy, 4);
    for (LocationModel model : DEFAULTS.models()) {
      requireNeverSlower(
          times(seed).of(model, BlockReads.ofSlices(slices, sliceBytes, bytes, 0, 1), load),
          times(seed).of(model, BlockReads.ofSlices(slices, sliceBytes, bytes + more, 0, 1), load));
    }
  }

  @Property(tries = TRIES)
  void notWaitingForTheSlowestIsNeverSlower(
      @ForAll @IntRange(min = 2, max = 12) int k,
      @ForAll @IntRange(min = 0, max = 6) int m,
      @ForAll @IntRange(min = 0, max = 6) int extra,
      @ForAll @LongRange(min = 1, max = 4 * MIB) long sliceBytes,
      @ForAll @DoubleRange(min = 0, max = 0.9) double busy,
      @ForAll long seed) {
    Load load = new Load(busy, 4);
    BlockReads whole = BlockReads.ofSlices(k, sliceBytes, k * sliceBytes, m, extra);
    assertThat(whole).isEqualTo(new BlockReads(k, k + Math.min(m, extra), sliceBytes));
    for (LocationModel model : DEFAULTS.models()) {
      requireNeverSlower(
          times(seed).of(model, whole, load),
          times(seed).of(model, new BlockReads(k, k, sliceBytes), load));
    }
  }

  @Property(tries = TRIES)
  void aBusierDiskIsNeverFasterAndAnObjectStoreDoesNotMind(
      @ForAll @DoubleRange(min = 0, max = 2) double busy,
      @ForAll @DoubleRange(min = 0, max = 2) double more,
      @ForAll @LongRange(min = 0, max = 64 * MIB) long bytes,
      @ForAll long seed) {
    BlockReads reads = BlockReads.ofOne(bytes);
    requireNeverSlower(
        times(seed).of(DEFAULTS.disk(), reads, new Load(busy, 4)),
        times(seed).of(DEFAULTS.disk(), reads, new Load(busy + more, 4)));
    assertThat(times(seed).of(DEFAULTS.objectStore(), reads, new Load(busy, 4)))
        .isEqualTo(times(seed).of(DEFAULTS.objectStore(), reads, Load.NONE));
  }

  @Property(tries = 50)
  void theSameQuestionHasTheSameAnswer(@ForAll long seed, @ForAll @IntRange(max = 9) int block) {
    BlockReads reads = new BlockReads(1 + block / 2, 1 + block, MIB);
    Load load = new Load(0.5, 10);
    assertThat(times(seed).of(DEFAULTS.disk(), reads, load))
        .isEqualTo(times(seed).of(DEFAULTS.disk(), reads, load));
  }

  @Example
  void aReadTakesWhatTheSettingsSay() {
    LocationModel.Disk plain = new LocationModel.Disk(2, 125e6, 0, 1);
    double[] times = times(1).of(plain, BlockReads.ofOne(1_250_000), Load.NONE);
    assertThat(ReadTimes.mean(times)).isCloseTo(12, within(1e-9));
    assertThat(ReadTimes.p99(times)).isCloseTo(12, within(1e-9));
    assertThat(plain.meanMillis(1_250_000)).isCloseTo(12, within(1e-9));
  }

  @Example
  void drawnMeansAreThoseOfTheFormulas() {
    ReadTimes many = new ReadTimes(200_000, 7);
    LocationModel.Disk disk = DEFAULTS.disk();
    double[] idle = many.of(disk, BlockReads.ofOne(MIB), Load.NONE);
    assertThat(ReadTimes.mean(idle)).isCloseTo(disk.meanMillis(MIB), within(0.05));
    // M/M/1: a read waits busy / (1 - busy) mean reads.
    double service = disk.meanMillis(MIB);
    double[] busy = many.of(disk, BlockReads.ofOne(MIB), new Load(0.6, service));
    assertThat(ReadTimes.mean(busy)).isCloseTo(service + service * 0.6 / 0.4, within(0.4));
    // 5 % are slow, so of 100 reads the slowest is between 1 and 10 times as long.
    assertThat(ReadTimes.p99(idle))
        .isBetween(disk.plainMillis(MIB) * 8, disk.plainMillis(MIB) * 8.4);
  }

  @Example
  void aReadOfSomeSlicesAsksForThoseAndNoMore() {
    assertThat(BlockReads.ofSlices(4, 100, 1, 2, 1)).isEqualTo(new BlockReads(1, 1, 1));
    assertThat(BlockReads.ofSlices(4, 100, 100, 2, 1)).isEqualTo(new BlockReads(1, 1, 100));
    assertThat(BlockReads.ofSlices(4, 100, 101, 2, 1)).isEqualTo(new BlockReads(2, 2, 100));
    assertThat(BlockReads.ofSlices(4, 100, 301, 2, 1)).isEqualTo(new BlockReads(4, 5, 100));
    assertThat(BlockReads.ofSlices(4, 100, 9999, 2, 3)).isEqualTo(new BlockReads(4, 6, 100));
    // One slice is a whole block: the others of its meta-shard are of no use to it.
    assertThat(BlockReads.ofSlices(1, 100, 100, 2, 1)).isEqualTo(BlockReads.ofOne(100));
    assertThat(BlockReads.ofSlices(1, 0, 0, 0, 1)).isEqualTo(BlockReads.ofOne(0));
  }

  @Example
  void settingsThatMakeNoSenseAreRefused() {
    for (String setting :
        List.of(
            "draws = 99",
            "extra-reads = -1",
            "disk.slow-share = 1.1",
            "disk.bytes-per-second = 0",
            "object-store.slow-factor = 0.5")) {
      Settings settings = Settings.parse("test", "simulate." + setting, List.of());
      assertThatThrownBy(() -> SimulateOptions.from(settings))
          .as(setting)
          .isInstanceOf(SettingsException.class)
          .hasMessageStartingWith("Cannot use simulate");
    }
    assertThatThrownBy(() -> new BlockReads(3, 2, 1)).hasMessageContaining("3 of 2 blocks");
    assertThatThrownBy(() -> new Load(Double.NaN, 1)).hasMessageContaining("NaN");
  }

  @Example
  void moneyNeedsACurrency() {
    assertThat(Prices.from(Settings.defaults()).areSet()).isFalse();
    Prices prices =
        Prices.from(
            Settings.parse(
                "test",
                "prices { currency = EUR, storage-per-gib-month = 0.02, per-1000-reads = 0.4 }",
                List.of()));
    assertThat(prices.areSet()).isTrue();
    assertThat(prices.storagePerMonth(3L << 30)).isCloseTo(0.06, within(1e-12));
    assertThat(prices.reads(500)).isCloseTo(0.2, within(1e-12));
    for (String wrong :
        List.of("per-1000-reads = 1", "currency = \"<b>\"", "storage-per-gib-month = -1")) {
      Settings settings = Settings.parse("test", "prices { " + wrong + " }", List.of());
      assertThatThrownBy(() -> Prices.from(settings))
          .as(wrong)
          .isInstanceOf(SettingsException.class)
          .hasMessageStartingWith("Cannot use prices.");
    }
  }
}
