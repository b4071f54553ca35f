package io.metashard.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobTest {
  @ParameterizedTest
  @CsvSource({
    "*.bin, a.bin, true",
    "*.bin, x/a.bin, false",
    "**.bin, x/y/a.bin, true",
    "x/**, x/y/a.bin, true",
    "x/**, x, false",
    "**/a.bin, a.bin, false",
    "**/_SUCCESS, out/_SUCCESS, true",
    "?.bin, a.bin, true",
    "a?b, a/b, false",
    "a?b, a🦊b, true",
    "\\*.bin, *.bin, true",
    "\\*.bin, a.bin, false",
    "a.bin, aXbin, false",
    "(a|b)+^$, (a|b)+^$, true",
    "'a b', 'a b', true"
  })
  void matchesAsSaid(String glob, String id, boolean expected) {
    assertThat(Glob.of(glob).matches(id)).isEqualTo(expected);
  }

  @Test
  void matchesLineBreaksAsAnyCharacter() {
    assertThat(Glob.of("a*b").matches("a\nb")).isTrue();
    assertThat(Glob.of("a?b").matches("a\rb")).isTrue();
  }

  @Test
  void refusesWhatItWouldMisread() {
    assertThatThrownBy(() -> Glob.of(""))
        .hasMessage("Cannot use an empty glob: write ** for everything");
    assertThatThrownBy(() -> Glob.of("*.{a,b}"))
        .hasMessage(
            "Cannot use glob *.{a,b}: { has no meaning here; write \\{ for the character itself");
    assertThatThrownBy(() -> Glob.of("a\\"))
        .hasMessageContaining("ends in a backslash that escapes nothing");
  }
}
