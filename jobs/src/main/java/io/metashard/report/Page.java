package io.metashard.report;

import io.metashard.Amounts;
import io.metashard.report.NightReport.Asked;
import io.metashard.report.NightReport.Cost;
import io.metashard.report.NightReport.Day;
import io.metashard.report.NightReport.Failure;
import io.metashard.report.NightReport.Forecast;
import io.metashard.report.NightReport.Form;
import io.metashard.report.NightReport.Heat;
import io.metashard.report.NightReport.Hour;
import io.metashard.report.NightReport.Model;
import io.metashard.report.NightReport.Moved;
import io.metashard.report.NightReport.Night;
import io.metashard.report.NightReport.Outcome;
import io.metashard.report.NightReport.Place;
import io.metashard.report.NightReport.Risk;
import io.metashard.report.NightReport.Run;
import io.metashard.report.NightReport.Segment;
import io.metashard.report.NightReport.Stage;
import io.metashard.report.NightReport.Stored;
import io.metashard.report.Table.Cell;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The page about one night: one HTML text that needs nothing else, runs no script, and may load
 * nothing (its content security policy says so to the browser).
 */
public final class Page {
  /** Bars that are still a picture; a table has the rest. */
  private static final int MOST_BARS = 24;

  private final NightReport report;
  private final List<Advice> advice;
  private final Html html = new Html();

  private Page(NightReport report) {
    this.report = report;
    this.advice = report.advice();
  }

  /** The page as HTML. */
  public static String of(NightReport report) {
    return new Page(report).written();
  }

  private String written() {
    String css = css();
    html.open("html", "lang", "en").open("head");
    html.empty("meta", "charset", "utf-8");
    html.empty(
        "meta",
        "http-equiv",
        "Content-Security-Policy",
        "content",
        "default-src 'none'; img-src data:; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'"
            .formatted(sha256(css)));
    html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    html.empty("meta", "name", "color-scheme", "content", "light dark");
    html.empty("meta", "name", "referrer", "content", "no-referrer");
    html.empty("meta", "name", "generator", "content", "Metashard " + report.run().codeVersion());
    // Browsers ask for an icon of their own accord; this one is empty.
    html.empty("link", "rel", "icon", "href", "data:,");
    html.leaf("title", title()).style(css).close();
    html.open("body").open("header");
    head();
    html.close().open("main");
    boolean trial = report.worth().mode().equals("shadow");
    if (trial) {
      new WorthSection(report.worth(), html).write();
    }
    asked(report.asked(), report.forecast());
    forecast(report.forecast());
    if (!trial) {
      new WorthSection(report.worth(), html).write();
    }
    new TuningSection(report.tuning(), html).write();
    moved(report.moved());
    stored(report.stored());
    cost(report.cost());
    risk(report.risk());
    advice();
    html.close();
    html.open("footer")
        .leaf(
            "p",
            "Metashard %s on Spark %s, lake %s. All times are UTC. jobs/REPORTS.md says which table each figure is from; report --json prints them."
                .formatted(
                    report.run().codeVersion(), report.run().sparkVersion(), report.run().lake()),
            "class",
            "faint")
        .close()
        .close()
        .close();
    return html.written();
  }

  private String title() {
    return "Night of " + Times.shown(report.run().plannedAt());
  }

  private static String css() {
    try (InputStream in = Page.class.getResourceAsStream("page.css")) {
      if (in == null) {
        throw new IllegalStateException("Cannot find page.css on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read page.css: " + e.getMessage(), e);
    }
  }

  private static String sha256(String text) {
    try {
      return Base64.getEncoder()
          .encodeToString(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  // The head: what matters, in one look.

  private void head() {
    Run run = report.run();
    html.leaf("h1", title());
    html.open("p", "class", "faint")
        .text("Run ")
        .open("code")
        .leaf("data", run.id(), "value", run.id(), "data-figure", "run.id")
        .close()
        .text(
            ". "
                + (run.newest()
                    ? ""
                    : "A later run exists: what is stored and at risk is shown as it is now."))
        .close();
    html.open("dl", "class", "facts");
    Night last = report.forecast().lastNight();
    fact(
        "Segment reads forecast",
        Cell.number("forecast.expected", report.forecast().expected()),
        report.forecast().runId() == null
            ? "there is no forecast"
            : "over "
                + Amounts.duration(
                    Duration.between(report.forecast().start(), report.forecast().end())
                        .toSeconds()));
    if (last != null) {
      fact(
          "Last forecast was off by",
          Cell.derived(off(last.expected(), last.came())),
          "of what came; the day before: " + off(last.before(), last.came()));
    }
    fact(
        "Objects encoded",
        Cell.count("stored.objects", report.stored().objects()),
        waiting(report.risk()));
    fact(
        "Written by this run",
        Cell.bytes("moved.written_bytes", report.moved().writtenBytes()),
        Amounts.count(report.moved().objects()) + " objects planned");
    fact(
        "Stored per byte",
        Cell.number("stored.ratio", report.stored().ratio()),
        "budget " + Amounts.number(report.stored().budget()));
    if (report.stored().metaShards() > 0) {
      fact(
          "Domains that may be lost",
          Cell.count("risk.left", report.risk().left()),
          "wanted " + report.risk().wanted());
    }
    html.close();
    html.open("p");
    long urgent = advice.stream().filter(Advice::urgent).count();
    if (advice.isEmpty()) {
      html.text("Nothing needs to be done.");
    } else {
      if (urgent > 0) {
        html.leaf("span", Amounts.count(urgent) + " urgent", "class", "bad").text(", ");
      }
      html.leaf(
          "a",
          advice.size() == 1 ? "1 thing to do" : Amounts.count(advice.size()) + " things to do",
          "href",
          "#advice");
    }
    html.close();
    html.open("nav", "aria-label", "Sections").open("ul");
    String[][] sections = {
      {"asked", "Asked"},
      {"forecast", "Forecast"},
      {"worth", "Worth"},
      {"tuning", "Tuning"},
      {"moved", "Moved"},
      {"stored", "Stored"},
      {"cost", "Cost"},
      {"risk", "At risk"},
      {"advice", "To do"}
    };
    for (String[] section : sections) {
      html.open("li").leaf("a", section[1], "href", "#" + section[0]).close();
    }
    html.close().close();
  }

  private void fact(String name, Cell value, String more) {
    html.open("div").leaf("dt", name).open("dd");
    Table.cell(html, value);
    html.leaf("small", more).close().close();
  }

  private static String waiting(Risk risk) {
    return risk.pending() + risk.stale() == 0
        ? "none wait"
        : "%s new and %s changed ones wait"
            .formatted(Amounts.count(risk.pending()), Amounts.count(risk.stale()));
  }

  /** {@code 12.3 %}, of what came. */
  private static String off(double said, double came) {
    return Amounts.percent(NightReport.share(Math.abs(said - came), came));
  }

  // What was asked.

  private void asked(Asked asked, Forecast forecast) {
    section("asked", "What was asked");
    if (asked.days().isEmpty()) {
      html.leaf(
          "p", "No day of requests is aggregated yet (tables demand, demand_days are empty).");
    } else {
      html.open("p")
          .text(
              "From %s to %s there were "
                  .formatted(Times.shown(asked.from()), Times.shown(asked.to())))
          .text(
              "%s reads; %s of them did not tell which part of an object they read. A read counts once in every segment that it touches."
                  .formatted(
                      Amounts.count(asked.reads()), Amounts.percent(asked.unknownRangeShare())))
          .close();
      List<TimeChart.Series> series = new ArrayList<>();
      series.add(
          new TimeChart.Series(
              "read in the hour",
              TimeChart.Form.LINE,
              asked.hours().stream().map(Page::point).toList()));
      List<TimeChart.Point> steps = new ArrayList<>();
      forecast
          .nights()
          .forEach(night -> steps.add(perHour(night.start(), night.end(), night.expected())));
      if (forecast.runId() != null) {
        steps.add(perHour(forecast.start(), forecast.end(), forecast.expected()));
      }
      series.add(new TimeChart.Series("forecast, mean per hour", TimeChart.Form.STEP, steps));
      new TimeChart(
              "asked-hours",
              "Segment reads per hour",
              "A line of the segments read in each hour, and a level for the mean that was forecast for each night's span. The table below has the days.",
              TimeChart.ALONE,
              Axis.Unit.PLAIN,
              series)
          .write(html);
    }
    Table days =
        new Table(
            "Requests per day",
            "day",
            "requests",
            "reads",
            "whole",
            "place unknown",
            "unknown object",
            "past the end",
            "other");
    for (int i = 0; i < asked.days().size(); i++) {
      Day day = asked.days().get(i);
      String at = "asked.days[%d].".formatted(i);
      days.row(
          Cell.date(at + "date", day.date()),
          Cell.count(at + "requests", day.requests()),
          Cell.count(at + "reads", day.reads()),
          Cell.count(at + "whole_reads", day.wholeReads()),
          Cell.count(at + "range_unknown", day.rangeUnknown()),
          Cell.count(at + "unknown_object", day.unknownObject()),
          Cell.count(at + "past_end", day.pastEnd()),
          Cell.count(at + "not_reads", day.notReads()));
    }
    write(days);
    Table rejected = new Table("Log lines that could not be used", "reason", "lines");
    for (int i = 0; i < asked.rejected().size(); i++) {
      String at = "asked.rejected[%d].".formatted(i);
      rejected.row(
          Cell.text(at + "what", asked.rejected().get(i).what()),
          Cell.count(at + "count", asked.rejected().get(i).count()));
    }
    write(rejected);
    html.close();
  }

  private static TimeChart.Point point(Hour hour) {
    return new TimeChart.Point(
        hour.start(), hour.start().plus(Duration.ofHours(1)), hour.requests());
  }

  private static TimeChart.Point perHour(
      java.time.Instant start, java.time.Instant end, double requests) {
    return new TimeChart.Point(
        start, end, requests / (Duration.between(start, end).toSeconds() / 3600.0));
  }

  // What is forecast.

  private void forecast(Forecast forecast) {
    section("forecast", "What is forecast");
    if (forecast.runId() == null) {
      html.leaf("p", "There is no forecast yet (table forecast is empty).");
    } else {
      html.open("p")
          .text(
              "From %s to %s, %s segment reads are expected, by the model "
                  .formatted(
                      Times.shown(forecast.start()),
                      Times.shown(forecast.end()),
                      Amounts.number(forecast.expected())))
          .leaf("code", forecast.model(), "class", "w")
          .text(
              forecast.runId().equals(report.run().id())
                  ? "."
                  : ", as run " + forecast.runId() + " forecast.")
          .close();
      classes(forecast);
      top(forecast);
    }
    models(forecast);
    nights(forecast);
    html.close();
  }

  private void classes(Forecast forecast) {
    double segments = forecast.classes().stream().mapToDouble(Heat::segments).sum();
    double bytes = forecast.classes().stream().mapToDouble(Heat::bytes).sum();
    Table table = new Table("Segments by heat", "heat", "segments", "bytes", "reads expected");
    List<BarChart.Group> groups = new ArrayList<>();
    for (int i = 0; i < forecast.classes().size(); i++) {
      Heat heat = forecast.classes().get(i);
      String at = "forecast.classes[%d].".formatted(i);
      table.row(
          Cell.text(at + "heat", heat.heat()),
          Cell.count(at + "segments", heat.segments()),
          Cell.bytes(at + "bytes", heat.bytes()),
          Cell.number(at + "expected", heat.expected()));
      groups.add(
          new BarChart.Group(
              heat.heat(),
              List.of(
                  NightReport.share(heat.segments(), segments),
                  NightReport.share(heat.bytes(), bytes),
                  NightReport.share(heat.expected(), forecast.expected()))));
    }
    pair(
        () ->
            new BarChart(
                    "forecast-heat",
                    "How uneven it is",
                    "For each class of heat three bars: its share of all segments, of all bytes, and of all reads expected.",
                    Axis.Unit.PERCENT,
                    List.of("of the segments", "of the bytes", "of the reads expected"),
                    groups)
                .write(html),
        () -> {
          table.write(html);
          html.leaf(
              "p",
              "Cold: fewer than 1/8 read expected; low: fewer than 1; middle: fewer than 8; hot: 8 or more.",
              "class",
              "faint");
        });
  }

  private void top(Forecast forecast) {
    Table table =
        new Table(
            "The segments most reads are expected of",
            "object",
            "segment",
            "from",
            "length",
            "expected",
            "80 % interval",
            "chance of a read");
    for (int i = 0; i < forecast.top().size(); i++) {
      Segment segment = forecast.top().get(i);
      String at = "forecast.top[%d].".formatted(i);
      table.row(
          Cell.id(at + "object_id", segment.objectId()),
          Cell.count(at + "segment", segment.segment()),
          Cell.bytes(at + "from", segment.from()),
          Cell.derived(Amounts.bytes(segment.to() - segment.from())),
          Cell.number(at + "expected", segment.expected()),
          Cell.derived(
              "%s to %s"
                  .formatted(Amounts.number(segment.low80()), Amounts.number(segment.high80()))),
          Cell.number(at + "chance", segment.chance(), Amounts.percent(segment.chance())));
    }
    write(table);
  }

  private void models(Forecast forecast) {
    Table table =
        new Table(
            "Models in the back-test",
            "model",
            "used",
            "deviance",
            "error / reads",
            "hottest tenth found");
    for (int i = 0; i < forecast.models().size(); i++) {
      Model model = forecast.models().get(i);
      String at = "forecast.models[%d].".formatted(i);
      table.row(
          Cell.text(at + "name", model.name()),
          Cell.text(model.chosen() ? "yes" : ""),
          Cell.number(at + "deviance", model.deviance()),
          Cell.number(at + "wape", model.wape(), Amounts.percent(model.wape())),
          Cell.number(at + "capture", model.capture(), Amounts.percent(model.capture())));
    }
    write(table);
  }

  private void nights(Forecast forecast) {
    if (forecast.nights().isEmpty()) {
      html.leaf("p", "There is no former forecast to hold against what came.");
      return;
    }
    Table nights =
        new Table(
            "Former forecasts against what came, segment reads",
            "from",
            "to",
            "forecast",
            "came",
            "off by",
            "the day before",
            "off by");
    for (int i = 0; i < forecast.nights().size(); i++) {
      Night night = forecast.nights().get(i);
      String at = "forecast.nights[%d].".formatted(i);
      nights.row(
          Cell.time(at + "start", night.start()),
          Cell.time(at + "end", night.end()),
          Cell.number(at + "expected", night.expected()),
          Cell.number(at + "came", night.came()),
          Cell.derived(off(night.expected(), night.came())),
          Cell.number(at + "before", night.before()),
          Cell.derived(off(night.before(), night.came())));
    }
    write(nights);
    Night last = forecast.lastNight();
    if (last == null) {
      html.leaf("p", "None of their spans is over yet.");
      return;
    }
    Table table = new Table("By heat", "heat", "segments", "forecast", "came");
    List<BarChart.Group> groups = new ArrayList<>();
    for (int i = 0; i < forecast.outcome().size(); i++) {
      Outcome outcome = forecast.outcome().get(i);
      String at = "forecast.outcome[%d].".formatted(i);
      table.row(
          Cell.text(at + "heat", outcome.heat()),
          Cell.count(at + "segments", outcome.segments()),
          Cell.number(at + "expected", outcome.expected()),
          Cell.number(at + "came", outcome.came()));
      groups.add(new BarChart.Group(outcome.heat(), List.of(outcome.expected(), outcome.came())));
    }
    if (!table.isEmpty()) {
      pair(
          () ->
              new BarChart(
                      "forecast-outcome",
                      "The forecast of %s, by heat".formatted(Times.shown(last.start())),
                      "For each class of heat two bars: the reads that were forecast and those that came.",
                      Axis.Unit.PLAIN,
                      List.of("forecast", "came"),
                      groups)
                  .write(html),
          () -> table.write(html));
    }
  }

  // What moved, and what is stored.

  private void moved(Moved moved) {
    section("moved", "What moved");
    html.leaf("p", movedInWords(moved));
    forms("moved", "What this run writes, by shape", moved.forms());
    Table stages =
        new Table("Stages", "stage", "state", "tries", "took", "rows in", "rows out", "why");
    for (int i = 0; i < report.run().stages().size(); i++) {
      Stage stage = report.run().stages().get(i);
      String at = "run.stages[%d].".formatted(i);
      stages.row(
          Cell.text(at + "name", stage.name()),
          Cell.text(at + "state", stage.state()),
          Cell.count(at + "attempts", stage.attempts()),
          Cell.seconds(at + "seconds", stage.seconds()),
          Cell.count(at + "rows_in", stage.rowsIn()),
          Cell.count(at + "rows_out", stage.rowsOut()),
          Cell.text(Advice.cut(stage.reason())));
    }
    write(stages);
    html.close();
  }

  private static String movedInWords(Moved moved) {
    if (moved.policy() == null) {
      return "This run planned no move.";
    }
    String planned =
        "The plan (policy %s) writes %s of %s: %s new, %s changed, %s moved; as %s with copies and parity. "
            .formatted(
                moved.policy(),
                Amounts.bytes(moved.logicalBytes()),
                moved.objects() == 1 ? "1 object" : Amounts.count(moved.objects()) + " objects",
                Amounts.count(moved.objectsNew()),
                Amounts.count(moved.objectsChanged()),
                Amounts.count(moved.objectsReshaped()),
                Amounts.bytes(moved.forms().stream().mapToLong(Form::bytes).sum()));
    return planned
        + (moved.switched()
            ? "It was carried out: %s were written, read back, and the map was switched."
                .formatted(Amounts.bytes(moved.writtenBytes()))
            : "It was not carried out by this run: nothing was moved.");
  }

  private void forms(String section, String title, List<Form> forms) {
    Table table =
        new Table(title, "shape", "width", "meta-shards", "blocks", "data", "stored", "per byte");
    List<BarChart.Group> groups = new ArrayList<>();
    for (int i = 0; i < forms.size(); i++) {
      Form form = forms.get(i);
      String at = "%s.forms[%d].".formatted(section, i);
      String width = "%d+%d".formatted(form.k(), form.m());
      table.row(
          Cell.text(at + "form", form.form()),
          Cell.text(width),
          Cell.count(at + "meta_shards", form.metaShards()),
          Cell.count(at + "blocks", form.blocks()),
          Cell.bytes(at + "data_bytes", form.dataBytes()),
          Cell.bytes(at + "bytes", form.bytes()),
          Cell.derived(Amounts.number(NightReport.share(form.bytes(), form.dataBytes()))));
      groups.add(
          new BarChart.Group(
              form.form() + " " + width,
              List.of((double) form.dataBytes(), (double) form.bytes())));
    }
    if (!table.isEmpty()) {
      pair(
          () ->
              new BarChart(
                      section + "-shapes",
                      title,
                      "For each shape two bars: the bytes of objects in it, and the bytes stored for them.",
                      Axis.Unit.BYTES,
                      List.of("of objects", "stored"),
                      groups.subList(0, Math.min(MOST_BARS, groups.size())))
                  .write(html),
          () -> table.write(html));
    }
  }

  private void stored(Stored stored) {
    section("stored", "What is stored");
    if (stored.metaShards() == 0) {
      html.leaf("p", "The shard map is empty: nothing is stored yet.");
    } else {
      html.leaf(
          "p",
          "The map, at switch %s, serves %s objects of %s from %s meta-shards that take %s: %s stored per byte, %s allowed."
              .formatted(
                  Amounts.count(stored.mapSequence()),
                  Amounts.count(stored.objects()),
                  Amounts.bytes(stored.logicalBytes()),
                  Amounts.count(stored.metaShards()),
                  Amounts.bytes(stored.storedBytes()),
                  Amounts.number(stored.ratio()),
                  Amounts.number(stored.budget())));
      forms("stored", "What is stored, by shape", stored.forms());
    }
    places(stored.places());
    html.close();
  }

  private void places(List<Place> places) {
    Table table =
        new Table(
            "Locations",
            "name",
            "domain",
            "tier",
            "state",
            "blocks",
            "stored",
            "of its capacity",
            "reads expected");
    double bytes = places.stream().mapToDouble(Place::bytes).sum();
    double requests = places.stream().mapToDouble(Place::requests).sum();
    List<BarChart.Group> groups = new ArrayList<>();
    for (int i = 0; i < places.size(); i++) {
      Place place = places.get(i);
      String at = "stored.places[%d].".formatted(i);
      table.row(
          Cell.text(at + "name", place.name()),
          Cell.text(at + "domain", place.domain()),
          Cell.text(at + "tier", place.tier()),
          Cell.text(at + "state", place.state()),
          Cell.count(at + "blocks", place.blocks()),
          Cell.bytes(at + "bytes", place.bytes()),
          Cell.derived(
              place.capacityBytes() == Long.MAX_VALUE
                  ? "no limit"
                  : Amounts.percent(NightReport.share(place.bytes(), place.capacityBytes()))),
          Cell.number(at + "requests", place.requests()));
      groups.add(
          new BarChart.Group(
              place.name(),
              List.of(
                  NightReport.share(place.bytes(), bytes),
                  NightReport.share(place.requests(), requests))));
    }
    if (!groups.isEmpty() && bytes > 0) {
      new BarChart(
              "stored-places",
              "How evenly it is spread",
              "For each location two bars: its share of the bytes stored and of the reads expected.",
              Axis.Unit.PERCENT,
              List.of("of the bytes", "of the reads expected"),
              groups.subList(0, Math.min(MOST_BARS, groups.size())))
          .write(html);
    }
    write(table);
  }

  // What it costs.

  private void cost(Cost cost) {
    section("cost", "What it cost");
    html.leaf(
        "p",
        "The stages of this run took %s and wrote %s."
            .formatted(
                Amounts.duration(report.run().seconds()),
                Amounts.bytes(report.moved().writtenBytes())));
    Table table = new Table("Money", "what", "amount", "worked out as");
    for (int i = 0; i < cost.lines().size(); i++) {
      NightReport.CostLine line = cost.lines().get(i);
      String at = "cost.lines[%d].".formatted(i);
      table.row(
          Cell.text(at + "what", line.what()),
          Cell.number(
              at + "amount",
              line.amount(),
              (Amounts.number(line.amount()) + " " + cost.currency()).strip()),
          Cell.text(line.basis()));
    }
    if (table.isEmpty()) {
      html.leaf(
          "p", "No prices are configured (prices { }), so no money is shown and none is guessed.");
    }
    write(table);
    html.close();
  }

  // What is at risk.

  private void risk(Risk risk) {
    section("risk", "What is at risk");
    html.open("ul");
    if (report.stored().metaShards() == 0) {
      html.leaf("li", "Nothing is stored yet, so nothing stored can be lost.");
    } else {
      html.leaf(
          "li",
          risk.left() < 0
              ? "Some meta-shards have lost more blocks than they can do without."
              : "Any %s may be lost from now on without losing a byte; %d are wanted.%s"
                  .formatted(
                      risk.left() == 1 ? "1 domain" : risk.left() + " domains",
                      risk.wanted(),
                      risk.below() == 0
                          ? ""
                          : " %s meta-shards can lose fewer than that."
                              .formatted(Amounts.count(risk.below()))));
      html.leaf(
          "li",
          risk.check() == null
              ? "What is stored has not been verified yet."
              : "Last verified on %s (%s of the meta-shards): %s."
                  .formatted(
                      Times.shown(risk.check().at()),
                      Amounts.percent(risk.check().percent() / 100),
                      risk.check().findings() == 0
                          ? "nothing was wrong"
                          : Amounts.count(risk.check().findings()) + " problems"));
    }
    html.leaf(
        "li",
        "Locations draining: %s; gone: %s.".formatted(names(risk.draining()), names(risk.gone())));
    html.open("li").text("Objects that wait: ");
    inline(Cell.count("risk.pending", risk.pending()));
    html.text(" new, ");
    inline(Cell.count("risk.stale", risk.stale()));
    html.text(" changed since they were encoded; missing at the source: ");
    inline(Cell.count("risk.missing", risk.missing()));
    html.text(".").close();
    html.leaf(
        "li",
        report.asked().reads() == 0
            ? "No reads are known."
            : "Reads whose place in the object is not known: %s%s."
                .formatted(
                    Amounts.percent(report.asked().unknownRangeShare()),
                    report.asked().unknownRangeShare() > Advice.TOO_MANY_UNKNOWN_RANGES
                        ? ", so that heat inside objects is not known"
                        : ""));
    html.close();
    Table failures =
        new Table(
            "Runs that failed or were stopped", "when", "run", "stage", "state", "mended", "why");
    for (int i = 0; i < risk.failures().size(); i++) {
      Failure failure = risk.failures().get(i);
      String at = "risk.failures[%d].".formatted(i);
      failures.row(
          Cell.time(at + "at", failure.at()),
          Cell.text(at + "run_id", failure.runId()),
          Cell.text(at + "stage", failure.stage()),
          Cell.text(at + "state", failure.state()),
          Cell.text(failure.mended() ? "yes" : "no"),
          Cell.text(Advice.cut(failure.reason())));
    }
    write(failures);
    html.close();
  }

  private static String names(List<Place> places) {
    return places.isEmpty() ? "none" : String.join(", ", places.stream().map(Place::name).toList());
  }

  // What to do.

  private void advice() {
    section("advice", "What to do");
    if (advice.isEmpty()) {
      html.leaf("p", "Nothing: all is stored as configured, verified, and no run is in trouble.");
    } else {
      html.open("ol", "class", "advice");
      for (int i = 0; i < advice.size(); i++) {
        Advice one = advice.get(i);
        html.open("li", "class", one.urgent() ? "urgent" : "later").open("p");
        if (one.urgent()) {
          html.leaf("span", "Urgent:", "class", "bad").text(" ");
        }
        html.leaf(
                "data",
                one.what(),
                "value",
                one.what(),
                "data-figure",
                "advice[%d].what".formatted(i))
            .close()
            .leaf("code", one.command())
            .close();
      }
      html.close();
    }
    html.close();
  }

  // Parts.

  private void section(String id, String heading) {
    html.open("section", "id", id).leaf("h2", heading);
  }

  private void inline(Cell cell) {
    Table.cell(html, cell);
  }

  private void write(Table table) {
    if (!table.isEmpty()) {
      table.write(html);
    }
  }

  private void pair(Runnable chart, Runnable table) {
    html.open("div", "class", "pair");
    chart.run();
    html.open("div");
    table.run();
    html.close().close();
  }
}
