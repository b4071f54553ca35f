package io.metashard.plan;

import java.util.Locale;

/** Why a meta-shard is the way it is. */
public enum Form {
  /** Whole segments of similar length, of any objects of a group. */
  PACKED,
  /** Consecutive segments of one object, read together. */
  STRIPED,
  /** Slices of one segment. */
  SPLIT,
  /** One hot segment and copies of it. */
  COPIES,
  /** Segments drawn at random by weight. */
  DRAWN;

  /** As in the {@code plans} table. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
