package io.metashard.report;

import io.metashard.Amounts;
import io.metashard.report.NightReport.Tuning;
import io.metashard.report.Table.Cell;

/** What the forecast is made with, where it comes from, and what the tuner tried. */
final class TuningSection {
  private final Tuning tuning;
  private final Html html;

  TuningSection(Tuning tuning, Html html) {
    this.tuning = tuning;
    this.html = html;
  }

  void write() {
    html.open("section", "id", "tuning").leaf("h2", "How the forecast is tuned");
    html.leaf("p", inWords());
    settings();
    tried();
    html.close();
  }

  private String inWords() {
    long tuned = tuning.settings().stream().filter(s -> s.source().equals("tuned")).count();
    long fixed = tuning.settings().stream().filter(s -> s.source().equals("conf")).count();
    return (switch (tuning.mode()) {
          case "auto" -> "The tuner uses what is better, and takes back what does not hold up. ";
          case "suggest" -> "The tuner only says what would be better (tuner.mode = suggest). ";
          default -> "The tuner tries nothing (tuner.mode = off). ";
        })
        + "Of %d parameters %d are tuned, %d are fixed by the configuration, the others have their defaults.%s"
            .formatted(
                tuning.settings().size(),
                tuned,
                fixed,
                tuning.tried().isEmpty() ? " Nothing was tried yet (table tuning)." : "");
  }

  private void settings() {
    Table table =
        new Table("What the forecast is made with", "parameter", "value", "from", "since");
    for (int i = 0; i < tuning.settings().size(); i++) {
      NightReport.Setting setting = tuning.settings().get(i);
      String at = "tuning.settings[%d].".formatted(i);
      table.row(
          Cell.text(at + "parameter", setting.parameter()),
          Cell.text(at + "value", setting.value()),
          Cell.text(at + "source", setting.source()),
          setting.since() == null ? Cell.text("-") : Cell.time(at + "since", setting.since()));
    }
    if (!table.isEmpty()) {
      table.write(html);
    }
  }

  private void tried() {
    Table table =
        new Table(
            "What was tried",
            "planned",
            "parameter",
            "from",
            "to",
            "gain",
            "better from",
            "what became of it",
            "why");
    for (int i = 0; i < tuning.tried().size(); i++) {
      NightReport.Tried tried = tuning.tried().get(i);
      String at = "tuning.tried[%d].".formatted(i);
      table.row(
          Cell.time(at + "planned_at", tried.plannedAt()),
          Cell.text(at + "parameter", tried.parameter()),
          Cell.text(at + "from", tried.from()),
          Cell.text(at + "to", tried.to()),
          Cell.number(
              at + "gain",
              tried.gain(),
              Double.isFinite(tried.gain()) ? Amounts.percent(tried.gain()) : "-"),
          Cell.derived(
              tried.origins() == 0 ? "-" : "%d of %d".formatted(tried.wins(), tried.origins())),
          Cell.text(at + "action", tried.action()),
          Cell.text(Advice.cut(tried.reason())));
    }
    if (!table.isEmpty()) {
      table.write(html);
    }
  }
}
