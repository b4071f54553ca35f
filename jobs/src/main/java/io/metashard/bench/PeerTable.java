package io.metashard.bench;

import io.metashard.Amounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Forecasts of the same origins by different methods, as Markdown.
 *
 * @param scores the first one's is what the others are told beside
 */
public record PeerTable(List<Score> scores) {
  /**
   * How one method did.
   *
   * @param deviance mean Poisson deviance of the requests per segment and origin
   * @param low of the 95 % interval of the deviance as a multiple of the first's, over draws of the
   *     origins
   * @param high the other end
   * @param wape sum of absolute errors over sum of requests
   * @param logLoss of the shares, in nats
   * @param capture requests that the 10 % of segments forecast hottest got, over those of the 10 %
   *     that were
   * @param seconds for all origins; NaN: next to none
   * @param cpuSeconds of all cores
   */
  public record Score(
      String method,
      double deviance,
      double low,
      double high,
      double wape,
      double logLoss,
      double capture,
      double seconds,
      double cpuSeconds) {}

  public PeerTable {
    scores = List.copyOf(scores);
    if (scores.isEmpty()) {
      throw new IllegalArgumentException("Cannot compare no method");
    }
  }

  /** The table. */
  public String markdown() {
    Score first = scores.get(0);
    List<List<String>> lines = new ArrayList<>();
    lines.add(
        List.of(
            "method",
            "deviance",
            "as a multiple",
            "of other origins",
            "WAPE",
            "log-loss",
            "heat capture",
            "time",
            "as a multiple",
            "CPU time",
            "as a multiple"));
    for (Score score : scores) {
      lines.add(
          List.of(
              score.method(),
              figure(score.deviance()),
              times(score.deviance(), first.deviance()),
              score.equals(first)
                  ? "-"
                  : String.format(Locale.ROOT, "%.2f to %.2f x", score.low(), score.high()),
              figure(score.wape()),
              figure(score.logLoss()),
              figure(score.capture()),
              duration(score.seconds()),
              times(score.seconds(), first.seconds()),
              duration(score.cpuSeconds()),
              times(score.cpuSeconds(), first.cpuSeconds())));
    }
    return Markdown.table(lines);
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }

  private static String duration(double seconds) {
    return Double.isNaN(seconds) ? "-" : Amounts.duration(seconds);
  }

  private static String times(double value, double first) {
    return Double.isNaN(value) || Double.isNaN(first) || first <= 0
        ? "-"
        : String.format(Locale.ROOT, "%.2f x", value / first);
  }
}
