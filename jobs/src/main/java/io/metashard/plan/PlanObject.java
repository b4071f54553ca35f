package io.metashard.plan;

import io.metashard.ObjectIds;
import io.metashard.Segmentation;
import java.util.List;

/**
 * An object that may be encoded, with what is forecast of it.
 *
 * @param version of the source
 * @param uri of the source
 * @param group from {@link Isolation#group}: only objects of one group share meta-shards
 * @param wholeShare share of its requests that read it whole, 0 to 1
 * @param segments one for each segment, in order
 */
public record PlanObject(
    String id,
    String version,
    String uri,
    String group,
    Segmentation segmentation,
    double wholeShare,
    List<PlanSegment> segments) {
  public PlanObject {
    segments = List.copyOf(segments);
    if (segments.size() != segmentation.segments()) {
      throw new IllegalArgumentException(
          "Cannot plan object %s: %d segments are given, %d bytes have %d"
              .formatted(
                  ObjectIds.printable(id),
                  segments.size(),
                  segmentation.objectBytes(),
                  segmentation.segments()));
    }
    for (int i = 0; i < segments.size(); i++) {
      if (segments.get(i).segment() != i) {
        throw new IllegalArgumentException(
            "Cannot plan object %s: segment %d stands at place %d"
                .formatted(ObjectIds.printable(id), segments.get(i).segment(), i));
      }
    }
    if (!(wholeShare >= 0 && wholeShare <= 1)) {
      throw new IllegalArgumentException(
          "Cannot plan object %s: its share of whole reads is %s, not between 0 and 1"
              .formatted(ObjectIds.printable(id), wholeShare));
    }
  }

  public long bytes() {
    return segmentation.objectBytes();
  }

  /** Requests expected of all segments together. */
  double expectedRequests() {
    double sum = 0;
    for (PlanSegment segment : segments) {
      sum += segment.expectedRequests();
    }
    return sum;
  }
}
