package io.metashard.plan;

/** What a run does with an object, and why. */
public enum Fate {
  NEW("encoded", "never encoded before"),
  CHANGED("encoded", "its source changed"),
  MADE_SAFE("encoded", "its meta-shards survive fewer lost domains than plan.survive demands"),
  ERASED("encoded", "its meta-shards keep dead bytes for almost delete.erase-within"),
  TIDIED("encoded", "its meta-shards keep dead bytes, or take more than plan.storage-budget has"),
  DRAINED("encoded", "its meta-shards have blocks at a location that drains or is gone"),
  RESHAPED("encoded", "another shape or tier saves more milliseconds than the move takes"),
  REDONE("encoded", "--full asks for it"),
  KEPT("stays", "well as it is"),
  KEPT_WITHOUT_SOURCE("stays", "its source is missing, not yet for objects.drop-missing-after"),
  DROPPED("dropped", "its source is missing for objects.drop-missing-after or longer"),
  WAITS_NEW("waits", "never encoded; " + Fate.OTHERS_FIRST),
  WAITS_CHANGED("waits", "its source changed; " + Fate.OTHERS_FIRST),
  WAITS_TO_BE_SAFE(
      "waits",
      "its meta-shards survive fewer lost domains than plan.survive demands; " + Fate.OTHERS_FIRST),
  WAITS_TO_BE_ERASED(
      "waits",
      "its meta-shards keep dead bytes for almost delete.erase-within; " + Fate.OTHERS_FIRST),
  WAITS_TO_BE_TIDIED(
      "waits",
      "its meta-shards keep dead bytes, or take more than plan.storage-budget has; "
          + Fate.OTHERS_FIRST),
  WAITS_TO_BE_DRAINED(
      "waits",
      "its meta-shards have blocks at a location that drains or is gone; " + Fate.OTHERS_FIRST),
  WAITS_RESHAPE(
      "waits", "another shape or tier would save more than the move takes; " + Fate.OTHERS_FIRST),
  WAITS_TO_BE_REDONE("waits", "--full asks for it; " + Fate.OTHERS_FIRST),
  TOO_LONG("waits", "longer than reshard.max-bytes-per-run: it will wait until that is raised");

  private static final String OTHERS_FIRST = "reshard.max-bytes-per-run went to more urgent ones";

  private final String word;
  private final String why;

  Fate(String word, String why) {
    this.word = word;
    this.why = why;
  }

  /** {@code encoded}, {@code stays}, {@code waits} or {@code dropped}. */
  public String word() {
    return word;
  }

  /** In words. */
  public String why() {
    return why;
  }

  boolean isEncoded() {
    return word.equals(NEW.word);
  }

  /** Whether the blocks that it has are no longer served. */
  boolean leavesItsBlocks() {
    return isEncoded() || this == DROPPED;
  }

  static Fate of(Candidate candidate, Selection selection) {
    if (selection.contains(candidate)) {
      return switch (candidate.priority()) {
        case NEW -> NEW;
        case STALE -> CHANGED;
        case UNSAFE -> MADE_SAFE;
        case ERASE -> ERASED;
        case TIDY -> TIDIED;
        case DRAIN -> DRAINED;
        case RESHAPE -> RESHAPED;
        case FULL -> REDONE;
      };
    }
    if (candidate.bytes() > selection.longestBytes()) {
      return TOO_LONG;
    }
    return switch (candidate.priority()) {
      case NEW -> WAITS_NEW;
      case STALE -> WAITS_CHANGED;
      case UNSAFE -> WAITS_TO_BE_SAFE;
      case ERASE -> WAITS_TO_BE_ERASED;
      case TIDY -> WAITS_TO_BE_TIDIED;
      case DRAIN -> WAITS_TO_BE_DRAINED;
      case RESHAPE -> WAITS_RESHAPE;
      case FULL -> WAITS_TO_BE_REDONE;
    };
  }
}
