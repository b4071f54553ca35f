package io.metashard.plan;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What one run may keep no longer.
 *
 * @param now moment of planning
 * @param dropMissingSince objects whose sources are missing since then, or for longer, are dropped
 * @param eraseDeadSince dead bytes that are dead since then, or for longer, are due to go
 */
public record Deadlines(Instant now, Instant dropMissingSince, Instant eraseDeadSince)
    implements Serializable {
  /** Everything may be kept. */
  public static final Deadlines NONE = new Deadlines(Instant.EPOCH, Instant.MIN, Instant.MIN);

  private static final String DROP_AFTER = "objects.drop-missing-after";
  private static final String ERASE_WITHIN = "delete.erase-within";
  private static final String NEVER = "never";

  /** Nights are a day apart: what is not due in one must not be late in the next. */
  private static final Duration NIGHT = Duration.ofDays(1);

  /** So many nights there are at most to erase what is due, under the limit of bytes. */
  private static final Duration MOST_MARGIN = Duration.ofDays(7);

  private static final int MARGIN_PART = 4;

  /**
   * Those of a run.
   *
   * <p>A source counts as missing up to the newest listing only: as long as roots cannot be listed,
   * nothing gets older, and nothing is dropped.
   *
   * @param now moment of planning
   * @param listedAt moment of planning of the run that last listed the roots; empty: of none is it
   *     known
   */
  public static Deadlines from(Settings settings, Instant now, Optional<Instant> listedAt) {
    Optional<Duration> dropAfter = dropAfter(settings);
    Duration within = settings.duration(ERASE_WITHIN);
    if (within.compareTo(NIGHT) < 0) {
      throw new SettingsException(
          "Cannot use %s = %s: nights are a day apart; use 1d or more"
              .formatted(ERASE_WITHIN, settings.string(ERASE_WITHIN)));
    }
    Instant seen = listedAt.filter(listed -> listed.isBefore(now)).orElse(now);
    return new Deadlines(
        now,
        dropAfter.isEmpty() || listedAt.isEmpty() ? Instant.MIN : seen.minus(dropAfter.get()),
        now.minus(within.minus(margin(within))));
  }

  private static Optional<Duration> dropAfter(Settings settings) {
    if (settings.string(DROP_AFTER).strip().equalsIgnoreCase(NEVER)) {
      return Optional.empty();
    }
    Duration after = settings.duration(DROP_AFTER);
    if (after.compareTo(NIGHT) < 0) {
      throw new SettingsException(
          "Cannot use %s = %s: what is missing for less than a day may be a slip; use 1d or more, or never"
              .formatted(DROP_AFTER, settings.string(DROP_AFTER)));
    }
    return Optional.of(after);
  }

  /**
   * How long before its end the time for erasing begins to press: a quarter of it, a night at least
   * and seven at most.
   */
  static Duration margin(Duration within) {
    Duration part = within.dividedBy(MARGIN_PART);
    return part.compareTo(NIGHT) < 0 ? NIGHT : part.compareTo(MOST_MARGIN) > 0 ? MOST_MARGIN : part;
  }

  /** Whether an object is dropped whose source is missing since then. */
  boolean isDropped(Instant missingSince) {
    return !missingSince.isAfter(dropMissingSince);
  }

  /** Whether bytes are due to go that are dead since then. */
  boolean isErased(Instant deadSince) {
    return !deadSince.isAfter(eraseDeadSince);
  }

  /** Whole days that such bytes are due. */
  long daysDue(Instant deadSince) {
    return Duration.between(deadSince, eraseDeadSince).toDays();
  }
}
