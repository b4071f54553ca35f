package io.metashard.catalogue;

import io.metashard.Segmentation;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;

/**
 * How objects are cut into segments.
 *
 * @param perObject segments that an object of middling size has
 * @param minBytes least length of a segment
 * @param maxBytes greatest length of a segment
 */
public record SegmentOptions(int perObject, long minBytes, long maxBytes) {
  public SegmentOptions {
    if (perObject < 1 || minBytes < 1 || maxBytes < minBytes) {
      throw new SettingsException(
          "Cannot cut objects into segments: segments.per-object is %d, min-bytes %d, max-bytes %d; each must be 1 or more and max-bytes not below min-bytes"
              .formatted(perObject, minBytes, maxBytes));
    }
  }

  public static SegmentOptions from(Settings settings) {
    return new SegmentOptions(
        settings.integer("segments.per-object"),
        settings.bytes("segments.min-bytes"),
        settings.bytes("segments.max-bytes"));
  }

  /** The segmentation of one object. */
  public Segmentation of(long objectBytes) {
    return Segmentation.of(objectBytes, perObject, minBytes, maxBytes);
  }
}
