package io.metashard.report;

import io.metashard.ObjectIds;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes HTML, and SVG inside it.
 *
 * <p>All that is not a tag of ours goes through {@link #escaped}: text and values of attributes
 * alike, ours and strangers'. There is no way to hand it markup.
 */
final class Html {
  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /**
   * Text that is text, whatever it is: controls, direction marks and lone surrogates written as
   * {@code \\uXXXX}, the characters that HTML knows as entities.
   */
  static String escaped(String text) {
    String printable = ObjectIds.printable(text, Integer.MAX_VALUE);
    StringBuilder escaped = new StringBuilder(printable.length() + 16);
    for (int i = 0; i < printable.length(); i++) {
      char c = printable.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /**
   * Begins an element.
   *
   * @param attributes names and values in turn
   */
  Html open(String tag, String... attributes) {
    begin(tag, attributes);
    out.append('>');
    open.push(tag);
    return this;
  }

  /** An element without an end, such as {@code meta}, or of SVG, without content. */
  Html empty(String tag, String... attributes) {
    begin(tag, attributes);
    out.append("/>");
    return this;
  }

  private void begin(String tag, String... attributes) {
    if (attributes.length % 2 != 0) {
      throw new IllegalArgumentException(
          "Cannot write <%s>: %d names and values of attributes, an even number is needed"
              .formatted(tag, attributes.length));
    }
    out.append('<').append(tag);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ')
          .append(attributes[i])
          .append("=\"")
          .append(escaped(attributes[i + 1]))
          .append('"');
    }
  }

  /** Ends the innermost element. */
  Html close() {
    String tag = open.pop();
    out.append("</").append(tag).append('>');
    if (!isInline(tag)) {
      out.append('\n');
    }
    return this;
  }

  private static boolean isInline(String tag) {
    return switch (tag) {
      case "span", "a", "b", "code", "data", "time", "strong" -> true;
      default -> false;
    };
  }

  Html text(String text) {
    out.append(escaped(text));
    return this;
  }

  /** An element that holds text alone. */
  Html leaf(String tag, String text, String... attributes) {
    return open(tag, attributes).text(text).close();
  }

  /** The page's own style sheet, which no stranger has a word in. */
  Html style(String css) {
    out.append("<style>").append(css).append("</style>\n");
    return this;
  }

  /** The document so far. */
  String written() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("Cannot end the page: <%s> is open".formatted(open.peek()));
    }
    return "<!DOCTYPE html>\n" + out;
  }
}
