package io.metashard.simulate;

import io.metashard.LocationModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Serves reads in the order of their time at locations that queue.
 *
 * <p>A request begins when its location is free: a {@code disk} when all requests before have been
 * served (first come, first served), an {@code object-store} when its limit of requests lets it.
 * Requests that turn out not to be needed are served all the same. Whether a request is slow
 * depends on the read and on its place among the read's requests, so layouts meet the same luck. A
 * location may be several times as fast as the model. Reads must come in order of time; what is
 * remembered does not grow with them.
 */
public final class Simulation {
  private static final long SLOW = 0xC2B2AE3D27D4EB4FL;

  private final LocationModel model;
  private final long seed;
  private final double[] speeds;
  private final double[] freeAt;
  private final double[] servedBytes;
  private final double[] heldMillis;
  private final TimeHistogram times = new TimeHistogram();
  private double now = Double.NEGATIVE_INFINITY;

  /** With locations as fast as the model. */
  public Simulation(LocationModel model, int locations, long seed) {
    this(model, Collections.nCopies(locations, 1.0), seed);
  }

  /**
   * @param speeds by location: how many times as fast as the model it is
   */
  public Simulation(LocationModel model, List<Double> speeds, long seed) {
    this.model = model;
    this.seed = seed;
    this.speeds = speeds.stream().mapToDouble(Double::doubleValue).toArray();
    this.freeAt = new double[speeds.size()];
    this.servedBytes = new double[speeds.size()];
    this.heldMillis = new double[speeds.size()];
  }

  /**
   * Serves a read.
   *
   * @param atMillis when it comes; not before the last one
   * @param fetches all of which must be read
   * @return milliseconds until all of it is there
   */
  public double read(double atMillis, List<Fetch> fetches) {
    if (!(atMillis >= now)) {
      throw new IllegalArgumentException(
          "Cannot read at %s ms: the last read was at %s ms".formatted(atMillis, now));
    }
    now = atMillis;
    double done = atMillis;
    int place = 0;
    for (Fetch fetch : fetches) {
      List<Fetch.Choice> asked = leastBusy(fetch);
      double[] ends = new double[asked.size()];
      for (int i = 0; i < ends.length; i++) {
        ends[i] = serve(asked.get(i), place++);
      }
      java.util.Arrays.sort(ends);
      done = Math.max(done, ends[fetch.needed() - 1]);
    }
    times.add(done - atMillis);
    return done - atMillis;
  }

  private List<Fetch.Choice> leastBusy(Fetch fetch) {
    if (fetch.choices().size() == fetch.asked()) {
      return fetch.choices();
    }
    List<Fetch.Choice> sorted = new ArrayList<>(fetch.choices());
    // A stable sort: of those that are free, data comes before parity.
    sorted.sort(Comparator.comparingDouble(choice -> Math.max(now, freeAt[choice.location()])));
    return sorted.subList(0, fetch.asked());
  }

  private double serve(Fetch.Choice choice, int place) {
    int location = choice.location();
    double begin = Math.max(now, freeAt[location]);
    double served =
        model.servedMillis(choice.bytes(), Luck.chance(seed, times.count(), place, SLOW))
            / speeds[location];
    double held = model.heldMillis(served);
    freeAt[location] = begin + held;
    heldMillis[location] += held;
    servedBytes[location] += choice.bytes();
    return begin + served;
  }

  /** Times of all reads so far. */
  public TimeHistogram times() {
    return times;
  }

  /** (most - mean) / mean of the bytes that locations sent; NaN if they sent none. */
  public double imbalance() {
    double most = 0;
    double sum = 0;
    for (double bytes : servedBytes) {
      most = Math.max(most, bytes);
      sum += bytes;
    }
    double mean = sum / servedBytes.length;
    return (most - mean) / mean;
  }

  /** Share of the time up to the last read in which locations served, on average. */
  public double busyShare() {
    double sum = 0;
    for (double held : heldMillis) {
      sum += held;
    }
    return sum / heldMillis.length / now;
  }
}
