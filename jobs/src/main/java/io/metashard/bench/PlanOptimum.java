package io.metashard.bench;

import io.metashard.LocationModel;
import io.metashard.Segmentation;
import io.metashard.plan.BucketInput;
import io.metashard.plan.BucketPlanner;
import io.metashard.plan.MemoryBuckets;
import io.metashard.plan.Night;
import io.metashard.plan.NightPlanner;
import io.metashard.plan.Places;
import io.metashard.plan.PlanObject;
import io.metashard.plan.PlanOptions;
import io.metashard.plan.PlanSegment;
import io.metashard.plan.Reading;
import io.metashard.plan.ShapeValuation;
import io.metashard.plan.Site;
import io.metashard.plan.Width;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * How far plans of a few kinds of objects are from the best that there are: every combination of
 * the shapes that the kinds may have is tried, and valued as {@link ShapeValuation} says.
 *
 * <p>Of the hottest kind there are {@value #FEWEST} objects, of each colder one twice as many as of
 * the one before; each object has as many reads as its kind's place in a Zipf order gives. Of one
 * object a kind, a single one would be half of all load: a price of the locations' time, which a
 * plan goes by, is one where no object changes by itself how busy they are.
 *
 * <p>Two optima are found: the best within the whole of {@code plan.storage-budget}, and the best
 * within what a plan may spend of it, as some is left for bytes that die between nights.
 *
 * @param options of policy {@code balanced}; read model and storage budget are the instances' own
 * @param kinds of objects of each instance, 1 to {@value #MOST_KINDS}
 */
public record PlanOptimum(PlanOptions options, int kinds) {
  public static final int MOST_KINDS = 7;

  /** Each in a domain of its own: a shape has up to 6 blocks, a kind up to 15 shapes. */
  public static final int LOCATIONS = 6;

  /** Physical bytes, in times of those that the plainest shapes take. */
  public static final List<Double> BUDGETS = List.of(1.05, 1.2, 1.5);

  /** Of the locations' time, if every object were one block. */
  private static final double LEAST_BUSY = 0.05;

  private static final double MOST_BUSY = 0.3;

  private static final double MEDIAN_BYTES = 8 << 20;

  /** Standard deviation of the logarithm of lengths. */
  private static final double SPREAD = 1.2;

  private static final double LEAST_BYTES = 64 << 10;
  private static final double MOST_BYTES = 256 << 20;
  private static final int[] SEGMENTS = {1, 1, 4, 16};
  private static final double ZIPF = 1.1;
  private static final int FEWEST = 4;

  /**
   * A plan and the optima of its instance.
   *
   * @param model what locations are taken for
   * @param times budget in times of what the plainest shapes take
   * @param budget physical bytes per byte
   * @param millis of all reads, as planned; infinite where locations have no time for them
   * @param spent physical bytes per byte of the plan
   * @param leastMillis of the best choice within what the plan may spend
   * @param leastOfAllMillis of the best choice within the budget
   * @param tried combinations of shapes
   */
  public record Found(
      long seed,
      String model,
      double times,
      double budget,
      double millis,
      double spent,
      double leastMillis,
      double leastOfAllMillis,
      long tried) {
    /** By what part the plan takes longer than the best within what it may spend. */
    public double excess() {
      return millis / leastMillis - 1;
    }

    /** By what part it takes longer than the best within the whole budget. */
    public double excessOfAll() {
      return millis / leastOfAllMillis - 1;
    }
  }

  public PlanOptimum {
    if (kinds < 1 || kinds > MOST_KINDS) {
      throw new IllegalArgumentException(
          "Cannot try all shapes of %d kinds of objects: it must be 1 to %d"
              .formatted(kinds, MOST_KINDS));
    }
  }

  /** Plans and optima of the instance that a seed makes, at each of {@link #BUDGETS}. */
  public List<Found> of(long seed, LocationModel model) {
    List<Site> sites =
        IntStream.range(0, LOCATIONS)
            .mapToObj(i -> new Site("site" + i, "domain" + i, Long.MAX_VALUE))
            .toList();
    PlanOptions plain = options(model, 1);
    Width width = Width.of(plain, sites);
    List<List<PlanObject>> instance = instance(seed, model);
    List<PlanObject> objects = instance.stream().flatMap(List::stream).toList();
    double logical = objects.stream().mapToLong(PlanObject::bytes).sum();
    ShapeValuation any = new ShapeValuation(plain, width, LOCATIONS, instance);
    double plainRatio = any.bytes(new int[kinds]) / logical;
    List<PlanOptions> budgets =
        BUDGETS.stream().map(times -> options(model, times * plainRatio)).toList();
    double[] limits = new double[2 * budgets.size()];
    for (int i = 0; i < budgets.size(); i++) {
      limits[2 * i] =
          logical * new ShapeValuation(budgets.get(i), width, LOCATIONS, instance).mostRatio();
      limits[2 * i + 1] = logical * budgets.get(i).storageBudget();
    }
    double[] least = new double[limits.length];
    long tried = least(any, limits, least);
    List<Found> found = new ArrayList<>();
    for (int i = 0; i < budgets.size(); i++) {
      PlanOptions options = budgets.get(i);
      List<BucketInput> inputs = List.of(new BucketInput(0, objects, List.of()));
      BucketPlanner planner =
          BucketPlanner.of(
              options, width, Places.ofSites(sites), p -> new MemoryBuckets(inputs, p));
      Night night = new NightPlanner(options, width).plan(new MemoryBuckets(inputs, planner));
      ShapeValuation valuation = new ShapeValuation(options, width, LOCATIONS, instance);
      int[] chosen = valuation.planned(planner, night);
      if (valuation.bytes(chosen) != night.newBytes()) {
        throw new IllegalStateException(
            "Cannot value the plan of seed %d: its shapes take %d bytes, it takes %d"
                .formatted(seed, valuation.bytes(chosen), night.newBytes()));
      }
      found.add(
          new Found(
              seed,
              model.word(),
              BUDGETS.get(i),
              options.storageBudget(),
              valuation.millis(chosen),
              night.newBytes() / logical,
              least[2 * i],
              least[2 * i + 1],
              tried));
    }
    return found;
  }

  /** The least milliseconds of all combinations within each limit of bytes. */
  private long least(ShapeValuation valuation, double[] limits, double[] least) {
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    double most = Arrays.stream(limits).max().orElseThrow();
    int[] chosen = new int[kinds];
    long tried = 0;
    int next = 0;
    while (next < kinds) {
      tried++;
      long bytes = valuation.bytes(chosen);
      if (bytes <= most) {
        double millis = valuation.millis(chosen);
        for (int i = 0; i < limits.length; i++) {
          if (bytes <= limits[i] && millis < least[i]) {
            least[i] = millis;
          }
        }
      }
      next = 0; // the combination after this one, as an odometer goes on
      while (next < kinds && ++chosen[next] == valuation.shapes(next)) {
        chosen[next++] = 0;
      }
    }
    return tried;
  }

  private List<List<PlanObject>> instance(long seed, LocationModel model) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] bytes = new long[kinds];
    double[] reads = new double[kinds];
    double held = 0;
    for (int i = 0; i < kinds; i++) {
      double drawn = MEDIAN_BYTES * StrictMath.exp(SPREAD * normal(random));
      bytes[i] = (long) Math.max(LEAST_BYTES, Math.min(MOST_BYTES, drawn));
      double place = count(i) * 1.5 - FEWEST; // in the middle of the kind
      reads[i] = StrictMath.pow(Math.max(1, place), -ZIPF);
      held += count(i) * reads[i] * model.heldMillis(model.meanMillis(bytes[i]));
    }
    double busy = LEAST_BUSY + (MOST_BUSY - LEAST_BUSY) * random.nextDouble();
    double scale = busy * LOCATIONS * options.reading().horizonMillis() / held;
    List<List<PlanObject>> instance = new ArrayList<>();
    for (int i = 0; i < kinds; i++) {
      int count = SEGMENTS[random.nextInt(SEGMENTS.length)];
      Segmentation segmentation = new Segmentation(bytes[i], (bytes[i] + count - 1) / count);
      double expected = reads[i] * scale;
      List<PlanSegment> segments =
          IntStream.range(0, segmentation.segments())
              .mapToObj(s -> new PlanSegment(s, expected, -Math.expm1(-expected)))
              .toList();
      String kind = "kind-" + i;
      instance.add(
          IntStream.range(0, count(i))
              .mapToObj("/object-%03d"::formatted)
              .map(
                  name ->
                      new PlanObject(
                          kind + name, "1", "bench:/" + name, "bench", segmentation, 1, segments))
              .toList());
    }
    return instance;
  }

  /** Objects of a kind; so many, less {@link #FEWEST}, are hotter ones. */
  private static int count(int kind) {
    return FEWEST << kind;
  }

  /** By Box and Muller. */
  private static double normal(SplittableRandom random) {
    return StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()))
        * StrictMath.cos(2 * Math.PI * random.nextDouble());
  }

  private PlanOptions options(LocationModel model, double budget) {
    Reading reading = options.reading();
    return new PlanOptions(
        PlanOptions.Policy.BALANCED,
        budget,
        options.survive(),
        options.maxK(),
        options.moreParity(),
        options.isolateBy(),
        options.stripedWholeShare(),
        options.hysteresisClasses(),
        options.moveCost(),
        options.buckets(),
        options.draw(),
        false,
        Long.MAX_VALUE,
        new Reading(
            model,
            reading.extraReads(),
            reading.requestMillis(),
            reading.blockMillis(),
            reading.horizonMillis()));
  }
}
