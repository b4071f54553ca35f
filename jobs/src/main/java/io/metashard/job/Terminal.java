package io.metashard.job;

/** What the launcher found out about the terminal: Java cannot ask about stderr alone. */
final class Terminal {
  private static final int USUAL_COLUMNS = 80;

  private Terminal() {}

  /** Whether stderr is a terminal, on which a line can be drawn over itself. */
  static boolean hasStderr() {
    return Boolean.getBoolean("metashard.terminal");
  }

  /** Its width when the command began. */
  static int columns() {
    int columns = Integer.getInteger("metashard.columns", USUAL_COLUMNS);
    return columns > 0 ? columns : USUAL_COLUMNS;
  }
}
