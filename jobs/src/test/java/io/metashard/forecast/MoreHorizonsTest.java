package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class MoreHorizonsTest {
  private static List<Duration> spans(String... overrides) {
    Settings settings = Settings.parse("test", "", List.of(overrides));
    ForecastOptions options = ForecastOptions.from(settings);
    return MoreHorizons.from(settings, options).withMain(options);
  }

  @Test
  void thereAreNoneByDefault() {
    assertThat(spans()).containsExactly(Duration.ofHours(24));
  }

  @Test
  void fiveMinutesAnHourADayAndAWeekAreForecastInBucketsOfFiveMinutes() {
    assertThat(spans("forecast.bucket=5m", "forecast.more-horizons=[5m, 1h, 7d]"))
        .containsExactly(
            Duration.ofHours(24), Duration.ofMinutes(5), Duration.ofHours(1), Duration.ofDays(7));
  }

  @Test
  void refusesWhatIsNoMultipleOfTheBucket() {
    for (String span : List.of("5m", "90m", "0s", "3600500ms")) {
      assertThatThrownBy(() -> spans("forecast.more-horizons=[7d, " + span + "]"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(
              "it must be a positive multiple of the bucket of 1h; correct forecast.more-horizons");
    }
  }

  @Test
  void refusesOneTwiceAndTooManyAndTooLongOnes() {
    assertThatThrownBy(() -> spans("forecast.more-horizons=[1h, 1d]"))
        .hasMessage(
            "Cannot forecast 24h twice: it must differ from forecast.horizon and the others; take it out of forecast.more-horizons");
    assertThatThrownBy(() -> spans("forecast.more-horizons=[2h, 120m]"))
        .hasMessageStartingWith("Cannot forecast 2h twice");
    assertThatThrownBy(() -> spans("forecast.more-horizons=[1h,2h,3h,4h,5h,6h,7h]"))
        .hasMessage(
            "Cannot forecast 7 more horizons: it must be 6 or fewer; shorten forecast.more-horizons");
    assertThatThrownBy(() -> spans("forecast.bucket=1m", "forecast.more-horizons=[60d]"))
        .hasMessageContaining("more than 60000 buckets; shorten forecast.more-horizons");
    assertThatThrownBy(() -> spans("forecast.more-horizons=[soon]"))
        .hasMessageStartingWith("Cannot use forecast.more-horizons (test)");
  }
}
