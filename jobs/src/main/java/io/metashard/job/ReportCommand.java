package io.metashard.job;

import io.metashard.report.Advice;
import io.metashard.report.NightReport;
import java.io.IOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Writes the page about a night. */
@Command(
    name = "report",
    description = {
      "Write one HTML page about a night: what was asked, what was forecast, what moved, what it cost, what is at risk, what to do.",
      "The newest night, or the one of --run-id, --date or --at. --json prints every figure of the page."
    })
final class ReportCommand extends LakeCommand {
  @Option(
      names = "--out",
      paramLabel = "URI",
      description =
          "folder, or file that ends in .html, on any Hadoop file system; default: _reports below lake.root")
  private String out;

  @Option(
      names = "--shadow",
      description =
          "begin with what shadow nights say: what the forecast was worth, what would have moved, read time and cost against the objects as they are")
  private boolean shadow;

  @Option(
      names = "--nights",
      paramLabel = "N",
      description =
          "how many days, former forecasts and scored nights to look back at, 1 to 90 (default: ${DEFAULT-VALUE})",
      defaultValue = "" + ReportJob.NIGHTS)
  private int nights;

  ReportCommand() {
    super("report");
  }

  @Override
  Answer run(Start start) throws IOException {
    ReportJob.Request request =
        new ReportJob.Request(
            options().givenRunId(),
            options().namesMoment() ? Optional.of(start.at()) : Optional.<Instant>empty(),
            shadow ? ReportJob.Mode.SHADOW : ReportJob.Mode.REAL,
            nights);
    return withSpark(
        start,
        (context, runner) -> {
          ReportJob job = new ReportJob(context);
          NightReport report = job.report(request);
          String page = job.write(report, out);
          Map<String, Object> figures = new LinkedHashMap<>();
          figures.put("page", page);
          figures.putAll(report.figures());
          return new Answer(0, text(report, page), figures);
        });
  }

  /** Writes the page of the run that is just ending, and gives back where it is. */
  static String afterNight(JobContext context, ReportJob.Mode mode) {
    ReportJob job = new ReportJob(context);
    return job.write(
        job.report(
            new ReportJob.Request(
                Optional.of(context.runId()), Optional.empty(), mode, ReportJob.NIGHTS)),
        null);
  }

  /** Where the page is, and what it says is to be done. */
  private static String text(NightReport report, String page) {
    StringBuilder text = new StringBuilder("Report on run ");
    text.append(report.run().id()).append(": ").append(page).append('\n');
    for (Advice advice : report.advice()) {
      text.append(advice.urgent() ? "  urgent: " : "  to do: ")
          .append(io.metashard.ObjectIds.printable(advice.what(), 400))
          .append("\n      ")
          .append(io.metashard.ObjectIds.printable(advice.command()))
          .append('\n');
    }
    return text.toString();
  }
}
