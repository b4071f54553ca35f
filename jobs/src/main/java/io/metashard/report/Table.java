package io.metashard.report;

import io.metashard.Amounts;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/** A table: a caption, headings, and rows of cells; numbers stand at the right. */
final class Table {
  /** What stands in a cell. */
  enum Kind {
    TEXT("t"),
    TIME("w"),
    NUMBER("n"),
    ID("id");

    private final String style;

    Kind(String style) {
      this.style = style;
    }
  }

  /**
   * One cell.
   *
   * @param shown for people
   * @param raw the figure itself; null when the cell is only text
   * @param figure where the figure is in the JSON, such as {@code stored.places[0].bytes}
   */
  record Cell(String shown, String raw, String figure, Kind kind) {
    static Cell text(String text) {
      return new Cell(text == null ? "-" : text, null, null, Kind.TEXT);
    }

    static Cell text(String figure, String text) {
      return new Cell(text == null ? "-" : text, text, figure, Kind.TEXT);
    }

    /** An id of a stranger's, which may be long and without a space. */
    static Cell id(String figure, String id) {
      return new Cell(id, id, figure, Kind.ID);
    }

    static Cell count(String figure, long count) {
      return new Cell(Amounts.count(count), Long.toString(count), figure, Kind.NUMBER);
    }

    static Cell bytes(String figure, long bytes) {
      return new Cell(Amounts.bytes(bytes), Long.toString(bytes), figure, Kind.NUMBER);
    }

    static Cell number(String figure, double value) {
      return number(figure, value, Amounts.number(value));
    }

    static Cell seconds(String figure, double value) {
      return number(figure, value, Amounts.duration(value));
    }

    static Cell number(String figure, double value, String shown) {
      return new Cell(
          shown, Double.isFinite(value) ? Double.toString(value) : null, figure, Kind.NUMBER);
    }

    /** A number that is worked out from figures of the page and is none itself. */
    static Cell derived(String shown) {
      return new Cell(shown, null, null, Kind.NUMBER);
    }

    static Cell date(String figure, LocalDate date) {
      return new Cell(date.toString(), date.toString(), figure, Kind.TIME);
    }

    static Cell time(String figure, Instant at) {
      return new Cell(Times.shown(at), at == null ? null : at.toString(), figure, Kind.TIME);
    }
  }

  /** Columns of a table that would only be torn apart over the whole width. */
  private static final int NARROW = 3;

  private final String caption;
  private final List<String> headings;
  private final List<List<Cell>> rows = new ArrayList<>();

  Table(String caption, String... headings) {
    this.caption = caption;
    this.headings = List.of(headings);
  }

  Table row(Cell... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(
          "Cannot add %d cells to table %s: it has %d columns"
              .formatted(cells.length, caption, headings.size()));
    }
    rows.add(List.of(cells));
    return this;
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Writes it, in a box that scrolls by itself where the page is narrow. */
  void write(Html html) {
    html.open("div", "class", "table", "tabindex", "0", "role", "region", "aria-label", caption);
    html.open("table", "class", headings.size() <= NARROW ? "narrow" : "full")
        .leaf("caption", caption)
        .open("thead")
        .open("tr");
    for (int i = 0; i < headings.size(); i++) {
      int column = i;
      boolean numbers =
          !rows.isEmpty() && rows.stream().allMatch(row -> row.get(column).kind() == Kind.NUMBER);
      html.leaf("th", headings.get(i), "scope", "col", "class", numbers ? "n" : "t");
    }
    html.close().close().open("tbody");
    for (List<Cell> row : rows) {
      html.open("tr");
      for (Cell cell : row) {
        html.open("td", "class", cell.kind().style);
        cell(html, cell);
        html.close();
      }
      html.close();
    }
    html.close().close().close();
  }

  /** A figure carries its value and its name: what programs find in the JSON. */
  static void cell(Html html, Cell cell) {
    if (cell.raw() == null) {
      html.text(cell.shown());
    } else {
      html.leaf("data", cell.shown(), "value", cell.raw(), "data-figure", cell.figure());
    }
  }
}
