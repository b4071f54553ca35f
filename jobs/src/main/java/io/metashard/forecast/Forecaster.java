package io.metashard.forecast;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.storage.StorageLevel;

/**
 * Forecasts the requests of every segment: total, share and correction, chosen by back-test.
 *
 * <p>From rolling origins before the moment of planning, models learn on the earlier ones and are
 * compared on the last third by mean Poisson deviance. The correction is used only where it beats
 * its base. With too little history models fall away, in order, and the reason is said.
 */
public final class Forecaster {
  /**
   * Segments times origins that a back-test looks at, about at most, unless that is few origins.
   */
  private static final long MOST_STATES = 6_000_000;

  private static final int LEAST_ORIGINS = 6;

  /** Rows that the weights of the share are fitted on, at most. */
  private static final int MIXTURE_SAMPLE = 20_000;

  /** Rows that the regression learns from, about at most. */
  private static final int REGRESSION_SAMPLE = 200_000;

  private static final int LEAST_REGRESSION_ROWS = 50;
  private static final double LEAST_REGRESSION_REQUESTS = 50;

  private static final int HASH_RANGE = 1 << 20;
  private static final double PRIOR_WHOLE_REQUESTS = 4;

  private final Timeline timeline;
  private final ForecastOptions options;
  private final Profile profile;

  private Forecaster(Timeline timeline, ForecastOptions options, Profile profile) {
    this.timeline = timeline;
    this.options = options;
    this.profile = profile;
  }

  /**
   * Forecasts all segments of the objects that are served, over one horizon.
   *
   * @param demand as {@link Demand#SCHEMA}, of the objects' present segmentation; only what lies
   *     before the last whole bucket's end is looked at
   * @param objects as {@link Objects#SCHEMA}
   * @param at the moment of planning; the horizon begins at the start of its bucket
   */
  public static ForecastResult forecast(
      Dataset<Row> demand, Dataset<Row> objects, Instant at, ForecastOptions options) {
    PastDemand past = PastDemand.of(demand, objects, at, options);
    boolean done = false;
    try {
      ForecastResult result =
          new Forecaster(past.timeline(options), options, Profile.NONE)
              .run(past, new ArrayList<>(past.cached()));
      done = true;
      return result;
    } finally {
      if (!done) {
        past.close();
      }
    }
  }

  /**
   * The same for one of several horizons.
   *
   * @param past must stay open until what this returns is closed
   */
  public static ForecastResult forecast(PastDemand past, ForecastOptions options, Profile profile) {
    return new Forecaster(past.timeline(options), options, profile).run(past, new ArrayList<>());
  }

  private ForecastResult run(PastDemand demand, List<Dataset<Row>> cached) {
    Dataset<Row> history = demand.history();
    boolean done = false;
    try {
      int first = TotalForecaster.first(demand.requests());
      List<Integer> past = timeline.backtestOrigins(first, mostOrigins(demand.served()));
      List<Integer> origins = new ArrayList<>(past);
      origins.add(timeline.origin());
      Dataset<Row> universe = SegmentStates.universe(demand.served());
      List<DatasetHistory.Moment> moments = moments(origins, demand.requests(), first);
      try (DatasetCurves curves =
          DatasetCurves.of(universe, history, moments, curveHalfLives(), profile)) {
        Dataset<Row> known = curves.with(universe);
        Dataset<Row> sums =
            SegmentStates.at(
                    SegmentStates.views(
                        origins, demand.requests(), first, timeline, options.parameters()),
                    known,
                    history)
                .persist(StorageLevel.MEMORY_AND_DISK());
        cached.add(sums);
        UnaryOperator<Dataset<Row>> profiled = Forecaster::withoutProfile;
        if (profile == Profile.HOURLY) {
          Dataset<Row> hours = curves.hours().persist(StorageLevel.MEMORY_AND_DISK());
          cached.add(hours);
          // The curves are gone when the rows are written.
          hours.count();
          DatasetHistory.Moment now = moments.get(moments.size() - 1);
          profiled = rows -> HourProfile.with(rows, hours, history, now);
        }
        ForecastResult result = run(demand, first, past, sums, profiled, cached);
        done = true;
        return result;
      }
    } finally {
      if (!done) {
        cached.forEach(Dataset::unpersist);
      }
    }
  }

  /** Many segments say with few origins what few segments say with many. */
  private int mostOrigins(Dataset<Row> served) {
    Row row = served.agg(sum(col(Objects.SEGMENTS))).head();
    long segments = row.isNullAt(0) ? 0 : row.getLong(0);
    long able = Math.max(LEAST_ORIGINS, MOST_STATES / Math.max(1, segments));
    return Math.toIntExact(Math.min(options.backtestOrigins(), able));
  }

  private static Dataset<Row> withoutProfile(Dataset<Row> rows) {
    return rows.withColumn(
        Forecasts.PROFILE, lit(null).cast(Forecasts.SCHEMA.apply(Forecasts.PROFILE).dataType()));
  }

  private double[] curveHalfLives() {
    double[] halfLives =
        Components.halfLives(timeline, options.parameters().span(Tunable.RECENT_HALF_LIFE));
    return new double[] {
      halfLives[Components.RECENT - 1] * timeline.bucketSeconds(), Double.POSITIVE_INFINITY
    };
  }

  private List<DatasetHistory.Moment> moments(List<Integer> origins, double[] series, int first) {
    long unit = timeline.unitSeconds();
    long[] missing =
        TotalForecaster.missing(series, first, timeline.perDay())
            .mapToLong(bucket -> Math.floorDiv(timeline.at(bucket).getEpochSecond(), unit))
            .distinct()
            .toArray();
    long begin = timeline.at(Math.min(first, timeline.origin())).getEpochSecond();
    List<DatasetHistory.Moment> moments = new ArrayList<>();
    for (int origin : origins) {
      moments.add(
          new DatasetHistory.Moment(
              timeline.at(origin).getEpochSecond(),
              timeline.horizon() * timeline.bucketSeconds(),
              unit,
              Math.floorDiv(begin, unit),
              missing));
    }
    return moments;
  }

  private ForecastResult run(
      PastDemand demand,
      int first,
      List<Integer> past,
      Dataset<Row> sums,
      UnaryOperator<Dataset<Row>> profiled,
      List<Dataset<Row>> cached) {
    List<Integer> origins = new ArrayList<>(past);
    origins.add(timeline.origin());
    Map<Integer, String> methods = new TreeMap<>();
    Map<Integer, OriginFacts> facts = facts(origins, sums, demand.requests(), first, methods);
    OriginFacts now = facts.get(timeline.origin());

    Backtest tried = backtest(past, facts, sums);
    ForecastModel.TotalShare base = base(past, facts, sums, tried);
    Dataset<Row> current = states(base, List.of(now), sums);
    Corrections corrections =
        tried.trainable(past, facts) ? fit(past, facts, sums, base) : Corrections.NONE;

    Gate gate = gate(tried, corrections);
    Backtest backtest = tried.with(gate);
    Chances chances = chances(past, facts, sums, base, corrections, backtest, gate);
    ForecastModel chosen = chosen(gate, base, corrections, current, List.of(now));
    Map<String, Object> figures = figures(past, first, demand.rows(), now, methods, backtest, gate);
    figures.put("trained_rows", corrections.rows());
    return new ForecastResult(
        rows(demand.served(), current, chosen, chances.outcomes(), profiled),
        gate.name(),
        gate.reason(),
        quality(backtest, gate, chances.coverage()),
        corrections.trained(),
        figures,
        cached);
  }

  /**
   * The base, others that it may give way to, and yesterday's counts, all but the last scaled to
   * the total.
   */
  private static Map<ModelChoice, ForecastModel> models(
      ForecastModel.TotalShare base,
      Corrections corrections,
      Dataset<Row> states,
      List<OriginFacts> facts) {
    List<ForecastModel> models = new ArrayList<>();
    models.add(base);
    models.addAll(corrections.models());
    if (models.size() > 1) {
      models.add(new ForecastModel.GeometricMean(models));
    }
    Map<ModelChoice, ForecastModel> byName = new TreeMap<>();
    // Yesterday's counts are what they are.
    byName.put(ModelChoice.SEASONAL_NAIVE, new ForecastModel.SeasonalNaive());
    ForecastModel.reconciled(models, states, facts).forEach(m -> byName.put(m.name(), m));
    return byName;
  }

  /** What the gate chose, scaled to the total of these origins. */
  private static ForecastModel chosen(
      Gate gate,
      ForecastModel.TotalShare base,
      Corrections corrections,
      Dataset<Row> states,
      List<OriginFacts> facts) {
    if (gate.name() == Gate.BASE) {
      return base.reconciled(states, facts);
    }
    ForecastModel picked = picked(gate, models(base, corrections, states, facts));
    return gate.name() == ModelChoice.PER_CLASS ? picked.reconciled(states, facts) : picked;
  }

  private static ForecastModel picked(Gate gate, Map<ModelChoice, ForecastModel> models) {
    if (gate.name() != ModelChoice.PER_CLASS) {
      return models.get(gate.name());
    }
    Map<VolumeClass, ForecastModel> byClass = new TreeMap<>();
    gate.models().forEach((volume, model) -> byClass.put(volume, models.get(model)));
    return new ForecastModel.PerClass(models.get(Gate.BASE), byClass);
  }

  /**
   * What may come of an expectation, and how often it came as an interval had said.
   *
   * @param coverage by word of the class of volume, or {@link ForecastQuality#ALL}; of the origins
   *     that models are judged on, by intervals learned from those that had ended before
   */
  private record Chances(Outcomes outcomes, Map<String, Double> coverage) {}

  /**
   * What may come of what the chosen model expects, by all origins of the back-test: chances need
   * more cases than a choice does. The model learned from them, too; what intervals are worth is
   * told by one that did not.
   */
  private Chances chances(
      List<Integer> past,
      Map<Integer, OriginFacts> facts,
      Dataset<Row> sums,
      ForecastModel.TotalShare base,
      Corrections corrections,
      Backtest backtest,
      Gate gate) {
    if (past.isEmpty()) {
      return new Chances(Outcomes.UNCALIBRATED, Map.of());
    }
    List<OriginFacts> all = facts(past, facts);
    Dataset<Row> states = states(base, all, sums);
    ForecastModel model = chosen(gate, base, corrections, states, all);
    List<ForecastModel> models = gate.name() == Gate.BASE ? List.of(model) : List.of(base, model);
    Scorecard scores = Scorecard.of(states, models, base).only(gate.name().word());
    if (scores.bins().isEmpty()) {
      return new Chances(Outcomes.UNCALIBRATED, Map.of());
    }
    List<Integer> judging = past.subList(0, judged(past));
    Scorecard earlier = scores.from(endedBefore(past));
    // Earlier origins may have been too few to train what all of them could.
    boolean tried = backtest.models().keySet().containsAll(gate.models().values());
    return new Chances(
        Outcomes.of(scores),
        earlier.bins().isEmpty() || !tried
            ? Map.of()
            : coverage(
                states(backtest.base(), facts(judging, facts), sums),
                List.of(backtest.models().get(Gate.BASE), picked(gate, backtest.models())),
                Outcomes.of(earlier)));
  }

  /** How many of the origins, the newest first, models are judged on. */
  private static int judged(List<Integer> past) {
    return Math.max(1, past.size() / 3);
  }

  /** Origins whose horizons had ended when those that models are judged on began. */
  private List<Integer> endedBefore(List<Integer> past) {
    int judged = judged(past);
    return past.subList(judged, past.size()).stream()
        .filter(origin -> origin + timeline.horizon() <= past.get(judged - 1))
        .toList();
  }

  /**
   * Shares of segments whose count lay within what the last model's interval says.
   *
   * @param models the first one sorts segments into classes of volume
   */
  private static Map<String, Double> coverage(
      Dataset<Row> states, List<ForecastModel> models, Outcomes outcomes) {
    String sorting = "sorting";
    String expected = "expected";
    String outcome = "outcome";
    Column observed = col(SegmentStates.OBSERVED);
    Column within =
        observed.between(col(outcome).getField(Outcomes.LOW), col(outcome).getField(Outcomes.HIGH));
    Map<String, Double> coverage = new TreeMap<>();
    double segments = 0;
    double covered = 0;
    for (Row row :
        models
            .get(models.size() - 1)
            .predict(models.get(0).predict(states, sorting), expected)
            .select(
                observed,
                VolumeClass.nameOf(col(sorting)).as("volume"),
                udf(outcomes, Outcomes.SCHEMA).apply(col(expected)).as(outcome))
            .groupBy("volume")
            .agg(count(lit(1)), sum(when(within, 1L).otherwise(0L)))
            .collectAsList()) {
      coverage.put(
          VolumeClass.valueOf(row.getString(0)).word(), (double) row.getLong(2) / row.getLong(1));
      segments += row.getLong(1);
      covered += row.getLong(2);
    }
    if (segments > 0) {
      coverage.put(ForecastQuality.ALL, covered / segments);
    }
    return coverage;
  }

  /** Learns the mixtures of shares from some origins. */
  private ForecastModel.TotalShare base(
      List<Integer> origins,
      Map<Integer, OriginFacts> facts,
      Dataset<Row> sums,
      Backtest backtest) {
    ShareMixture all = ShareMixture.fit(backtest.observed(origins), Components.PRIOR);
    if (origins.isEmpty()) {
      return new ForecastModel.TotalShare(ClassMixtures.of(all), SharePool.NONE);
    }
    double[][] expected =
        ClassMixtures.sums(SegmentStates.with(facts(origins, facts), sums), all, facts);
    List<List<ClassMixtures.Counted>> counted = new ArrayList<>();
    for (int c = 0; c < VolumeClass.values().length; c++) {
      counted.add(new ArrayList<>());
    }
    for (int origin : origins) {
      double total = facts.get(origin).observedTotal();
      for (ShareMixture.Observed o : backtest.observed(List.of(origin))) {
        double[] ofTotal = Arrays.stream(o.shares()).map(s -> s * total).toArray();
        counted
            .get(ClassMixtures.volume(all, o.shares(), total).ordinal())
            .add(new ClassMixtures.Counted(ofTotal, o.requests()));
      }
    }
    ClassMixtures mixtures =
        ClassMixtures.fit(all, expected, counted, options.parameters().value(Tunable.CLASS_PRIOR));
    return new ForecastModel.TotalShare(mixtures, pool(origins, facts, backtest, mixtures));
  }

  private static SharePool pool(
      List<Integer> origins,
      Map<Integer, OriginFacts> facts,
      Backtest backtest,
      ClassMixtures mixtures) {
    List<ShareMixture.Observed> observed = backtest.observed(origins);
    double[] mixed = new double[observed.size()];
    int i = 0;
    for (int origin : origins) {
      double total = facts.get(origin).observedTotal();
      for (ShareMixture.Observed o : backtest.observed(List.of(origin))) {
        mixed[i++] = mixtures.share(k -> o.shares()[k], total);
      }
    }
    return SharePool.fit(observed, mixed);
  }

  private Map<Integer, OriginFacts> facts(
      List<Integer> origins,
      Dataset<Row> sums,
      double[] series,
      int first,
      Map<Integer, String> methods) {
    List<Column> totals = new ArrayList<>();
    totals.add(sum(when(col(SegmentStates.LAST_BUCKET).isNotNull(), 1L).otherwise(0L)));
    for (int k = 0; k < Components.OBSERVED; k++) {
      totals.add(sum(Components.sum(k)));
    }
    Map<Integer, Row> found = new TreeMap<>();
    sums.groupBy(col(SegmentStates.ORIGIN))
        .agg(count(lit(1)), totals.toArray(Column[]::new))
        .collectAsList()
        .forEach(row -> found.put(row.getInt(0), row));
    Map<Integer, OriginFacts> facts = new TreeMap<>();
    List<Integer> ordered = origins.stream().sorted().toList();
    for (int origin : ordered) {
      TotalForecaster.Total total =
          TotalForecaster.forecast(
              Arrays.copyOf(series, origin),
              Math.min(first, origin),
              timeline.perDay(),
              timeline.horizon(),
              options.parameters().days(Tunable.TOTAL_ERROR_HALF_LIFE));
      Row row = found.get(origin);
      List<Double> ofComponents = new ArrayList<>();
      for (int k = 0; k < Components.OBSERVED; k++) {
        ofComponents.add(row == null ? 0.0 : row.getDouble(3 + k));
      }
      double observed = 0;
      for (int t = origin; t < Math.min(series.length, origin + timeline.horizon()); t++) {
        observed += series[t];
      }
      methods.put(origin, total.method());
      facts.put(
          origin,
          new OriginFacts(
              origin,
              row == null ? 0 : row.getLong(1),
              row == null ? 0 : row.getLong(2),
              ofComponents,
              total.expected(),
              observed));
    }
    return facts;
  }

  /**
   * What the back-test found.
   *
   * @param sample per origin: who got requests, for fitting the share
   * @param scores on the last origins, by models that learned on the earlier ones; possibly empty
   * @param base what those models are founded on
   * @param models those models
   */
  private record Backtest(
      Map<Integer, List<ShareMixture.Observed>> sample,
      Scorecard scores,
      ForecastModel.TotalShare base,
      Map<ModelChoice, ForecastModel> models) {
    static Backtest unscored(Map<Integer, List<ShareMixture.Observed>> sample) {
      return new Backtest(sample, new Scorecard(List.of()), null, Map.of());
    }

    /** With what the gate made of it. */
    Backtest with(Gate gate) {
      return gate.name() == ModelChoice.PER_CLASS
          ? new Backtest(sample, scores.with(ModelChoice.PER_CLASS, gate.models()), base, models)
          : this;
    }

    List<ShareMixture.Observed> observed(List<Integer> origins) {
      return origins.stream().flatMap(o -> sample.getOrDefault(o, List.of()).stream()).toList();
    }

    boolean trainable(List<Integer> origins, Map<Integer, OriginFacts> facts) {
      long rows = 0;
      double requests = 0;
      for (int origin : origins) {
        rows += facts.get(origin).seen();
        requests += facts.get(origin).observedTotal();
      }
      return rows >= LEAST_REGRESSION_ROWS && requests >= LEAST_REGRESSION_REQUESTS;
    }
  }

  private Backtest backtest(
      List<Integer> past, Map<Integer, OriginFacts> facts, Dataset<Row> sums) {
    if (past.isEmpty()) {
      return Backtest.unscored(Map.of());
    }
    Map<Integer, List<ShareMixture.Observed>> sample =
        sample(SegmentStates.with(facts(past, facts), sums));
    int judged = judged(past);
    List<OriginFacts> judging = facts(past.subList(0, judged), facts);
    List<Integer> training = endedBefore(past);
    Backtest unscored = Backtest.unscored(sample);
    ForecastModel.TotalShare base = base(training, facts, sums, unscored);
    Dataset<Row> states = states(base, judging, sums);
    Corrections corrections =
        unscored.trainable(training, facts) ? fit(training, facts, sums, base) : Corrections.NONE;
    Map<ModelChoice, ForecastModel> models = models(base, corrections, states, judging);
    return new Backtest(
        sample,
        Scorecard.of(states, List.copyOf(models.values()), models.get(Gate.BASE)),
        base,
        models);
  }

  /** States to predict for, with all that models on this base look at. */
  private Dataset<Row> states(
      ForecastModel.TotalShare base, List<OriginFacts> facts, Dataset<Row> sums) {
    return new CorrectionFeatures(base, timeline.perDay())
        .with(SegmentStates.with(facts, sums), col(OriginFacts.EXPECTED_TOTAL));
  }

  private static List<OriginFacts> facts(List<Integer> origins, Map<Integer, OriginFacts> facts) {
    return origins.stream().map(facts::get).toList();
  }

  private Corrections fit(
      List<Integer> origins,
      Map<Integer, OriginFacts> facts,
      Dataset<Row> sums,
      ForecastModel.TotalShare base) {
    List<OriginFacts> training =
        facts(origins, facts).stream().filter(f -> f.observedTotal() > 0).toList();
    long rows = training.stream().mapToLong(OriginFacts::seen).sum();
    Dataset<Row> seen =
        SegmentStates.with(training, sums).where(col(SegmentStates.LAST_BUCKET).isNotNull());
    if (rows > REGRESSION_SAMPLE) {
      long kept = Math.max(1, Math.round((double) REGRESSION_SAMPLE / rows * HASH_RANGE));
      seen = seen.where(hash().lt(kept));
    }
    return Corrections.fit(
        seen,
        new CorrectionFeatures(base, timeline.perDay()),
        options.parameters().value(Tunable.RIDGE),
        options.seed());
  }

  /** The same row gets the same number, 0 to {@link #HASH_RANGE} - 1, in every run. */
  private Column hash() {
    return xxhash64(
            col(Demand.OBJECT_ID),
            col(Demand.SEGMENT),
            col(SegmentStates.ORIGIN),
            lit(options.seed()))
        .bitwiseAND(HASH_RANGE - 1);
  }

  /**
   * A bounded sample of who got requests, by priority sampling (Duffield, Lund and Thorup, 2007):
   * weights stay unbiased, and the heavy ones are all there.
   */
  private Map<Integer, List<ShareMixture.Observed>> sample(Dataset<Row> states) {
    String priority = "priority";
    List<Column> columns = new ArrayList<>();
    columns.add(col(SegmentStates.ORIGIN));
    columns.add(col(SegmentStates.OBSERVED));
    columns.add(
        col(SegmentStates.OBSERVED).multiply(HASH_RANGE).divide(hash().plus(1)).as(priority));
    columns.add(col(Components.SHARES));
    List<Row> rows =
        states
            .where(col(SegmentStates.OBSERVED).gt(0))
            .select(
                java.util.stream.Stream.concat(
                        columns.stream(),
                        java.util.stream.Stream.of(col(Demand.OBJECT_ID), col(Demand.SEGMENT)))
                    .toArray(Column[]::new))
            .orderBy(
                col(priority).desc(),
                col(Demand.OBJECT_ID),
                col(Demand.SEGMENT),
                col(SegmentStates.ORIGIN))
            .limit(MIXTURE_SAMPLE + 1)
            .collectAsList();
    double threshold = rows.size() > MIXTURE_SAMPLE ? rows.get(MIXTURE_SAMPLE).getDouble(2) : 0;
    Map<Integer, List<ShareMixture.Observed>> sample = new TreeMap<>();
    for (Row row : rows.subList(0, Math.min(rows.size(), MIXTURE_SAMPLE))) {
      double[] shares = row.<Double>getList(3).stream().mapToDouble(Double::doubleValue).toArray();
      sample
          .computeIfAbsent(row.getInt(0), origin -> new ArrayList<>())
          .add(new ShareMixture.Observed(shares, Math.max(row.getDouble(1), threshold)));
    }
    return sample;
  }

  private Gate gate(Backtest backtest, Corrections corrections) {
    ModelChoice fixed = options.model();
    if (fixed == ModelChoice.AUTO) {
      Gate best = Gate.of(backtest.scores());
      boolean trained =
          !corrections.models().isEmpty() || best.name() == ModelChoice.SEASONAL_NAIVE;
      return trained ? best : Gate.of(Gate.BASE, best.reason());
    }
    boolean learned = fixed != ModelChoice.SEASONAL_NAIVE && fixed != ModelChoice.TOTAL_SHARE;
    if (learned && corrections.models().isEmpty()) {
      return Gate.of(
          Gate.BASE,
          "forecast.model = %s, but the back-test has too few requests to train it: its base instead"
              .formatted(fixed.word()));
    }
    return Gate.of(fixed, "forecast.model = " + fixed.word());
  }

  private static List<ForecastResult.Quality> quality(
      Backtest backtest, Gate gate, Map<String, Double> coverage) {
    List<ForecastResult.Quality> quality = new ArrayList<>();
    coverage.forEach(
        (volume, share) ->
            quality.add(
                new ForecastResult.Quality(
                    gate.name(), volume, Scorecard.COVERAGE, share, ForecastResult.Chosen.YES)));
    for (ModelChoice model : ModelChoice.values()) {
      if (!backtest.scores().has(model)) {
        continue;
      }
      ForecastResult.Chosen made =
          model == gate.name() ? ForecastResult.Chosen.YES : ForecastResult.Chosen.NO;
      backtest
          .scores()
          .metrics(model, null)
          .forEach(
              (metric, value) ->
                  quality.add(
                      new ForecastResult.Quality(model, ForecastQuality.ALL, metric, value, made)));
      for (VolumeClass volume : VolumeClass.values()) {
        backtest
            .scores()
            .metrics(model, volume)
            .forEach(
                (metric, value) ->
                    quality.add(
                        new ForecastResult.Quality(model, volume.word(), metric, value, made)));
      }
    }
    return quality;
  }

  private Map<String, Object> figures(
      List<Integer> past,
      int first,
      long demandRows,
      OriginFacts now,
      Map<Integer, String> methods,
      Backtest backtest,
      Gate gate) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("horizon", timeline.originAt() + " to " + timeline.horizonEnd());
    figures.put("demand_rows", demandRows);
    figures.put("segments", now.known());
    figures.put("segments_requested_before", now.seen());
    figures.put("history_buckets", timeline.origin() - first);
    figures.put("backtest_origins", past.size());
    figures.put("model", gate.name().word());
    gate.models().forEach((volume, model) -> figures.put("model_" + volume.word(), model.word()));
    figures.put("reason", gate.reason());
    figures.put("total_method", methods.get(timeline.origin()));
    figures.put("expected_total", now.expectedTotal());
    for (ModelChoice model : ModelChoice.values()) {
      if (backtest.scores().has(model)) {
        figures.put("deviance_" + model.word(), backtest.scores().deviance(model));
      }
    }
    return figures;
  }

  private Dataset<Row> rows(
      Dataset<Row> served,
      Dataset<Row> current,
      ForecastModel chosen,
      Outcomes outcomes,
      UnaryOperator<Dataset<Row>> profiled) {
    String expected = Forecasts.EXPECTED_REQUESTS;
    String whole = "seen_whole";
    String requests = "seen_requests";
    String outcome = "outcome";
    Dataset<Row> predicted =
        chosen
            .predict(current, expected)
            .select(
                col(Demand.OBJECT_ID),
                col(Demand.SEGMENT),
                col(expected),
                col(SegmentStates.WHOLE).as(whole),
                Components.sum(Components.LONG_RUN).as(requests));
    WindowSpec object = Window.partitionBy(Forecasts.OBJECT_ID);
    double globalWhole = globalWhole(current);
    Column objectWhole =
        sum(col(whole))
            .over(object)
            .plus(PRIOR_WHOLE_REQUESTS * globalWhole)
            .divide(sum(col(requests)).over(object).plus(PRIOR_WHOLE_REQUESTS));
    Dataset<Row> rows =
        SegmentStates.universe(served)
            .join(predicted, new String[] {Demand.OBJECT_ID, Demand.SEGMENT})
            .select(
                col(Demand.OBJECT_ID).as(Forecasts.OBJECT_ID),
                col(Demand.SEGMENT).as(Forecasts.SEGMENT),
                col(Objects.SEGMENT_BYTES).as(Forecasts.SEGMENT_BYTES),
                col(SegmentStates.DATASET),
                col(SegmentStates.AGE_FROM),
                col(expected),
                coalesce(col(whole), lit(0.0)).as(whole),
                coalesce(col(requests), lit(0.0)).as(requests))
            .withColumn(Forecasts.SHARE, col(expected).divide(sum(col(expected)).over(object)))
            .withColumn(
                Forecasts.WHOLE_SHARE,
                col(whole)
                    .plus(objectWhole.multiply(PRIOR_WHOLE_REQUESTS))
                    .divide(col(requests).plus(PRIOR_WHOLE_REQUESTS)))
            .withColumn(outcome, udf(outcomes, Outcomes.SCHEMA).apply(col(expected)));
    return profiled
        .apply(rows)
        .select(
            col(Forecasts.OBJECT_ID),
            col(Forecasts.SEGMENT),
            col(Forecasts.SEGMENT_BYTES),
            lit(Timestamp.from(timeline.originAt())).as(Forecasts.HORIZON_START),
            lit(Timestamp.from(timeline.horizonEnd())).as(Forecasts.HORIZON_END),
            col(expected),
            col(outcome).getField(Outcomes.LOW).as(Forecasts.LOW_80),
            col(outcome).getField(Outcomes.HIGH).as(Forecasts.HIGH_80),
            col(outcome).getField(Outcomes.REQUESTED).as(Forecasts.P_REQUESTED),
            col(Forecasts.SHARE),
            lit(chosen.name().word()).as(Forecasts.MODEL),
            col(Forecasts.WHOLE_SHARE),
            col(Forecasts.PROFILE));
  }

  private static double globalWhole(Dataset<Row> current) {
    Row sums =
        current
            .agg(sum(col(SegmentStates.WHOLE)), sum(Components.sum(Components.LONG_RUN)))
            .collectAsList()
            .get(0);
    return sums.isNullAt(0) || sums.getDouble(1) == 0 ? 0 : sums.getDouble(0) / sums.getDouble(1);
  }
}
