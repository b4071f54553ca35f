package io.metashard.forecast;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which model forecasts each class of volume: the base, unless the back-test shows that another is
 * better by more than chance.
 *
 * @param models by class, each of them
 * @param reason in words and figures
 */
record Gate(Map<VolumeClass, ModelChoice> models, String reason) {
  static final ModelChoice BASE = ModelChoice.TOTAL_SHARE;

  /**
   * What a model must win over the base, from every judged origin. Origins overlap and classes are
   * several: on the traces of web servers, gains of some hundredths on three origins of four were
   * mostly chance.
   */
  static final double LEAST_GAIN = 0.05;

  /** From one origin alone nothing learned is trusted. */
  static final int LEAST_ORIGINS = 2;

  private static final List<ModelChoice> CORRECTIONS =
      List.of(ModelChoice.GLM_CORRECTION, ModelChoice.GBT_CORRECTION, ModelChoice.GEOMETRIC_MEAN);

  Gate {
    models = new TreeMap<>(models);
    if (models.size() != VolumeClass.values().length) {
      throw new IllegalArgumentException("Cannot forecast by " + models + ": a class has no model");
    }
  }

  /** The same model for all. */
  static Gate of(ModelChoice model, String reason) {
    return new Gate(
        Arrays.stream(VolumeClass.values()).collect(Collectors.toMap(c -> c, c -> model)), reason);
  }

  /** The one model of all classes, or {@link ModelChoice#PER_CLASS}. */
  ModelChoice name() {
    TreeSet<ModelChoice> different = new TreeSet<>(models.values());
    return different.size() == 1 ? different.first() : ModelChoice.PER_CLASS;
  }

  /**
   * Chooses by what models did on judged origins.
   *
   * @param scores of the base and others, by models that learned before what is judged
   */
  static Gate of(Scorecard scores) {
    if (scores.bins().isEmpty()) {
      return of(BASE, "the history is too short for a back-test: no choice to make");
    }
    double base = scores.deviance(BASE);
    if (!Double.isFinite(base)) {
      return of(BASE, "nothing to judge by: no segment existed in the back-test");
    }
    List<ModelChoice> corrections = CORRECTIONS.stream().filter(scores::has).toList();
    List<String> figures = new ArrayList<>();
    figures.add(told(scores, ModelChoice.SEASONAL_NAIVE));
    figures.add(told(scores, BASE));
    corrections.forEach(model -> figures.add(told(scores, model)));
    if (corrections.isEmpty()) {
      figures.add("too few requests to train a correction");
    }
    String judged =
        "deviance %s over the last %d back-test origins"
            .formatted(String.join(", ", figures), scores.origins().size());
    // Yesterday's counts bring a total of their own: they are judged as a whole.
    if (best(scores, List.of(ModelChoice.SEASONAL_NAIVE), scores.origins().size()) != BASE) {
      return of(ModelChoice.SEASONAL_NAIVE, judged);
    }
    Map<VolumeClass, ModelChoice> models = new TreeMap<>();
    List<String> changes = new ArrayList<>();
    for (VolumeClass volume : VolumeClass.values()) {
      Scorecard own = scores.of(volume);
      // A class that one origin knew and others did not has not won there.
      ModelChoice best =
          scores.origins().size() < LEAST_ORIGINS
              ? BASE
              : best(own, corrections, scores.origins().size());
      models.put(volume, best);
      if (best != BASE) {
        changes.add(
            "%s segments by %s (%s, not %s)"
                .formatted(
                    volume.word(),
                    best.word(),
                    figure(own.deviance(best)),
                    figure(own.deviance(BASE))));
      }
    }
    return new Gate(models, judged + (changes.isEmpty() ? "" : ": " + String.join(", ", changes)));
  }

  /** The best of some models that is better than the base by more than chance; else the base. */
  private static ModelChoice best(Scorecard scores, List<ModelChoice> models, int origins) {
    ModelChoice best = BASE;
    for (ModelChoice model : models) {
      double deviance = scores.deviance(model);
      if (deviance < scores.deviance(BASE) * (1 - LEAST_GAIN)
          && deviance < scores.deviance(best)
          && scores.wins(model, BASE) == origins) {
        best = model;
      }
    }
    return best;
  }

  private static String told(Scorecard scores, ModelChoice model) {
    return model.word() + " " + figure(scores.deviance(model));
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }
}
