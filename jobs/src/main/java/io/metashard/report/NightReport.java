package io.metashard.report;

import java.time.Instant;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Every figure of the page about one night. What is not known is NaN, an empty list or null, and
 * the page says so in words.
 *
 * @param prices empty lines when no price is configured: no money is shown then
 * @param worth what the forecast was worth over several nights
 * @param tuning what it is made with
 */
public record NightReport(
    Run run,
    Asked asked,
    Forecast forecast,
    Moved moved,
    Stored stored,
    Cost cost,
    Risk risk,
    Worth worth,
    Tuning tuning) {

  /**
   * The run that the page is about.
   *
   * @param lake its root, without user names
   * @param newest whether no later run is known; the lake is shown as it is now
   * @param stages in the order in which they began
   */
  public record Run(
      String id,
      Instant plannedAt,
      String codeVersion,
      String sparkVersion,
      String lake,
      boolean newest,
      List<Stage> stages) {
    public Run {
      stages = List.copyOf(stages);
    }

    /** Seconds of all stages. */
    public double seconds() {
      return stages.stream().mapToDouble(Stage::seconds).sum();
    }

    /** Whether a stage ended well and did its work. */
    public boolean did(String stage) {
      return stages.stream().anyMatch(s -> s.name().equals(stage) && s.state().equals("done"));
    }
  }

  /**
   * One stage, as its best attempt ended.
   *
   * @param attempts how often it was tried in this run
   */
  public record Stage(
      String name,
      String state,
      int attempts,
      double seconds,
      long rowsIn,
      long rowsOut,
      long bytesIn,
      long bytesOut,
      String reason) {}

  /**
   * What was asked for.
   *
   * @param hours of {@code [from, to)}, in order; requests count once in every segment they touch
   * @param rejected log lines that the run's days refused, by reason
   */
  public record Asked(
      Instant from, Instant to, List<Hour> hours, List<Day> days, List<Count> rejected) {
    public Asked {
      hours = List.copyOf(hours);
      days = List.copyOf(days);
      rejected = List.copyOf(rejected);
    }

    /** Reads of all days. */
    public long reads() {
      return days.stream().mapToLong(Day::reads).sum();
    }

    /** Of them, those whose place in the object is not known, 0 to 1. */
    public double unknownRangeShare() {
      return share(days.stream().mapToLong(Day::rangeUnknown).sum(), reads());
    }
  }

  /**
   * One hour.
   *
   * @param requests NaN when the hour's day was not aggregated
   */
  public record Hour(Instant start, double requests) {}

  /** What became of one day's requests. */
  public record Day(
      LocalDate date,
      long requests,
      long reads,
      long wholeReads,
      long rangeUnknown,
      long unknownObject,
      long pastEnd,
      long notReads) {}

  /** How many there are of something. */
  public record Count(String what, long count) {}

  /**
   * What is forecast.
   *
   * @param runId the run that made it; null when there is none
   * @param classes of this forecast, coldest first
   * @param top the segments most requests are expected of
   * @param nights former forecasts against what came, in order
   * @param outcome the newest of them that is over, by class
   */
  public record Forecast(
      String runId,
      Instant start,
      Instant end,
      String model,
      double expected,
      List<Heat> classes,
      List<Segment> top,
      List<Model> models,
      List<Night> nights,
      List<Outcome> outcome) {
    public static final Forecast NONE =
        new Forecast(
            null,
            null,
            null,
            null,
            Double.NaN,
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of());

    public Forecast {
      classes = List.copyOf(classes);
      top = List.copyOf(top);
      models = List.copyOf(models);
      nights = List.copyOf(nights);
      outcome = List.copyOf(outcome);
    }

    /** The newest former forecast whose hours are all aggregated; null if there is none. */
    public Night lastNight() {
      Night last = null;
      for (Night night : nights) {
        last = Double.isFinite(night.came()) ? night : last;
      }
      return last;
    }
  }

  /** Segments of one class of heat. */
  public record Heat(String heat, long segments, long bytes, double expected) {}

  /**
   * One segment's forecast.
   *
   * @param rank 1 for the hottest
   * @param from first byte in the object
   * @param to first byte after the segment
   */
  public record Segment(
      int rank,
      String objectId,
      int segment,
      long from,
      long to,
      double expected,
      double low80,
      double high80,
      double chance) {}

  /** How good a model was in the back-test of the forecast. */
  public record Model(String name, boolean chosen, double deviance, double wape, double capture) {}

  /**
   * A forecast of the past.
   *
   * @param came requests of the same hours; NaN while they are not over
   * @param before requests of as long a time just before: what yesterday would have said
   */
  public record Night(
      String runId, Instant start, Instant end, double expected, double came, double before) {}

  /** Segments of one class of heat, as forecast and as it came. */
  public record Outcome(String heat, long segments, double expected, double came) {}

  /**
   * What the run moves.
   *
   * @param policy null when the run planned nothing
   * @param forms what is written, by shape
   */
  public record Moved(
      String policy,
      long objects,
      long objectsNew,
      long objectsChanged,
      long objectsReshaped,
      long logicalBytes,
      long writtenBytes,
      boolean switched,
      List<Form> forms) {
    public Moved {
      forms = List.copyOf(forms);
    }
  }

  /** Meta-shards of one shape and width. */
  public record Form(
      String form, int k, int m, long metaShards, long blocks, long dataBytes, long bytes) {}

  /**
   * What the lake holds now.
   *
   * @param forms of all meta-shards, as they lie
   */
  public record Stored(
      long mapSequence,
      long objects,
      long metaShards,
      long logicalBytes,
      long storedBytes,
      double ratio,
      double budget,
      List<Form> forms,
      List<Place> places) {
    public Stored {
      forms = List.copyOf(forms);
      places = List.copyOf(places);
    }
  }

  /**
   * One location.
   *
   * @param capacityBytes {@link Long#MAX_VALUE} when not limited
   * @param requests expected of its blocks when they were written
   */
  public record Place(
      String name,
      String domain,
      String tier,
      String state,
      long blocks,
      long bytes,
      long capacityBytes,
      double requests) {}

  /** What it costs; no line when no price is configured. */
  public record Cost(String currency, List<CostLine> lines) {
    public static final Cost NONE = new Cost("", List.of());

    public Cost {
      lines = List.copyOf(lines);
    }
  }

  /**
   * One amount of money.
   *
   * @param basis how it was worked out
   */
  public record CostLine(String what, double amount, String basis) {}

  /**
   * What is at risk.
   *
   * @param wanted domains that may be lost, as configured
   * @param left domains that may still be lost, locations that are gone counted; -1 when something
   *     cannot be rebuilt
   * @param below meta-shards that may lose fewer than wanted
   * @param unfinished commands that began and left no end
   * @param check the newest {@code verify}; null when there was none
   */
  public record Risk(
      int wanted,
      int left,
      long below,
      long pending,
      long stale,
      long missing,
      List<Place> draining,
      List<Place> gone,
      List<Failure> failures,
      long unfinished,
      Check check) {
    public Risk {
      draining = List.copyOf(draining);
      gone = List.copyOf(gone);
      failures = List.copyOf(failures);
    }
  }

  /**
   * A stage that failed or was stopped.
   *
   * @param mended whether the same stage of the same run ended well later
   */
  public record Failure(
      String runId,
      String stage,
      String state,
      Instant at,
      Instant plannedAt,
      String reason,
      boolean mended) {}

  /** A {@code verify}. */
  public record Check(String runId, Instant at, double percent, long findings) {}

  /**
   * What the forecast was worth.
   *
   * @param mode {@code real} or {@code shadow}
   * @param nights how many were asked for
   * @param scores of the newest of them, in order
   * @param monitor whether the forecast can be relied on
   */
  public record Worth(String mode, int nights, List<Score> scores, Monitor monitor) {
    public Worth {
      scores = List.copyOf(scores);
    }
  }

  /**
   * What the monitor says of the newest scored night.
   *
   * @param runId the run whose forecast it was; null when none was judged
   * @param verdict {@code ok}, {@code degraded} or {@code fall-back}
   * @param classes all segments, then by heat, coldest first
   * @param chances tenths of the chance of a request that have segments, ascending
   * @param nights verdicts and drift, in order; the newest is last
   */
  public record Monitor(
      String runId,
      Instant start,
      Instant end,
      String verdict,
      String reason,
      List<Trust> classes,
      List<Chance> chances,
      List<Judged> nights) {
    public static final Monitor NONE =
        new Monitor(null, null, null, null, null, List.of(), List.of(), List.of());

    public Monitor {
      classes = List.copyOf(classes);
      chances = List.copyOf(chances);
      nights = List.copyOf(nights);
    }

    /** Whether there is something to do about it. */
    public boolean isAlarming() {
      return verdict != null && !verdict.equals("ok");
    }
  }

  /**
   * How good the forecast of one class of heat was.
   *
   * @param heat {@code all} for all segments
   * @param brierSkill of the chance of a request against each segment's base rate; 1 is perfect, 0
   *     no better
   * @param calibrationError mean distance of chance and frequency; {@code calibrationByChance} if
   *     every chance were right
   * @param coverage share of segments whose count lay in the 80 % interval
   * @param logLoss nats per request
   * @param logLossBefore of the counts of the span before
   */
  public record Trust(
      String heat,
      long segments,
      double brierSkill,
      double calibrationError,
      double calibrationByChance,
      double coverage,
      double logLoss,
      double logLossBefore) {}

  /**
   * Segments of like chances.
   *
   * @param from least chance of the tenth
   * @param forecast mean chance
   * @param requested share of them that was requested
   */
  public record Chance(double from, double to, long segments, double forecast, double requested) {}

  /**
   * What was said of one night, and how demand moved in it.
   *
   * @param drift distance from the span before, 0 to 1; {@code driftUsual} of earlier spans
   * @param growth requests in times of the usual
   * @param unseenShare of the requests, on segments that nobody had asked for
   */
  public record Judged(
      String runId,
      Instant start,
      String verdict,
      double drift,
      double driftUsual,
      double growth,
      double unseenShare) {}

  /**
   * One metric of one night.
   *
   * @param runId the run whose night it was
   * @param layout {@code forecast}, {@code planned} or {@code source}
   * @param model of a location; null where none plays a part
   */
  public record Score(
      String runId,
      Instant start,
      Instant end,
      String layout,
      String model,
      String metric,
      double value,
      String unit) {}

  /**
   * What the forecast is made with.
   *
   * @param mode {@code auto}, {@code suggest} or {@code off}
   * @param tried the newest first
   */
  public record Tuning(String mode, List<Setting> settings, List<Tried> tried) {
    public Tuning {
      settings = List.copyOf(settings);
      tried = List.copyOf(tried);
    }
  }

  /**
   * One parameter.
   *
   * @param source {@code default}, {@code tuned} or {@code conf}
   * @param since the moment of planning of the run that tuned it; null if none did
   */
  public record Setting(String parameter, String value, String source, Instant since) {}

  /**
   * One value that was tried, or a change that was taken back.
   *
   * @param before mean Poisson deviance over {@code origins}; NaN when nothing was measured
   * @param gain 1 - after / before
   * @param wins origins from which it was better
   * @param action what became of it
   */
  public record Tried(
      Instant plannedAt,
      String runId,
      String parameter,
      String from,
      String to,
      double before,
      double after,
      double gain,
      int wins,
      int origins,
      String action,
      String reason) {}

  /** {@code part / whole}; NaN when there is no whole. */
  static double share(double part, double whole) {
    return whole == 0 ? Double.NaN : part / whole;
  }

  /** What to do, most urgent first. */
  public List<Advice> advice() {
    return Advice.of(this);
  }

  /** Every figure by name, for programs; names are those of the components in snake case. */
  public Map<String, Object> figures() {
    Map<String, Object> figures = new LinkedHashMap<>(FigureMap.of(this));
    figures.put("advice", FigureMap.value(advice()));
    return figures;
  }
}
