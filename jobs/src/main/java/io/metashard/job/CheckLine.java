package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;

/**
 * What one check found.
 *
 * @param what was looked at
 * @param found in a few words; one line, whatever was quoted in it
 * @param fix what to do; empty when nothing is to be done
 */
record CheckLine(State state, String what, String found, String fix) {
  private static final int MOST_CHARS = 600;

  /** How bad it is. */
  enum State {
    OK("ok", "green"),
    WARN("warn", "yellow"),
    FAIL("fail", "red,bold");

    private final String word;
    private final String colour;

    State(String word, String colour) {
      this.word = word;
      this.colour = colour;
    }

    String word() {
      return word;
    }

    String colour() {
      return colour;
    }
  }

  CheckLine {
    what = line(what);
    found = line(found);
    fix = line(fix);
  }

  /** Failures come escaped already: a second escape would double their backslashes. */
  private static String line(String text) {
    String shown = Settings.withoutUserInfo(text);
    boolean plain = shown.codePoints().noneMatch(Character::isISOControl);
    return plain && shown.length() <= MOST_CHARS ? shown : ObjectIds.printable(shown, MOST_CHARS);
  }

  static CheckLine ok(String what, String found) {
    return new CheckLine(State.OK, what, found, "");
  }

  static CheckLine warn(String what, String found, String fix) {
    return new CheckLine(State.WARN, what, found, fix);
  }

  static CheckLine fail(String what, String found, String fix) {
    return new CheckLine(State.FAIL, what, found, fix);
  }
}
