package io.metashard.forecast;

import java.util.Arrays;

/** Which model makes the forecast: one by name, or what the back-test prefers. */
public enum ModelChoice {
  AUTO("auto"),
  SEASONAL_NAIVE("seasonal-naive"),
  TOTAL_SHARE("total-share"),
  GLM_CORRECTION("glm-correction"),
  GBT_CORRECTION("gbt-correction"),

  /** Of total-share and its corrections. */
  GEOMETRIC_MEAN("geometric-mean"),

  /** Classes of volume by different ones of the above: what {@link #AUTO} may come to. */
  PER_CLASS("per-class");

  private final String word;

  ModelChoice(String word) {
    this.word = word;
  }

  /** What it is called in settings and tables. */
  public String word() {
    return word;
  }

  /** Those that a setting may name. */
  static String[] words() {
    return Arrays.stream(values())
        .filter(choice -> choice != PER_CLASS)
        .map(ModelChoice::word)
        .toArray(String[]::new);
  }

  static ModelChoice parse(String word) {
    return Arrays.stream(values())
        .filter(choice -> choice != PER_CLASS && choice.word.equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Cannot use model %s: it must be one of %s"
                        .formatted(word, String.join(", ", words()))));
  }
}
