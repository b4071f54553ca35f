package io.metashard.simulate;

/**
 * A read of a location that was timed.
 *
 * @param bytes asked for, and got
 * @param millis from the request to its last byte
 */
public record TimedRead(long bytes, double millis) {
  public TimedRead {
    if (bytes < 1 || !(millis > 0) || Double.isInfinite(millis)) {
      throw new IllegalArgumentException(
          "Cannot use a read of %d bytes in %s ms: both must be more than 0"
              .formatted(bytes, millis));
    }
  }
}
