package io.metashard.plan;

import java.io.Serializable;

/**
 * How busy locations are expected to be, on average: what one more request costs all others.
 *
 * @param readsPerMilli reads of objects or segments that come in a millisecond, per location, which
 *     one more request makes wait; more where their time is dearer than that
 * @param busyShare of the locations' time, 0 to less than 1
 * @param waitMillis that a request waits for others
 */
public record Traffic(double readsPerMilli, double busyShare, double waitMillis)
    implements Serializable {
  public static final Traffic NONE = new Traffic(0, 0, 0);

  /** Busier locations have no steady state, or nearly none: they are taken for this busy. */
  static final double MOST_BUSY = 0.97;

  public Traffic {
    if (!(readsPerMilli >= 0 && busyShare >= 0 && busyShare <= MOST_BUSY && waitMillis >= 0)) {
      throw new IllegalArgumentException(
          "Cannot use %s reads per millisecond, busy %s, %s ms of waiting: none is negative, and nothing busier than %s"
              .formatted(readsPerMilli, busyShare, waitMillis, MOST_BUSY));
    }
  }

  /** As busy as this and part of the way to another, with the same reads. */
  Traffic towards(Traffic other, double part) {
    return new Traffic(
        readsPerMilli,
        busyShare + part * (other.busyShare - busyShare),
        waitMillis + part * (other.waitMillis - waitMillis));
  }

  /** As busy as this, with time so many times as dear. */
  Traffic atPrice(double times) {
    return new Traffic(readsPerMilli * times, busyShare, waitMillis);
  }
}
