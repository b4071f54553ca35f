package io.metashard.job;

import io.metashard.LocationModel;
import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.plan.PlanRefusedException;
import io.metashard.plan.Reading;
import io.metashard.simulate.PlacedBlock;
import io.metashard.simulate.ReadRequest;
import io.metashard.simulate.Replay;
import io.metashard.simulate.SimulatedObject;
import io.metashard.simulate.SyntheticWorkload;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Replays reads through layouts, and compares how long they take. */
@Command(
    name = "simulate",
    description = {
      "Replay reads through a model of the locations, for the planner's layout and others, and print how long they take.",
      "--requests: the reads that a log has within the horizon of the lake's forecast (of the run nearest --at), through the map as it is (current), what the plan would make of it (planned), the same with the last span's counts (persistence) or with what came (oracle) for a forecast, and layouts that others propose. Moves nothing; the table simulations keeps the result.",
      "--synthetic: needs neither a lake nor Spark. ec-cache: 500 objects of 40 MB at 25 locations, Zipf 0.9, load 0.35. mixed: sizes around 10 MB (lognormal), Zipf 1.1, a forecast that is off by a factor of e^0.5, load 0.5. small: objects of 1 MB, Zipf 0.9, load 0.35. The load is the share of the locations' bandwidth (of one read each) that the bytes asked for take. The plan may store what EC-Cache does (plan.storage-budget = 1.15), in meta-shards as wide as the locations allow, unless --set says otherwise.",
      "Plans are made as if reshard.max-bytes-per-run did not limit them."
    })
final class SimulateCommand extends LakeCommand {
  /** What EC-Cache stores, and no limit of width but the locations. */
  private static final List<String> LIKE_EC_CACHE =
      List.of("plan.storage-budget=1.15", "plan.max-k=64");

  private static final int SYNTHETIC_READS = 40_000;
  private static final int MOST_READS = 10_000_000;
  private static final long MOST_BYTES_FACTOR = 1 << 20;
  private static final int MOST_LOCATIONS = 10_000;

  /** What is replayed. */
  static final class What {
    @Option(
        names = "--requests",
        required = true,
        paramLabel = "PATH",
        description =
            "Parquet files or a Delta table with the columns of the table requests: what came after the forecast")
    private String requests;

    @Option(
        names = "--synthetic",
        required = true,
        paramLabel = "NAME",
        description = "ec-cache, mixed or small")
    private String synthetic;
  }

  @ArgGroup(multiplicity = "1")
  private What what;

  @Option(
      names = "--layouts",
      split = ",",
      paramLabel = "NAME",
      description =
          "which layouts (default: all that can be had of source,current,planned,persistence,oracle,copies-3,rs-6-3,rs-10-4,selective,ec-cache,sp-cache; current and persistence are of logs only)")
  private List<String> layouts;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "of a location: disk, object-store or both (default: ${DEFAULT-VALUE})",
      defaultValue = "both")
  private String model;

  @Option(names = "--load", description = "another load of a synthetic workload, between 0 and 1")
  private Double load;

  @Option(
      names = "--scale-bytes",
      paramLabel = "N",
      description =
          "take objects and ranges of the log for N times as long (default: ${DEFAULT-VALUE})",
      defaultValue = "1")
  private long scaleBytes;

  @Option(
      names = "--scale-rate",
      paramLabel = "N",
      description = "take its requests to come N times as fast (default: ${DEFAULT-VALUE})",
      defaultValue = "1")
  private double scaleRate;

  @Option(
      names = "--locations",
      paramLabel = "N",
      description =
          "as many locations, each a failure domain of its own, in place of the configured ones; only with --requests")
  private Integer locations;

  @Option(
      names = "--reads",
      paramLabel = "N",
      description =
          "how many are replayed, the earliest ones (default: all of a log, 40000 synthetic ones)")
  private Integer reads;

  @Option(
      names = "--seed",
      description =
          "of sizes, popularity, placement, arrivals and slow reads (default: ${DEFAULT-VALUE})",
      defaultValue = "1")
  private long seed;

  @Option(
      names = "--dump",
      paramLabel = "DIR",
      description =
          "also write objects, reads and the blocks of every layout as CSV (of --requests: a folder of files each), for another simulator to check; the folder must not exist")
  private String dump;

  SimulateCommand() {
    super("simulate");
  }

  /** A row of the table. */
  record Line(String model, String layout, Replay replay, long movedBytes) {}

  @Override
  boolean printsOwnJson() {
    return true;
  }

  @Override
  boolean needsSample() {
    return what.synthetic == null;
  }

  @Override
  String runName() {
    if (what.synthetic != null) {
      return "simulate";
    }
    // Asking something else is another run.
    return "simulate-"
        + CommonOptions.sha256(
            "%s %s %s %s %s %s %s %s"
                .formatted(
                    what.requests, layouts, model, scaleBytes, scaleRate, locations, reads, seed));
  }

  @Override
  public Integer call() {
    if (what.synthetic == null) {
      return super.call();
    }
    try {
      return synthetic();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(
          "Cannot write to %s: %s".formatted(ObjectIds.printable(dump), e.getMessage()), e);
    }
  }

  @Override
  Answer run(Start start) throws IOException {
    requireUse(load == null, "--load", "left out: a log is as busy as it is; use --scale-rate");
    requireUse(
        scaleBytes >= 1 && scaleBytes <= MOST_BYTES_FACTOR,
        "--scale-bytes " + scaleBytes,
        "1 to " + MOST_BYTES_FACTOR);
    requireUse(
        scaleRate > 0 && scaleRate <= 1e6, "--scale-rate " + scaleRate, "above 0, up to 1000000");
    requireUse(
        locations == null || locations >= 1 && locations <= MOST_LOCATIONS,
        "--locations " + locations,
        "1 to " + MOST_LOCATIONS);
    requireUse(
        reads == null || reads >= 1 && reads <= MOST_READS,
        "--reads " + reads,
        "1 to " + MOST_READS);
    List<String> models = models();
    List<String> names = names(SimulatedNight.NAMES);
    return withSpark(
        start,
        (context, runner) -> {
          SimulatedNight.Question question =
              new SimulatedNight.Question(
                  what.requests,
                  scaleBytes,
                  scaleRate,
                  locations == null ? 0 : locations,
                  reads == null ? 0 : reads,
                  seed,
                  models,
                  names,
                  layouts == null,
                  dump == null
                      ? Optional.empty()
                      : Optional.of(SimulationDump.to(dump, context.hadoop())));
          SimulatedNight.Answer answer =
              new SimulatedNight(context, question, own -> options().settings(own)).run();
          if (options().json()) {
            answer.lines().forEach(line -> out().println(Figures.json(figures(line))));
          }
          StringBuilder text = new StringBuilder(text(answer.lines()));
          answer.notes().forEach(note -> text.append(note).append(System.lineSeparator()));
          answer
              .facts()
              .forEach(
                  (name, value) ->
                      text.append("%s: %s%n".formatted(name, ObjectIds.printable("" + value))));
          Map<String, Object> values = new LinkedHashMap<>(answer.facts());
          values.put("layouts", answer.lines().stream().map(SimulateCommand::figures).toList());
          values.put("notes", answer.notes());
          return new Answer(0, text.toString(), values);
        });
  }

  private int synthetic() throws IOException {
    SyntheticWorkload workload = workload();
    List<String> names = names(SimulatedLayouts.NAMES);
    int count = reads == null ? SYNTHETIC_READS : reads;
    requireUse(count >= 1 && count <= MOST_READS, "--reads " + count, "1 to " + MOST_READS);
    requireUse(
        scaleBytes == 1 && scaleRate == 1 && locations == null,
        "--scale-bytes, --scale-rate, --locations",
        "left out: a synthetic workload has its own");
    List<String> all = new ArrayList<>(LIKE_EC_CACHE);
    all.addAll(options().set());
    List<Line> lines = new ArrayList<>();
    if (dump != null) {
      requireUse(
          !Files.exists(Path.of(dump)),
          "--dump " + ObjectIds.printable(dump),
          "a folder that does not exist yet");
      Files.createDirectories(Path.of(dump));
    }
    for (String word : models()) {
      List<String> ofModel = new ArrayList<>(all);
      ofModel.add("plan.read-model=" + word);
      ofModel.add("reshard.max-bytes-per-run=" + Long.MAX_VALUE); // all of it is simulated
      Settings settings =
          options().usesSample()
              ? Settings.parse("simulate", "", ofModel)
              : options().settings(ofModel);
      lines.addAll(lines(workload, word, settings, names, count));
    }
    if (options().json()) {
      lines.forEach(line -> LakeCommand.out().println(Figures.json(figures(line))));
    } else {
      LakeCommand.out().print(text(lines));
    }
    return 0;
  }

  private SyntheticWorkload workload() {
    try {
      SyntheticWorkload workload = SyntheticWorkload.named(what.synthetic);
      return load == null ? workload : workload.withLoad(load);
    } catch (IllegalArgumentException e) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot use --synthetic %s: %s"
              .formatted(ObjectIds.printable(what.synthetic), e.getMessage()),
          e);
    }
  }

  private List<String> names(List<String> possible) {
    if (layouts == null) {
      return possible;
    }
    for (String name : layouts) {
      requireUse(
          possible.contains(name),
          "--layouts " + ObjectIds.printable(name),
          "some of " + String.join(", ", possible));
    }
    return possible.stream().filter(layouts::contains).toList();
  }

  private List<String> models() {
    requireUse(
        List.of("both", "disk", "object-store").contains(model),
        "--model " + ObjectIds.printable(model),
        "disk, object-store or both");
    return model.equals("both") ? List.of("disk", "object-store") : List.of(model);
  }

  private static void requireUse(boolean right, String option, String allowed) {
    if (!right) {
      throw new MetashardException(
          MetashardException.USAGE, "Cannot use %s: it must be %s".formatted(option, allowed));
    }
  }

  private List<Line> lines(
      SyntheticWorkload workload, String word, Settings settings, List<String> names, int count)
      throws IOException {
    Reading reading = Reading.from(settings);
    LocationModel of = reading.model();
    SyntheticWorkload.Drawn drawn = workload.drawn(of.bytesPerSecond(), seed);
    SimulatedLayouts possible =
        new SimulatedLayouts(
            workload, drawn, settings, of, seed, settings.number("plan.storage-budget"));
    if (dump != null) {
      dumpReads(drawn, word, count);
    }
    List<Line> lines = new ArrayList<>();
    for (String name : names) {
      List<PlacedBlock> blocks;
      try {
        blocks = possible.blocks(name);
      } catch (PlanRefusedException e) {
        throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
      }
      if (dump != null) {
        dumpBlocks(blocks, "%s-%s.csv".formatted(word, name));
      }
      Replay replay =
          Replay.of(
              blocks,
              drawn.requests(count, seed),
              of,
              workload.locations(),
              reading.extraReads(),
              seed);
      long moved =
          name.equals(SimulatedLayouts.SOURCE)
              ? 0
              : blocks.stream().mapToLong(PlacedBlock::length).sum();
      lines.add(new Line(word, name, replay, moved));
    }
    return lines;
  }

  /** A row for programs. */
  static Map<String, Object> figures(Line line) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("model", line.model());
    figures.put("layout", line.layout());
    figures.put("mean_millis", line.replay().meanMillis());
    figures.put("p50_millis", line.replay().p50Millis());
    figures.put("p95_millis", line.replay().p95Millis());
    figures.put("p99_millis", line.replay().p99Millis());
    figures.put("imbalance", line.replay().imbalance());
    figures.put("busy_share", line.replay().busyShare());
    figures.put("storage_ratio", line.replay().storageRatio());
    figures.put("moved_bytes", line.movedBytes());
    figures.put("reads", line.replay().reads());
    return figures;
  }

  /** The table; first of all, if it is so, that the plan is no better than the objects are. */
  static String text(List<Line> lines) {
    StringBuilder text = new StringBuilder();
    for (Line planned : lines) {
      if (planned.layout().equals(SimulatedLayouts.PLANNED)) {
        lines.stream()
            .filter(line -> line.model().equals(planned.model()))
            .filter(line -> line.layout().equals(SimulatedLayouts.SOURCE))
            .filter(line -> line.replay().p99Millis() <= planned.replay().p99Millis())
            .forEach(
                line ->
                    text.append(
                        "The plan is no better than the objects as they are (%s): 99 of 100 reads within %s ms against %s ms, and it stores more.%n"
                            .formatted(
                                line.model(),
                                millis(planned.replay().p99Millis()),
                                millis(line.replay().p99Millis()))));
      }
    }
    TextTable table =
        new TextTable(
            "model",
            "layout",
            "mean_millis",
            "p50_millis",
            "p95_millis",
            "p99_millis",
            "imbalance",
            "busy_share",
            "storage_ratio",
            "moved_bytes");
    for (Line line : lines) {
      Replay replay = line.replay();
      table.add(
          line.model(),
          line.layout(),
          millis(replay.meanMillis()),
          millis(replay.p50Millis()),
          millis(replay.p95Millis()),
          millis(replay.p99Millis()),
          ratio(replay.imbalance()),
          ratio(replay.busyShare()),
          ratio(replay.storageRatio()),
          line.movedBytes());
    }
    return text.append(table.render()).toString();
  }

  private static String millis(double millis) {
    return String.format(Locale.ROOT, "%.1f", millis);
  }

  private static String ratio(double ratio) {
    return String.format(Locale.ROOT, "%.3f", ratio);
  }

  private void dumpReads(SyntheticWorkload.Drawn drawn, String word, int count) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(Path.of(dump, word + "-reads.csv"))) {
      out.write("at_millis,object_id,range_start,range_end\n");
      for (Iterator<ReadRequest> i = drawn.requests(count, seed); i.hasNext(); ) {
        ReadRequest read = i.next();
        out.write(
            "%s,%s,%d,%d%n".formatted(read.atMillis(), read.objectId(), read.from(), read.to()));
      }
    }
    try (BufferedWriter out = Files.newBufferedWriter(Path.of(dump, "objects.csv"))) {
      out.write("object_id,object_bytes\n");
      for (SimulatedObject object : drawn.truth(1)) {
        out.write("%s,%d%n".formatted(object.objectId(), object.bytes()));
      }
    }
  }

  private void dumpBlocks(List<PlacedBlock> blocks, String name) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(Path.of(dump, name))) {
      out.write(String.join(",", SimulationDump.BLOCKS.fieldNames()) + "\n");
      for (PlacedBlock block : blocks) {
        out.write(
            "%s,%d,%d,%s,%s,%d,%d,%d%n"
                .formatted(
                    block.objectId() == null ? "" : block.objectId(),
                    block.objectOffset(),
                    block.length(),
                    block.metaShardId(),
                    block.bundle(),
                    block.k(),
                    block.blockIndex(),
                    block.location()));
      }
    }
  }
}
