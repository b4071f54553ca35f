package io.metashard.read;

import io.metashard.config.Settings;

/**
 * How objects are read.
 *
 * @param fallback {@link Fallback#SOURCE}: what the map does not have, or cannot give, is read from
 *     the source at the same version
 */
public record ReadOptions(Fallback fallback) {
  /** Where to turn to when the map cannot serve a range. */
  public enum Fallback {
    SOURCE,
    NONE
  }

  public static ReadOptions from(Settings settings) {
    return new ReadOptions(settings.flag("read.fallback") ? Fallback.SOURCE : Fallback.NONE);
  }
}
