package io.metashard.report;

import io.metashard.Amounts;
import io.metashard.report.NightReport.Score;
import io.metashard.report.NightReport.Worth;
import io.metashard.report.Table.Cell;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/** What forecasts were worth, night by night, and what layouts made of them did. */
final class WorthSection {
  private static final String FORECAST = "forecast";
  private static final String PLANNED = "planned";
  private static final String SOURCE = "source";
  private static final String READ_MEAN = "read_mean_millis";
  private static final String READ_P99 = "read_p99_millis";

  private final Worth worth;
  private final Html html;

  /** Nights in order of time, each with where its scores are. */
  private final List<ScoredNight> nights;

  private final boolean trial;

  WorthSection(Worth worth, Html html) {
    this.worth = worth;
    this.html = html;
    this.trial = worth.mode().equals("shadow");
    TreeMap<String, List<Integer>> byNight = new TreeMap<>();
    for (int i = 0; i < worth.scores().size(); i++) {
      Score score = worth.scores().get(i);
      byNight.computeIfAbsent(score.start() + " " + score.runId(), key -> new ArrayList<>()).add(i);
    }
    this.nights = byNight.values().stream().map(ScoredNight::new).toList();
  }

  /** One night's scores, by their places in the report. */
  private final class ScoredNight {
    private final List<Integer> places;

    ScoredNight(List<Integer> places) {
      this.places = places;
    }

    Instant start() {
      return worth.scores().get(places.get(0)).start();
    }

    Instant end() {
      return worth.scores().get(places.get(0)).end();
    }

    /** Where the metric is; -1 when the night has none. */
    private int place(String layout, String model, String metric) {
      for (int place : places) {
        Score score = worth.scores().get(place);
        if (score.layout().equals(layout)
            && score.metric().equals(metric)
            && java.util.Objects.equals(score.model(), model)) {
          return place;
        }
      }
      return -1;
    }

    double value(String layout, String model, String metric) {
      int place = place(layout, model, metric);
      return place < 0 ? Double.NaN : worth.scores().get(place).value();
    }

    Cell cell(String layout, String model, String metric, Axis.Unit unit) {
      double value = value(layout, model, metric);
      return Cell.number(
          "worth.scores[%d].value".formatted(place(layout, model, metric)),
          value,
          Double.isFinite(value) ? unit.shown(value) : "-");
    }

    Cell when() {
      return Cell.time("worth.scores[%d].start".formatted(places.get(0)), start());
    }
  }

  void write() {
    html.open("section", "id", "worth")
        .leaf(
            "h2",
            trial
                ? "What the trial says"
                    + (nights.isEmpty()
                        ? ""
                        : ", over " + (nights.size() == 1 ? "1 night" : nights.size() + " nights"))
                : "What the forecast was worth");
    if (nights.isEmpty()) {
      html.leaf(
          "p",
          "No %s has been scored yet (table night_scores). A night is scored once the hours that it forecast are over and their logs are in."
              .formatted(trial ? "shadow night" : "night"));
    } else {
      verdictInWords();
      html.leaf("p", forecastInWords());
      html.leaf("p", movedInWords());
      models().forEach(this::readsInWords);
      html.open("div", "class", "charts");
      charts();
      chances();
      html.close();
      forecasts();
      trust();
      layouts();
      models().forEach(this::reads);
      costs();
    }
    html.close();
  }

  private void verdictInWords() {
    NightReport.Monitor monitor = worth.monitor();
    if (monitor.verdict() != null) {
      html.open("p").text("The monitor says of the forecast: ");
      html.open("strong");
      Table.cell(html, Cell.text("worth.monitor.verdict", monitor.verdict()));
      html.close()
          .text(
              ", by the night from %s. %s%s."
                  .formatted(
                      Times.shown(monitor.start()),
                      monitor.reason().substring(0, 1).toUpperCase(java.util.Locale.ROOT),
                      monitor.reason().substring(1)))
          .close();
    }
  }

  private String forecastInWords() {
    long known = 0;
    long nearer = 0;
    for (ScoredNight night : nights) {
      double ours = night.value(FORECAST, null, "wape");
      double before = night.value(FORECAST, null, "wape_persistence");
      if (Double.isFinite(ours) && Double.isFinite(before)) {
        known++;
        nearer += ours < before ? 1 : 0;
      }
    }
    return known == 0
        ? "The scored nights hold no error that could be compared with the day before."
        : "In %d of %s the forecast was nearer to what came than the counts of the day before (sum of errors / reads: %s on average against %s)."
            .formatted(
                nearer,
                known == 1 ? "1 night" : known + " nights",
                Axis.Unit.PERCENT.shown(mean(n -> n.value(FORECAST, null, "wape"))),
                Axis.Unit.PERCENT.shown(mean(n -> n.value(FORECAST, null, "wape_persistence"))));
  }

  /** Over the nights that have it. */
  private double mean(ToDoubleFunction<ScoredNight> value) {
    return nights.stream().mapToDouble(value).filter(Double::isFinite).average().orElse(Double.NaN);
  }

  private String movedInWords() {
    double moved =
        nights.stream()
            .mapToDouble(night -> night.value(PLANNED, null, "moved_bytes"))
            .filter(Double::isFinite)
            .sum();
    return "In all, %s %s."
        .formatted(
            Amounts.bytes(Math.round(moved)), trial ? "would have been moved" : "were moved");
  }

  private void readsInWords(String model) {
    double planned = mean(night -> night.value(PLANNED, model, READ_P99));
    double source = mean(night -> night.value(SOURCE, model, READ_P99));
    if (Double.isFinite(planned) && Double.isFinite(source)) {
      html.leaf(
          "p",
          "With a location as %s, 99 of 100 reads end within %s laid out, against %s from the objects as they are (%s times, mean over nights)."
              .formatted(
                  model,
                  Axis.Unit.MILLIS.shown(planned),
                  Axis.Unit.MILLIS.shown(source),
                  Amounts.number(NightReport.share(planned, source))));
    }
  }

  private void charts() {
    chart(
        "worth-error",
        "Sum of errors / reads",
        "For each night the error of the forecast, and of the counts of the day before; lower is better.",
        Axis.Unit.PERCENT,
        line("forecast", night -> night.value(FORECAST, null, "wape")),
        line("the day before", night -> night.value(FORECAST, null, "wape_persistence")));
    chart(
        "worth-moved",
        trial ? "Bytes that would have been moved" : "Bytes moved",
        "For each night the bytes that its plan writes.",
        Axis.Unit.BYTES,
        line("moved", night -> night.value(PLANNED, null, "moved_bytes")));
    for (String model : models()) {
      chart(
          "worth-reads-" + model.replaceAll("[^a-z0-9-]", "_"),
          "99 of 100 reads end within, " + model,
          "For each night the time within which 99 of 100 reads end: laid out as planned, and from the objects as they are; lower is better.",
          Axis.Unit.MILLIS,
          line("laid out", night -> night.value(PLANNED, model, READ_P99)),
          line("as they are", night -> night.value(SOURCE, model, READ_P99)));
    }
  }

  private void forecasts() {
    Table table =
        new Table(
            "The forecast, and the day before as a forecast",
            "from",
            "forecast",
            "came",
            "error / reads",
            "day before's error",
            "deviance",
            "day before's deviance",
            "reads on the hottest tenth",
            "on the day before's");
    for (ScoredNight night : nights) {
      table.row(
          night.when(),
          night.cell(FORECAST, null, "requests_forecast", Axis.Unit.PLAIN),
          night.cell(FORECAST, null, "requests_actual", Axis.Unit.PLAIN),
          night.cell(FORECAST, null, "wape", Axis.Unit.PERCENT),
          night.cell(FORECAST, null, "wape_persistence", Axis.Unit.PERCENT),
          night.cell(FORECAST, null, "poisson_deviance", Axis.Unit.PLAIN),
          night.cell(FORECAST, null, "poisson_deviance_persistence", Axis.Unit.PLAIN),
          night.cell(FORECAST, null, "hot_share_found_top_10_percent", Axis.Unit.PERCENT),
          night.cell(
              FORECAST, null, "hot_share_found_top_10_percent_persistence", Axis.Unit.PERCENT));
    }
    table.write(html);
  }

  private void chances() {
    new BarChart(
            "worth-chances",
            "Chance of a request, and how often it came",
            "For each tenth of the chance of a request, over the segments of the newest scored night: the mean chance, and the share of the segments that was requested; the nearer the better.",
            Axis.Unit.PERCENT,
            List.of("forecast", "came"),
            worth.monitor().chances().stream()
                .map(
                    chance ->
                        new BarChart.Group(
                            tenth(chance), List.of(chance.forecast(), chance.requested())))
                .toList())
        .write(html);
  }

  private static String tenth(NightReport.Chance chance) {
    return "%.0f to %.0f %%".formatted(100 * chance.from(), 100 * chance.to());
  }

  private void trust() {
    NightReport.Monitor monitor = worth.monitor();
    if (monitor.verdict() == null) {
      return;
    }
    String night = ", night from " + Times.shown(monitor.start());
    Table chances =
        new Table(
            "Chance of a request, and how often it came" + night,
            "chance",
            "segments",
            "forecast",
            "came");
    for (int i = 0; i < monitor.chances().size(); i++) {
      NightReport.Chance chance = monitor.chances().get(i);
      String figure = "worth.monitor.chances[%d].".formatted(i);
      chances.row(
          Cell.text(tenth(chance)),
          Cell.count(figure + "segments", chance.segments()),
          percent(figure + "forecast", chance.forecast()),
          percent(figure + "requested", chance.requested()));
    }
    chances.write(html);
    Table classes =
        new Table(
            "Chances, intervals and shares by heat" + night,
            "heat",
            "segments",
            "chance's skill over base rate",
            "chance's error",
            "of it by luck",
            "within the 80 % interval",
            "log-loss, nats",
            "day before's log-loss");
    for (int i = 0; i < monitor.classes().size(); i++) {
      NightReport.Trust trust = monitor.classes().get(i);
      String figure = "worth.monitor.classes[%d].".formatted(i);
      classes.row(
          Cell.text(figure + "heat", trust.heat()),
          Cell.count(figure + "segments", trust.segments()),
          percent(figure + "brier_skill", trust.brierSkill()),
          percent(figure + "calibration_error", trust.calibrationError()),
          percent(figure + "calibration_by_chance", trust.calibrationByChance()),
          percent(figure + "coverage", trust.coverage()),
          plain(figure + "log_loss", trust.logLoss()),
          plain(figure + "log_loss_before", trust.logLossBefore()));
    }
    classes.write(html);
    Table verdicts =
        new Table(
            "What the monitor said, and how demand moved",
            "from",
            "verdict",
            "distance from the span before",
            "usual distance",
            "reads in times of the usual",
            "reads of segments never asked for");
    for (int i = 0; i < monitor.nights().size(); i++) {
      NightReport.Judged judged = monitor.nights().get(i);
      String figure = "worth.monitor.nights[%d].".formatted(i);
      verdicts.row(
          Cell.time(figure + "start", judged.start()),
          Cell.text(figure + "verdict", judged.verdict()),
          plain(figure + "drift", judged.drift()),
          plain(figure + "drift_usual", judged.driftUsual()),
          plain(figure + "growth", judged.growth()),
          percent(figure + "unseen_share", judged.unseenShare()));
    }
    verdicts.write(html);
  }

  private static Cell percent(String figure, double value) {
    return shown(figure, value, Axis.Unit.PERCENT);
  }

  private static Cell plain(String figure, double value) {
    return shown(figure, value, Axis.Unit.PLAIN);
  }

  private static Cell shown(String figure, double value, Axis.Unit unit) {
    return Cell.number(figure, value, Double.isFinite(value) ? unit.shown(value) : "-");
  }

  private void layouts() {
    Table table =
        new Table(
            trial ? "The layout that would have been" : "The layout",
            "from",
            trial ? "would have moved" : "moved",
            "objects moved",
            "objects served",
            "stored",
            "per byte",
            "imbalance of load");
    for (ScoredNight night : nights) {
      table.row(
          night.when(),
          night.cell(PLANNED, null, "moved_bytes", Axis.Unit.BYTES),
          night.cell(PLANNED, null, "objects_moved", Axis.Unit.PLAIN),
          night.cell(PLANNED, null, "objects_encoded", Axis.Unit.PLAIN),
          night.cell(PLANNED, null, "stored_bytes", Axis.Unit.BYTES),
          night.cell(PLANNED, null, "storage_ratio", Axis.Unit.PLAIN),
          night.cell(PLANNED, null, "load_imbalance", Axis.Unit.PERCENT));
    }
    table.write(html);
  }

  /** Models of a location, in alphabetical order. */
  private TreeSet<String> models() {
    TreeSet<String> models = new TreeSet<>();
    for (Score score : worth.scores()) {
      if (score.model() != null) {
        models.add(score.model());
      }
    }
    return models;
  }

  private void reads(String model) {
    Table table =
        new Table(
            "Time of a read, location modelled as " + model,
            "from",
            "mean, laid out",
            "mean, as they are",
            "99 of 100 within, laid out",
            "99 of 100 within, as they are");
    for (ScoredNight night : nights) {
      table.row(
          night.when(),
          night.cell(PLANNED, model, READ_MEAN, Axis.Unit.MILLIS),
          night.cell(SOURCE, model, READ_MEAN, Axis.Unit.MILLIS),
          night.cell(PLANNED, model, READ_P99, Axis.Unit.MILLIS),
          night.cell(SOURCE, model, READ_P99, Axis.Unit.MILLIS));
    }
    table.write(html);
  }

  private void costs() {
    String storage = "cost_storage_per_month";
    String requests = "cost_requests";
    String currency =
        worth.scores().stream()
            .filter(score -> score.metric().equals(storage) || score.metric().equals(requests))
            .map(Score::unit)
            .findFirst()
            .orElse(null);
    if (currency == null) {
      html.leaf(
          "p", "No prices were configured when these nights were scored, so no money is shown.");
      return;
    }
    Table table =
        new Table(
            "Money, in " + currency,
            "from",
            "storage a month, laid out",
            "as they are",
            "requests of the span, laid out",
            "as they are");
    for (ScoredNight night : nights) {
      table.row(
          night.when(),
          night.cell(PLANNED, null, storage, Axis.Unit.PLAIN),
          night.cell(SOURCE, null, storage, Axis.Unit.PLAIN),
          night.cell(PLANNED, null, requests, Axis.Unit.PLAIN),
          night.cell(SOURCE, null, requests, Axis.Unit.PLAIN));
    }
    table.write(html);
  }

  private TimeChart.Series line(String name, ToDoubleFunction<ScoredNight> value) {
    return new TimeChart.Series(
        name,
        TimeChart.Form.MARKED,
        nights.stream()
            .sorted(Comparator.comparing(ScoredNight::start))
            .map(
                night ->
                    new TimeChart.Point(night.start(), night.end(), value.applyAsDouble(night)))
            .toList());
  }

  private void chart(
      String id, String title, String description, Axis.Unit unit, TimeChart.Series... series) {
    new TimeChart(id, title, description, TimeChart.BESIDE_TABLE, unit, List.of(series))
        .write(html);
  }
}
