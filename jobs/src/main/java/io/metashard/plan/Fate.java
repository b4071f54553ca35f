package io.metashard.plan;

/** What a run does with an object, and why. */
public enum Fate {
  NEW("encoded", "never encoded before"),
  CHANGED("encoded", "its source changed"),
  RESHAPED("encoded", "another shape serves it better, or its blocks keep dead bytes"),
  KEPT("stays", "well as it is"),
  WAITS_NEW("waits", "never encoded; reshard.max-bytes-per-run went to more urgent ones"),
  WAITS_CHANGED("waits", "its source changed; reshard.max-bytes-per-run went to more urgent ones"),
  WAITS_RESHAPE(
      "waits",
      "another shape would serve it better; reshard.max-bytes-per-run went to more urgent ones"),
  TOO_LONG("waits", "longer than reshard.max-bytes-per-run: it will wait until that is raised");

  private final String word;
  private final String why;

  Fate(String word, String why) {
    this.word = word;
    this.why = why;
  }

  /** {@code encoded}, {@code stays} or {@code waits}. */
  public String word() {
    return word;
  }

  /** In words. */
  public String why() {
    return why;
  }

  boolean isEncoded() {
    return this == NEW || this == CHANGED || this == RESHAPED;
  }

  static Fate of(Candidate candidate, Selection selection) {
    if (selection.contains(candidate)) {
      return switch (candidate.priority()) {
        case NEW -> NEW;
        case STALE -> CHANGED;
        case RESHAPE -> RESHAPED;
      };
    }
    if (candidate.bytes() > selection.longestBytes()) {
      return TOO_LONG;
    }
    return switch (candidate.priority()) {
      case NEW -> WAITS_NEW;
      case STALE -> WAITS_CHANGED;
      case RESHAPE -> WAITS_RESHAPE;
    };
  }
}
