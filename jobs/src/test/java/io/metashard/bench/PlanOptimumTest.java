package io.metashard.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.LocationModel;
import io.metashard.config.LocationModels;
import io.metashard.config.Settings;
import io.metashard.plan.PlanOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanOptimumTest {
  private static final Settings SETTINGS = Settings.parse("test", "", List.of());
  private static final List<LocationModel> MODELS =
      List.of(LocationModels.disk(SETTINGS), LocationModels.objectStore(SETTINGS));

  private static PlanOptimum optimum(int kinds) {
    return new PlanOptimum(PlanOptions.from(SETTINGS), kinds);
  }

  @Test
  void plansAreWithinFivePercentOfTheBestThatThereIs() {
    List<PlanOptimum.Found> found = new ArrayList<>();
    for (LocationModel model : MODELS) {
      for (long seed = 1; seed <= 8; seed++) {
        found.addAll(optimum(4).of(seed, model));
      }
    }
    assertThat(found).hasSize(MODELS.size() * 8 * PlanOptimum.BUDGETS.size());
    for (PlanOptimum.Found one : found) {
      // 6 shapes that share their parity and 9 that do not, for each of 4 kinds.
      assertThat(one.tried()).isEqualTo(15 * 15 * 15 * 15);
      assertThat(one.excess()).as(one.toString()).isBetween(0.0, OptimumTable.MOST_EXCESS);
      assertThat(one.excessOfAll()).isGreaterThanOrEqualTo(one.excess());
      assertThat(one.spent()).isLessThanOrEqualTo(one.budget());
    }
    assertThat(found).as("budgets that bind").anyMatch(one -> one.spent() > 0.97 * one.budget());
    assertThat(new OptimumTable(found).isNear()).isTrue();
  }

  @Test
  void theSameSeedIsTheSameLake() {
    assertThat(optimum(2).of(4, MODELS.get(0))).isEqualTo(optimum(2).of(4, MODELS.get(0)));
    assertThat(optimum(2).of(5, MODELS.get(0))).isNotEqualTo(optimum(2).of(4, MODELS.get(0)));
  }

  @Test
  void plansAreToldByReadModelAndBudget() {
    OptimumTable table =
        new OptimumTable(
            List.of(
                new PlanOptimum.Found(1, "disk", 1.2, 1.8, 104, 1.7, 100, 80, 9),
                new PlanOptimum.Found(2, "disk", 1.2, 1.8, 100, 1.7, 100, 100, 9),
                new PlanOptimum.Found(
                    1, "object-store", 1.5, 2, Double.POSITIVE_INFINITY, 2, 100, 100, 9)));
    assertThat(table.markdown())
        .isEqualTo(
            """
            | read model | budget | plans | median excess | most | within 5 % | of the whole budget, median | most |
            |---|---:|---:|---:|---:|---:|---:|---:|
            | disk | 1.20 x | 2 | 0.00 % | 4.00 % | 2 | 0.00 % | 30.00 % |
            | object-store | 1.50 x | 1 | over capacity | over capacity | 0 | over capacity | over capacity |
            | all |  | 3 | 4.00 % | over capacity | 2 | 30.00 % | over capacity |
            """);
    assertThat(table.isNear()).isFalse();
  }

  @Test
  void moreKindsThanCanBeTriedAreRefused() {
    assertThatThrownBy(() -> optimum(8)).hasMessageContaining("Cannot try all shapes of 8 kinds");
    assertThatThrownBy(() -> optimum(0)).hasMessageContaining("it must be 1 to 7");
  }
}
