package io.metashard.bench;

import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** Tables for a README. */
public final class Markdown {
  private Markdown() {}

  /**
   * A table: the first column to the left, the others to the right.
   *
   * @param lines the headings first; all of one length
   */
  public static String table(List<List<String>> lines) {
    StringBuilder out = new StringBuilder(line(lines.get(0)));
    out.append("|---|")
        .append(String.join("|", Collections.nCopies(lines.get(0).size() - 1, "---:")))
        .append("|\n");
    lines.subList(1, lines.size()).forEach(cells -> out.append(line(cells)));
    return out.toString();
  }

  private static String line(List<String> cells) {
    return cells.stream()
        .map(cell -> cell.replace("|", "\\|"))
        .collect(Collectors.joining(" | ", "| ", " |\n"));
  }
}
