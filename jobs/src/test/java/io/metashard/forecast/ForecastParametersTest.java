package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ForecastParametersTest {
  private static final Duration HISTORY = Duration.ofDays(35);

  private static ForecastOptions from(String... overrides) {
    return ForecastOptions.from(Settings.parse("test", "", List.of(overrides)));
  }

  @Test
  void autoIsWhatForecastsWereAlwaysMadeWith() {
    ForecastParameters parameters = from().parameters();
    assertThat(parameters.fixed()).isEmpty();
    assertThat(parameters.value(Tunable.RECENT_HALF_LIFE)).isEqualTo(96);
    assertThat(parameters.days(Tunable.SAME_PHASE_HALF_LIFE)).isEqualTo(3);
    assertThat(parameters.days(Tunable.TOTAL_ERROR_HALF_LIFE)).isEqualTo(7);
    assertThat(parameters.value(Tunable.CLASS_PRIOR)).isEqualTo(100);
    assertThat(parameters.value(Tunable.RIDGE)).isEqualTo(0.01);
    assertThat(parameters.span(Tunable.WINDOW)).isEqualTo(HISTORY);
    assertThat(parameters).isEqualTo(ForecastParameters.usual(HISTORY));
    assertThat(parameters.values()).hasSize(6);
  }

  @Test
  void aFixedValueIsUsedAndCannotBeChanged() {
    ForecastParameters parameters =
        from(
                "forecast.parameters.recent-half-life=30h",
                "forecast.parameters.ridge=0.5",
                "forecast.parameters.class-prior=AUTO")
            .parameters();
    assertThat(parameters.fixed()).containsExactly(Tunable.RECENT_HALF_LIFE, Tunable.RIDGE);
    assertThat(parameters.value(Tunable.RECENT_HALF_LIFE)).isEqualTo(30);
    assertThat(parameters.with(Tunable.RECENT_HALF_LIFE, 12)).isEqualTo(parameters);
    assertThat(parameters.with(Tunable.CLASS_PRIOR, 50).value(Tunable.CLASS_PRIOR)).isEqualTo(50);
  }

  @Test
  void aWindowShortensTheHistoryAndNeverLengthensIt() {
    assertThat(from().learnedFrom()).isEqualTo(HISTORY);
    assertThat(from("forecast.parameters.window=14d").learnedFrom()).isEqualTo(Duration.ofDays(14));
    assertThat(from("forecast.parameters.window=99d").learnedFrom()).isEqualTo(HISTORY);
    assertThat(from("forecast.history=90m").learnedFrom()).isEqualTo(Duration.ofMinutes(90));
  }

  @Test
  void refusesWhatNoForecastCanBeMadeWith() {
    assertThatThrownBy(() -> from("forecast.parameters.ridge=0"))
        .hasMessageContaining(
            "Cannot forecast with forecast.parameters.ridge = 0: it must be above 0")
        .hasMessageContaining("set forecast.parameters.ridge, or auto");
    assertThatThrownBy(() -> from("forecast.parameters.recent-half-life=soon"))
        .hasMessageContaining("forecast.parameters.recent-half-life");
    assertThatThrownBy(() -> from("forecast.parameters.window=30m"))
        .hasMessageContaining(
            "Cannot learn from a window of PT30M: it must be at least one bucket of PT1H")
        .hasMessageContaining("set forecast.parameters.window");
  }

  @Test
  void everyLadderAscendsAndHoldsTheUsualValue() {
    int rungs = 0;
    for (Tunable tunable : Tunable.values()) {
      double[] ladder = tunable.ladder(HISTORY);
      assertThat(ladder).as(tunable.word()).contains(tunable.usual(HISTORY)).isSorted();
      assertThat(Tunable.of(tunable.word())).contains(tunable);
      rungs += ladder.length;
    }
    assertThat(rungs).isEqualTo(6 + 6 + 5 + 5 + 5 + 5);
    assertThat(Tunable.of("learning-rate")).isEmpty();
  }

  @Test
  void valuesReadAsOneWritesThem() {
    assertThat(Tunable.RECENT_HALF_LIFE.text(48)).isEqualTo("48h");
    assertThat(Tunable.RECENT_HALF_LIFE.text(96)).isEqualTo("4d");
    assertThat(Tunable.WINDOW.text(1.5)).isEqualTo("1.5h");
    assertThat(Tunable.CLASS_PRIOR.text(100)).isEqualTo("100");
    assertThat(Tunable.RIDGE.text(0.003)).isEqualTo("0.003");
  }
}
