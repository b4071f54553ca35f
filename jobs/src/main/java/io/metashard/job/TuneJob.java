package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.countDistinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.to_date;

import io.metashard.ObjectIds;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.Rebinned;
import io.metashard.catalogue.Objects;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.RollingBacktest;
import io.metashard.forecast.Tunable;
import io.metashard.forecast.Tuner;
import io.metashard.forecast.TunerOptions;
import io.metashard.forecast.TuningLog;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Tries other half-lives, windows and the like for the forecast: {@code demand} and {@code objects}
 * to {@code tuning}.
 *
 * <p>A run tunes once: a retry finds its rows and goes by them. Forecasts of the past are made by
 * {@link io.metashard.forecast.Forecaster} from what was known then.
 */
public final class TuneJob {
  static final String STAGE = "tune";

  /** Who wants the tuning. */
  public enum Occasion {
    /** A night: only when it is due. */
    NIGHT,
    /** Somebody, now. */
    BY_HAND
  }

  private final JobContext context;
  private final Occasion occasion;
  private final NightlyJob.Repeat repeat;
  private final Clock clock;
  private final ForecastOptions configured;
  private final TunerOptions options;
  private final TuningTable table;
  private int forecasts;

  public TuneJob(JobContext context, Occasion occasion, NightlyJob.Repeat repeat, Clock clock) {
    this.context = context;
    this.occasion = occasion;
    this.repeat = repeat;
    this.clock = clock;
    this.configured = ForecastOptions.from(context.settings());
    this.options = TunerOptions.from(context.settings());
    this.table = new TuningTable(context);
  }

  /** Tries what is to be tried, and writes what came of it. */
  public StageReport run() {
    TuningLog log = table.log();
    if (log.hasTuned(context.runId()) && repeat == NightlyJob.Repeat.SKIP_DONE) {
      return unchanged("run %s has tuned before".formatted(context.runId()), log);
    }
    log = log.without(context.runId());
    if (options.mode() == TunerOptions.Mode.OFF) {
      if (occasion == Occasion.BY_HAND) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot tune: tuner.mode = off; use --set tuner.mode=suggest to see what it would change, or auto");
      }
      return unchanged("tuner.mode = off", log);
    }
    List<TuningTable.Line> lines = new ArrayList<>(newlyFixed(log));
    Optional<String> notNow = occasion == Occasion.NIGHT ? notDue(log) : Optional.empty();
    if (notNow.isEmpty()) {
      notNow = tried(log, lines);
    }
    if (!lines.isEmpty()) {
      table.write(lines);
    }
    if (notNow.isEmpty() && lines.isEmpty()) {
      notNow =
          Optional.of(
              "no check was made: tuner.max-duration was over after %d forecasts of the past; raise it, or lower tuner.origins"
                  .formatted(forecasts));
    }
    return notNow.isPresent() ? unchanged(notNow.get(), log) : done(lines, log);
  }

  /** Adds what was tried; or says why nothing was. */
  private Optional<String> tried(TuningLog log, List<TuningTable.Line> lines) {
    ForecastOptions inForce = log.inForce(configured, context.at());
    List<Tuner.Trial> trials = Tuner.trials(log, inForce, options, context.at());
    if (trials.isEmpty()) {
      return Optional.of("nothing to try: every parameter is fixed or rests");
    }
    List<Instant> origins = Tuner.origins(firstDemand(), context.at(), configured, options);
    if (!Tuner.areEnough(origins)) {
      return Optional.of(
          "the history is too short: forecasts of the past can be made from %d moments with a week of demand before them, it takes 3"
              .formatted(origins.size()));
    }
    try (RollingBacktest backtest = backtest(origins.get(origins.size() - 1))) {
      List<Instant> telling = backtest.telling(origins, configured.horizon());
      if (!Tuner.areEnough(telling)) {
        return Optional.of(
            "too little was requested: after %d of %d moments there was anything at all, it takes 3"
                .formatted(telling.size(), origins.size()));
      }
      Watch watch = new Watch(backtest, telling);
      lines.addAll(measure(trials, inForce, watch));
      forecasts = watch.forecasts;
      return Optional.empty();
    }
  }

  private List<TuningTable.Line> newlyFixed(TuningLog log) {
    List<TuningTable.Line> lines = new ArrayList<>();
    for (Tunable tunable : Tuner.newlyFixed(log, configured.parameters())) {
      double found = log.value(tunable, context.at(), configured.history());
      double fixed = configured.parameters().value(tunable);
      lines.add(
          new TuningTable.Line(
              table.entry(tunable, found, fixed, TuningLog.Action.FIXED_BY_CONF, clock.instant()),
              TuningTable.Measured.NOTHING,
              "forecast.parameters.%s = %s wins over %s"
                  .formatted(tunable.word(), tunable.text(fixed), tunable.text(found))));
    }
    return lines;
  }

  /** Why a night does not tune; empty if it does. */
  private Optional<String> notDue(TuningLog log) {
    Optional<Instant> last = log.lastTuning(context.at());
    if (last.isPresent() && context.at().isBefore(last.get().plus(options.every()))) {
      return Optional.of(
          "tuned last for %s, next from %s on (tuner.every)"
              .formatted(last.get(), last.get().plus(options.every())));
    }
    long nights =
        context
            .lake()
            .read(RunsTable.TABLE)
            .where(
                RunsTable.done("forecast")
                    .and(col(RunsTable.PLANNED_AT).lt(Timestamp.from(context.at()))))
            .agg(countDistinct(to_date(col(RunsTable.PLANNED_AT))))
            .first()
            .getLong(0);
    return nights < options.afterNights()
        ? Optional.of(
            "days with a forecast so far: %d; tuning begins after %d (tuner.after-nights)"
                .formatted(nights, options.afterNights()))
        : Optional.empty();
  }

  /** When the first day with demand begins; the moment of planning if there is none. */
  private Instant firstDemand() {
    Row first = context.lake().read(Demand.TABLE).agg(min(col(Demand.DATE))).first();
    return first.isNullAt(0)
        ? context.at()
        : first.getDate(0).toLocalDate().atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  private RollingBacktest backtest(Instant oldestOrigin) {
    Instant since = oldestOrigin.minus(configured.history()).minus(Duration.ofDays(1));
    Dataset<Row> objects = context.lake().readPinned(Objects.TABLE);
    Dataset<Row> demand =
        context
            .lake()
            .readPinned(Demand.TABLE)
            .where(
                col(Demand.DATE)
                    .geq(lit(Date.valueOf(since.atZone(ZoneOffset.UTC).toLocalDate())))
                    .and(col(Demand.BUCKET_START).lt(lit(Timestamp.from(context.at())))));
    return new RollingBacktest(Rebinned.toCurrent(demand, objects), objects);
  }

  /** One trial after another: what is changed is what the next one is compared with. */
  private List<TuningTable.Line> measure(
      List<Tuner.Trial> trials, ForecastOptions before, Watch watch) {
    ForecastOptions inForce = before;
    List<TuningTable.Line> lines = new ArrayList<>();
    List<Double> was = watch.deviances(inForce, found -> false);
    for (Tuner.Trial trial : trials) {
      ForecastOptions other = trial.of(inForce);
      List<Double> of = was;
      List<Double> is =
          watch.isWhole(was)
              ? watch.deviances(other, found -> Tuner.isLost(trial, of, found))
              : List.of();
      if (is.isEmpty() || !watch.isWhole(is) && !Tuner.isLost(trial, was, is)) {
        // A check that was not made is not one that was passed: it comes again.
        if (trial.checks() == null) {
          lines.add(cutShort(trial, watch.forecasts));
        }
        continue;
      }
      Tuner.Judgement found = Tuner.judge(trial, was.subList(0, is.size()), is, options);
      lines.add(line(trial, found));
      if (found.action().changes()) {
        inForce = other;
        was = is;
      }
    }
    return lines;
  }

  /** Makes forecasts of the past until time is up. */
  private final class Watch {
    private final RollingBacktest backtest;
    private final List<Instant> origins;
    private final Instant end = clock.instant().plus(options.maxDuration());
    private int forecasts;

    Watch(RollingBacktest backtest, List<Instant> origins) {
      this.backtest = backtest;
      this.origins = origins;
    }

    /** By origin, up to where it is enough. */
    List<Double> deviances(ForecastOptions made, Predicate<List<Double>> enough) {
      List<Double> found = new ArrayList<>();
      for (Instant origin : origins) {
        if (!clock.instant().isBefore(end) || enough.test(found)) {
          break;
        }
        found.add(backtest.deviance(origin, made));
        forecasts++;
      }
      return List.copyOf(found);
    }

    boolean isWhole(List<Double> deviances) {
      return deviances.size() == origins.size();
    }
  }

  private TuningTable.Line cutShort(Tuner.Trial trial, int forecasts) {
    return new TuningTable.Line(
        table.entry(
            trial.parameter(),
            trial.from(),
            trial.to(),
            TuningLog.Action.REJECTED,
            clock.instant()),
        TuningTable.Measured.NOTHING,
        "not judged: tuner.max-duration was over after %d forecasts of the past; raise it, or lower tuner.trials or tuner.origins"
            .formatted(forecasts));
  }

  private TuningTable.Line line(Tuner.Trial trial, Tuner.Judgement found) {
    return new TuningTable.Line(
        table.entry(trial.parameter(), trial.from(), trial.to(), found.action(), clock.instant()),
        new TuningTable.Measured(
            found.before(), found.after(), found.gain(), found.origins(), found.wins()),
        found.reason());
  }

  /**
   * Takes a run's changes back.
   *
   * @param runId null for the newest change
   */
  public StageReport undo(String runId) {
    TuningLog log = table.log();
    if (log.hasTuned(context.runId())) {
      // Its rows would be replaced, and what it changed would be taken for another's.
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot undo as run %s: it has tuned itself; name the run whose changes to undo after --undo, and leave --run-id away"
              .formatted(context.runId()));
    }
    if (log.has(context.runId()) && repeat == NightlyJob.Repeat.SKIP_DONE) {
      return unchanged(
          "run %s has undone a change before; --force undoes another".formatted(context.runId()),
          log);
    }
    log = log.without(context.runId());
    List<TuningLog.Entry> changes = undoable(log, runId);
    if (changes.isEmpty()) {
      return unchanged(
          runId == null ? "no change is in force" : "run %s is undone".formatted(runId), log);
    }
    List<TuningTable.Line> lines = new ArrayList<>();
    for (TuningLog.Entry change : changes) {
      TuningLog.Entry undone = undone(change, change.to());
      double back =
          log.and(List.of(undone)).value(change.parameter(), context.at(), configured.history());
      lines.add(
          new TuningTable.Line(
              undone(change, back),
              TuningTable.Measured.NOTHING,
              "the change of run %s was taken back by hand".formatted(change.runId())));
    }
    table.write(lines);
    return done(lines, log);
  }

  private static List<TuningLog.Entry> undoable(TuningLog log, String runId) {
    List<TuningLog.Entry> changes;
    try {
      changes = log.undoable(runId);
    } catch (IllegalArgumentException e) {
      throw new MetashardException(MetashardException.USAGE, e.getMessage(), e);
    }
    boolean known =
        runId == null
            || log.entries().stream().anyMatch(entry -> entry.undoneRunId().equals(runId));
    if (changes.isEmpty() && !known) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot undo run %s: it changed nothing; tune --history lists the changes"
              .formatted(ObjectIds.printable(runId)));
    }
    return changes;
  }

  private TuningLog.Entry undone(TuningLog.Entry change, double back) {
    return new TuningLog.Entry(
        context.runId(),
        context.at(),
        change.parameter(),
        change.to(),
        back,
        TuningLog.Action.UNDONE,
        change.runId(),
        clock.instant());
  }

  private StageReport done(List<TuningTable.Line> lines, TuningLog before) {
    TuningLog after = before.and(lines.stream().map(TuningTable.Line::entry).toList());
    Map<String, Object> figures = figures(after);
    Map<TuningLog.Action, Integer> counts = new java.util.EnumMap<>(TuningLog.Action.class);
    List<String> told = new ArrayList<>();
    for (TuningTable.Line line : lines) {
      TuningLog.Entry entry = line.entry();
      counts.merge(entry.action(), 1, Integer::sum);
      told.add(
          "%s %s from %s to %s: %s"
              .formatted(
                  entry.action().word(),
                  entry.parameter().word(),
                  entry.parameter().text(entry.from()),
                  entry.parameter().text(entry.to()),
                  line.reason()));
    }
    figures.put("forecasts_of_the_past", forecasts);
    figures.put("tried", told);
    List<String> summary = new ArrayList<>();
    counts.forEach((action, count) -> summary.add(count + " " + action.word()));
    return new StageReport(
        STAGE, StageReport.DONE, String.join(", ", summary), "", 0, lines.size(), 0, 0, figures);
  }

  private StageReport unchanged(String reason, TuningLog log) {
    return new StageReport(STAGE, StageReport.UNCHANGED, reason, "", 0, 0, 0, 0, figures(log));
  }

  private Map<String, Object> figures(TuningLog log) {
    Map<String, Object> figures = new LinkedHashMap<>();
    ForecastOptions inForce = log.inForce(configured, context.at());
    String changed = TuningTable.changed(configured, inForce);
    figures.put("tuner_mode", options.mode().word());
    figures.put("tuned", changed.isEmpty() ? "nothing" : changed);
    return figures;
  }
}
