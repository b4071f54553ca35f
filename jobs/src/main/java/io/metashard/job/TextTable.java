package io.metashard.job;

import java.util.ArrayList;
import java.util.List;

/** Aligned columns for people; what strangers wrote is escaped by the caller. */
final class TextTable {
  private final List<List<String>> lines = new ArrayList<>();

  TextTable(String... headings) {
    lines.add(List.of(headings));
  }

  TextTable add(Object... cells) {
    List<String> line = new ArrayList<>();
    for (Object cell : cells) {
      line.add(Figures.shown(cell));
    }
    lines.add(line);
    return this;
  }

  /** One line per row, columns two blanks apart, no blanks at the end. */
  String render() {
    int columns = lines.get(0).size();
    int[] widths = new int[columns];
    for (List<String> line : lines) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    StringBuilder out = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        text.append(line.get(i)).append(" ".repeat(widths[i] - line.get(i).length() + 2));
      }
      out.append(text.toString().stripTrailing()).append('\n');
    }
    return out.toString();
  }
}
