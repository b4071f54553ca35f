package io.metashard.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AggregateOptionsTest {
  private static AggregateOptions with(String setting) {
    return AggregateOptions.from(Settings.parse("test", "", List.of(setting)));
  }

  @Test
  void defaultsAreAnHourAndThreeDays() {
    assertThat(AggregateOptions.from(Settings.defaults()))
        .isEqualTo(new AggregateOptions(Duration.ofHours(1), 3));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1m", "5m", "8h", "24h", "1d", "1s"})
  void takesBucketsThatDivideADay(String bucket) {
    assertThat(with("forecast.bucket=" + bucket).bucketMicros()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"7m", "25h", "2d", "0s", "1ns", "5h"})
  void refusesBucketsThatDoNot(String bucket) {
    assertThatThrownBy(() -> with("forecast.bucket=" + bucket))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("Cannot use forecast.bucket = PT")
        .hasMessageContaining("a day must be a whole number of buckets");
  }

  @Test
  void refusesNegativeDays() {
    assertThatThrownBy(() -> with("aggregate.reopen-days=-1"))
        .hasMessage("Cannot use aggregate.reopen-days = -1: negative");
  }
}
