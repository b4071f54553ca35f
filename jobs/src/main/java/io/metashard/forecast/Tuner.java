package io.metashard.forecast;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Decides what is tried in place of the values in force, and whether it takes their place.
 *
 * <p>One parameter at a time goes one rung up or down its ladder; what was not tried for longest
 * comes first, so that the order is the same for the same log. A change is made when it saves
 * enough of the deviance, and from most of the origins. Some time after it, on days that it was not
 * chosen by, the way back is tried: a change that does not hold up is taken back.
 */
public final class Tuner {
  /** From how many of the origins a change must be better. */
  static final double LEAST_WINS = 0.75;

  /** How long a value rests that was taken back. */
  static final Duration REST = Duration.ofDays(60);

  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration LEAST_HISTORY = Duration.ofDays(7);

  private Tuner() {}

  /**
   * A value to try.
   *
   * @param checks the run whose change the way back would end; null for a step that is none
   */
  public record Trial(Tunable parameter, double from, double to, String checks) {
    /** What a forecast would be made with. */
    public ForecastOptions of(ForecastOptions inForce) {
      return inForce.with(inForce.parameters().with(parameter, to));
    }
  }

  /**
   * What came of a trial.
   *
   * @param before mean deviance over the origins, of the values in force
   * @param after of the trial
   * @param gain 1 - after / before
   * @param wins origins from which the trial was better
   */
  public record Judgement(
      double before,
      double after,
      double gain,
      int wins,
      int origins,
      TuningLog.Action action,
      String reason) {}

  /**
   * What to try now.
   *
   * @param log what was done before
   * @param inForce what forecasts are made with
   * @return at most {@link TunerOptions#trials}, each of another parameter
   */
  public static List<Trial> trials(
      TuningLog log, ForecastOptions inForce, TunerOptions options, Instant plannedAt) {
    List<Candidate> candidates = new ArrayList<>();
    for (Tunable tunable : Tunable.values()) {
      if (!inForce.parameters().fixed().contains(tunable)) {
        candidates.addAll(candidates(tunable, log, inForce, options, plannedAt));
      }
    }
    candidates.sort(
        Comparator.comparing((Candidate c) -> c.trial().checks() == null)
            .thenComparing(Candidate::lastTried)
            .thenComparing(c -> c.trial().parameter())
            .thenComparing(c -> c.trial().to()));
    EnumSet<Tunable> taken = EnumSet.noneOf(Tunable.class);
    List<Trial> trials = new ArrayList<>();
    for (Candidate candidate : candidates) {
      if (trials.size() < options.trials() && taken.add(candidate.trial().parameter())) {
        trials.add(candidate.trial());
      }
    }
    return List.copyOf(trials);
  }

  private record Candidate(Trial trial, Instant lastTried) {}

  private static List<Candidate> candidates(
      Tunable tunable,
      TuningLog log,
      ForecastOptions inForce,
      TunerOptions options,
      Instant plannedAt) {
    double value = inForce.parameters().value(tunable);
    List<TuningLog.Entry> past =
        log.entries().stream()
            .filter(e -> e.parameter() == tunable && !e.plannedAt().isAfter(plannedAt))
            .toList();
    Optional<TuningLog.Entry> unchecked =
        log.change(tunable, plannedAt)
            .filter(e -> e.action() == TuningLog.Action.APPLIED && e.to() == value)
            .filter(e -> past.stream().noneMatch(p -> isCheck(p, e)));
    List<Candidate> candidates = new ArrayList<>();
    for (Tunable.Direction direction : Tunable.Direction.values()) {
      OptionalDouble next = tunable.next(value, direction, inForce.history());
      if (next.isEmpty() || rests(past, next.getAsDouble(), plannedAt)) {
        continue;
      }
      double to = next.getAsDouble();
      boolean back = unchecked.isPresent() && unchecked.get().from() == to;
      // The days that a change was chosen by say nothing new of it.
      if (back
          && plannedAt.isBefore(unchecked.get().plannedAt().plus(otherDays(inForce, options)))) {
        continue;
      }
      candidates.add(
          new Candidate(
              new Trial(tunable, value, to, back ? unchecked.get().runId() : null),
              past.stream()
                  .filter(e -> e.steps(value, to))
                  .map(TuningLog.Entry::plannedAt)
                  .max(Comparator.naturalOrder())
                  .orElse(Instant.MIN)));
    }
    return candidates;
  }

  /** After which time the origins are other ones than those that a change was chosen by. */
  private static Duration otherDays(ForecastOptions inForce, TunerOptions options) {
    Duration origins = inForce.horizon().multipliedBy(options.origins());
    return origins.compareTo(options.every()) > 0 ? origins : options.every();
  }

  /** Whether an entry tried the way back from a change. */
  private static boolean isCheck(TuningLog.Entry entry, TuningLog.Entry change) {
    return entry.steps(change.to(), change.from())
        && entry.plannedAt().isAfter(change.plannedAt())
        // What was only suggested is still in force.
        && entry.action() != TuningLog.Action.SUGGESTED;
  }

  /** Whether a value was taken back not long ago. */
  private static boolean rests(List<TuningLog.Entry> past, double to, Instant plannedAt) {
    return past.stream()
        .filter(
            e -> e.action() == TuningLog.Action.UNDONE || e.action() == TuningLog.Action.REVERTED)
        .anyMatch(e -> e.from() == to && plannedAt.isBefore(e.plannedAt().plus(REST)));
  }

  /**
   * Compares a trial with the values in force, origin by origin.
   *
   * @param before deviance of the values in force, by origin
   * @param after deviance of the trial, by the same origins; one value at least
   */
  public static Judgement judge(
      Trial trial, List<Double> before, List<Double> after, TunerOptions options) {
    if (before.size() != after.size() || before.isEmpty()) {
      throw new IllegalArgumentException(
          "Cannot compare %d origins with %d: they must be the same, and 1 or more"
              .formatted(before.size(), after.size()));
    }
    int origins = before.size();
    int wins = 0;
    for (int i = 0; i < origins; i++) {
      wins += after.get(i) < before.get(i) ? 1 : 0;
    }
    double was = mean(before);
    double is = mean(after);
    double gain = was > 0 ? 1 - is / was : 0;
    boolean better =
        gain > 0
            && (trial.checks() != null || gain >= options.minGain())
            && winsEnough(trial, wins, origins);
    String found =
        "deviance %s instead of %s (%s), better from %d of %d origins"
            .formatted(figure(is), figure(was), change(gain), wins, origins);
    return new Judgement(
        was,
        is,
        gain,
        wins,
        origins,
        action(trial, better, options.mode()),
        reason(trial, better, found, options));
  }

  /**
   * Whether a trial has lost already, whatever comes from the origins that are left.
   *
   * @param after deviance of the trial, by the first of the origins
   */
  public static boolean isLost(Trial trial, List<Double> before, List<Double> after) {
    int best = before.size() - after.size();
    for (int i = 0; i < after.size(); i++) {
      best += after.get(i) < before.get(i) ? 1 : 0;
    }
    return !winsEnough(trial, best, before.size());
  }

  /** The way back needs less: a change that wins no more is none. */
  private static boolean winsEnough(Trial trial, int wins, int origins) {
    return trial.checks() == null ? wins >= LEAST_WINS * origins : 2 * wins > origins;
  }

  private static TuningLog.Action action(Trial trial, boolean better, TunerOptions.Mode mode) {
    if (!better) {
      return TuningLog.Action.REJECTED;
    }
    if (mode != TunerOptions.Mode.AUTO) {
      return TuningLog.Action.SUGGESTED;
    }
    return trial.checks() == null ? TuningLog.Action.APPLIED : TuningLog.Action.REVERTED;
  }

  private static String reason(Trial trial, boolean better, String found, TunerOptions options) {
    if (trial.checks() != null) {
      return "the change of run %s %s: going back gives %s"
          .formatted(trial.checks(), better ? "did not hold up" : "holds up", found);
    }
    return better
        ? found
        : "%s; it takes %.2g %% less, and better from three quarters"
            .formatted(found, 100 * options.minGain());
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).sum() / values.size();
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }

  private static String change(double gain) {
    if (gain == 0) {
      return "the same";
    }
    return String.format(
        Locale.ROOT, "%.2f %% %s", 100 * Math.abs(gain), gain < 0 ? "more" : "less");
  }

  /**
   * Where values are compared from, the newest first: each horizon is over, and none overlaps
   * another; short ones are spread over the hours of the day.
   *
   * @param firstDemand when the first bucket with demand begins
   * @return possibly fewer than wanted: a week, or two horizons, must lie before each
   */
  public static List<Instant> origins(
      Instant firstDemand, Instant plannedAt, ForecastOptions forecast, TunerOptions options) {
    long bucket = forecast.bucket().toSeconds();
    Duration horizon = forecast.horizon();
    Duration stride = horizon;
    if (horizon.compareTo(DAY) < 0) {
      long hours = DAY.toSeconds() / options.origins() / bucket * bucket;
      stride = DAY.plusSeconds(Math.max(hours, 0));
    }
    Duration history =
        horizon.multipliedBy(2).compareTo(LEAST_HISTORY) > 0
            ? horizon.multipliedBy(2)
            : LEAST_HISTORY;
    Instant newest =
        Instant.ofEpochSecond(Math.floorDiv(plannedAt.getEpochSecond(), bucket) * bucket)
            .minus(horizon);
    List<Instant> origins = new ArrayList<>();
    for (int i = 0; i < options.origins(); i++) {
      Instant origin = newest.minus(stride.multipliedBy(i));
      if (!origin.isBefore(firstDemand.plus(history))) {
        origins.add(origin);
      }
    }
    return List.copyOf(origins);
  }

  /** Whether that many origins tell a gain from luck. */
  public static boolean areEnough(List<Instant> origins) {
    return origins.size() >= TunerOptions.LEAST_ORIGINS;
  }

  /** Parameters whose value the configuration names and the log does not say so yet. */
  public static List<Tunable> newlyFixed(TuningLog log, ForecastParameters parameters) {
    return Arrays.stream(Tunable.values())
        .filter(parameters.fixed()::contains)
        .filter(
            tunable ->
                log.entries().stream()
                    .filter(e -> e.parameter() == tunable)
                    .reduce((earlier, later) -> later)
                    .filter(
                        e ->
                            e.action() == TuningLog.Action.FIXED_BY_CONF
                                && e.to() == parameters.value(tunable))
                    .isEmpty())
        .toList();
  }
}
