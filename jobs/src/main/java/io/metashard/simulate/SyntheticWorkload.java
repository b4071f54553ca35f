package io.metashard.simulate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.SplittableRandom;

/**
 * Objects that are read whole, by Zipf's law, at random moments (Poisson arrivals).
 *
 * @param locations of equal speed
 * @param medianBytes of the objects
 * @param sigma of the logarithm of their sizes (a lognormal distribution); 0: all alike
 * @param zipf exponent of the popularity; which object is popular has nothing to do with its size
 * @param forecastSigma a forecast is off by e to a normal deviate times this; 0: it is right
 * @param load share of the locations' bandwidth, taken as that of one read each, that the bytes
 *     asked for take
 */
public record SyntheticWorkload(
    String name,
    int locations,
    int objects,
    long medianBytes,
    double sigma,
    double zipf,
    double forecastSigma,
    double load) {
  /** Of EC-Cache's evaluation (Rashmi et al., OSDI 2016). */
  public static final SyntheticWorkload EC_CACHE =
      new SyntheticWorkload("ec-cache", 25, 500, 40_000_000, 0, 0.9, 0, 0.35);

  /** Sizes of a real mixture, and a forecast as good as forecasts are. */
  public static final SyntheticWorkload MIXED =
      new SyntheticWorkload("mixed", 25, 500, 10_000_000, 1, 1.1, 0.5, 0.5);

  /** Where finding takes as long as sending. */
  public static final SyntheticWorkload SMALL =
      new SyntheticWorkload("small", 25, 500, 1_000_000, 0, 0.9, 0, 0.35);

  public SyntheticWorkload {
    if (locations < 1 || objects < 1 || medianBytes < 1) {
      throw new IllegalArgumentException(
          "Cannot read %d objects of %d bytes from %d locations: each must be 1 or more"
              .formatted(objects, medianBytes, locations));
    }
    if (!(sigma >= 0 && zipf >= 0 && forecastSigma >= 0 && load > 0 && load < 1)) {
      throw new IllegalArgumentException(
          "Cannot use sigma %s, Zipf %s, forecast sigma %s, load %s: the first three must be 0 or more, the load between 0 and 1"
              .formatted(sigma, zipf, forecastSigma, load));
    }
  }

  /**
   * @throws IllegalArgumentException if there is none of that name
   */
  public static SyntheticWorkload named(String name) {
    return List.of(EC_CACHE, MIXED, SMALL).stream()
        .filter(workload -> workload.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Cannot simulate that workload: known are ec-cache, mixed, small"));
  }

  public SyntheticWorkload withLoad(double share) {
    return new SyntheticWorkload(
        name, locations, objects, medianBytes, sigma, zipf, forecastSigma, share);
  }

  /** What a day of it is: objects, and requests that can be drawn as often as wanted. */
  public final class Drawn {
    private final long[] bytes;
    private final double[] chances;
    private final double[] forecast;
    private final double perSecond;

    private Drawn(double bytesPerSecond, long seed) {
      SplittableRandom random = new SplittableRandom(seed);
      bytes = new long[objects];
      chances = new double[objects];
      forecast = new double[objects];
      int[] ranks = Luck.permutation(objects, random.split());
      SplittableRandom sizes = random.split();
      SplittableRandom errors = random.split();
      for (int i = 0; i < objects; i++) {
        bytes[i] = Math.max(1, Math.round(medianBytes * Math.exp(sigma * sizes.nextGaussian())));
        chances[i] = Math.pow(ranks[i] + 1.0, -zipf);
      }
      double sum = Arrays.stream(chances).sum();
      double meanBytes = 0;
      for (int i = 0; i < objects; i++) {
        chances[i] /= sum;
        meanBytes += chances[i] * bytes[i];
        forecast[i] = chances[i] * Math.exp(forecastSigma * errors.nextGaussian());
      }
      perSecond = load * locations * bytesPerSecond / meanBytes;
    }

    /** With the requests that are expected of each in so many seconds. */
    public List<SimulatedObject> forecast(double seconds) {
      return expected(forecast, seconds);
    }

    /** With the requests that come on average. */
    public List<SimulatedObject> truth(double seconds) {
      return expected(chances, seconds);
    }

    private List<SimulatedObject> expected(double[] shares, double seconds) {
      double all = Arrays.stream(shares).sum();
      List<SimulatedObject> expected = new ArrayList<>();
      for (int i = 0; i < objects; i++) {
        expected.add(new SimulatedObject(id(i), bytes[i], shares[i] / all * perSecond * seconds));
      }
      return expected;
    }

    public double requestsPerSecond() {
      return perSecond;
    }

    /** The first of the requests; the same each time. */
    public Iterator<ReadRequest> requests(int count, long seed) {
      double[] cumulative = chances.clone();
      Arrays.parallelPrefix(cumulative, Double::sum);
      SplittableRandom random = new SplittableRandom(seed);
      return new Iterator<>() {
        private int drawn;
        private double at;

        @Override
        public boolean hasNext() {
          return drawn < count;
        }

        @Override
        public ReadRequest next() {
          if (!hasNext()) {
            throw new NoSuchElementException("No more requests");
          }
          drawn++;
          at += -Math.log1p(-random.nextDouble()) / perSecond * 1000;
          int found = Arrays.binarySearch(cumulative, random.nextDouble());
          int i = Math.min(objects - 1, found < 0 ? -found - 1 : found + 1);
          return new ReadRequest(at, id(i), 0, bytes[i]);
        }
      };
    }
  }

  /**
   * @param bytesPerSecond of one location
   */
  public Drawn drawn(double bytesPerSecond, long seed) {
    return new Drawn(bytesPerSecond, seed);
  }

  private static String id(int object) {
    return "object-%06d".formatted(object);
  }
}
