package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.metashard.Amounts;
import io.metashard.ObjectIds;
import io.metashard.bench.PeerTable;
import io.metashard.bench.ScaleTable;
import io.metashard.bench.SegmentsWorkload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how the forecast grows with size, or how it compares with others. */
@Command(
    name = "forecast",
    description = {
      "Measure the forecast stage: how time and memory grow with the number of segments, or, with --peers, how good and how fast it is beside Prophet, AutoETS and LightGBM.",
      "Each run is a JVM of its own; prints a table in Markdown. Needs neither a configuration nor a lake."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class BenchForecast implements Callable<Integer> {
  private static final String RUN = "forecast-run";
  private static final int TRACE_DAYS = 60;

  /** Sizes, or others. */
  static final class What {
    @ArgGroup(exclusive = false, heading = "%nHow it grows:%n")
    private Sizes sizes;

    @ArgGroup(exclusive = false, heading = "%nBeside others:%n")
    private Peers peers;
  }

  static final class Sizes extends BenchSizes.Asked {
    @Option(names = "--days", description = "of hourly demand (default: 30)")
    private int days = 30;

    @Option(names = "--seed", description = "of the demand (default: 1)")
    private long seed = 1;
  }

  static final class Peers {
    @Option(
        names = "--peers",
        required = true,
        description = {
          "forecast from the same origins by Prophet, AutoETS (statsforecast) and LightGBM too, which come from PyPI into a Python environment of their own below --work (some 900 MB)"
        })
    private boolean peers;

    @Option(
        names = "--trace",
        paramLabel = "DIR",
        description =
            "folder with demand.parquet, backtest.json and possibly objects.parquet (default: one that generate --workload lake --backtest makes, of 60 days)")
    private Path trace;

    @Option(
        names = "--horizon",
        paramLabel = "BUCKETS",
        description = "buckets ahead; backtest.json must have origins for it (default: 24)")
    private int horizon = 24;

    @Option(
        names = "--top",
        paramLabel = "N",
        description =
            "how many of an origin's hottest segments Prophet and AutoETS are fitted to one by one; the others get their share of the total (default: 20)")
    private int top = 20;

    @Option(
        names = "--python",
        paramLabel = "PROGRAM",
        description = "Python 3.11 or later that makes the environment (default: python3)")
    private String python = "python3";
  }

  @ArgGroup(exclusive = true)
  private What what = new What();

  @Mixin private BenchOptions common;

  @Override
  public Integer call() throws IOException {
    BenchJvm jvm = common.jvm();
    if (what.peers != null) {
      peers(jvm, what.peers);
    } else {
      sizes(jvm, what.sizes == null ? new Sizes() : what.sizes);
    }
    return 0;
  }

  private void sizes(BenchJvm jvm, Sizes sizes) throws IOException {
    sizes.check();
    for (long segments : sizes.segments) {
      workload(segments, sizes); // refuses what cannot be made
    }
    Map<Long, List<JsonNode>> told =
        new BenchSizes(jvm, RUN, sizes)
            .run(
                (segments, lake) ->
                    common.step(
                        BenchForecastRun.Step.MAKE,
                        lake,
                        "--segments=" + segments,
                        "--days=" + sizes.days,
                        "--seed=" + sizes.seed),
                lake -> common.step(BenchForecastRun.Step.FORECAST, lake));
    if (common.json) {
      LakeCommand.out().println(Figures.json(Map.of("sizes", told)));
    } else {
      LakeCommand.out().print(text(table(told), sizes));
    }
  }

  private static SegmentsWorkload workload(long segments, Sizes sizes) {
    try {
      return new SegmentsWorkload(segments, sizes.days, BenchRun.END, sizes.seed);
    } catch (IllegalArgumentException e) {
      throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
    }
  }

  /** What the runs of all sizes told. */
  static ScaleTable table(Map<Long, List<JsonNode>> told) {
    List<ScaleTable.Size> sizes = new ArrayList<>();
    told.forEach(
        (segments, runs) ->
            sizes.add(
                new ScaleTable.Size(
                    segments,
                    runs.get(0).at("/figures/demand_rows").asLong(),
                    runs.get(0).at("/figures/model").asText(),
                    runs.stream().map(BenchFigures::usage).toList())));
    return new ScaleTable("demand rows", sizes);
  }

  private String text(ScaleTable table, Sizes sizes) {
    StringBuilder text = new StringBuilder();
    text.append(
        "Forecast of the next 24 h from %d days of hourly demand: median time of %d %s, each in a JVM of its own with a heap of %s on %d cores.%n"
            .formatted(
                sizes.days,
                sizes.repeat,
                sizes.repeat == 1 ? "run" : "runs",
                common.heap,
                common.cores));
    text.append(
        "CPU time: of all cores, compiling and collecting included. Heap: in use right after a collection, at most. Process: resident, at most. Seed %d; chosen: %s.%n%n"
            .formatted(
                sizes.seed,
                String.join(
                    ", ", table.sizes().stream().map(ScaleTable.Size::how).distinct().toList())));
    text.append(table.markdown());
    text.append(
        "%nTime and memory grew %s than the number of segments (within %s).%n"
            .formatted(table.linear() ? "no faster" : "FASTER", Amounts.percent(ScaleTable.NOISE)));
    if (sizes.queries) {
      text.append("%n%s".formatted(table.queries(BenchSizes.SLOWEST_QUERIES)));
    }
    return text.toString();
  }

  private void peers(BenchJvm jvm, Peers peers) throws IOException {
    BenchOptions.requireAtLeastOne("--horizon", peers.horizon);
    BenchOptions.requireAtLeastOne("--top", peers.top);
    Path folder = Files.createTempDirectory(Files.createDirectories(common.work), "peers");
    try {
      BenchTrace trace = BenchTrace.read(peers.trace == null ? made(jvm, folder) : peers.trace);
      int origins = trace.origins(peers.horizon).size();
      BenchPython python = BenchPython.in(common.work, peers.python);
      BenchSizes.tell("Metashard forecasts from %d origins".formatted(origins));
      Path forecasts = folder.resolve("forecasts.parquet").toAbsolutePath();
      JsonNode ours =
          jvm.step(
              RUN,
              common.step(
                  BenchForecastRun.Step.BACKTEST,
                  folder.resolve("lake"),
                  "--trace=" + trace.folder(),
                  "--horizon=" + peers.horizon,
                  "--out=" + forecasts.toUri()));
      Path scores = folder.resolve("scores.json");
      python.run(
          "--trace=" + trace.folder(),
          "--horizon=" + peers.horizon,
          "--forecasts=" + forecasts,
          "--seconds=" + ours.get("seconds").asDouble(),
          "--cpu-seconds=" + ours.get("cpu_seconds").asDouble(),
          "--top=" + peers.top,
          "--cores=" + common.cores,
          "--out=" + scores);
      JsonNode told = BenchFigures.read(scores);
      LakeCommand.out()
          .print(
              common.json
                  ? Figures.json(Map.of("metashard", ours, "scores", told)) + "\n"
                  : text(trace, peers.horizon, peers.top, common.cores, told));
    } finally {
      LocalFolders.delete(folder);
    }
  }

  /** The trace that the project makes itself. */
  private static Path made(BenchJvm jvm, Path folder) throws IOException {
    Path trace = folder.resolve("workload-lake");
    BenchSizes.tell("Making a trace: generate --workload lake --days " + TRACE_DAYS);
    jvm.metashard(
        List.of(
            "generate",
            "--workload=lake",
            "--days=" + TRACE_DAYS,
            "--backtest=" + trace.toAbsolutePath()));
    return trace;
  }

  /** The table of all methods, and how they were compared. */
  static String text(BenchTrace trace, int horizon, int top, int cores, JsonNode told) {
    List<PeerTable.Score> scores = new ArrayList<>();
    for (JsonNode one : told.get("methods")) {
      scores.add(
          new PeerTable.Score(
              one.get("method").asText(),
              one.get("deviance").asDouble(),
              one.get("interval").get(0).asDouble(),
              one.get("interval").get(1).asDouble(),
              one.get("wape").asDouble(),
              one.get("log_loss").asDouble(),
              one.get("capture").asDouble(),
              one.get("seconds").asDouble(Double.NaN),
              one.get("cpu_seconds").asDouble(Double.NaN)));
    }
    return """
        %s: %d origins, %s segments, %d %s of %s ahead, on %d cores; every method saw only what lay before each origin.
        One by one: the %d segments that were hottest at each origin; the others get their EWMA share of the same method's total.
        All but Metashard are given the smoothing that suits them best on the test itself. Of other origins: 95 %% bootstrap
        interval of the multiple, origins drawn with replacement.

        %s"""
        .formatted(
            ObjectIds.printable(String.valueOf(trace.folder().getFileName())),
            told.get("origins").asInt(),
            Amounts.count(told.get("segments").asLong()),
            horizon,
            horizon == 1 ? "bucket" : "buckets",
            Amounts.duration(trace.bucketSeconds()),
            cores,
            top,
            new PeerTable(scores).markdown());
  }
}
