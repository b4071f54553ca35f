package io.metashard.catalogue;

import io.metashard.ObjectIds;
import java.io.Serializable;
import java.util.regex.Pattern;

/**
 * A pattern for object ids: {@code *} is any text within one path part, {@code **} any text, {@code
 * ?} one character of a path part; a backslash takes the next character as it is.
 *
 * <p>As {@code java.nio.file.PathMatcher}'s globs without sets and groups; that one cannot be used,
 * because an object id need not be a path of this machine. All other characters stand for
 * themselves, line breaks included.
 */
public final class Glob implements Serializable {
  private final String text;
  private final Pattern pattern;

  private Glob(String text, Pattern pattern) {
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
    StringBuilder regex = new StringBuilder();
    int position = 0;
    while (position < text.length()) {
      int character = text.codePointAt(position);
      position += Character.charCount(character);
      switch (character) {
        case '*' -> {
          if (text.startsWith("*", position)) {
            position++;
            regex.append(".*");
          } else {
            regex.append("[^/]*");
          }
        }
        case '?' -> regex.append("[^/]");
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
          int escaped = text.codePointAt(position);
          position += Character.charCount(escaped);
          regex.append(Pattern.quote(Character.toString(escaped)));
        }
        default -> regex.append(Pattern.quote(Character.toString(character)));
      }
    }
    return new Glob(text, Pattern.compile(regex.toString(), Pattern.DOTALL));
  }

  public boolean matches(String objectId) {
    return pattern.matcher(objectId).matches();
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
