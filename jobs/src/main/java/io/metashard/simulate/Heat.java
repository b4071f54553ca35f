package io.metashard.simulate;

import java.util.List;

/**
 * Objects that are alike: about as long, and about as often read.
 *
 * @param requests expected of each; the least of them
 * @param bytes of each, on average
 * @param objects how many
 */
public record Heat(double requests, double bytes, long objects) {
  /** Each object for itself. */
  public static List<Heat> of(List<SimulatedObject> objects) {
    return objects.stream()
        .map(object -> new Heat(object.expectedRequests(), object.bytes(), 1))
        .toList();
  }

  double allBytes() {
    return bytes * objects;
  }

  double readBytes() {
    return requests * bytes;
  }
}
