package io.metashard.report;

import java.util.Locale;

/** What all charts share: frame, title, numbers, legend. */
final class Svg {
  /** Width of a letter in charts, in units of the view box; generous, so that labels fit. */
  static final double LETTER = 7.8;

  private Svg() {}

  /**
   * Begins a figure with a drawing that a screen reader can tell.
   *
   * @param id unique on the page
   * @param description what is to be seen, in a sentence
   */
  static void begin(
      Html html, String id, String kind, int width, int height, String title, String description) {
    html.open("figure", "class", kind)
        .open(
            "svg",
            "viewBox",
            "0 0 %d %d".formatted(width, height),
            "role",
            "img",
            "aria-labelledby",
            "%s-title %s-desc".formatted(id, id))
        .leaf("title", title, "id", id + "-title")
        .leaf("desc", description, "id", id + "-desc");
  }

  /** Ends the drawing and says in words which mark is which series. */
  static void end(Html html, String title, String... series) {
    html.close().open("figcaption").leaf("strong", title);
    for (int i = 0; i < series.length; i++) {
      html.text(" ")
          .open("span", "class", "key")
          .open("svg", "viewBox", "0 0 18 10", "class", "swatch", "aria-hidden", "true")
          .empty(
              "rect", "x", "0", "y", "2", "width", "18", "height", "6", "class", "fill" + (i + 1))
          .close()
          .text(series[i])
          .close();
    }
    html.close().close();
  }

  static void line(Html html, String style, double x1, double y1, double x2, double y2) {
    html.empty(
        "line",
        "class",
        style,
        "x1",
        number(x1),
        "y1",
        number(y1),
        "x2",
        number(x2),
        "y2",
        number(y2));
  }

  /**
   * A label.
   *
   * @param anchor {@code start}, {@code middle} or {@code end}
   */
  static void label(Html html, double x, double y, String anchor, String text) {
    html.leaf("text", text, "x", number(x), "y", number(y), "text-anchor", anchor);
  }

  /** A coordinate; a tenth of a unit is as fine as anybody sees. */
  static String number(double value) {
    String text = String.format(Locale.ROOT, "%.1f", value);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }

  /** At most so many characters; an ellipsis says that some are missing. */
  static String cut(String text, int most) {
    return text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }
}
