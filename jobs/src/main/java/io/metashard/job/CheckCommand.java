package io.metashard.job;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;

/** Looks whether a night could run here, without Spark and without leaving anything behind. */
@Command(
    name = "check",
    description = {
      "Look whether a night could run here, and say what to mend.",
      "Versions, configuration, permissions, conditional put, clocks, failure domains: one line each. Writes small probe files to the lake and the locations, and deletes them again. Exit code 2 when something fails."
    })
final class CheckCommand extends LakeCommand {
  CheckCommand() {
    super("check");
  }

  @Override
  Answer run(Start start) {
    List<CheckLine> lines = new Checks(start.settings(), start.hadoop(), start.lakeRoot()).run();
    boolean failed = lines.stream().anyMatch(line -> line.state() == CheckLine.State.FAIL);
    return new Answer(failed ? MetashardException.USAGE : 0, text(lines, Ansi.AUTO), values(lines));
  }

  /** One line each: state, what, what was found, what to do. */
  static String text(List<CheckLine> lines, Ansi ansi) {
    int width = lines.stream().mapToInt(line -> line.what().length()).max().orElse(0);
    StringBuilder out = new StringBuilder();
    for (CheckLine line : lines) {
      // Only our own word is markup; what was found may hold anything.
      String state = ansi.string("@|%s %s|@".formatted(line.state().colour(), line.state().word()));
      out.append(state)
          .append(" ".repeat(6 - line.state().word().length()))
          .append(line.what())
          .append(" ".repeat(width - line.what().length() + 2))
          .append(line.found());
      if (!line.fix().isEmpty()) {
        out.append("; ").append(line.fix());
      }
      out.append('\n');
    }
    long fails = count(lines, CheckLine.State.FAIL);
    long warnings = count(lines, CheckLine.State.WARN);
    out.append(
        fails == 0
            ? "%nA night can run here%s%n"
                .formatted(warnings == 0 ? "" : "; mind the warnings: " + warnings)
            : "%nA night cannot run here: %d to mend, %d to mind%n".formatted(fails, warnings));
    return out.toString();
  }

  private static long count(List<CheckLine> lines, CheckLine.State state) {
    return lines.stream().filter(line -> line.state() == state).count();
  }

  private static Map<String, Object> values(List<CheckLine> lines) {
    List<Map<String, Object>> checks = new ArrayList<>();
    for (CheckLine line : lines) {
      Map<String, Object> check = new LinkedHashMap<>();
      check.put("check", line.what());
      check.put("state", line.state().word());
      check.put("found", line.found());
      check.put("fix", line.fix());
      checks.add(check);
    }
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("failed", count(lines, CheckLine.State.FAIL));
    values.put("warnings", count(lines, CheckLine.State.WARN));
    values.put("checks", checks);
    return values;
  }
}
