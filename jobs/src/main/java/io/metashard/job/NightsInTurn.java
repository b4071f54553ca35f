package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metashard.ObjectIds;
import io.metashard.bench.WeekTable;
import io.metashard.config.Settings;
import io.metashard.read.MetaShardReader;
import io.metashard.read.ReadOptions;
import io.metashard.shardmap.ShardMap;
import io.metashard.simulate.Prices;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Nights of one lake, one after the other in one session, and ways back to them: the work of {@code
 * bench week}.
 *
 * @param context of the benchmark; each night and each rollback is a run of its own
 * @param requests what came after the nights, as {@code simulate} takes it
 * @param settings of the benchmark, with some overridden
 */
record NightsInTurn(
    JobContext context,
    StageRunner runner,
    String requests,
    Function<List<String>, Settings> settings) {
  private static final String EXPECTED = "expected";
  private static final String SIMULATED = "simulated";
  private static final String MAP_VERSION = "map_version";

  private static final int AS_IT_IS = 1;
  private static final int LOCATIONS_OF_THE_LAKE = 0;
  private static final int ALL_READS = 0;
  private static final long SEED = 1;

  /** Keeps what the plan says that the lake will be like. */
  private static final class Expected implements PlanJob.Audience {
    private final JobContext context;
    private Map<String, Object> totals = Map.of();

    Expected(JobContext context) {
      this.context = context;
    }

    @Override
    public void begins(Dataset<Row> objects) {}

    @Override
    public void planned(PlanJob.Planned planned) {
      totals = PlanTotals.of(context, planned, Prices.from(context.settings())).values();
    }
  }

  private JobContext run(String runId, Instant at) {
    return new JobContext(context.spark(), context.lake(), context.settings(), at, runId);
  }

  /**
   * Refuses, before hours of work, a log that ends before the reads of the last night's horizon.
   */
  void requireReadsAfter(LocalDate last) throws IOException {
    Instant at = end(last);
    Instant to = at.plus(context.settings().duration("forecast.horizon"));
    if (SimulatedNight.requests(context, requests, at, to).isEmpty()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot say what the night of %s was worth: %s has no request from %s to %s; run fewer --nights, or name another log by --requests"
              .formatted(last, ObjectIds.printable(requests), at, to));
    }
  }

  /** When a night plans. */
  private static Instant end(LocalDate date) {
    return date.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  /**
   * A night at the end of a day, and what it was worth to the reads that came within its horizon.
   *
   * @param noted where to write what its map is to give back
   * @return its summary, what the plan expected, what was simulated, and the map's version
   */
  JsonNode night(LocalDate date, Path noted) throws IOException {
    JobContext own = run("nightly-" + date, end(date));
    Expected expected = new Expected(own);
    Map<String, Object> told =
        new LinkedHashMap<>(
            new NightlyJob(own, runner.forRun(own), CatalogueOptions.DEFAULTS)
                .run(NightlyJob.Extent.FULL, NightlyJob.Repeat.SKIP_DONE, expected));
    told.put(EXPECTED, expected.totals);
    told.put(
        SIMULATED,
        new SimulatedNight(own, question(), settings)
            .run().lines().stream().map(SimulateCommand::figures).toList());
    told.put(MAP_VERSION, new ShardMap(context.lake()).sequence());
    NotedSources.write(own, noted);
    return new ObjectMapper().readTree(Figures.json(told));
  }

  private SimulatedNight.Question question() {
    return new SimulatedNight.Question(
        requests,
        AS_IT_IS,
        AS_IT_IS,
        LOCATIONS_OF_THE_LAKE,
        ALL_READS,
        SEED,
        List.of(NightScores.OBJECT_STORE, NightScores.DISK),
        List.of(SimulatedLayouts.SOURCE, SimulatedNight.CURRENT),
        false,
        Optional.empty());
  }

  /** Makes the map again what a night had made it. */
  void rollBack(long version) {
    JobContext own = run("rollback-to-" + version, Clock.systemUTC().instant());
    runner
        .forRun(own)
        .run(
            RollbackJob.STAGE,
            List.of(),
            () ->
                new RollbackJob(
                        own,
                        Locations.known(own.lake()),
                        NightlyJob.Extent.FULL,
                        NightlyJob.Repeat.SKIP_DONE)
                    .run(Optional.of(Long.toString(version))));
  }

  /** Reads all that the map serves, from blocks alone. */
  ReadBack readBack(Path noted) throws IOException {
    try (MetaShardReader reader =
        MetaShardReader.open(
            context.lake().root(), new ReadOptions(ReadOptions.Fallback.NONE), context.hadoop())) {
      return ReadBack.of(reader, noted);
    }
  }

  /** A row of the table, of what {@link #night} told. */
  static WeekTable.Night row(LocalDate date, JsonNode told) {
    return new WeekTable.Night(
        date,
        told.at("/reshard/objects_encoded").asLong(), // none where it had nothing to do
        told.at("/reshard/written_bytes").asLong(),
        told.at("/lake/logical_bytes").asLong(),
        told.at("/lake/stored_per_logical").asDouble(Double.NaN),
        p99(told, NightScores.OBJECT_STORE),
        p99(told, NightScores.DISK),
        told.at("/" + MAP_VERSION).asLong());
  }

  private static WeekTable.P99 p99(JsonNode told, String model) {
    String expected = "/%s/after/read_p99_millis_%s".formatted(EXPECTED, model.replace('-', '_'));
    return new WeekTable.P99(
        told.at(expected).asDouble(Double.NaN),
        simulated(told, model, SimulatedNight.CURRENT),
        simulated(told, model, SimulatedLayouts.SOURCE));
  }

  private static double simulated(JsonNode told, String model, String layout) {
    for (JsonNode line : told.at("/" + SIMULATED)) {
      if (line.path("model").asText().equals(model)
          && line.path("layout").asText().equals(layout)) {
        return line.path("p99_millis").asDouble(Double.NaN);
      }
    }
    return Double.NaN;
  }
}
