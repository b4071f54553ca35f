package io.metashard.generate;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * A scheduled job, which reads partitions whole.
 *
 * @param runsOn its days
 * @param hour when it starts, UTC; some minutes past it
 * @param oldest the first day whose partitions a run reads, by the day of the run
 * @param newest the last such day
 * @param tasks readers of each partition
 */
record LakeJob(
    Predicate<LocalDate> runsOn,
    int hour,
    UnaryOperator<LocalDate> oldest,
    UnaryOperator<LocalDate> newest,
    int tasks) {
  /** Every day, the partitions of {@code from} to {@code to} days ago. */
  static LakeJob daily(int hour, int from, int to, int tasks) {
    return new LakeJob(
        day -> true, hour, day -> day.minusDays(from), day -> day.minusDays(to), tasks);
  }

  /** One day a week, the last {@code days} partitions. */
  static LakeJob weekly(DayOfWeek weekday, int hour, int days, int tasks) {
    return new LakeJob(
        day -> day.getDayOfWeek() == weekday,
        hour,
        day -> day.minusDays(days),
        day -> day.minusDays(1),
        tasks);
  }

  /** One day a month, all of the month up to the day before: on the 1st, the month that ended. */
  static LakeJob monthly(int dayOfMonth, int hour, int tasks) {
    return new LakeJob(
        day -> day.getDayOfMonth() == dayOfMonth,
        hour,
        day -> day.minusDays(1).withDayOfMonth(1),
        day -> day.minusDays(1),
        tasks);
  }

  /** Whether the run of a day reads the partitions of another. */
  boolean reads(LocalDate today, LocalDate partition) {
    return runsOn.test(today)
        && !partition.isBefore(oldest.apply(today))
        && !partition.isAfter(newest.apply(today));
  }
}
