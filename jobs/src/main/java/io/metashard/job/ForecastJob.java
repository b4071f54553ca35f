package io.metashard.job;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.aggregate;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.forall;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.ObjectStates;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.ForecastResult;
import io.metashard.forecast.Forecaster;
import io.metashard.forecast.Forecasts;
import io.metashard.forecast.ModelChoice;
import io.metashard.forecast.MoreHorizons;
import io.metashard.forecast.PastDemand;
import io.metashard.forecast.Profile;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.shardmap.ShardMap;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forecasts the horizon after the moment of planning, and further ones that are asked for: {@code
 * demand} and {@code objects} to {@code forecast} and {@code forecast_quality}.
 *
 * <p>It is made with what the tuner set, where the configuration does not say otherwise. While the
 * monitor says fall back, a model that is chosen by back-test gives way to the base alone; one that
 * is configured by name stays.
 *
 * <p>A retried run replaces its own rows, in one commit a table, and leaves those of other runs
 * alone. MLlib models are saved below the lake, in {@code _models}.
 */
public final class ForecastJob {
  static final String MONITOR_VERDICT = "monitor_verdict";
  static final String FALLS_BACK = "falls_back";

  /** Parameters that the tuner changed. */
  static final String TUNED = "tuned";

  private static final Logger LOG = LoggerFactory.getLogger(ForecastJob.class);

  private final JobContext context;
  private final ForecastOptions options;
  private final MoreHorizons more;
  private final Profile profile;
  private final ShardMap shadow;

  public ForecastJob(JobContext context) {
    this(context, null);
  }

  private ForecastJob(JobContext context, ShardMap shadow) {
    this.context = context;
    this.shadow = shadow;
    this.options = ForecastOptions.from(context.settings());
    this.more = MoreHorizons.from(context.settings(), options);
    this.profile = Profile.from(context.settings());
  }

  /**
   * The same job, to which objects are encoded if this map serves them: a missing one is forecast
   * then, too.
   */
  ForecastJob withStatesOf(ShardMap map) {
    return new ForecastJob(context, map);
  }

  /**
   * Below this an attempt's MLlib models are kept, each by its name; nothing of another attempt is
   * written over.
   */
  private String modelPath() {
    return "%s/_models/%s/%s".formatted(context.lake().root(), context.runId(), context.attempt());
  }

  public StageReport run() {
    Lake lake = context.lake();
    Optional<Monitor.Newest> judged = monitor().newest();
    boolean fallsBack =
        options.model() == ModelChoice.AUTO
            && judged.filter(Monitor.Newest::saysFallBack).isPresent();
    ForecastOptions tuned = new TuningTable(context).inForce(options);
    ForecastOptions used = fallsBack ? tuned.with(ModelChoice.TOTAL_SHARE) : tuned;
    // One version of each table for all passes: another run may commit meanwhile.
    String fingerprint = fingerprint(lake, used);
    Dataset<Row> catalogued = lake.readPinned(Objects.TABLE);
    Dataset<Row> objects =
        shadow == null
            ? catalogued
            : ObjectStates.refresh(catalogued, ShardMap.liveVersions(shadow.rows()));
    Dataset<Row> demand = Rebinned.toCurrent(lake.readPinned(Demand.TABLE), objects);
    LocalDate runDate = context.at().atZone(ZoneOffset.UTC).toLocalDate();
    List<Told> told = new ArrayList<>();
    try (PastDemand past = PastDemand.of(demand, objects, context.at(), used)) {
      Map<String, Object> failed = new LinkedHashMap<>();
      for (Duration horizon : more.withMain(used)) {
        try {
          told.add(told(past, used.withHorizon(horizon), runDate));
        } catch (RuntimeException e) {
          // Nobody plans by a further horizon: the night does not wait for it.
          if (told.isEmpty() || e instanceof StopSignal.StoppedException) {
            throw e;
          }
          String word = Settings.durationText(horizon);
          LOG.error("Cannot forecast {} ahead: {}", word, Failures.message(e), e);
          failed.put("horizon_%s_failed".formatted(word), Failures.message(e));
        }
      }
      Told main = told.get(0);
      Map<String, Object> figures = new LinkedHashMap<>(main.figures());
      figures.putAll(failed);
      judged.ifPresent(newest -> figures.put(MONITOR_VERDICT, newest.verdict().standing().word()));
      figures.put(FALLS_BACK, fallsBack);
      String changed = TuningTable.changed(options, tuned);
      if (!changed.isEmpty()) {
        figures.put(TUNED, changed);
      }
      told.subList(1, told.size())
          .forEach(
              t ->
                  t.figures()
                      .forEach(
                          (name, value) ->
                              figures.put("horizon_%s_%s".formatted(t.word(), name), value)));
      replaceOwn(
          lake,
          Forecasts.TABLE,
          told.stream().map(Told::rows).reduce(Dataset::unionByName).orElseThrow(),
          runDate);
      replaceOwn(
          lake,
          ForecastQuality.TABLE,
          quality(told.stream().flatMap(t -> t.quality().stream()).toList()),
          runDate);
      return new StageReport(
          "forecast",
          StageReport.DONE,
          fallsBack
              ? "%s alone: %s".formatted(used.model().word(), because(judged))
              : main.reason(),
          fingerprint,
          ((Number) figures.get("demand_rows")).longValue(),
          told.stream().mapToLong(Told::count).sum(),
          0,
          0,
          figures);
    } finally {
      told.forEach(t -> t.rows().unpersist());
    }
  }

  /**
   * What is kept of the forecast of one horizon.
   *
   * @param word the horizon, as {@code 7d}
   * @param rows as {@link Forecasts#SCHEMA}, cached
   * @param quality as {@link ForecastQuality#SCHEMA}
   */
  private record Told(
      String word,
      Dataset<Row> rows,
      long count,
      List<Row> quality,
      String reason,
      Map<String, Object> figures) {}

  private Told told(PastDemand past, ForecastOptions used, LocalDate runDate) {
    boolean main = used.horizon().equals(options.horizon());
    String word = Settings.durationText(used.horizon());
    try (ForecastResult result = Forecaster.forecast(past, used, profile)) {
      Dataset<Row> rows =
          stamped(result.forecast(), runDate)
              .withColumn(Forecasts.MAIN_HORIZON, lit(main))
              .selectExpr(Forecasts.SCHEMA.fieldNames())
              .persist(StorageLevel.MEMORY_AND_DISK());
      boolean done = false;
      try {
        Map<String, Object> figures = new LinkedHashMap<>(result.figures());
        long count = requireSound(rows, word, figures);
        String path = main ? modelPath() : modelPath() + "-" + word;
        result.trained().forEach((name, model) -> save(model, path + "/" + name.word()));
        figures.put("models_saved", result.trained().size());
        if (!result.trained().isEmpty()) {
          figures.put("model_path", path);
        }
        Told told =
            new Told(word, rows, count, quality(result, used, runDate), result.reason(), figures);
        done = true;
        return told;
      } finally {
        if (!done) {
          rows.unpersist();
        }
      }
    }
  }

  private Monitor monitor() {
    return new Monitor(
        context, ScoreJob.modeWord(shadow == null ? NightlyJob.Mode.REAL : NightlyJob.Mode.SHADOW));
  }

  private static String because(Optional<Monitor.Newest> judged) {
    return judged
        .map(
            newest ->
                "the monitor says %s since the night of %s (%s)"
                    .formatted(
                        newest.verdict().standing().word(),
                        newest.start(),
                        newest.verdict().reason()))
        .orElseThrow();
  }

  private Dataset<Row> stamped(Dataset<Row> forecast, LocalDate runDate) {
    return forecast
        .withColumn(Forecasts.RUN_DATE, lit(Date.valueOf(runDate)))
        .withColumn(Forecasts.RUN_ID, lit(context.runId()));
  }

  /** Refuses to write what a plan could not use; adds the sums to the figures. */
  private static long requireSound(
      Dataset<Row> forecast, String horizon, Map<String, Object> figures) {
    Column expected = col(Forecasts.EXPECTED_REQUESTS);
    Column sound =
        expected
            .geq(0)
            .and(col(Forecasts.LOW_80).leq(expected))
            .and(expected.leq(col(Forecasts.HIGH_80)))
            // NaN is greater than any number in Spark.
            .and(abs(col(Forecasts.HIGH_80)).lt(Double.POSITIVE_INFINITY))
            .and(col(Forecasts.P_REQUESTED).between(0, 1))
            .and(col(Forecasts.SHARE).gt(0))
            .and(col(Forecasts.SHARE).leq(1 + 1e-9))
            .and(col(Forecasts.WHOLE_SHARE).between(0, 1))
            .and(soundProfile());
    Row row =
        forecast
            .agg(
                count(lit(1)),
                coalesce(sum(when(sound, 0L).otherwise(1L)), lit(0L)),
                coalesce(sum(expected), lit(0.0)))
            .collectAsList()
            .get(0);
    if (row.getLong(1) > 0) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot write the forecast of %s: %d of %d rows are not finite, ordered and positive; the forecast of the last run stays, report this with the table demand"
              .formatted(horizon, row.getLong(1), row.getLong(0)));
    }
    figures.put("expected_requests", row.getDouble(2));
    return row.getLong(0);
  }

  /** Holds where there is no profile, or it is the expected requests cut into hours. */
  private static Column soundProfile() {
    Column hours = col(Forecasts.PROFILE);
    Column sum = aggregate(hours, lit(0.0), (all, hour) -> all.plus(hour));
    return hours
        .isNull()
        .or(
            forall(hours, hour -> hour.geq(0))
                .and(
                    abs(sum.minus(col(Forecasts.EXPECTED_REQUESTS)))
                        .leq(col(Forecasts.EXPECTED_REQUESTS).multiply(1e-9).plus(1e-12))));
  }

  private List<Row> quality(ForecastResult result, ForecastOptions used, LocalDate runDate) {
    long bucketMillis = options.bucket().toMillis();
    Timestamp origin =
        new Timestamp(Math.floorDiv(context.at().toEpochMilli(), bucketMillis) * bucketMillis);
    List<Row> rows = new ArrayList<>();
    for (ForecastResult.Quality q : result.quality()) {
      rows.add(
          RowFactory.create(
              Date.valueOf(runDate),
              context.runId(),
              origin,
              used.horizon().toSeconds(),
              q.model().word(),
              q.volume(),
              q.metric(),
              q.value(),
              q.chosen() == ForecastResult.Chosen.YES));
    }
    return rows;
  }

  private Dataset<Row> quality(List<Row> rows) {
    return context.spark().createDataFrame(rows, ForecastQuality.SCHEMA).coalesce(1);
  }

  private void replaceOwn(Lake lake, TableDefinition table, Dataset<Row> rows, LocalDate runDate) {
    // A date, and a run id that the context has checked.
    String own =
        "%s = DATE'%s' AND %s = '%s'"
            .formatted(Forecasts.RUN_DATE, runDate, Forecasts.RUN_ID, context.runId());
    lake.replaceWhere(table, rows, own, Lake.Commit.PLAIN);
  }

  private static void save(PipelineModel model, String path) {
    try {
      model.write().overwrite().save(path);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot save the forecast's model to %s: %s; check that lake.root can be written to"
              .formatted(path, e.getMessage()),
          e);
    }
  }

  private String fingerprint(Lake lake, ForecastOptions used) {
    String inputs =
        "forecast 1 %s %s profile %s demand %s objects %s at %s"
            .formatted(
                used,
                more.spans(),
                profile,
                lake.version(Demand.TABLE),
                lake.version(Objects.TABLE),
                context.at());
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(inputs.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Cannot hash: every Java platform has SHA-256", e);
    }
  }
}
