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

  private static final String SAFE_RUN_ID = "[A-Za-z0-9][A-Za-z0-9._-]*";

  private final JobContext context;
  private final Occasion occasion;
  private final NightlyJob.Repeat repeat;
  private final Clock clock;
  private final ForecastOptions configured;
  private final TunerOptions options;
  private final TuningTable table;

  public TuneJob(JobContext context, Occasion occasion, NightlyJob.Repeat repeat, Clock clock) {
    this.context = context;
    this.occasion = occasion;
    this.repeat = repeat;
    this.clock = clock;
    this.configured = ForecastOptions.from(context.settings());
    this.options = TunerOptions.from(context.settings());
    this.table = new TuningTable(context);
    if (!context.runId().matches(SAFE_RUN_ID)) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot tune as run %s: the id must be letters, digits, '.', '_' or '-' and begin with a letter or digit; set --run-id"
              .formatted(ObjectIds.printable(context.runId())));
    }
  }

  /** Tries what is to be tried, and writes what came of it. */
  public StageReport run() {
    table.create();
    TuningLog log = table.log();
    if (log.has(context.runId()) && repeat == NightlyJob.Repeat.SKIP_DONE) {
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
    List<Instant> origins = List.of();
    if (notNow.isEmpty()) {
      origins = Tuner.origins(firstDemand(), context.at(), configured, options);
      if (!Tuner.areEnough(origins)) {
        notNow =
            Optional.of(
                "the history is too short: forecasts of the past can be made from %d moments with a week of demand before them, it takes 3"
                    .formatted(origins.size()));
      }
    }
    List<Tuner.Trial> trials =
        Tuner.trials(log, log.inForce(configured, context.at()), options, context.at());
    if (notNow.isEmpty() && trials.isEmpty()) {
      notNow = Optional.of("nothing to try: every parameter is fixed or rests");
    }
    if (notNow.isPresent()) {
      if (!lines.isEmpty()) {
        table.write(lines);
      }
      return unchanged(notNow.get(), log);
    }
    Measurement measured = measure(trials, origins, log);
    lines.addAll(measured.lines());
    table.write(lines);
    return done(lines, measured.forecasts(), log);
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
                col(RunsTable.STAGE)
                    .equalTo("forecast")
                    .and(col(RunsTable.STATE).equalTo(StageReport.DONE))
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

  private record Measurement(List<TuningTable.Line> lines, int forecasts) {}

  /** One trial after another: what is changed is what the next one is compared with. */
  private Measurement measure(List<Tuner.Trial> trials, List<Instant> origins, TuningLog log) {
    Instant oldest =
        origins.get(origins.size() - 1).minus(configured.history()).minus(Duration.ofDays(1));
    Dataset<Row> objects = context.lake().readPinned(Objects.TABLE);
    Dataset<Row> demand =
        Rebinned.toCurrent(
            context
                .lake()
                .readPinned(Demand.TABLE)
                .where(
                    col(Demand.DATE)
                        .geq(lit(Date.valueOf(oldest.atZone(ZoneOffset.UTC).toLocalDate())))
                        .and(col(Demand.BUCKET_START).lt(lit(Timestamp.from(context.at()))))),
            objects);
    ForecastOptions inForce = log.inForce(configured, context.at());
    List<TuningTable.Line> lines = new ArrayList<>();
    try (RollingBacktest backtest = new RollingBacktest(demand, objects)) {
      Watch watch = new Watch(backtest, clock.instant().plus(options.maxDuration()));
      List<Double> before = new ArrayList<>();
      watch.deviances(origins, inForce, before, () -> false);
      for (Tuner.Trial trial : trials) {
        List<Double> after = new ArrayList<>();
        ForecastOptions other = trial.of(inForce);
        if (before.size() == origins.size()) {
          watch.deviances(origins, other, after, () -> Tuner.isLost(trial, before, after));
        }
        boolean judged =
            !after.isEmpty()
                && (after.size() == origins.size() || Tuner.isLost(trial, before, after));
        if (!judged) {
          lines.add(cutShort(trial, watch.forecasts));
          continue;
        }
        Tuner.Judgement found = Tuner.judge(trial, before.subList(0, after.size()), after, options);
        lines.add(line(trial, found));
        if (found.action().changes()) {
          inForce = other;
          before.clear();
          before.addAll(after);
        }
      }
      return new Measurement(lines, watch.forecasts);
    }
  }

  /** Makes forecasts of the past until time is up. */
  private final class Watch {
    private final RollingBacktest backtest;
    private final Instant end;
    private int forecasts;

    Watch(RollingBacktest backtest, Instant end) {
      this.backtest = backtest;
      this.end = end;
    }

    void deviances(
        List<Instant> origins,
        ForecastOptions made,
        List<Double> found,
        java.util.function.BooleanSupplier enough) {
      for (Instant origin : origins) {
        if (enough.getAsBoolean() || !clock.instant().isBefore(end)) {
          return;
        }
        found.add(backtest.deviance(origin, made));
        forecasts++;
      }
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
    table.create();
    TuningLog log = table.log();
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
    return done(lines, 0, log);
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

  private StageReport done(List<TuningTable.Line> lines, int forecasts, TuningLog before) {
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
