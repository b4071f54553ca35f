package io.metashard.plan;

/**
 * What is forecast of one segment over the horizon.
 *
 * @param expectedRequests finite, not negative
 * @param pRequested chance of at least one request, 0 to 1
 */
public record PlanSegment(int segment, double expectedRequests, double pRequested) {
  public PlanSegment {
    if (segment < 0) {
      throw new IllegalArgumentException("Cannot plan segment %d: negative".formatted(segment));
    }
    HeatClass.of(expectedRequests);
    if (!(pRequested >= 0 && pRequested <= 1)) {
      throw new IllegalArgumentException(
          "Cannot plan segment %d: p_requested is %s, not between 0 and 1"
              .formatted(segment, pRequested));
    }
  }

  int heatClass() {
    return HeatClass.of(expectedRequests);
  }
}
