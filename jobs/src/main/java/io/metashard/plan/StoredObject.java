package io.metashard.plan;

import java.util.Map;

/**
 * How the map holds an object, as reading sees it.
 *
 * @param whole what a read of the whole object takes
 * @param segments what a read of one of its segments takes, by segment; empty ones have none
 */
record StoredObject(ReadShape whole, Map<Integer, Segment> segments) {
  StoredObject {
    segments = Map.copyOf(segments);
  }

  /**
   * A segment as it is stored.
   *
   * @param requestsThen that were expected of it when it was written
   */
  record Segment(ReadShape shape, double requestsThen) {}
}
