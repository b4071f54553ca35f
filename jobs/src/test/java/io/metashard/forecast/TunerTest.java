package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.forecast.TuningLog.Action;
import io.metashard.forecast.TuningLog.Entry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class TunerTest {
  private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");
  private static final Duration WEEK = Duration.ofDays(7);
  private static final Tuner.Trial STEP = new Tuner.Trial(Tunable.RECENT_HALF_LIFE, 96, 48, null);
  private static final Tuner.Trial BACK =
      new Tuner.Trial(Tunable.RECENT_HALF_LIFE, 48, 96, "tune-1");

  private static Settings settings(String... overrides) {
    return Settings.parse("test", "", List.of(overrides));
  }

  private static ForecastOptions forecast(String... overrides) {
    return ForecastOptions.from(settings(overrides));
  }

  private static TunerOptions options(String... overrides) {
    return TunerOptions.from(settings(overrides));
  }

  private static Entry entry(
      String runId, int week, Tunable parameter, double from, double to, Action action) {
    Instant at = AT.plus(WEEK.multipliedBy(week));
    return new Entry(runId, at, parameter, from, to, action, "", at.plusSeconds(9 * 3600));
  }

  private static Entry undone(String runId, Entry change, double to) {
    return new Entry(
        runId,
        change.plannedAt(),
        change.parameter(),
        change.to(),
        to,
        Action.UNDONE,
        change.runId(),
        change.at().plusSeconds(60));
  }

  /** Many weeks of a tuner whose trials win and lose by chance. */
  @Property(tries = 40)
  void noValueEverLeavesItsLadderAndEveryStepIsOneRung(@ForAll long seed) {
    Random random = new Random(seed);
    ForecastOptions configured =
        forecast(random.nextBoolean() ? "forecast.history=20d" : "forecast.parameters.ridge=0.5");
    TunerOptions options = options("tuner.trials=" + (1 + random.nextInt(6)));
    TuningLog log = TuningLog.EMPTY;
    int tried = 0;
    for (int week = 0; week < 60; week++) {
      Instant at = AT.plus(WEEK.multipliedBy(week));
      ForecastOptions inForce = log.inForce(configured, at);
      List<Tuner.Trial> trials = Tuner.trials(log, inForce, options, at);
      assertThat(trials).hasSizeLessThanOrEqualTo(options.trials());
      assertThat(trials).extracting(Tuner.Trial::parameter).doesNotHaveDuplicates();
      List<Entry> found = new ArrayList<>();
      for (Tuner.Trial trial : trials) {
        assertThat(configured.parameters().fixed()).doesNotContain(trial.parameter());
        double[] ladder = trial.parameter().ladder(configured.history());
        int from = Arrays.binarySearch(ladder, trial.from());
        int to = Arrays.binarySearch(ladder, trial.to());
        assertThat(from).as("%s from %s", trial, Arrays.toString(ladder)).isNotNegative();
        assertThat(Math.abs(to - from)).isEqualTo(1);
        assertThat(inForce.parameters().value(trial.parameter())).isEqualTo(trial.from());
        List<Double> before = List.of(1.0, 1.0, 1.0, 1.0);
        List<Double> after = random.doubles(4, 0.8, 1.1).boxed().toList();
        Action action = Tuner.judge(trial, before, after, options).action();
        found.add(entry("run-" + week, week, trial.parameter(), trial.from(), trial.to(), action));
        tried++;
      }
      log = log.and(found);
    }
    assertThat(tried).isGreaterThan(40);
  }

  @Property
  void aChangeSavesEnoughFromMostOrigins(@ForAll long seed) {
    Random random = new Random(seed);
    int origins = 3 + random.nextInt(8);
    List<Double> before = random.doubles(origins, 0.5, 2).boxed().toList();
    List<Double> after = new ArrayList<>();
    for (double value : before) {
      after.add(value * (0.9 + 0.15 * random.nextDouble()));
    }
    Tuner.Judgement judgement = Tuner.judge(STEP, before, after, options());
    if (judgement.action() == Action.APPLIED) {
      assertThat(judgement.gain()).isGreaterThanOrEqualTo(0.005);
      assertThat(judgement.wins()).isGreaterThanOrEqualTo((int) Math.ceil(0.75 * origins));
      assertThat(judgement.after()).isLessThan(judgement.before());
    } else {
      assertThat(judgement.action()).isEqualTo(Action.REJECTED);
      assertThat(judgement.gain() < 0.005 || judgement.wins() < 0.75 * origins).isTrue();
    }
  }

  /** Giving up early is only to save time. */
  @Property
  void whatIsGivenUpEarlyWouldHaveBeenRejectedInTheEnd(@ForAll long seed) {
    Random random = new Random(seed);
    Tuner.Trial trial = random.nextBoolean() ? STEP : BACK;
    List<Double> before = random.doubles(4, 0.5, 2).boxed().toList();
    List<Double> after = random.doubles(4, 0.2, 2).boxed().toList();
    for (int judged = 1; judged <= 4; judged++) {
      List<Double> known = after.subList(0, judged);
      if (Tuner.isLost(trial, before, known)) {
        assertThat(Tuner.judge(trial, before, after, options()).action())
            .isEqualTo(Action.REJECTED);
        assertThat(Tuner.judge(trial, before.subList(0, judged), known, options()).action())
            .isEqualTo(Action.REJECTED);
      }
    }
  }

  @Example
  void aGainIsToldWithItsReason() {
    Tuner.Judgement judgement =
        Tuner.judge(STEP, List.of(1.0, 1.0, 2.0, 1.0), List.of(0.9, 0.9, 2.1, 0.85), options());
    assertThat(judgement.action()).isEqualTo(Action.APPLIED);
    assertThat(judgement.gain()).isCloseTo(0.05, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(judgement.reason())
        .isEqualTo("deviance 1.188 instead of 1.250 (5.00 % less), better from 3 of 4 origins");
    Tuner.Judgement luck =
        Tuner.judge(STEP, List.of(1.0, 1.0, 1.0, 1.0), List.of(0.5, 1.1, 1.1, 0.9), options());
    assertThat(luck.action()).isEqualTo(Action.REJECTED);
    assertThat(luck.reason())
        .isEqualTo(
            "deviance 0.9000 instead of 1.000 (10.00 % less), better from 2 of 4 origins; it takes 0.50 % less, and better from three quarters");
    assertThatThrownBy(() -> Tuner.judge(STEP, List.of(1.0), List.of(), options()))
        .hasMessageContaining("Cannot compare 1 origins with 0");
  }

  @Example
  void whatIsSuggestedIsNotApplied() {
    List<Double> before = List.of(1.0, 1.0, 1.0);
    List<Double> after = List.of(0.9, 0.9, 0.9);
    TunerOptions suggest = options("tuner.mode=suggest");
    assertThat(Tuner.judge(STEP, before, after, suggest).action()).isEqualTo(Action.SUGGESTED);
    assertThat(Tuner.judge(BACK, before, after, suggest).action()).isEqualTo(Action.SUGGESTED);
    Entry suggested = entry("tune-1", 0, Tunable.RECENT_HALF_LIFE, 96, 48, Action.SUGGESTED);
    assertThat(new TuningLog(List.of(suggested)).inForce(forecast(), AT)).isEqualTo(forecast());
  }

  @Example
  void everyStepIsTriedInTurn() {
    TuningLog log = TuningLog.EMPTY;
    Set<String> steps = new HashSet<>();
    List<Tunable> first = new ArrayList<>();
    for (int week = 0; week < 6; week++) {
      Instant at = AT.plus(WEEK.multipliedBy(week));
      for (Tuner.Trial trial : Tuner.trials(log, forecast(), options(), at)) {
        steps.add(trial.parameter().word() + " " + trial.to());
        first.add(trial.parameter());
        log =
            log.and(
                List.of(
                    entry(
                        "run-" + week,
                        week,
                        trial.parameter(),
                        trial.from(),
                        trial.to(),
                        Action.REJECTED)));
      }
    }
    // Six parameters, two ways each; all of the history is used, so that the window only shrinks.
    assertThat(steps).hasSize(11);
    assertThat(first).hasSize(12).contains(Tunable.values());
  }

  @Example
  void aFixedSettingWinsOverWhatWasFound() {
    TuningLog log =
        new TuningLog(
            List.of(entry("tune-1", 0, Tunable.RECENT_HALF_LIFE, 96, 48, Action.APPLIED)));
    assertThat(log.inForce(forecast(), AT).parameters().value(Tunable.RECENT_HALF_LIFE))
        .isEqualTo(48);
    ForecastOptions fixed = forecast("forecast.parameters.recent-half-life=30h");
    assertThat(log.inForce(fixed, AT)).isEqualTo(fixed);
    assertThat(Tuner.trials(log, fixed, options("tuner.trials=20"), AT))
        .hasSize(5)
        .extracting(Tuner.Trial::parameter)
        .doesNotContain(Tunable.RECENT_HALF_LIFE);
    assertThat(Tuner.newlyFixed(log, fixed.parameters())).containsExactly(Tunable.RECENT_HALF_LIFE);
    Entry said = entry("tune-2", 1, Tunable.RECENT_HALF_LIFE, 48, 30, Action.FIXED_BY_CONF);
    assertThat(Tuner.newlyFixed(log.and(List.of(said)), fixed.parameters())).isEmpty();
  }

  @Example
  void aRunOfAPastMomentIsMadeWithWhatCountedThen() {
    TuningLog log =
        new TuningLog(
            List.of(
                entry("tune-2", 2, Tunable.RIDGE, 0.01, 0.03, Action.APPLIED),
                entry("tune-5", 5, Tunable.RIDGE, 0.03, 0.1, Action.APPLIED)));
    for (int week = 0; week < 8; week++) {
      Instant at = AT.plus(WEEK.multipliedBy(week));
      assertThat(log.inForce(forecast(), at).parameters().value(Tunable.RIDGE))
          .as("week %d", week)
          .isEqualTo(week < 2 ? 0.01 : week < 5 ? 0.03 : 0.1);
    }
  }

  @Example
  void aTableThatSaysMoreThanTheLadderAllowsIsHeldWithinIt() {
    for (double wild : new double[] {1e300, Double.POSITIVE_INFINITY, -5, Double.NaN, 0}) {
      TuningLog log =
          new TuningLog(List.of(entry("x", 0, Tunable.RECENT_HALF_LIFE, 96, wild, Action.APPLIED)));
      assertThat(log.inForce(forecast(), AT).parameters().value(Tunable.RECENT_HALF_LIFE))
          .isBetween(12.0, 384.0);
    }
    TuningLog long35 =
        new TuningLog(List.of(entry("x", 0, Tunable.WINDOW, 840, 672, Action.APPLIED)));
    assertThat(
            long35.inForce(forecast("forecast.history=10d"), AT).parameters().value(Tunable.WINDOW))
        .isEqualTo(240);
  }

  @Example
  void aChangeIsCheckedOnNewDaysAndTakenBackIfItDoesNotHoldUp() {
    Entry change = entry("tune-1", 0, Tunable.RECENT_HALF_LIFE, 96, 48, Action.APPLIED);
    TuningLog log = new TuningLog(List.of(change));
    ForecastOptions inForce = log.inForce(forecast(), AT);
    TunerOptions one = options("tuner.trials=20");
    assertThat(Tuner.trials(log, inForce, one, AT.plus(Duration.ofDays(3)))).doesNotContain(BACK);
    assertThat(Tuner.trials(log, inForce, options("tuner.trials=1"), AT.plus(WEEK)))
        .containsExactly(BACK);
    // The way back needs no least gain, only more wins than losses.
    Tuner.Judgement back =
        Tuner.judge(BACK, List.of(1.0, 1.0, 1.0), List.of(0.999, 0.999, 1.0), options());
    assertThat(back.action()).isEqualTo(Action.REVERTED);
    assertThat(back.reason()).startsWith("the change of run tune-1 did not hold up: going back");
    Entry reverted = entry("tune-2", 1, Tunable.RECENT_HALF_LIFE, 48, 96, Action.REVERTED);
    TuningLog after = log.and(List.of(reverted));
    assertThat(after.inForce(forecast(), AT.plus(WEEK))).isEqualTo(forecast());
    // What did not hold up rests; then it is what was not tried for longest.
    Entry up = entry("tune-3", 2, Tunable.RECENT_HALF_LIFE, 96, 192, Action.REJECTED);
    int rested = 0;
    for (int week = 3; week < 14; week++) {
      Instant at = AT.plus(WEEK.multipliedBy(week));
      boolean rests = at.isBefore(reverted.plannedAt().plus(Tuner.REST));
      rested += rests ? 1 : 0;
      assertThat(Tuner.trials(after.and(List.of(up)), forecast(), one, at).contains(STEP))
          .as("week %d", week)
          .isEqualTo(!rests);
    }
    assertThat(rested).isEqualTo(7);
    Tuner.Judgement holds =
        Tuner.judge(BACK, List.of(1.0, 1.0, 1.0), List.of(1.1, 1.1, 0.9), options());
    assertThat(holds.action()).isEqualTo(Action.REJECTED);
    assertThat(holds.reason()).startsWith("the change of run tune-1 holds up: going back gives");
    // Checked once: then the way back is a step as any other.
    Entry held = entry("tune-2", 1, Tunable.RECENT_HALF_LIFE, 48, 96, Action.REJECTED);
    assertThat(Tuner.trials(log.and(List.of(held)), inForce, one, AT.plus(WEEK.multipliedBy(2))))
        .noneMatch(trial -> trial.checks() != null);
  }

  @Example
  void aCheckThatWasOnlySuggestedOrWouldJudgeByTheSameDaysIsStillToCome() {
    Entry change = entry("tune-1", 0, Tunable.RECENT_HALF_LIFE, 96, 48, Action.APPLIED);
    Entry suggested = entry("tune-2", 1, Tunable.RECENT_HALF_LIFE, 48, 96, Action.SUGGESTED);
    TuningLog log = new TuningLog(List.of(change, suggested));
    TunerOptions one = options("tuner.trials=1");
    assertThat(Tuner.trials(log, log.inForce(forecast(), AT), one, AT.plus(WEEK.multipliedBy(2))))
        .containsExactly(BACK);
    // A week ahead, four origins are four weeks.
    ForecastOptions weekly = log.inForce(forecast("forecast.horizon=7d"), AT);
    for (int week = 1; week < 6; week++) {
      assertThat(
              Tuner.trials(
                      log, weekly, options("tuner.trials=20"), AT.plus(WEEK.multipliedBy(week)))
                  .contains(BACK))
          .as("week %d", week)
          .isEqualTo(week >= 4);
    }
  }

  @Example
  void undoingGivesBackWhatWasBefore() {
    Entry first = entry("tune-1", 0, Tunable.CLASS_PRIOR, 100, 50, Action.APPLIED);
    Entry second = entry("tune-2", 1, Tunable.CLASS_PRIOR, 50, 25, Action.APPLIED);
    Entry other = entry("tune-2", 1, Tunable.RIDGE, 0.01, 0.03, Action.APPLIED);
    TuningLog log = new TuningLog(List.of(second, other, first));
    assertThat(log.undoable(null)).containsExactlyInAnyOrder(second, other);
    assertThat(log.undoable("tune-2")).containsExactlyInAnyOrder(second, other);
    assertThat(log.undoable("tune-9")).isEmpty();
    assertThatThrownBy(() -> log.undoable("tune-1"))
        .hasMessage(
            "Cannot undo run tune-1: run tune-2 changed class-prior after it; undo that one first");
    TuningLog once = log.and(List.of(undone("u1", second, 50), undone("u1", other, 0.01)));
    Instant later = AT.plus(WEEK);
    assertThat(once.value(Tunable.CLASS_PRIOR, later, Duration.ofDays(35))).isEqualTo(50);
    assertThat(once.value(Tunable.RIDGE, later, Duration.ofDays(35))).isEqualTo(0.01);
    assertThat(once.undoable(null)).containsExactly(first);
    TuningLog twice = once.and(List.of(undone("u2", first, 100)));
    assertThat(twice.inForce(forecast(), later)).isEqualTo(forecast());
    assertThat(twice.undoable(null)).isEmpty();
  }

  @Example
  void originsLieApartAndHaveAWeekBeforeThem() {
    Instant first = AT.minus(Duration.ofDays(30));
    List<Instant> daily = Tuner.origins(first, AT.plusSeconds(59), forecast(), options());
    assertThat(daily)
        .containsExactly(
            AT.minus(Duration.ofDays(1)),
            AT.minus(Duration.ofDays(2)),
            AT.minus(Duration.ofDays(3)),
            AT.minus(Duration.ofDays(4)));
    List<Instant> hourly = Tuner.origins(first, AT, forecast("forecast.horizon=1h"), options());
    assertThat(hourly.stream().map(at -> at.atZone(java.time.ZoneOffset.UTC).getHour()))
        .containsExactly(23, 17, 11, 5);
    List<Instant> weekly = Tuner.origins(first, AT, forecast("forecast.horizon=7d"), options());
    assertThat(weekly).hasSize(2);
    assertThat(Tuner.areEnough(weekly)).isFalse();
    assertThat(Tuner.origins(AT, AT, forecast(), options())).isEmpty();
  }

  @Example
  void hasTheDefaultsOfTheReferenceAndRefusesWhatMakesNoSense() {
    assertThat(options())
        .isEqualTo(
            new TunerOptions(TunerOptions.Mode.AUTO, WEEK, 14, 2, 4, 0.005, Duration.ofHours(1)));
    assertThatThrownBy(() -> options("tuner.origins=2"))
        .hasMessage("Cannot tune with tuner.origins = 2: it must be 3 to 20; set tuner.origins");
    assertThatThrownBy(() -> options("tuner.trials=0")).hasMessageContaining("1 to 20");
    assertThatThrownBy(() -> options("tuner.min-gain=1.5")).hasMessageContaining("1.5");
    assertThatThrownBy(() -> options("tuner.mode=always")).hasMessageContaining("suggest");
  }
}
