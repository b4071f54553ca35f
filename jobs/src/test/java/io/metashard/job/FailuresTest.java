package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class FailuresTest {
  @Test
  void aMessageThatQuotesAPlanIsShortened() {
    String plan = "\uD83D\uDE00".repeat(1_000_000);
    String message = Failures.message(new IllegalStateException("no task for " + plan));
    assertThat(message).startsWith("IllegalStateException: no task for \uD83D\uDE00");
    assertThat(message).hasSizeLessThan(4_100).endsWith(" characters more)");
    // No character is cut in two.
    assertThat(message.codePoints().filter(c -> c >= 0xD800 && c <= 0xDFFF).count()).isZero();
  }

  @Test
  void ourOwnMessageIsToldWhole() {
    String told = "Cannot read origins from x: " + "y".repeat(1000);
    assertThat(Failures.message(new MetashardException(MetashardException.USAGE, told)))
        .isEqualTo(told);
  }

  @Test
  void whatWrapsAFailureIsTakenOff() {
    NoSuchFileException cause = new NoSuchFileException("demand.parquet");
    assertThat(Failures.message(new UncheckedIOException(cause.toString(), cause)))
        .isEqualTo("NoSuchFileException: demand.parquet");
  }

  @Test
  void lineEndsAndEscapesDoNotReachATerminal() {
    assertThat(Failures.message(new IllegalArgumentException("a\n  b\u001b[2Jc\u202e")))
        .isEqualTo("IllegalArgumentException: a b\\u001b[2Jc\\u202e");
  }
}
