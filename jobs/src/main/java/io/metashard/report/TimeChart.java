package io.metashard.report;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Values over time, as lines and as steps; where a value is not known, the line has a gap. */
final class TimeChart {
  static final int BESIDE_TABLE = 400;
  static final int ALONE = 960;

  private static final int LEFT = 68;
  private static final int RIGHT = 22;
  private static final int TOP = 12;
  private static final int BOTTOM = 26;
  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("MM-dd").withZone(ZoneOffset.UTC);

  /** How a series is drawn. */
  enum Form {
    /** From point to point. */
    LINE,
    /** From point to point, with a mark at each: few points. */
    MARKED,
    /** A level for each point's span. */
    STEP
  }

  /**
   * One value.
   *
   * @param to end of the span that it stands for
   */
  record Point(Instant from, Instant to, double value) {}

  /** Points in order of time. */
  record Series(String name, Form form, List<Point> points) {
    Series {
      points = List.copyOf(points);
    }
  }

  private final String id;
  private final String title;
  private final String description;
  private final int width;
  private final int height;
  private final Axis.Unit unit;
  private final List<Series> series;

  /**
   * @param width {@link #BESIDE_TABLE} or {@link #ALONE}
   */
  TimeChart(
      String id, String title, String description, int width, Axis.Unit unit, List<Series> series) {
    this.id = id;
    this.title = title;
    this.description = description;
    this.width = width;
    this.height = width == ALONE ? 260 : 220;
    this.unit = unit;
    this.series = List.copyOf(series);
  }

  void write(Html html) {
    List<Point> known =
        series.stream()
            .flatMap(s -> s.points().stream())
            .filter(point -> Double.isFinite(point.value()))
            .toList();
    if (known.isEmpty()) {
      return;
    }
    Instant from = known.stream().map(Point::from).min(Instant::compareTo).orElseThrow();
    Instant to = known.stream().map(Point::to).max(Instant::compareTo).orElseThrow();
    Axis axis = Axis.upTo(known.stream().mapToDouble(Point::value).max().orElseThrow(), unit);
    Svg.begin(html, id, width == ALONE ? "wide" : "half", width, height, title, description);
    frame(html, axis, from, to);
    for (int i = 0; i < series.size(); i++) {
      draw(html, series.get(i), i + 1, axis, from, to);
    }
    Svg.end(html, title, series.stream().map(Series::name).toArray(String[]::new));
  }

  private void frame(Html html, Axis axis, Instant from, Instant to) {
    for (double tick : axis.ticks()) {
      double y = y(tick, axis);
      Svg.line(html, tick == 0 ? "axis" : "grid", LEFT, y, width - RIGHT, y);
      Svg.label(html, LEFT - 6, y + 4, "end", axis.label(tick));
    }
    for (Instant day : days(from, to)) {
      double x = x(day, from, to);
      Svg.line(html, "axis", x, height - BOTTOM, x, height - BOTTOM + 4);
      Svg.label(html, x, height - BOTTOM + 18, "middle", DAY.format(day));
    }
  }

  /** Midnights, so many that their labels fit. */
  private List<Instant> days(Instant from, Instant to) {
    long room = (long) ((width - LEFT - RIGHT) / (Svg.LETTER * 7));
    long days = Math.max(1, Duration.between(from, to).toDays());
    long step = (days + room - 1) / room;
    List<Instant> found = new ArrayList<>();
    Instant first = from.truncatedTo(java.time.temporal.ChronoUnit.DAYS);
    for (Instant day = first.isBefore(from) ? first.plus(Duration.ofDays(1)) : first;
        !day.isAfter(to);
        day = day.plus(Duration.ofDays(step))) {
      found.add(day);
    }
    return found;
  }

  private void draw(Html html, Series one, int number, Axis axis, Instant from, Instant to) {
    StringBuilder path = new StringBuilder();
    boolean pen = false;
    for (Point point : one.points()) {
      if (!Double.isFinite(point.value())) {
        pen = false;
        continue;
      }
      double y = y(point.value(), axis);
      if (one.form() == Form.STEP) {
        go(path, 'M', x(point.from(), from, to), y);
        go(path, 'L', x(point.to(), from, to), y);
      } else {
        go(path, pen ? 'L' : 'M', x(point.from(), from, to), y);
        pen = true;
      }
    }
    html.empty("path", "class", "line%d %s".formatted(number, form(one)), "d", path.toString());
    if (one.form() == Form.MARKED) {
      for (Point point : one.points()) {
        if (Double.isFinite(point.value())) {
          html.empty(
              "circle",
              "class",
              "fill" + number,
              "cx",
              Svg.number(x(point.from(), from, to)),
              "cy",
              Svg.number(y(point.value(), axis)),
              "r",
              "3.5");
        }
      }
    }
  }

  private static String form(Series one) {
    return one.form().name().toLowerCase(Locale.ROOT);
  }

  private static void go(StringBuilder path, char command, double x, double y) {
    path.append(command).append(Svg.number(x)).append(' ').append(Svg.number(y));
  }

  private double x(Instant at, Instant from, Instant to) {
    double whole = Math.max(1, Duration.between(from, to).toMillis());
    return LEFT + (width - LEFT - RIGHT) * (Duration.between(from, at).toMillis() / whole);
  }

  private double y(double value, Axis axis) {
    return height - BOTTOM - (height - BOTTOM - TOP) * (value / axis.end());
  }
}
