package io.metashard.report;

import java.util.List;

/** Horizontal bars, one group a row, each with its value written at its end. */
final class BarChart {
  private static final int WIDTH = 400;
  private static final int TOP = 4;
  private static final int BAR = 15;
  private static final int GAP = 10;
  private static final int MOST_LETTERS = 14;

  /** One group of bars; NaN draws none. */
  record Group(String label, List<Double> values) {
    Group {
      values = List.copyOf(values);
    }
  }

  private final String id;
  private final String title;
  private final String description;
  private final Axis.Unit unit;
  private final List<String> series;
  private final List<Group> groups;

  BarChart(
      String id,
      String title,
      String description,
      Axis.Unit unit,
      List<String> series,
      List<Group> groups) {
    this.id = id;
    this.title = title;
    this.description = description;
    this.unit = unit;
    this.series = List.copyOf(series);
    this.groups = List.copyOf(groups);
    for (Group group : groups) {
      if (group.values().size() != series.size()) {
        throw new IllegalArgumentException(
            "Cannot draw %s: %d values for %d series"
                .formatted(group.label(), group.values().size(), series.size()));
      }
    }
  }

  void write(Html html) {
    double largest =
        groups.stream()
            .flatMap(group -> group.values().stream())
            .filter(Double::isFinite)
            .mapToDouble(value -> value)
            .max()
            .orElse(0);
    if (largest <= 0) {
      return;
    }
    int rows = series.size();
    int pitch = rows * BAR + GAP;
    int letters =
        groups.stream().mapToInt(g -> Svg.cut(g.label(), MOST_LETTERS).length()).max().orElse(0);
    int shown =
        groups.stream()
            .flatMap(group -> group.values().stream())
            .filter(Double::isFinite)
            .mapToInt(value -> unit.shown(value).length())
            .max()
            .orElse(0);
    double left = letters * Svg.LETTER + 12;
    double room = WIDTH - left - shown * Svg.LETTER - 12;
    Svg.begin(html, id, "half", WIDTH, groups.size() * pitch + 2 * TOP, title, description);
    for (int g = 0; g < groups.size(); g++) {
      Group group = groups.get(g);
      double top = TOP + g * pitch + GAP / 2.0;
      Svg.label(
          html, left - 8, top + rows * BAR / 2.0 + 4, "end", Svg.cut(group.label(), MOST_LETTERS));
      for (int s = 0; s < rows; s++) {
        double value = group.values().get(s);
        if (Double.isFinite(value)) {
          double length = room * value / largest;
          html.empty(
              "rect",
              "class",
              "fill" + (s + 1),
              "x",
              Svg.number(left),
              "y",
              Svg.number(top + s * BAR + 1),
              "width",
              Svg.number(Math.max(length, value > 0 ? 1 : 0)),
              "height",
              Svg.number(BAR - 3));
          Svg.label(html, left + length + 5, top + s * BAR + BAR - 3.5, "start", unit.shown(value));
        }
      }
      if (g > 0) {
        double y = TOP + g * pitch;
        Svg.line(html, "grid", 0, y, WIDTH, y);
      }
    }
    Svg.line(html, "axis", left, TOP, left, TOP + groups.size() * pitch);
    Svg.end(html, title, series.toArray(String[]::new));
  }
}
