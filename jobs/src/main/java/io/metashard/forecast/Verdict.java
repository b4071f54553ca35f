package io.metashard.forecast;

import io.metashard.Amounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Whether the forecast can be relied on, and why.
 *
 * @param reason in words and figures, one sentence without a full stop
 */
public record Verdict(Standing standing, String reason) {
  /** What to do with the forecast. */
  public enum Standing {
    /** Use it. */
    OK("ok", 0),
    /** Use it, and look why it is not what it was. */
    DEGRADED("degraded", 1),
    /** Use its base alone. */
    FALL_BACK("fall-back", 2);

    private final String word;
    private final int code;

    Standing(String word, int code) {
      this.word = word;
      this.code = code;
    }

    /** What it is called in tables. */
    public String word() {
      return word;
    }

    /** What it is called in metrics. */
    public int code() {
      return code;
    }

    /** The one of a code; empty for one that is not known here. */
    public static Optional<Standing> of(double code) {
      for (Standing standing : values()) {
        if (standing.code == code) {
          return Optional.of(standing);
        }
      }
      return Optional.empty();
    }
  }

  /**
   * A night that was scored. A figure that is not known is NaN, and nothing is said of it.
   *
   * @param requests that came, in all
   * @param devianceBefore of the counts of the span before, taken for a forecast; so {@code
   *     logLossBefore}
   * @param calibrationByChance mean calibration error if every chance were right
   * @param likely segments of which at least one request was expected
   * @param coverage share of those whose count lay in [low_80, high_80]
   * @param driftRatio how far demand moved, in times of the usual
   */
  public record Night(
      double requests,
      double deviance,
      double devianceBefore,
      double logLoss,
      double logLossBefore,
      double calibrationError,
      double calibrationByChance,
      double likely,
      double coverage,
      double driftRatio) {
    boolean isJudged(MonitorOptions options) {
      return requests >= options.minRequests()
          && Double.isFinite(deviance)
          && Double.isFinite(devianceBefore);
    }

    boolean lostBy(double margin) {
      return deviance > (1 + margin) * devianceBefore;
    }

    /** What is out of bounds; empty when nothing is. */
    List<String> complaints(MonitorOptions options) {
      List<String> complaints = new ArrayList<>();
      if (lostBy(0)) {
        complaints.add(
            "its deviance was %s, the span before's %s"
                .formatted(Amounts.number(deviance), Amounts.number(devianceBefore)));
      }
      if (logLoss > logLossBefore) {
        complaints.add(
            "its log-loss was %s nats, the span before's %s"
                .formatted(Amounts.number(logLoss), Amounts.number(logLossBefore)));
      }
      if (calibrationError - calibrationByChance > options.maxCalibrationError()) {
        complaints.add(
            "chances of a request were off by %s on average, %s of it by chance (at most %s beyond that)"
                .formatted(
                    Amounts.number(calibrationError),
                    Amounts.number(calibrationByChance),
                    Amounts.number(options.maxCalibrationError())));
      }
      if (coverage + COVERAGE_DEVIATIONS * Math.sqrt(0.8 * 0.2 / likely) < options.minCoverage()) {
        complaints.add(
            "%s of the segments expected to be read lay within low_80 and high_80 (at least %s)"
                .formatted(Amounts.percent(coverage), Amounts.percent(options.minCoverage())));
      }
      return complaints;
    }
  }

  /** Few segments may fall outside by chance: so many standard deviations are let pass. */
  private static final double COVERAGE_DEVIATIONS = 2;

  public Verdict {
    Objects.requireNonNull(standing, "standing");
    Objects.requireNonNull(reason, "reason");
  }

  /**
   * Judges the newest nights.
   *
   * <ul>
   *   <li>Nights with fewer requests than {@link MonitorOptions#minRequests} count for nothing: the
   *       next older one takes their place; if the newest is one, the verdict stays as it was.
   *   <li><i>Fall back</i>: on each of the newest {@link MonitorOptions#nights} the deviance lay
   *       above persistence's by more than {@link MonitorOptions#fallBackMargin}. It is lifted when
   *       it lay above on none of the newest {@link MonitorOptions#degradedNights}.
   *   <li><i>Degraded</i>: each of the newest {@link MonitorOptions#degradedNights} has a complaint
   *       (deviance or log-loss above persistence's, calibration or coverage out of bounds), or the
   *       newest lost by more than {@link MonitorOptions#grossMargin}.
   *   <li><i>Ok</i> otherwise.
   * </ul>
   *
   * @param before the verdict after the night before
   * @param newestFirst scored nights, the one to judge first
   */
  public static Verdict of(Standing before, List<Night> newestFirst, MonitorOptions options) {
    if (newestFirst.isEmpty()) {
      return new Verdict(before, "no night has been scored yet");
    }
    Night newest = newestFirst.get(0);
    if (!newest.isJudged(options)) {
      return new Verdict(
          before,
          "as before: a night with %s requests is not judged (from %s on)"
              .formatted(Amounts.number(newest.requests()), Amounts.number(options.minRequests())));
    }
    List<Night> judged = newestFirst.stream().filter(night -> night.isJudged(options)).toList();
    return new Verdict(standing(before, judged, options), "").withReason(before, judged, options);
  }

  private static Standing standing(Standing before, List<Night> judged, MonitorOptions options) {
    List<Night> few = newest(judged, options.degradedNights());
    boolean enough = few.size() == options.degradedNights();
    if (before == Standing.FALL_BACK) {
      if (!enough || few.stream().anyMatch(night -> night.lostBy(0))) {
        return Standing.FALL_BACK;
      }
    } else if (judged.size() >= options.nights()
        && newest(judged, options.nights()).stream()
            .allMatch(night -> night.lostBy(options.fallBackMargin()))) {
      return Standing.FALL_BACK;
    }
    boolean complains =
        enough && few.stream().noneMatch(night -> night.complaints(options).isEmpty());
    return complains || judged.get(0).lostBy(options.grossMargin())
        ? Standing.DEGRADED
        : Standing.OK;
  }

  private static List<Night> newest(List<Night> nights, int count) {
    return nights.subList(0, Math.min(count, nights.size()));
  }

  private Verdict withReason(Standing before, List<Night> judged, MonitorOptions options) {
    Night newest = judged.get(0);
    List<String> complaints = newest.complaints(options);
    String against =
        "deviance %s against the span before's %s"
            .formatted(Amounts.number(newest.deviance()), Amounts.number(newest.devianceBefore()));
    String said;
    if (standing == Standing.FALL_BACK) {
      said =
          before == Standing.FALL_BACK
              ? "the fall-back stays until %s lost to the counts of the span before: %s"
                  .formatted(successive(options.degradedNights(), "have not"), against)
              : "%s lost by more than %s to the counts of the span before: %s"
                  .formatted(
                      successive(options.nights(), "have"),
                      Amounts.percent(options.fallBackMargin()),
                      against);
    } else if (standing == Standing.DEGRADED) {
      said =
          (newest.lostBy(options.grossMargin())
                  ? "the newest night lost by more than %s to the counts of the span before: "
                      .formatted(Amounts.percent(options.grossMargin()))
                  : "%s a complaint; of the newest, "
                      .formatted(successive(options.degradedNights(), "have")))
              + String.join("; ", complaints);
    } else if (complaints.isEmpty()) {
      said = against;
    } else {
      said = "one bad night is not judged by itself: %s".formatted(String.join("; ", complaints));
    }
    if (before == Standing.FALL_BACK && standing != Standing.FALL_BACK) {
      said = "the fall-back is lifted: " + said;
    }
    if (newest.driftRatio() > options.maxDrift()) {
      said +=
          "; demand moved %s times as far as is usual"
              .formatted(Amounts.number(newest.driftRatio()));
    }
    return new Verdict(standing, said);
  }

  private static String successive(int nights, String verb) {
    return nights == 1
        ? "1 night " + verb.replaceFirst("have", "has")
        : "%d successive nights %s".formatted(nights, verb);
  }
}
