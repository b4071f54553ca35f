package io.metashard.plan;

import io.metashard.ObjectIds;
import io.metashard.Segmentation;
import java.util.List;

/**
 * An object that may be encoded, with what is forecast of it.
 *
 * @param version of the source; without a present one, of what the map has
 * @param uri of the source; null without a present one: the bytes are those that the map has
 * @param group from {@link Isolation#group}: only objects of one group share meta-shards
 * @param wholeShare share of its requests that read it whole, 0 to 1
 * @param segments one for each segment, in order
 * @param source what is known of its source
 */
public record PlanObject(
    String id,
    String version,
    String uri,
    String group,
    Segmentation segmentation,
    double wholeShare,
    List<PlanSegment> segments,
    Source source) {
  /** Where the bytes of an object are, beside the map. */
  public enum Source {
    PRESENT,
    /** Nowhere: it was not in the newest listing. */
    MISSING,
    /** Nowhere, by the user's will: it was deleted, and the map keeps the object. */
    RELEASED
  }

  public PlanObject {
    segments = List.copyOf(segments);
    if ((uri == null) == (source == Source.PRESENT)) {
      throw new IllegalArgumentException(
          "Cannot plan object %s: its source is %s and its uri is %s"
              .formatted(ObjectIds.printable(id), source, uri == null ? "not known" : "known"));
    }
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

  /** An object whose source is present. */
  public PlanObject(
      String id,
      String version,
      String uri,
      String group,
      Segmentation segmentation,
      double wholeShare,
      List<PlanSegment> segments) {
    this(id, version, uri, group, segmentation, wholeShare, segments, Source.PRESENT);
  }

  /** The same as the map has it, without a present source. */
  public PlanObject without(Source state) {
    return new PlanObject(id, version, null, group, segmentation, wholeShare, segments, state);
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
