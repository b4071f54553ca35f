package io.metashard.catalogue;

import io.metashard.ObjectIds;
import java.io.Serializable;
import java.util.Arrays;

/**
 * A pattern for object ids: {@code *} is any text within one path part, {@code **} any text, {@code
 * ?} one character of a path part; a backslash takes the next character as it is.
 *
 * <p>As {@code java.nio.file.PathMatcher}'s globs without sets and groups; that one cannot be used,
 * because an object id need not be a path of this machine. All other characters stand for
 * themselves, line breaks included.
 */
public final class Glob implements Serializable {
  // No characters: what a pattern's wildcards become among its code points.
  private static final int ONE = -1;
  private static final int MANY = -2;
  private static final int ALL = -3;

  private final String text;
  private final int[] pattern;

  private Glob(String text, int[] pattern) {
    this.text = text;
    this.pattern = pattern;
  }

  /**
   * @throws IllegalArgumentException if the text is empty, ends in a lone backslash or holds an
   *     unescaped one of {@code [ ] { }}, which other tools give a meaning
   */
  public static Glob of(String text) {
    if (text == null || text.isEmpty()) {
      throw new IllegalArgumentException("Cannot use an empty glob: write ** for everything");
    }
    int[] pattern = new int[text.length()];
    int length = 0;
    int position = 0;
    while (position < text.length()) {
      int character = text.codePointAt(position);
      position += Character.charCount(character);
      switch (character) {
        case '*' -> {
          boolean all = text.startsWith("*", position);
          position += all ? 1 : 0;
          pattern[length++] = all ? ALL : MANY;
        }
        case '?' -> pattern[length++] = ONE;
        case '[', ']', '{', '}' ->
            throw new IllegalArgumentException(
                "Cannot use glob %s: %c has no meaning here; write \\%c for the character itself"
                    .formatted(ObjectIds.printable(text), character, character));
        case '\\' -> {
          if (position == text.length()) {
            throw new IllegalArgumentException(
                "Cannot use glob %s: it ends in a backslash that escapes nothing"
                    .formatted(ObjectIds.printable(text)));
          }
          pattern[length] = text.codePointAt(position);
          position += Character.charCount(pattern[length++]);
        }
        default -> pattern[length++] = character;
      }
    }
    return new Glob(text, Arrays.copyOf(pattern, length));
  }

  /**
   * Whether the id is one that the pattern means.
   *
   * <p>Each star takes as little as it can; what does not go on from there is tried again with one
   * character more for the last star that may have it: for the last single one up to a slash, else
   * for the last double one. An earlier star never needs another try, so that a long hostile id
   * costs a product of lengths; a regular expression would take for ever.
   */
  public boolean matches(String objectId) {
    int at = 0; // in the pattern
    int position = 0; // in the id
    int manyAt = -1;
    int manyFrom = 0;
    int allAt = -1;
    int allFrom = 0;
    while (true) {
      int wanted = at < pattern.length ? pattern[at] : 0;
      boolean ended = position == objectId.length();
      int character = ended ? 0 : objectId.codePointAt(position);
      if (at < pattern.length && wanted == MANY) {
        manyAt = at++;
        manyFrom = position;
      } else if (at < pattern.length && wanted == ALL) {
        allAt = at++;
        allFrom = position;
        manyAt = -1;
      } else if (at == pattern.length && ended) {
        return true;
      } else if (at < pattern.length
          && !ended
          && (wanted == character || wanted == ONE && character != '/')) {
        at++;
        position += Character.charCount(character);
      } else if (manyAt >= 0 && manyFrom < objectId.length() && objectId.charAt(manyFrom) != '/') {
        manyFrom += Character.charCount(objectId.codePointAt(manyFrom));
        position = manyFrom;
        at = manyAt + 1;
      } else if (allAt >= 0 && allFrom < objectId.length()) {
        allFrom += Character.charCount(objectId.codePointAt(allFrom));
        position = allFrom;
        at = allAt + 1;
        manyAt = -1;
      } else {
        return false;
      }
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Glob glob && glob.text.equals(text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
