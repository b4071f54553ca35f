package io.metashard;

import java.util.Objects;

/**
 * How an object is cut into equal byte ranges.
 *
 * @param objectBytes length of the object
 * @param segmentBytes length of every segment but the last, which may be shorter; 1 or more
 */
public record Segmentation(long objectBytes, long segmentBytes) {
  public Segmentation {
    if (objectBytes < 0 || segmentBytes < 1) {
      throw new IllegalArgumentException(
          "Cannot cut an object of %d bytes into segments of %d bytes: the first must not be negative and the second not below 1"
              .formatted(objectBytes, segmentBytes));
    }
    if (objectBytes / segmentBytes >= Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "Cannot cut an object of %d bytes into segments of %d bytes: more than %d segments; raise segments.min-bytes"
              .formatted(objectBytes, segmentBytes, Integer.MAX_VALUE));
    }
  }

  /** Cuts by the configured rule: ceil(objectBytes / perObject), held between min and max. */
  public static Segmentation of(long objectBytes, int perObject, long minBytes, long maxBytes) {
    if (perObject < 1 || minBytes < 1 || maxBytes < minBytes) {
      throw new IllegalArgumentException(
          "Cannot cut objects into segments: per-object is %d, min-bytes %d, max-bytes %d; each must be 1 or more and max-bytes not below min-bytes"
              .formatted(perObject, minBytes, maxBytes));
    }
    long even = objectBytes <= 0 ? 1 : (objectBytes - 1) / perObject + 1;
    return new Segmentation(objectBytes, Math.min(maxBytes, Math.max(minBytes, even)));
  }

  /** Number of segments; an empty object has one, of length 0. */
  public int segments() {
    return objectBytes == 0 ? 1 : (int) ((objectBytes - 1) / segmentBytes + 1);
  }

  /** Where the segment begins in the object. */
  public long offset(int segment) {
    return Objects.checkIndex(segment, segments()) * segmentBytes;
  }

  /** Bytes in the segment. */
  public long length(int segment) {
    return Math.min(segmentBytes, objectBytes - offset(segment));
  }

  /** The segment that holds the byte at {@code position}. */
  public int segmentAt(long position) {
    return (int) (Objects.checkIndex(position, objectBytes) / segmentBytes);
  }
}
