package io.metashard.report;

import io.metashard.Amounts;
import io.metashard.report.NightReport.Check;
import io.metashard.report.NightReport.Day;
import io.metashard.report.NightReport.Failure;
import io.metashard.report.NightReport.Place;
import io.metashard.report.NightReport.Risk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Something to do.
 *
 * @param urgent whether bytes are at risk, or the night did not do its work
 * @param what in one plain sentence
 * @param command what to run
 */
public record Advice(boolean urgent, String what, String command) {
  /** Above this share, heat inside objects is not known. */
  static final double TOO_MANY_UNKNOWN_RANGES = 0.2;

  private static final double TOO_MANY_REFUSED = 0.01;
  private static final double TOO_MANY_UNKNOWN_OBJECTS = 0.05;
  private static final int MAX_REASON_CHARS = 300;
  private static final Duration CHECKED_LONG_AGO = Duration.ofDays(7);
  private static final String METASHARD = "jobs/metashard %s --config FILE";

  /** Most urgent first; within that, in the order of the page. */
  static List<Advice> of(NightReport report) {
    List<Advice> all = new ArrayList<>();
    ofSafety(report, all);
    ofFailures(report.risk(), all);
    ofObjects(report, all);
    ofLogs(report, all);
    ofForecast(report.worth().monitor(), all);
    ofChecks(report, all);
    List<Advice> sorted = new ArrayList<>(all.stream().filter(Advice::urgent).toList());
    all.stream().filter(advice -> !advice.urgent()).forEach(sorted::add);
    return List.copyOf(sorted);
  }

  private static void ofSafety(NightReport report, List<Advice> all) {
    Risk risk = report.risk();
    boolean stores = report.stored().metaShards() > 0;
    if (stores && risk.left() < 0) {
      all.add(
          urgent(
              "Some meta-shards have lost more blocks than they can do without: bring a lost location back, or restore the sources",
              "verify"));
    } else if (stores && risk.left() < risk.wanted()) {
      all.add(
          urgent(
              "%s can lose only %s more, %d are wanted: bring lost locations back"
                  .formatted(
                      many(risk.below(), "meta-shard"), many(risk.left(), "domain"), risk.wanted()),
              "verify"));
    }
    held(risk.gone())
        .ifPresent(
            places ->
                all.add(
                    urgent(
                        "Blocks lie at locations that are gone (%s): readers rebuild them from the others; look what is missing"
                            .formatted(places),
                        "verify")));
    held(risk.draining())
        .ifPresent(
            places ->
                all.add(
                    later(
                        "Draining locations still hold blocks (%s): leave them mounted; encode everything anew elsewhere before they go"
                            .formatted(places),
                        "nightly --force")));
  }

  private static java.util.Optional<String> held(List<Place> places) {
    String names =
        places.stream()
            .filter(place -> place.blocks() > 0)
            .map(
                place ->
                    "%s: %s in %s"
                        .formatted(
                            place.name(),
                            Amounts.bytes(place.bytes()),
                            many(place.blocks(), "block")))
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? java.util.Optional.empty() : java.util.Optional.of(names);
  }

  private static void ofFailures(Risk risk, List<Advice> all) {
    for (Failure failure : risk.failures()) {
      if (!failure.mended()) {
        all.add(
            urgent(
                "%s of run %s %s (%s): mend what it names and run it again, nothing is done twice"
                    .formatted(
                        failure.stage(),
                        failure.runId(),
                        failure.state().equals("stopped") ? "was stopped" : "failed",
                        cut(failure.reason())),
                switch (failure.stage()) {
                  case "verify" -> "verify";
                  case "repair" -> "repair";
                  // Which switch it was to go back to is the operator's to say again.
                  case "rollback" -> "rollback --dry-run";
                  default -> "nightly --at " + failure.plannedAt();
                }));
      }
    }
    if (risk.unfinished() > 0) {
      all.add(
          later(
              "%s began and left no end: killed, or still running; run the same again if nothing runs"
                  .formatted(many(risk.unfinished(), "command")),
              "nightly"));
    }
  }

  private static void ofObjects(NightReport report, List<Advice> all) {
    Risk risk = report.risk();
    long waiting = risk.pending() + risk.stale();
    if (report.worth().mode().equals("shadow") && report.stored().metaShards() == 0) {
      all.add(
          later(
              "This is a trial, nothing was moved: when what it says is good enough, run the night without --shadow",
              "nightly"));
    } else if (waiting > 0) {
      all.add(
          later(
              "%s wait to be encoded (%s new, %s changed): the next nights take them, a higher limit takes more at once"
                  .formatted(
                      many(waiting, "object"),
                      Amounts.count(risk.pending()),
                      Amounts.count(risk.stale())),
              "nightly --set reshard.max-bytes-per-run=SIZE"));
    }
    if (risk.missing() > 0) {
      all.add(
          later(
              "%s can no longer be found at the source: restore them, or let them be, the lake keeps what it has"
                  .formatted(many(risk.missing(), "object")),
              "catalogue"));
    }
  }

  private static void ofLogs(NightReport report, List<Advice> all) {
    if (report.asked().unknownRangeShare() > TOO_MANY_UNKNOWN_RANGES) {
      all.add(
          later(
              "%s of the reads do not tell which part they read, so heat inside objects is not known: use logs that hold ranges (parquet, csv or s3-access with a range)"
                  .formatted(Amounts.percent(report.asked().unknownRangeShare())),
              "check"));
    }
    long requests = report.asked().days().stream().mapToLong(Day::requests).sum();
    long unknown = report.asked().days().stream().mapToLong(Day::unknownObject).sum();
    if (NightReport.share(unknown, requests) > TOO_MANY_UNKNOWN_OBJECTS) {
      all.add(
          later(
              "%s of the requests are for objects that the catalogue does not have: look at objects.roots, include and strip-prefix"
                  .formatted(Amounts.percent(NightReport.share(unknown, requests))),
              "config"));
    }
    long refused = report.asked().rejected().stream().mapToLong(NightReport.Count::count).sum();
    if (NightReport.share(refused, refused + requests) > TOO_MANY_REFUSED) {
      all.add(
          later(
              "%s of the log lines were refused: the table requests_rejected has each with its reason; look at logs[].format"
                  .formatted(Amounts.percent(NightReport.share(refused, refused + requests))),
              "config"));
    }
  }

  private static void ofForecast(NightReport.Monitor monitor, List<Advice> all) {
    if (monitor.isAlarming()) {
      all.add(
          later(
              "The forecast is %s (%s): look since when, and whether logs or readers changed then"
                  .formatted(
                      monitor.verdict().equals("fall-back") ? "made by its base alone" : "degraded",
                      cut(monitor.reason())),
              "report --nights 30"));
    }
  }

  private static void ofChecks(NightReport report, List<Advice> all) {
    if (report.stored().metaShards() == 0) {
      return;
    }
    Check check = report.risk().check();
    if (check == null) {
      all.add(later("Nobody has verified what is stored yet", "verify"));
    } else if (check.findings() > 0) {
      all.add(
          urgent(
              "The newest verify found %s: bring lost locations back and look again; the table verify_findings has each"
                  .formatted(many(check.findings(), "problem")),
              "verify"));
    } else if (Duration.between(check.at(), report.run().plannedAt()).compareTo(CHECKED_LONG_AGO)
        > 0) {
      all.add(
          later("What is stored was last verified on " + day(check.at()), "verify --sample 10"));
    }
  }

  /** A reason may be as long as a library likes. */
  static String cut(String text) {
    return text.length() <= MAX_REASON_CHARS ? text : text.substring(0, MAX_REASON_CHARS) + "…";
  }

  private static String day(java.time.Instant at) {
    return at.toString().substring(0, 10);
  }

  private static String many(long count, String one) {
    return count == 1 ? "1 " + one : Amounts.count(count) + " " + one + "s";
  }

  private static Advice urgent(String what, String command) {
    return new Advice(true, what + ".", METASHARD.formatted(command));
  }

  private static Advice later(String what, String command) {
    return new Advice(false, what + ".", METASHARD.formatted(command));
  }
}
