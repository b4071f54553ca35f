package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.forecast.Verdict.Night;
import io.metashard.forecast.Verdict.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {
  private static final MonitorOptions OPTIONS = MonitorOptions.from(Settings.defaults());

  /** A night whose deviance was so many times persistence's, with nothing else to say of it. */
  private static Night night(double times) {
    return new Night(1000, times, 1, 4, 4.5, 0.01, 0.005, 1000, 0.85, 1);
  }

  private static List<Night> nights(double... times) {
    List<Night> nights = new ArrayList<>();
    for (double t : times) {
      nights.add(night(t));
    }
    return nights;
  }

  private static List<Night> parse(String newestFirst) {
    return nights(
        List.of(newestFirst.split(" ")).stream().mapToDouble(Double::parseDouble).toArray());
  }

  @Test
  void hasTheDefaultsOfTheReference() {
    assertThat(OPTIONS).isEqualTo(new MonitorOptions(3, 2, 0.1, 1.0, 0.05, 0.6, 2.0, 100, 28));
  }

  @ParameterizedTest
  @CsvSource({
    // Before, deviance in times of persistence's with the newest night first, what is said.
    "ok,        0.7,              ok",
    "ok,        1.5,              ok", // one bad night is noise
    "ok,        2.01,             degraded", // unless it is gross
    "ok,        2.0,              ok",
    "ok,        1.01 1.01,        degraded",
    "ok,        1.0 1.5,          ok",
    "ok,        1.5 1.0 1.5,      ok",
    "ok,        1.09 1.5 1.5,     degraded", // not beyond the margin on each
    "ok,        1.11 1.11 1.11,   fall-back",
    "degraded,  1.11 1.11 1.11,   fall-back",
    "ok,        1.11 1.11,        degraded",
    "ok,        3 3 0.9,          degraded",
    "degraded,  0.9 1.5 1.5 1.5,  ok",
    "fall-back, 0.9 1.5 1.5 1.5,  fall-back", // one good night is no proof
    "fall-back, 1.5 0.9 0.9 0.9,  fall-back",
    "fall-back, 0.9 0.9 1.5 1.5,  ok",
    "fall-back, 1.0 1.0 1.5,      ok",
    "fall-back, 0.9,              fall-back",
  })
  void successiveNightsDecide(String before, String newestFirst, String expected) {
    Standing was =
        List.of(Standing.values()).stream().filter(s -> s.word().equals(before)).findFirst().get();
    Verdict verdict = Verdict.of(was, parse(newestFirst), OPTIONS);
    assertThat(verdict.standing().word()).isEqualTo(expected);
    assertThat(verdict.reason()).isNotBlank().doesNotContain("NaN");
  }

  @Test
  void reasonsCarryTheFigures() {
    assertThat(Verdict.of(Standing.OK, nights(0.5), OPTIONS).reason())
        .isEqualTo("deviance 0.500 against the span before's 1");
    assertThat(Verdict.of(Standing.OK, nights(1.5), OPTIONS).reason())
        .isEqualTo(
            "one bad night is not judged by itself: its deviance was 1.50, the span before's 1");
    assertThat(Verdict.of(Standing.OK, nights(2.5), OPTIONS).reason())
        .isEqualTo(
            "the newest night lost by more than 100 % to the counts of the span before: its deviance was 2.50, the span before's 1");
    assertThat(Verdict.of(Standing.OK, nights(1.2, 1.2), OPTIONS).reason())
        .isEqualTo(
            "2 successive nights have a complaint; of the newest, its deviance was 1.20, the span before's 1");
    assertThat(Verdict.of(Standing.OK, nights(1.2, 1.3, 1.4), OPTIONS).reason())
        .isEqualTo(
            "3 successive nights have lost by more than 10 % to the counts of the span before: deviance 1.20 against the span before's 1");
    assertThat(Verdict.of(Standing.FALL_BACK, nights(0.9, 1.3), OPTIONS).reason())
        .isEqualTo(
            "the fall-back stays until 2 successive nights have not lost to the counts of the span before: deviance 0.900 against the span before's 1");
    assertThat(Verdict.of(Standing.FALL_BACK, nights(0.9, 0.8), OPTIONS).reason())
        .isEqualTo("the fall-back is lifted: deviance 0.900 against the span before's 1");
  }

  @Test
  void everyComplaintCountsAndNamesItsBound() {
    Night logLoss = new Night(1000, 0.5, 1, 4.6, 4.5, 0.01, 0.005, 1000, 0.85, 1);
    Night calibration = new Night(1000, 0.5, 1, 4, 4.5, 0.0651, 0.015, 1000, 0.85, 1);
    Night coverage = new Night(1000, 0.5, 1, 4, 4.5, 0.01, 0.005, 1000, 0.55, 1);
    assertThat(logLoss.complaints(OPTIONS))
        .containsExactly("its log-loss was 4.60 nats, the span before's 4.50");
    assertThat(calibration.complaints(OPTIONS))
        .containsExactly(
            "chances of a request were off by 0.0651 on average, 0.0150 of it by chance (at most 0.0500 beyond that)");
    assertThat(coverage.complaints(OPTIONS))
        .containsExactly(
            "55 % of the segments expected to be read lay within low_80 and high_80 (at least 60 %)");
    // Complaints of two nights need not be the same; a bound is judged with the chance of few.
    assertThat(Verdict.of(Standing.OK, List.of(logLoss, coverage), OPTIONS).standing())
        .isEqualTo(Standing.DEGRADED);
    assertThat(Verdict.of(Standing.OK, List.of(calibration), OPTIONS).standing())
        .isEqualTo(Standing.OK);
    Night few = new Night(1000, 0.5, 1, 4, 4.5, 0.3, 0.26, 20, 0.55, 1);
    assertThat(few.complaints(OPTIONS)).isEmpty();
    Night unknown =
        new Night(
            1000,
            0.5,
            1,
            Double.NaN,
            Double.NaN,
            Double.NaN,
            Double.NaN,
            0,
            Double.NaN,
            Double.NaN);
    assertThat(unknown.complaints(OPTIONS)).isEmpty();
  }

  @Test
  void nightsWithoutRequestsAreNotJudged() {
    Night silent =
        new Night(3, 50, 1, 9, 4.5, 0.9, 0.01, 1000, 0.01, Double.NaN); // logs that never came
    for (Standing before : Standing.values()) {
      Verdict verdict = Verdict.of(before, List.of(silent, night(0.5)), OPTIONS);
      assertThat(verdict)
          .isEqualTo(
              new Verdict(
                  before, "as before: a night with 3 requests is not judged (from 100 on)"));
      assertThat(Verdict.of(before, List.of(), OPTIONS).standing()).isEqualTo(before);
    }
    // In between, it neither breaks a row of bad nights nor makes one longer.
    assertThat(
            Verdict.of(Standing.OK, List.of(night(1.2), silent, night(1.2), night(1.2)), OPTIONS)
                .standing())
        .isEqualTo(Standing.FALL_BACK);
    assertThat(Verdict.of(Standing.OK, List.of(night(1.2), silent, night(1.2)), OPTIONS).standing())
        .isEqualTo(Standing.DEGRADED);
  }

  @Test
  void driftExplainsButDoesNotCondemn() {
    Night moved = new Night(1000, 0.5, 1, 4, 4.5, 0.01, 0.005, 1000, 0.85, 3.5);
    assertThat(Verdict.of(Standing.OK, List.of(moved), OPTIONS))
        .isEqualTo(
            new Verdict(
                Standing.OK,
                "deviance 0.500 against the span before's 1; demand moved 3.50 times as far as is usual"));
  }

  @Test
  void whoeverFallsBackHasLostOnEveryNightAndIsNotLiftedByOne() {
    long seed = 7;
    Random random = new Random(seed);
    int fellBack = 0;
    int lifted = 0;
    Standing standing = Standing.OK;
    List<Night> newestFirst = new ArrayList<>();
    for (int night = 0; night < 2000; night++) {
      newestFirst.add(0, night(random.nextInt(3) == 0 ? 0.8 : 1.05 + random.nextDouble() / 4));
      Standing before = standing;
      standing = Verdict.of(before, newestFirst, OPTIONS).standing();
      if (standing == Standing.FALL_BACK && before != Standing.FALL_BACK) {
        assertThat(newestFirst.subList(0, 3)).as("seed %d", seed).allMatch(n -> n.lostBy(0.1));
        fellBack++;
      }
      if (standing != Standing.FALL_BACK && before == Standing.FALL_BACK) {
        assertThat(newestFirst.subList(0, 2)).as("seed %d", seed).noneMatch(n -> n.lostBy(0));
        lifted++;
      }
    }
    assertThat(fellBack).isGreaterThan(20);
    assertThat(lifted).isBetween(fellBack - 1, fellBack);
  }

  @ParameterizedTest
  @CsvSource({
    "monitor.nights=0, 'it must be 1 to 30'",
    "monitor.degraded-nights=31, 'it must be 1 to 30'",
    "monitor.fall-back-margin=-0.1, 'it must be 0 to 100'",
    "monitor.gross-margin=0.05, 'it must be 0.1 to 1000'",
    "monitor.max-calibration-error=1.5, 'it must be 0 to 1'",
    "monitor.min-coverage=2, 'it must be 0 to 1'",
    "monitor.max-drift=0.5, 'it must be 1 to 1000'",
    "monitor.min-requests=0, 'it must be 1 to '",
    "monitor.spans=61, 'it must be 2 to 60'",
  })
  void refusesWhatIsOutOfBounds(String override, String why) {
    String key = override.substring(0, override.indexOf('='));
    assertThatThrownBy(() -> MonitorOptions.from(Settings.parse("t", "", List.of(override))))
        .hasMessageContaining("Cannot monitor with " + key)
        .hasMessageContaining(why);
  }
}
