package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EveryOptionTest {
  @Test
  void theDefaultsCanBeUsed() {
    assertThatCode(() -> EveryOption.require(Settings.defaults())).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "ingest.max-clock-skew, -1s",
    "segments.per-object, 0",
    "aggregate.reopen-days, -1",
    "simulate.draws, 1",
    "monitor.spans, 1",
    "tuner.origins, 0",
    "forecast.horizon, 0s",
    "plan.survive, -1",
    "reshard.frame-bytes, 1",
    "read.fallback, sometimes"
  })
  void whatCannotBeUsedIsNamedBeforeANightBegins(String key, String value) {
    Settings settings = Settings.parse("test", "", List.of("%s=%s".formatted(key, value)));
    assertThatThrownBy(() -> EveryOption.require(settings))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(key);
  }
}
