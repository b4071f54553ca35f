package io.metashard.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

class GlobFuzzTest {
  @FuzzTest
  void aGlobMatchesAsItIsDefinedAndInTimeThatTextsBound(FuzzedDataProvider data) {
    String text = data.consumeString(60);
    String id = data.consumeRemainingAsString();
    Glob glob;
    try {
      glob = Glob.of(text);
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageStartingWith("Cannot use ");
      return;
    }
    assertThat(glob.matches(id)).isEqualTo(matches(text, id));
    // What stands for itself is found, whatever it is.
    StringBuilder quoted = new StringBuilder();
    id.codePoints().forEach(c -> quoted.append('\\').appendCodePoint(c));
    if (!id.isEmpty()) {
      assertThat(Glob.of(quoted.toString()).matches(id)).isTrue();
    }
  }

  /** By the definition: which beginnings of the id the glob so far can have taken. */
  private static boolean matches(String glob, String id) {
    int[] units = id.codePoints().toArray();
    boolean[] reached = new boolean[units.length + 1];
    reached[0] = true;
    int position = 0;
    while (position < glob.length()) {
      int c = glob.codePointAt(position);
      position += Character.charCount(c);
      boolean[] next = new boolean[reached.length];
      if (c == '*') {
        boolean any = glob.startsWith("*", position);
        position += any ? 1 : 0;
        for (int i = 0; i < reached.length; i++) {
          next[i] = reached[i] || i > 0 && next[i - 1] && (any || units[i - 1] != '/');
        }
      } else {
        boolean literal = c != '?';
        if (c == '\\') {
          c = glob.codePointAt(position);
          position += Character.charCount(c);
        }
        for (int i = 1; i < reached.length; i++) {
          next[i] = reached[i - 1] && (literal ? units[i - 1] == c : units[i - 1] != '/');
        }
      }
      reached = next;
    }
    return reached[units.length];
  }
}
