package io.metashard.forecast;

import java.util.Arrays;

/** Which model makes the forecast: one by name, or the one that the back-test prefers. */
public enum ModelChoice {
  AUTO("auto"),
  SEASONAL_NAIVE("seasonal-naive"),
  TOTAL_SHARE("total-share"),
  GLM_CORRECTION("glm-correction");

  private final String word;

  ModelChoice(String word) {
    this.word = word;
  }

  /** What it is called in settings and tables. */
  public String word() {
    return word;
  }

  static String[] words() {
    return Arrays.stream(values()).map(ModelChoice::word).toArray(String[]::new);
  }

  static ModelChoice parse(String word) {
    return Arrays.stream(values())
        .filter(choice -> choice.word.equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Cannot use model %s: it must be one of %s"
                        .formatted(word, String.join(", ", words()))));
  }
}
