package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GateTest {
  private final List<Scorecard.Bin> bins = new ArrayList<>();

  /** One segment of a class at one origin, with the deviance that a model had. */
  private GateTest scored(ModelChoice model, VolumeClass volume, int origin, double deviance) {
    bins.add(
        new Scorecard.Bin(
            origin, model.word(), volume, 0, 1, 2, 2, 1, 1, deviance, Math.log(2) * 2, 1));
    return this;
  }

  private GateTest base(VolumeClass volume) {
    for (int origin = 0; origin < 4; origin++) {
      scored(ModelChoice.TOTAL_SHARE, volume, origin, 10);
    }
    return this;
  }

  private GateTest other(ModelChoice model, VolumeClass volume, double... deviances) {
    for (int origin = 0; origin < 4; origin++) {
      scored(model, volume, origin, deviances[origin]);
    }
    return this;
  }

  private Gate gate() {
    return Gate.of(new Scorecard(bins));
  }

  @Test
  void eachClassGoesToTheModelThatIsBestThere() {
    base(VolumeClass.HOT).base(VolumeClass.COLD).base(VolumeClass.LOW);
    other(ModelChoice.GBT_CORRECTION, VolumeClass.HOT, 9, 9, 9, 9);
    other(ModelChoice.GLM_CORRECTION, VolumeClass.HOT, 9.4, 9.4, 9.4, 9.4);
    other(ModelChoice.GLM_CORRECTION, VolumeClass.COLD, 8, 8, 8, 8);
    other(ModelChoice.GBT_CORRECTION, VolumeClass.COLD, 12, 12, 12, 12);
    other(ModelChoice.GLM_CORRECTION, VolumeClass.LOW, 11, 11, 11, 11);
    Gate gate = gate();
    assertThat(gate.models())
        .containsEntry(VolumeClass.HOT, ModelChoice.GBT_CORRECTION)
        .containsEntry(VolumeClass.COLD, ModelChoice.GLM_CORRECTION)
        .containsEntry(VolumeClass.LOW, ModelChoice.TOTAL_SHARE)
        .containsEntry(VolumeClass.MIDDLE, ModelChoice.TOTAL_SHARE);
    assertThat(gate.name()).isEqualTo(ModelChoice.PER_CLASS);
    assertThat(gate.reason())
        .isEqualTo(
            "deviance seasonal-naive NaN, total-share 10.00, glm-correction 9.467, gbt-correction 10.50 over the last 4 back-test origins:"
                + " cold segments by glm-correction (8.000, not 10.00), hot segments by gbt-correction (9.000, not 10.00)");
  }

  @Test
  void aGainOfLessThanATwentiethIsNone() {
    base(VolumeClass.HOT)
        .other(ModelChoice.GLM_CORRECTION, VolumeClass.HOT, 9.51, 9.51, 9.51, 9.51);
    assertThat(gate().name()).isEqualTo(ModelChoice.TOTAL_SHARE);
  }

  @Test
  void aGainThatOneOriginDidNotSeeIsChance() {
    base(VolumeClass.HOT).other(ModelChoice.GLM_CORRECTION, VolumeClass.HOT, 1, 1, 1, 10.1);
    assertThat(gate().name()).isEqualTo(ModelChoice.TOTAL_SHARE);
    bins.clear();
    base(VolumeClass.HOT).other(ModelChoice.GLM_CORRECTION, VolumeClass.HOT, 9, 9, 9, 9.9);
    assertThat(gate().models()).containsEntry(VolumeClass.HOT, ModelChoice.GLM_CORRECTION);
  }

  @Test
  void aClassThatOneOriginKnewHasNotWonFromAll() {
    base(VolumeClass.COLD).other(ModelChoice.GBT_CORRECTION, VolumeClass.COLD, 10, 10, 10, 10);
    scored(ModelChoice.TOTAL_SHARE, VolumeClass.HOT, 2, 10);
    scored(ModelChoice.GBT_CORRECTION, VolumeClass.HOT, 2, 1);
    assertThat(gate().models()).containsEntry(VolumeClass.HOT, ModelChoice.TOTAL_SHARE);
  }

  @Test
  void oneOriginIsTooFewForWhatIsLearned() {
    scored(ModelChoice.TOTAL_SHARE, VolumeClass.HOT, 0, 10);
    scored(ModelChoice.GBT_CORRECTION, VolumeClass.HOT, 0, 1);
    assertThat(gate().name()).isEqualTo(ModelChoice.TOTAL_SHARE);
  }

  @Test
  void yesterdaysCountsForecastAllClassesOrNone() {
    base(VolumeClass.HOT).base(VolumeClass.COLD);
    other(ModelChoice.SEASONAL_NAIVE, VolumeClass.HOT, 1, 1, 1, 1);
    other(ModelChoice.SEASONAL_NAIVE, VolumeClass.COLD, 20, 20, 20, 20);
    assertThat(gate().name()).isEqualTo(ModelChoice.TOTAL_SHARE);
    other(ModelChoice.SEASONAL_NAIVE, VolumeClass.LOW, 1, 1, 1, 1).base(VolumeClass.LOW);
    assertThat(gate().name()).isEqualTo(ModelChoice.SEASONAL_NAIVE);
  }

  @Test
  void whereYesterdaysCountsWinTheyForecast() {
    for (VolumeClass volume : VolumeClass.values()) {
      base(volume).other(ModelChoice.SEASONAL_NAIVE, volume, 1, 1, 1, 1);
    }
    assertThat(gate().name()).isEqualTo(ModelChoice.SEASONAL_NAIVE);
    assertThat(gate().reason()).contains("too few requests to train a correction");
  }

  @Test
  void withoutABackTestTheBaseForecasts() {
    assertThat(gate().name()).isEqualTo(ModelChoice.TOTAL_SHARE);
    assertThat(gate().reason())
        .isEqualTo("the history is too short for a back-test: no choice to make");
    assertThat(gate().models()).hasSize(VolumeClass.values().length);
  }

  @Test
  void aScorecardScoresWhatTheGateMadeOfItsModels() {
    base(VolumeClass.HOT).base(VolumeClass.COLD);
    other(ModelChoice.GBT_CORRECTION, VolumeClass.HOT, 9, 9, 9, 9);
    other(ModelChoice.GBT_CORRECTION, VolumeClass.COLD, 12, 12, 12, 12);
    Scorecard scores = new Scorecard(bins).with(ModelChoice.PER_CLASS, gate().models());
    assertThat(scores.deviance(ModelChoice.PER_CLASS)).isEqualTo((9 + 10) / 2.0);
    assertThat(scores.of(VolumeClass.HOT).deviance(ModelChoice.PER_CLASS)).isEqualTo(9);
    assertThat(scores.deviance(ModelChoice.TOTAL_SHARE)).isEqualTo(10);
  }
}
