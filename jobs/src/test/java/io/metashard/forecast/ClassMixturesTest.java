package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClassMixturesTest {
  private static final ShareMixture EVEN = ShareMixture.of(new double[] {1, 1, 1});

  /** Two signals; hot segments follow the first, cold ones the second at half its level. */
  @Test
  void eachClassOfVolumeLearnsItsOwnWeights() {
    Random random = new Random(4);
    int classes = VolumeClass.values().length;
    double[][] sums = new double[classes][3];
    List<List<ClassMixtures.Counted>> counted = new ArrayList<>();
    for (int c = 0; c < classes; c++) {
      counted.add(new ArrayList<>());
    }
    for (int i = 0; i < 4000; i++) {
      boolean hot = i % 2 == 0;
      double scale = hot ? 30 : 0.4;
      double[] expected = {scale * random.nextDouble(2), scale * random.nextDouble(2), scale};
      int c = (hot ? VolumeClass.HOT : VolumeClass.LOW).ordinal();
      for (int k = 0; k < 3; k++) {
        sums[c][k] += expected[k];
      }
      counted.get(c).add(new ClassMixtures.Counted(expected, hot ? expected[0] : expected[1] / 2));
    }
    ClassMixtures mixtures = ClassMixtures.fit(EVEN, sums, counted, 100);
    List<Double> hot = mixtures.byClass().get(VolumeClass.HOT.ordinal());
    List<Double> low = mixtures.byClass().get(VolumeClass.LOW.ordinal());
    assertThat(hot.get(0)).isBetween(0.9, 1.02);
    assertThat(hot.get(1)).isLessThan(0.06);
    // The prior counts for a hundred requests.
    assertThat(low.get(1)).isBetween(0.27, 0.5);
    assertThat(low.get(0)).isLessThan(0.12);
    assertThat(mixtures.byClass().get(VolumeClass.COLD.ordinal())).isEqualTo(EVEN.weights());
  }

  @Test
  void aFewRequestsLeaveTheWeightsOfAll() {
    int classes = VolumeClass.values().length;
    double[][] sums = new double[classes][];
    List<List<ClassMixtures.Counted>> counted = new ArrayList<>();
    for (int c = 0; c < classes; c++) {
      sums[c] = new double[] {1, 1, 1};
      counted.add(List.of(new ClassMixtures.Counted(new double[] {1, 0, 0}, 1)));
    }
    for (List<Double> weights : ClassMixtures.fit(EVEN, sums, counted, 100).byClass()) {
      assertThat(weights).allSatisfy(w -> assertThat(w).isBetween(0.32, 0.35));
    }
  }
}
