package io.metashard.report;

import io.metashard.report.NightReport.Asked;
import io.metashard.report.NightReport.Chance;
import io.metashard.report.NightReport.Check;
import io.metashard.report.NightReport.Cost;
import io.metashard.report.NightReport.CostLine;
import io.metashard.report.NightReport.Count;
import io.metashard.report.NightReport.Day;
import io.metashard.report.NightReport.Failure;
import io.metashard.report.NightReport.Forecast;
import io.metashard.report.NightReport.Form;
import io.metashard.report.NightReport.Heat;
import io.metashard.report.NightReport.Hour;
import io.metashard.report.NightReport.Judged;
import io.metashard.report.NightReport.Model;
import io.metashard.report.NightReport.Monitor;
import io.metashard.report.NightReport.Moved;
import io.metashard.report.NightReport.Night;
import io.metashard.report.NightReport.Outcome;
import io.metashard.report.NightReport.Place;
import io.metashard.report.NightReport.Risk;
import io.metashard.report.NightReport.Run;
import io.metashard.report.NightReport.Score;
import io.metashard.report.NightReport.Segment;
import io.metashard.report.NightReport.Setting;
import io.metashard.report.NightReport.Stage;
import io.metashard.report.NightReport.Stored;
import io.metashard.report.NightReport.Tried;
import io.metashard.report.NightReport.Trust;
import io.metashard.report.NightReport.Tuning;
import io.metashard.report.NightReport.Worth;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/** Reports of lakes that are empty, young, and in trouble. */
public final class SampleReports {
  static final Instant AT = Instant.parse("2026-01-22T00:00:00Z");
  static final String HOSTILE =
      "<script>alert(1)</script>&\"'\u202e\u0007]]>-->/a very long name/".repeat(4);
  private static final long MIB = 1L << 20;

  private SampleReports() {}

  /** Of a run that found nothing to do in a lake without a row. */
  static NightReport empty() {
    return new NightReport(
        new Run("empty", AT, "0.1.0", "4.1.0", "file:/lake", true, List.of()),
        new Asked(AT.minus(Duration.ofDays(2)), AT, List.of(), List.of(), List.of()),
        Forecast.NONE,
        new Moved(null, 0, 0, 0, 0, 0, 0, false, List.of()),
        new Stored(0, 0, 0, 0, 0, Double.NaN, 1.5, List.of(), List.of()),
        Cost.NONE,
        new Risk(2, 0, 0, 0, 0, 0, List.of(), List.of(), List.of(), 0, null),
        new Worth("real", 2, List.of(), Monitor.NONE),
        new Tuning("off", List.of(), List.of()));
  }

  /** Of a first night that went well. */
  static NightReport oneNight() {
    return nights(1, "real", HOSTILE, new Check("verify-1", AT, 100, 0), List.of());
  }

  /** Of a trial of many nights, in which much went wrong. */
  public static NightReport manyNights(int nights) {
    return nights(
        nights,
        "shadow",
        HOSTILE,
        new Check("verify-1", AT, 10, 3),
        List.of(
            new Failure("night-1", "reshard", "failed", AT, AT, "Cannot write " + HOSTILE, false),
            new Failure("back-1", "rollback", "failed", AT, AT, "Cannot roll back", false),
            new Failure("night-0", "plan", "stopped", AT, AT, "stopped by SIGTERM", true)));
  }

  private static NightReport nights(
      int nights, String mode, String objectId, Check check, List<Failure> failures) {
    boolean trouble = !failures.isEmpty();
    List<Hour> hours = new ArrayList<>();
    List<Day> days = new ArrayList<>();
    List<Night> former = new ArrayList<>();
    List<Score> scores = new ArrayList<>();
    for (int day = 0; day < nights; day++) {
      Instant start = AT.minus(Duration.ofDays(nights - day));
      // One day is missing, as a day whose logs never came.
      boolean known = day != 2;
      for (int hour = 0; hour < 24; hour++) {
        hours.add(
            new Hour(
                start.plus(Duration.ofHours(hour)),
                known ? 300 + 200 * Math.sin(hour / 3.8 - 2) + 20 * (day % 7) : Double.NaN));
      }
      if (known) {
        days.add(
            new Day(
                start.atZone(ZoneOffset.UTC).toLocalDate(),
                8000,
                7000 + day,
                900,
                trouble ? 2000 : 7,
                11,
                2,
                987));
      }
      if (day > 0) {
        former.add(
            new Night(
                "night-" + day,
                start,
                start.plus(Duration.ofDays(1)),
                7000 + 100 * (day % 5),
                known ? 7200 + 50 * (day % 7) : Double.NaN,
                6900));
        scores.addAll(scores("night-" + day, start, day));
      }
    }
    List<Form> forms =
        List.of(
            new Form("copies", 1, 2, 61, 183, 8 * MIB, 24 * MIB),
            new Form("packed", 6, 2, 64, 512, 80 * MIB, 108 * MIB),
            new Form("striped", 5, 2, 32, 224, 122 * MIB, 167 * MIB));
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      String state = trouble && i == 3 ? "draining" : trouble && i == 5 ? "gone" : "active";
      places.add(
          new Place(
              "location-" + i,
              "rack-" + i / 2,
              i < 2 ? "fast" : "standard",
              state,
              130 + i,
              (30 + i) * MIB,
              i == 0 ? 64 * MIB : Long.MAX_VALUE,
              900 + 40 * i));
    }
    return new NightReport(
        new Run(
            "nightly-20260122T0000Z-1bcc5809",
            AT,
            "0.1.0",
            "4.1.0",
            "s3a://bucket/lake",
            !trouble,
            List.of(
                new Stage("ingest", "done", 1, 76.9, 28201, 28201, 578740, 0, "21 new log files"),
                new Stage("plan", "done", 2, 12.2, 60, 1062, 210 * MIB, 299 * MIB, "all fits"))),
        new Asked(
            AT.minus(Duration.ofDays(nights)),
            AT,
            hours,
            days,
            trouble
                ? List.of(new Count("line-malformed", 900), new Count("outside", 3))
                : List.of()),
        new Forecast(
            "nightly-20260122T0000Z-1bcc5809",
            AT,
            AT.plus(Duration.ofDays(1)),
            "glm-correction",
            7284.4,
            List.of(
                new Heat("cold", 400, 90 * MIB, 8),
                new Heat("low", 178, 36 * MIB, 110),
                new Heat("middle", 351, 116 * MIB, 996),
                new Heat("hot", 179, 59 * MIB, 6170.4)),
            List.of(
                new Segment(1, objectId, 3, 3 * MIB, 4 * MIB, 251.3, 160, 352, 0.99999),
                new Segment(2, "films/film-003.mp4", 0, 0, MIB, 131, 82.8, 185, 0.98)),
            List.of(
                new Model("glm-correction", true, 4.67, 0.3, 0.947),
                new Model("seasonal-naive", false, 8.94, 0.391, 0.943)),
            former,
            former.isEmpty()
                ? List.of()
                : List.of(new Outcome("cold", 300, 9, 11), new Outcome("hot", 180, 6900, 7100.5))),
        new Moved("balanced", 60, 50, 6, 4, 210 * MIB, trouble ? 0 : 299 * MIB, !trouble, forms),
        new Stored(7, 60, 157, 210 * MIB, 299 * MIB, 1.42381, 1.5, forms, places),
        trouble
            ? new Cost(
                "EUR",
                List.of(new CostLine("storage a month, tier fast", 1234.5678, "61 MiB at 0.023")))
            : Cost.NONE,
        new Risk(
            2,
            trouble ? 1 : 2,
            trouble ? 12 : 0,
            trouble ? 5 : 0,
            trouble ? 1 : 0,
            trouble ? 2 : 0,
            places.stream().filter(place -> place.state().equals("draining")).toList(),
            places.stream().filter(place -> place.state().equals("gone")).toList(),
            failures,
            trouble ? 1 : 0,
            check),
        new Worth(mode, 14, scores, scores.isEmpty() ? Monitor.NONE : monitor(nights, trouble)),
        tuning(trouble));
  }

  /** In trouble, a table into which somebody wrote. */
  private static Tuning tuning(boolean trouble) {
    return new Tuning(
        trouble ? "auto" : "suggest",
        List.of(
            new Setting("recent-half-life", "48h", "tuned", AT.minus(Duration.ofDays(7))),
            new Setting("class-prior", "100", "default", null),
            new Setting("ridge", "0.5", "conf", null)),
        List.of(
            new Tried(
                AT.minus(Duration.ofDays(7)),
                "night-7",
                "recent-half-life",
                "4d",
                "48h",
                1.25,
                1.1875,
                0.05,
                3,
                4,
                "applied",
                trouble ? HOSTILE : "deviance 1.188 instead of 1.250"),
            new Tried(
                AT.minus(Duration.ofDays(14)),
                "night-0",
                trouble ? HOSTILE : "ridge",
                "0.01",
                "0.5",
                Double.NaN,
                Double.NaN,
                Double.NaN,
                0,
                0,
                "fixed-by-conf",
                "forecast.parameters.ridge = 0.5 wins over 0.01")));
  }

  /** Chances that are too high by a tenth; in trouble, a forecast that its base alone makes. */
  private static Monitor monitor(int nights, boolean trouble) {
    List<Trust> classes = new ArrayList<>();
    for (String heat : List.of("all", "cold", "low", "middle", "hot")) {
      classes.add(new Trust(heat, 2500, 0.21, 0.034, 0.008, 0.84, 5.1, 5.4));
    }
    classes.add(
        new Trust("rare", 1, Double.NaN, 0.5, 0.4, 1, Double.NaN, Double.NaN)); // nothing came
    List<Chance> chances = new ArrayList<>();
    for (int bin = 0; bin < 10; bin++) {
      if (bin != 7) {
        double chance = bin / 10.0 + 0.04;
        chances.add(new Chance(bin / 10.0, (bin + 1) / 10.0, 900 - 80 * bin, chance, 0.9 * chance));
      }
    }
    List<Judged> judged = new ArrayList<>();
    for (int day = 1; day < nights; day++) {
      judged.add(
          new Judged(
              "night-" + day,
              AT.minus(Duration.ofDays(nights - day)),
              trouble && day > nights / 2 ? "fall-back" : "ok",
              0.21,
              day < 4 ? Double.NaN : 0.2,
              1.1,
              0.03));
    }
    Judged last = judged.get(judged.size() - 1);
    return new Monitor(
        last.runId(),
        last.start(),
        last.start().plus(Duration.ofDays(1)),
        last.verdict(),
        trouble
            ? "3 successive nights have lost by more than 10 % to the counts of the span before: deviance 1.20 against the span before's 1"
            : "deviance 0.500 against the span before's 1",
        classes,
        chances,
        judged);
  }

  private static List<Score> scores(String run, Instant start, int day) {
    List<Score> scores = new ArrayList<>();
    Instant end = start.plus(Duration.ofDays(1));
    add(scores, run, start, end, "forecast", null, "requests_forecast", 7000 + day);
    add(scores, run, start, end, "forecast", null, "requests_actual", 7200 + day);
    // Every fifth night yesterday's counts were the better forecast.
    add(scores, run, start, end, "forecast", null, "wape", day % 5 == 4 ? 0.45 : 0.31);
    add(scores, run, start, end, "forecast", null, "wape_persistence", 0.41);
    add(scores, run, start, end, "planned", null, "moved_bytes", MIB * (day == 1 ? 299 : 9));
    add(scores, run, start, end, "planned", null, "storage_ratio", 1.42);
    for (String model : List.of("disk", "object-store")) {
      for (String layout : List.of("planned", "source")) {
        double factor = layout.equals("planned") ? 0.6 : 1;
        add(scores, run, start, end, layout, model, "read_mean_millis", factor * (20 + day));
        add(scores, run, start, end, layout, model, "read_p99_millis", factor * (900 + 90 * day));
      }
    }
    return scores;
  }

  private static void add(
      List<Score> scores,
      String run,
      Instant start,
      Instant end,
      String layout,
      String model,
      String metric,
      double value) {
    scores.add(new Score(run, start, end, layout, model, metric, value, "unit"));
  }
}
