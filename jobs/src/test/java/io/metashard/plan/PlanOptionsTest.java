package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.LocationModel;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanOptionsTest {
  private static PlanOptions with(String... overrides) {
    return PlanOptions.from(Settings.parse("test", "", List.of(overrides)));
  }

  @Test
  void theDefaultsAreThoseOfTheReference() {
    assertThat(PlanOptions.from(Settings.defaults()))
        .isEqualTo(
            new PlanOptions(
                PlanOptions.Policy.BALANCED,
                1.5,
                2,
                20,
                2,
                Isolation.ROOT,
                0.6,
                2,
                1,
                0,
                new DrawOptions(4, DrawOptions.Weight.P_REQUESTED, 10, DrawOptions.Code.RS, 1),
                false,
                1L << 40,
                new Reading(
                    new LocationModel.ObjectStore(30, 60e6, 0.02, 5, 5500),
                    1,
                    0.2,
                    0.005,
                    86_400_000)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "plan.policy=best | plan.policy",
        "plan.storage-budget=0.99 | it must be 1.0 or more",
        "plan.survive=-1 | plan.survive = -1",
        "plan.survive=256 | plan.survive = 256: it must be 0 to 255",
        "plan.max-k=0 | plan.max-k = 0",
        "plan.isolate-by=folder | it must be root, none or a number of folders",
        "plan.striped-whole-share=1.1 | plan.striped-whole-share = 1.1",
        "plan.hysteresis-classes=0 | every night would move data",
        "plan.move-cost=-1 | plan.move-cost = -1.0",
        "plan.buckets=3 | it must be a power of two",
        "plan.weighted-random.meta-shards=0 | meta-shards = 0: it must be 1 or more",
        "plan.weighted-random.max-k=257 | plan.weighted-random.max-k = 257",
        "plan.weighted-random.weight=heat | plan.weighted-random.weight",
        "plan.weighted-random.code=raid | plan.weighted-random.code",
        "plan.read-model=tape | plan.read-model",
        "plan.block-cost=-1ms | plan.block-cost",
        "simulate.extra-reads=-1 | simulate.extra-reads = -1",
        "simulate.object-store.requests-per-second=0 | Cannot use simulate of test",
        "reshard.max-bytes-per-run=0 | nothing could ever be encoded",
      })
  void refusesWhatCannotBe(String override, String message) {
    assertThatThrownBy(() -> with(override))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aFullPlanHasNoLimitAndTheOthersHaveTheirs() {
    PlanOptions full = with("plan.full=true", "reshard.max-bytes-per-run=1");
    assertThat(full.full()).isTrue();
    assertThat(full.maxBytesPerRun()).isEqualTo(Long.MAX_VALUE);
    assertThat(with("reshard.max-bytes-per-run=1").maxBytesPerRun()).isEqualTo(1);
  }

  @Test
  void refusesXorForMoreThanOneLostDomain() {
    assertThatThrownBy(() -> with("plan.policy=weighted-random", "plan.weighted-random.code=xor"))
        .isInstanceOf(SettingsException.class)
        .hasMessage(
            "Cannot survive the loss of 2 domains with plan.weighted-random.code = xor: it survives one; use code = rs or plan.survive = 1");
  }

  @Test
  void groupsAreByRootByFoldersOrOne() {
    String id = "a/b/c.bin";
    assertThat(Isolation.ROOT.group("r", id)).isEqualTo(Isolation.ROOT.group("r", "x"));
    assertThat(Isolation.ROOT.group("r", id)).isNotEqualTo(Isolation.ROOT.group("s", id));
    assertThat(Isolation.NONE.group("r", id)).isEqualTo(Isolation.NONE.group("s", "x"));
    Isolation one = Isolation.parse("1");
    assertThat(one.group("r", id)).isEqualTo(one.group("r", "a/z"));
    assertThat(one.group("r", id)).isNotEqualTo(one.group("r", "b/z"));
    assertThat(one.group("r", id)).isNotEqualTo(one.group("s", id));
    assertThat(one.group("r", "file1")).isEqualTo(one.group("r", "file2"));
    assertThat(one.group("r", "../é\n/x")).matches("[0-9a-f]{16}");
  }

  @Test
  void bucketsArePowersOfTwoForAboutFourThousandSegments() {
    assertThat(BucketCount.forSegments(0)).isEqualTo(1);
    assertThat(BucketCount.forSegments(4000)).isEqualTo(1);
    assertThat(BucketCount.forSegments(10_000)).isEqualTo(4);
    assertThat(BucketCount.forSegments(10_000_000)).isEqualTo(4096);
    assertThat(BucketCount.forSegments(Long.MAX_VALUE)).isEqualTo(65_536);
    assertThatThrownBy(() -> BucketCount.forSegments(-1)).hasMessageContaining("-1 segments");
  }

  @Test
  void heatClassesAreFloorsOfBinaryLogarithms() {
    assertThat(HeatClass.of(0)).isEqualTo(-20);
    assertThat(HeatClass.of(1)).isEqualTo(0);
    assertThat(HeatClass.of(0.99)).isEqualTo(-1);
    assertThat(HeatClass.of(7.9)).isEqualTo(2);
    assertThat(HeatClass.of(8)).isEqualTo(3);
    assertThat(HeatClass.of(1e300)).isEqualTo(40);
    assertThat(HeatClass.distance(-20, -5)).isZero();
    assertThatThrownBy(() -> HeatClass.of(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> HeatClass.of(-1)).hasMessageContaining("-1.0");
  }
}
