package io.metashard.job;

import io.metashard.LocationModel;
import io.metashard.Segmentation;
import io.metashard.catalogue.SegmentOptions;
import io.metashard.config.Settings;
import io.metashard.plan.BucketInput;
import io.metashard.plan.BucketPlanner;
import io.metashard.plan.MemoryBuckets;
import io.metashard.plan.Night;
import io.metashard.plan.NightPlanner;
import io.metashard.plan.Places;
import io.metashard.plan.PlanObject;
import io.metashard.plan.PlanOptions;
import io.metashard.plan.PlanSegment;
import io.metashard.plan.PlannedBlock;
import io.metashard.plan.Site;
import io.metashard.plan.Width;
import io.metashard.simulate.Baselines;
import io.metashard.simulate.Heat;
import io.metashard.simulate.LayoutRule;
import io.metashard.simulate.PlacedBlock;
import io.metashard.simulate.Replay;
import io.metashard.simulate.SimulatedObject;
import io.metashard.simulate.SyntheticWorkload;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The layouts that objects of a simulation may have.
 *
 * @param budget physical bytes per logical byte that the plan may use, and others, too
 */
record SimulatedLayouts(
    SyntheticWorkload workload,
    SyntheticWorkload.Drawn drawn,
    Settings settings,
    LocationModel model,
    long seed,
    double budget) {
  static final String SOURCE = "source";
  static final String PLANNED = "planned";
  static final String ORACLE = "oracle";

  /** All that there are, in the order of the table. */
  static final List<String> NAMES =
      List.of(
          SOURCE,
          PLANNED,
          ORACLE,
          "copies-3",
          "rs-6-3",
          "rs-10-4",
          "selective",
          "ec-cache",
          "sp-cache");

  /** Reads that SP-Cache's scale is chosen by. */
  static final int PILOT_READS = 4000;

  private static final int PILOT_WIDEST = 25;

  /** Layouts that a rule makes of each object by itself, against which plans are held. */
  static LayoutRule rule(
      String name, Baselines baselines, double budget, ToDoubleFunction<LayoutRule> pilot) {
    return switch (name) {
      case SOURCE -> baselines.source();
      case "copies-3" -> baselines.uniform(1, 2);
      case "rs-6-3" -> baselines.uniform(6, 3);
      case "rs-10-4" -> baselines.uniform(10, 4);
      case "selective" -> baselines.selective(budget);
      case "ec-cache" -> baselines.ecCache();
      case "sp-cache" -> spCache(baselines, pilot);
      default -> throw new IllegalArgumentException("No layout is called " + name);
    };
  }

  /**
   * @throws IllegalArgumentException if the workload has too few locations for it
   */
  List<PlacedBlock> blocks(String name) {
    List<SimulatedObject> forecast = drawn.forecast(horizonSeconds());
    if (name.equals(PLANNED)) {
      return planned(forecast);
    }
    if (name.equals(ORACLE)) {
      return planned(drawn.truth(horizonSeconds()));
    }
    Baselines baselines = new Baselines(Heat.of(forecast), locations());
    LayoutRule rule =
        rule(
            name,
            baselines,
            budget,
            tried ->
                Replay.of(
                        Baselines.blocks(forecast, tried, locations(), seed),
                        drawn.requests(PILOT_READS, seed + 1),
                        model,
                        locations(),
                        0,
                        seed)
                    .meanMillis());
    return Baselines.blocks(forecast, rule, locations(), seed);
  }

  private int locations() {
    return workload.locations();
  }

  private double horizonSeconds() {
    return settings.duration("forecast.horizon").toMillis() / 1000.0;
  }

  /**
   * Of scales that cut the most read object into 1 to 25 parts, the one that reads fastest.
   *
   * @param pilot mean milliseconds of some reads
   */
  private static LayoutRule spCache(Baselines baselines, ToDoubleFunction<LayoutRule> pilot) {
    LayoutRule best = baselines.spCache(1);
    double least = Double.POSITIVE_INFINITY;
    for (int parts = 1; parts <= PILOT_WIDEST; parts += parts < 4 ? 1 : parts / 2) {
      LayoutRule tried = baselines.spCache(parts);
      double mean = pilot.applyAsDouble(tried);
      if (mean < least) {
        least = mean;
        best = tried;
      }
    }
    return best;
  }

  /** What the planner makes of a forecast, with every location in a domain of its own. */
  private List<PlacedBlock> planned(List<SimulatedObject> forecast) {
    PlanOptions options = PlanOptions.from(settings);
    SegmentOptions segments = SegmentOptions.from(settings);
    List<Site> sites =
        IntStream.range(0, locations())
            .mapToObj(i -> new Site("%03d".formatted(i), "%03d".formatted(i), Long.MAX_VALUE))
            .toList();
    List<PlanObject> objects = new ArrayList<>();
    for (SimulatedObject object : forecast) {
      objects.add(planObject(object, segments.of(object.bytes())));
    }
    List<BucketInput> inputs = List.of(new BucketInput(0, objects, List.of()));
    Width width = Width.of(options, sites);
    BucketPlanner planner =
        BucketPlanner.of(
            options, width, Places.ofSites(sites), any -> new MemoryBuckets(inputs, any));
    Night night = new NightPlanner(options, width).plan(new MemoryBuckets(inputs, planner));
    BucketPlanner.Placing placing = new BucketPlanner.Placing(sites, night.newBytes(), "simulated");
    return planner.plan(inputs.get(0), night.choice(), night.step(), placing).stream()
        .sorted(
            Comparator.comparing(PlannedBlock::metaShardId)
                .thenComparingInt(PlannedBlock::blockIndex))
        .map(SimulatedLayouts::placed)
        .toList();
  }

  /** Read whole: each segment is asked for as often as the object. */
  private static PlanObject planObject(SimulatedObject object, Segmentation segmentation) {
    double requests = object.expectedRequests();
    return new PlanObject(
        object.objectId(),
        "1",
        "simulated:/" + object.objectId(),
        "simulated",
        segmentation,
        1,
        IntStream.range(0, segmentation.segments())
            .mapToObj(i -> new PlanSegment(i, requests, -Math.expm1(-requests)))
            .toList());
  }

  private static PlacedBlock placed(PlannedBlock block) {
    return new PlacedBlock(
        block.objectId(),
        block.objectOffset(),
        block.length(),
        block.metaShardId(),
        PlannedBlock.bundle(block.metaShardId()),
        block.k(),
        block.blockIndex(),
        Integer.parseInt(block.location()));
  }
}
