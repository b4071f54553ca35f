package io.metashard.simulate;

import java.util.List;

/**
 * A part of a read: some requests, each to another location, of which so many must be answered.
 *
 * @param needed the part is read when this many have been answered
 * @param asked how many are asked at once, {@code needed} or more
 * @param choices where to ask; the least busy ones are asked
 */
public record Fetch(int needed, int asked, List<Choice> choices) {
  /** One location and the bytes it would send. */
  public record Choice(int location, long bytes) {}

  public Fetch {
    choices = List.copyOf(choices);
    if (needed < 1 || asked < needed || choices.size() < asked) {
      throw new IllegalArgumentException(
          "Cannot need %d of %d requests to %d locations: each must be 1 or more and no more than the next"
              .formatted(needed, asked, choices.size()));
    }
  }
}
