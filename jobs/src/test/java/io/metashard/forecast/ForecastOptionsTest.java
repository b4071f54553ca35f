package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ForecastOptionsTest {
  private static ForecastOptions from(String... overrides) {
    return ForecastOptions.from(Settings.parse("test", "", List.of(overrides)));
  }

  @Test
  void hasTheDefaultsOfTheReference() {
    assertThat(from())
        .isEqualTo(
            new ForecastOptions(
                Duration.ofHours(1),
                Duration.ofHours(24),
                Duration.ofDays(35),
                14,
                ModelChoice.AUTO,
                1));
  }

  @Test
  void readsMinutesAndAModel() {
    ForecastOptions options =
        from("forecast.bucket=1m", "forecast.horizon=5m", "forecast.model=total-share");
    assertThat(options.bucket()).isEqualTo(Duration.ofMinutes(1));
    assertThat(options.horizon()).isEqualTo(Duration.ofMinutes(5));
    assertThat(options.model()).isEqualTo(ModelChoice.TOTAL_SHARE);
  }

  @Test
  void refusesABucketThatDoesNotDivideADay() {
    for (String bucket : List.of("7m", "0s", "2d", "1500ms")) {
      assertThatThrownBy(() -> from("forecast.bucket=" + bucket))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("a day must be a whole number of them")
          .hasMessageContaining("forecast.bucket");
    }
  }

  @Test
  void refusesAHorizonThatIsNoMultipleOfTheBucket() {
    for (String horizon : List.of("90m", "0s", "30m", "3600500ms")) {
      assertThatThrownBy(() -> from("forecast.horizon=" + horizon))
          .hasMessageContaining("a positive multiple of the bucket of PT1H")
          .hasMessageContaining("forecast.horizon");
    }
  }

  @Test
  void refusesMoreBucketsThanTheDriverHolds() {
    assertThatThrownBy(() -> from("forecast.bucket=1s", "forecast.horizon=1m"))
        .hasMessageContaining("more than 60000 buckets; shorten forecast.history");
    assertThatThrownBy(
            () -> from("forecast.bucket=1s", "forecast.history=1h", "forecast.horizon=2d"))
        .hasMessageContaining("more than 60000 buckets; shorten forecast.horizon");
  }

  @Test
  void refusesAHistoryShorterThanABucketAndOddCounts() {
    assertThatThrownBy(() -> from("forecast.history=30m"))
        .hasMessageContaining("at least one bucket of PT1H; set forecast.history");
    assertThatThrownBy(() -> from("forecast.backtest-origins=-1"))
        .hasMessageContaining("from -1 origins: it must be 0 to 100");
    assertThatThrownBy(() -> from("forecast.model=prophet"))
        .hasMessageContaining("forecast.model")
        .hasMessageContaining("glm-correction");
  }
}
