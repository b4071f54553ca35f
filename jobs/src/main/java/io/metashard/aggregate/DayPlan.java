package io.metashard.aggregate;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which days are aggregated by a run.
 *
 * @param days to aggregate, ascending
 * @param closedDaysGrew days that ended too long ago although requests came in for them
 * @param otherSettings days aggregated by other settings whose requests are no longer there
 */
public record DayPlan(
    List<LocalDate> days, List<LocalDate> closedDaysGrew, List<LocalDate> otherSettings) {

  /** What {@code demand_days} says of a day. */
  public record Aggregated(long requests, String fingerprint, Instant coveredUntil) {}

  public DayPlan {
    days = List.copyOf(days);
    closedDaysGrew = List.copyOf(closedDaysGrew);
    otherSettings = List.copyOf(otherSettings);
  }

  /**
   * Takes the days that are new, were covered in part, grew or shrank while open, or were
   * aggregated by other settings. A day whose requests were deleted, all or some, keeps its demand
   * once it is closed: requests are kept for weeks, demand for a year.
   *
   * @param counted rows of {@code requests} per day, before {@link #until}; none with 0
   * @param aggregated what was done before
   * @param fingerprint of the settings that demand depends on
   * @param at the moment of planning
   */
  public static DayPlan of(
      Map<LocalDate, Long> counted,
      Map<LocalDate, Aggregated> aggregated,
      AggregateOptions options,
      String fingerprint,
      Instant at) {
    List<LocalDate> days = new ArrayList<>();
    List<LocalDate> closedDaysGrew = new ArrayList<>();
    List<LocalDate> otherSettings = new ArrayList<>();
    SortedMap<LocalDate, Aggregated> all = new TreeMap<>(aggregated);
    counted.keySet().forEach(day -> all.putIfAbsent(day, new Aggregated(0, "", Instant.MIN)));
    all.forEach(
        (day, done) -> {
          long requests = counted.getOrDefault(day, 0L);
          boolean isNew = !aggregated.containsKey(day);
          boolean open = !end(day).isBefore(at.minus(Duration.ofDays(options.reopenDays())));
          boolean otherwise = !done.fingerprint().equals(fingerprint);
          boolean inPart = done.coveredUntil().isBefore(until(day, done, at));
          boolean complete = requests >= done.requests();
          if (requests == 0 || !(complete || open)) {
            if (otherwise) {
              otherSettings.add(day);
            }
          } else if (isNew || otherwise || inPart || (open && requests != done.requests())) {
            days.add(day);
          } else if (requests > done.requests()) {
            closedDaysGrew.add(day);
          }
        });
    return new DayPlan(days, closedDaysGrew, otherSettings);
  }

  /**
   * Up to when a day's requests are counted: its end or the moment of planning, and never less than
   * before, so that planning an earlier moment again takes nothing away.
   *
   * @param done null when the day was not aggregated before
   */
  public static Instant until(LocalDate day, Aggregated done, Instant at) {
    Instant until = done == null || done.coveredUntil().isBefore(at) ? at : done.coveredUntil();
    return until.isBefore(end(day)) ? until : end(day);
  }

  private static Instant end(LocalDate day) {
    return day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
  }
}
