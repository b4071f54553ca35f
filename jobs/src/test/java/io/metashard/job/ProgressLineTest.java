package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
  private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

  @Test
  void aLineSaysHowMuchIsDoneHowFastItGoesAndHowLongItTakes() {
    assertThat(ProgressLine.render("reshard", 20, 80, TEN_SECONDS, 120))
        .isEqualTo("reshard [#######.......................] 20 of 80 tasks, 2.0/s, 30s left");
    assertThat(ProgressLine.render("reshard", 80, 80, TEN_SECONDS, 120))
        .isEqualTo("reshard [##############################] 80 of 80 tasks, 8.0/s");
  }

  @Test
  void slowTasksSayHowLongOneTakes() {
    assertThat(ProgressLine.text(2, 200, Duration.ofMinutes(10)))
        .isEqualTo("2 of 200 tasks, 5m each, 16h 30m left");
  }

  @Test
  void withoutAnythingDoneThereIsNoRate() {
    assertThat(ProgressLine.text(0, 8, TEN_SECONDS)).isEqualTo("0 of 8 tasks");
    assertThat(ProgressLine.text(3, 8, Duration.ofMillis(999))).isEqualTo("3 of 8 tasks");
  }

  @Test
  void moreDoneThanAnnouncedIsNotMoreThanAll() {
    assertThat(ProgressLine.text(9, 8, TEN_SECONDS)).startsWith("9 of 9 tasks");
  }

  @Test
  void noLineWrapsOnATerminalOfAnyWidth() {
    int bars = 0;
    int widths = 0;
    for (int columns = 1; columns <= 300; columns++) {
      for (int done = 0; done <= 1000; done += 250) {
        String line = ProgressLine.render("aggregate", done, 1000, TEN_SECONDS, columns);
        assertThat(line.length()).as("%d columns", columns).isLessThan(Math.max(columns, 1));
        bars += line.contains("[") ? 1 : 0;
        widths++;
      }
    }
    assertThat(widths).isEqualTo(300 * 5);
    // Narrow ones have no bar, and from some width on all have.
    assertThat(bars).isBetween(1000, 1499);
    assertThat(ProgressLine.render("aggregate", 1, 2, TEN_SECONDS, 30))
        .isEqualTo("aggregate: 1 of 2 tasks");
    assertThat(ProgressLine.render("aggregate", 1, 2, TEN_SECONDS, 20))
        .isEqualTo("aggregate: 1 of 2 t");
  }
}
