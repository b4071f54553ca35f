package io.metashard.job;

import java.time.Duration;
import java.util.Locale;

/** How a line of progress looks: pure, so that every width is tested. */
final class ProgressLine {
  /** A bar narrower than this says nothing. */
  private static final int LEAST_BAR = 8;

  private static final int MOST_BAR = 30;

  /** A rate over less than this is noise. */
  private static final Duration LEAST_ELAPSED = Duration.ofSeconds(1);

  private ProgressLine() {}

  /**
   * {@code reshard [####........] 12 of 40 tasks, 3.4/s, 8s left}, cut so that a terminal of that
   * many columns does not wrap: first the bar goes, then rate and rest, then the end of the text.
   *
   * @param columns of the terminal; the last one is left free, since some wrap when it is written
   */
  static String render(String stage, int done, int total, Duration elapsed, int columns) {
    int of = Math.max(total, done);
    String text = text(done, of, elapsed);
    int room = columns - 1 - stage.length() - text.length() - "  [] ".length();
    String line;
    if (room >= LEAST_BAR && of > 0) {
      int width = Math.min(room, MOST_BAR);
      int filled = (int) ((long) width * done / of);
      line = "%s [%s%s] %s".formatted(stage, "#".repeat(filled), ".".repeat(width - filled), text);
    } else {
      line = stage + ": " + text;
      if (line.length() > columns - 1) {
        line = "%s: %d of %d tasks".formatted(stage, done, of);
      }
    }
    int most = Math.max(0, columns - 1);
    return line.length() > most ? line.substring(0, most) : line;
  }

  /** {@code 12 of 40 tasks, 3.4/s, 8s left}; rate and rest only when they mean something. */
  static String text(int done, int total, Duration elapsed) {
    int of = Math.max(total, done);
    String tasks = "%d of %d tasks".formatted(done, of);
    if (done == 0 || elapsed.compareTo(LEAST_ELAPSED) < 0) {
      return tasks;
    }
    double seconds = elapsed.toMillis() / 1e3;
    double perSecond = done / seconds;
    String rate =
        perSecond >= 1
            ? String.format(Locale.ROOT, "%.1f/s", perSecond)
            : Figures.duration(1 / perSecond) + " each";
    return done == of
        ? tasks + ", " + rate
        : "%s, %s, %s left".formatted(tasks, rate, Figures.duration((of - done) / perSecond));
  }
}
