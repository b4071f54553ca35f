package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.SettingsException;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class PacingTest {
  @Test
  void aRateIsDividedOverTheTasksThatCanRunAtOnce() {
    assertThat(Pacing.perTask(1_000, 8, 4)).isEqualTo(250);
    assertThat(Pacing.perTask(1_000, 2, 4)).isEqualTo(500);
    assertThat(Pacing.perTask(3, 8, 4)).isEqualTo(1); // 0 would be no limit
    assertThat(Pacing.perTask(0, 8, 4)).isZero();
  }

  @Test
  void executorsThatMayYetComeCount() {
    SparkConf conf = new SparkConf(false);
    assertThat(Pacing.mostAtOnce(conf, 6)).isEqualTo(6);
    conf.set("spark.dynamicAllocation.enabled", "true");
    assertThat(Pacing.mostAtOnce(conf, 6)).isEqualTo(Integer.MAX_VALUE);
    conf.set("spark.dynamicAllocation.maxExecutors", "10").set("spark.executor.cores", "4");
    assertThat(Pacing.mostAtOnce(conf, 6)).isEqualTo(40);
  }

  @Test
  void nightsInARowHaveDifferentShares() {
    Set<Integer> parts = new HashSet<>();
    for (int night = 0; night < 7; night++) {
      parts.add(
          VerifyScope.Share.of(
                  7, Instant.parse("2026-02-26T00:00:00Z").plusSeconds(86_400L * night))
              .part());
    }
    assertThat(parts).hasSize(7);
    assertThatThrownBy(() -> VerifyScope.Share.of(0, Instant.EPOCH))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("one share of 0: it must be 1 to 10000");
  }
}
