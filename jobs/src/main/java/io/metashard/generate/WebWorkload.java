package io.metashard.generate;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/**
 * A site: papers, pictures and films that people fetch.
 *
 * <ul>
 *   <li>Popularity is Zipf's with exponent 0.8: 0.64 to 0.83 in six proxy traces (Breslau, Cao,
 *       Fan, Phillips, Shenker: "Web caching and Zipf-like distributions", INFOCOM 1999).
 *   <li>It drifts: each object's logarithm walks at random from day to day.
 *   <li>Bursts rise within an hour and fade as a power of time (Crane, Sornette: "Robust dynamic
 *       classes revealed by measuring the response function of a social system", PNAS 2008).
 *   <li>Large objects are read in ranges, mostly near the beginning and around a few favourite
 *       places, as viewers of films do (Yu, Zheng, Zhao, Zheng: "Understanding user behavior in
 *       large-scale video-on-demand systems", EuroSys 2006).
 *   <li>Sizes are spread evenly over their logarithm, as the body of the lognormal that Downey
 *       finds ("The structural cause of file size distributions", MASCOTS 2001).
 * </ul>
 */
final class WebWorkload implements Workload {
  private static final double ZIPF_EXPONENT = 0.8;

  /** Standard deviation of a day's step of the logarithm of an object's popularity. */
  private static final double DRIFT = 0.12;

  /** Above 1: more small objects than an even spread over the logarithm of sizes has. */
  private static final double SIZE_SKEW = 1.3;

  private static final double HEAD_SHARE = 0.03;
  private static final double NOT_FOUND_SHARE = 0.02;
  private static final double ABORTED_SHARE = 0.01;

  /** Share of the requests for a large object that ask for a range. */
  private static final double RANGED_SHARE = 0.85;

  private static final double BURST_HOURS = 36;
  private static final int CLIENTS = 60;

  private final GenerateOptions options;
  private final int count;
  private final double requestsPerDay;
  private final long smallest;
  private final long largest;
  private final long rangedFrom;

  private WebWorkload(
      GenerateOptions options,
      int count,
      double requestsPerDay,
      long smallest,
      long largest,
      long rangedFrom) {
    this.options = options;
    this.count = count;
    this.requestsPerDay = requestsPerDay;
    this.smallest = smallest;
    this.largest = largest;
    this.rangedFrom = rangedFrom;
  }

  /** Objects of 10 KB to 32 MB. */
  static WebWorkload site(GenerateOptions options, int count, double requestsPerDay) {
    return new WebWorkload(options, count, requestsPerDay, 10_000, 32L << 20, 4L << 20);
  }

  /** Objects of 10 KB to 350 KB. */
  static WebWorkload small(GenerateOptions options, int count, double requestsPerDay) {
    return new WebWorkload(options, count, requestsPerDay, 10_000, 350_000, 128L << 10);
  }

  @Override
  public List<DemoObject> objects() {
    Dice dice = new Dice(options.seed(), "web objects");
    Instant firstMoment = options.firstDay().atStartOfDay().toInstant(ZoneOffset.UTC);
    int[] bySize = dice.permutation(count);
    List<DemoObject> objects = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      // Quantiles rather than draws: every seed has both extremes and about the same sum.
      double quantile = StrictMath.pow((double) bySize[i] / (count - 1), SIZE_SKEW);
      double logRange = StrictMath.log((double) largest / smallest);
      long bytes = Math.round(smallest * StrictMath.exp(logRange * quantile));
      Instant modifiedAt = firstMoment.minusSeconds(86_400 + dice.below(300 * 86_400L));
      objects.add(new DemoObject(name(i, bytes), bytes, modifiedAt));
    }
    return List.copyOf(objects);
  }

  private String name(int i, long bytes) {
    if (i == 1) {
      return "papers/Erasure codes, a survey (2nd edition).pdf"; // what logs have to encode
    }
    if (bytes >= rangedFrom) {
      return "films/film-%03d.mp4".formatted(i);
    }
    return bytes >= rangedFrom / 16
        ? "papers/paper-%03d.pdf".formatted(i)
        : "pictures/picture-%03d.jpg".formatted(i);
  }

  @Override
  public List<DemoRequest> requests() {
    List<DemoObject> objects = objects();
    Dice dice = new Dice(options.seed(), "web requests");
    double[] logPopularity = new double[count];
    int[] rank = dice.permutation(count);
    for (int i = 0; i < count; i++) {
      logPopularity[i] = -ZIPF_EXPONENT * StrictMath.log(rank[i] + 1.0);
    }
    int hours = options.days() * 24;
    int[] burstHour = new int[count];
    java.util.Arrays.fill(burstHour, hours);
    for (int burst = 0; burst < Math.max(1, options.days() / 4); burst++) {
      burstHour[dice.below(count)] = dice.below(hours);
    }
    double[][] favourites = favourites(dice);

    List<DemoRequest> requests = new ArrayList<>();
    for (int dayIndex = 0; dayIndex < options.days(); dayIndex++) {
      LocalDate day = options.firstDay().plusDays(dayIndex);
      double sum = 0;
      for (int i = 0; i < count; i++) {
        logPopularity[i] += DRIFT * dice.normal();
        sum += StrictMath.exp(logPopularity[i]);
      }
      for (int hour = 0; hour < 24; hour++) {
        double ofHour = requestsPerDay / 24 * Clocks.web(day, hour);
        long second = day.atStartOfDay().toEpochSecond(ZoneOffset.UTC) + hour * 3600L;
        for (int i = 0; i < count; i++) {
          double mean = ofHour * StrictMath.exp(logPopularity[i]) / sum;
          mean += burst(dayIndex * 24 + hour - burstHour[i]);
          for (int n = dice.poisson(mean); n > 0; n--) {
            Instant ts = Instant.ofEpochSecond(second + dice.below(3600));
            requests.add(request(dice, ts, objects.get(i), favourites[i]));
          }
        }
      }
    }
    return requests;
  }

  /** Requests of a burst's hour, fading as 1 / t. */
  private double burst(int hoursSince) {
    return hoursSince < 0 || hoursSince > BURST_HOURS
        ? 0
        : requestsPerDay / 24 / (1.0 + hoursSince);
  }

  /** Where in each object the places are that people like, as shares of its length. */
  private double[][] favourites(Dice dice) {
    double[][] places = new double[count][];
    for (int i = 0; i < count; i++) {
      places[i] = new double[] {0, dice.uniform(), dice.uniform()};
    }
    return places;
  }

  private DemoRequest request(Dice dice, Instant ts, DemoObject object, double[] favourites) {
    String client = "198.51.100." + (1 + dice.below(CLIENTS));
    double kind = dice.uniform();
    if (kind < NOT_FOUND_SHARE) {
      return DemoRequest.notFound(
          ts, "pictures/gone-%02d.jpg".formatted(dice.below(20)), DemoRequest.GET, client);
    }
    if (kind < NOT_FOUND_SHARE + HEAD_SHARE) {
      return DemoRequest.head(ts, object, client);
    }
    if (object.bytes() >= rangedFrom && dice.chance(RANGED_SHARE)) {
      double place =
          dice.chance(0.75)
              ? favourites[dice.pick(new double[] {3, 2, 1})] + 0.02 * dice.normal()
              : dice.uniform();
      long start = (long) (Math.max(0, Math.min(0.999, place)) * object.bytes());
      long length = dice.logUniform(rangedFrom / 16, rangedFrom / 4);
      return DemoRequest.range(ts, object, start, start + length, client);
    }
    if (dice.chance(ABORTED_SHARE)) {
      return new DemoRequest(
          ts,
          object.id(),
          null,
          null,
          200,
          dice.below(object.bytes()),
          object.bytes(),
          DemoRequest.GET,
          client);
    }
    return DemoRequest.whole(ts, object, DemoRequest.GET, client);
  }
}
