package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.config.SettingsException;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.TunerOptions;
import io.metashard.forecast.Tuning;
import java.io.IOException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Tunes the forecast now, takes a change back, or shows what was done. */
@Command(
    name = "tune",
    description = {
      "Try other half-lives, windows and the like for the forecast, by forecasts of the past, whether or not a tuning",
      "is due; what is better is used from now on (tuner.mode = auto) or written down (suggest). nightly and",
      "forecast do it when it is due. Every trial and every change is a row of the table tuning."
    })
final class TuneCommand extends LakeCommand {
  private static final int MOST_SHOWN = 50;

  /** Something else than a tuning. */
  static final class Instead {
    @Option(
        names = "--undo",
        arity = "0..1",
        paramLabel = "RUN_ID",
        fallbackValue = "",
        description =
            "take the changes of that run back; without an id, of the newest that made one")
    private String undo;

    @Option(
        names = "--history",
        description = "print the newest trials and changes, with their reasons and gains")
    private boolean history;
  }

  @ArgGroup(multiplicity = "0..1")
  private Instead instead = new Instead();

  TuneCommand() {
    super("tune");
  }

  @Override
  String runName() {
    if (instead.undo == null) {
      return instead.history ? "tune-history" : "tune";
    }
    // Undoing another run is another run.
    return instead.undo.isEmpty() ? "tune-undo" : "tune-undo-" + CommonOptions.sha256(instead.undo);
  }

  @Override
  Answer run(Start start) throws IOException {
    if (instead.undo != null
        && !instead.undo.isEmpty()
        && !instead.undo.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")) {
      throw new SettingsException(
          "Cannot undo run %s: a run id is 1 to 100 of A-Z a-z 0-9 . _ - and begins with a letter or digit; tune --history lists them"
              .formatted(ObjectIds.printable(instead.undo)));
    }
    try {
      ForecastOptions.from(start.settings());
      TunerOptions.from(start.settings());
    } catch (IllegalArgumentException e) {
      throw new SettingsException(e.getMessage(), e);
    }
    return withSpark(
        start, (context, runner) -> instead.history ? history(context) : tuned(context, runner));
  }

  private Answer tuned(JobContext context, StageRunner runner) {
    StageReport report =
        instead.undo == null
            ? new NightlyJob(context, runner, CatalogueOptions.DEFAULTS)
                .tune(TuneJob.Occasion.BY_HAND, repeat())
            : runner.run(
                TuneJob.STAGE,
                List.of(Tuning.TABLE),
                () ->
                    new TuneJob(context, TuneJob.Occasion.BY_HAND, repeat(), Clock.systemUTC())
                        .undo(instead.undo.isEmpty() ? null : instead.undo));
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("run_id", context.runId());
    figures.put("state", report.state());
    figures.put("reason", report.reason());
    figures.put("seconds", runner.seconds().get(TuneJob.STAGE));
    figures.putAll(report.figures());
    return Answer.done(figures);
  }

  private static Answer history(JobContext context) {
    TextTable shown =
        new TextTable(
            "planned_at", "run_id", "parameter", "from", "to", "gain_percent", "action", "reason");
    List<Map<String, Object>> values = new ArrayList<>();
    for (Row row : new TuningTable(context).newest(MOST_SHOWN)) {
      Double gain = row.getAs(Tuning.GAIN);
      shown.add(
          row.<Timestamp>getAs(Tuning.PLANNED_AT).toInstant(),
          ObjectIds.printable(row.getAs(Tuning.RUN_ID)),
          ObjectIds.printable(row.getAs(Tuning.PARAMETER)),
          TuningTable.text(row, Tuning.FROM_VALUE),
          TuningTable.text(row, Tuning.TO_VALUE),
          gain == null ? null : 100 * gain,
          ObjectIds.printable(row.getAs(Tuning.ACTION)),
          ObjectIds.printable(row.getAs(Tuning.REASON), 400));
      Map<String, Object> line = new LinkedHashMap<>();
      for (String column : Tuning.SCHEMA.fieldNames()) {
        Object value = row.getAs(column);
        line.put(
            column,
            value instanceof Timestamp moment
                ? moment.toInstant().toString()
                : value instanceof java.sql.Date day ? day.toString() : value);
      }
      values.add(line);
    }
    return new Answer(
        0,
        values.isEmpty() ? "Nothing was tried yet.%n".formatted() : shown.render(),
        Map.of("history", values));
  }
}
