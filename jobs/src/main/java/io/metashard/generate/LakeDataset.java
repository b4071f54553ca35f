package io.metashard.generate;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.util.List;

/**
 * A dataset that grows by a partition a day or an hour, and who reads it.
 *
 * @param name first part of its partitions' paths
 * @param hourly whether it has a partition for every hour, else for every day
 * @param bytes of a partition of an average working day or hour
 * @param landsAfterSeconds when a partition is written, counted from the start of its day or hour
 * @param queriesPerDay that a partition gets while it is new; 0 if only jobs read it
 * @param cooling exponent of the age in days that the queries fall with
 * @param crowd when those who query are at work
 * @param jobs that read it whole
 */
record LakeDataset(
    String name,
    boolean hourly,
    long bytes,
    long landsAfterSeconds,
    double queriesPerDay,
    double cooling,
    Crowd crowd,
    List<LakeJob> jobs) {
  /** How busy an hour is, relative to an average one. */
  interface Crowd {
    double busy(LocalDate day, int hour);
  }

  private static final double MOST_POPULAR = 120;
  private static final double ZIPF_EXPONENT = 5.0 / 6;

  LakeDataset {
    jobs = List.copyOf(jobs);
  }

  /** What the lake of {@link LakeWorkload} holds. */
  static List<LakeDataset> all() {
    return List.of(
        // The company's events: everybody's, in the office; the weekly report is of them.
        daily("events", 420_000, at(26, 30), popularity(1), 1.4, Clocks::office)
            .readBy(LakeJob.weekly(DayOfWeek.MONDAY, 6, 7, 2)),
        // Checked as soon as written; dashboards all week, and a comparison with the week before.
        daily("orders", 300_000, at(22, 40), popularity(2), 1.1, Clocks::web)
            .readBy(
                LakeJob.daily(23, 0, 0, 1), LakeJob.daily(4, 1, 1, 3), LakeJob.daily(5, 8, 8, 3)),
        daily("sessions", 360_000, at(27, 20), popularity(3), 1.0, Clocks::office).readBy(),
        // Training of the models, on three days.
        daily("impressions", 620_000, at(21, 15), popularity(4), 1.8, Clocks::web)
            .readBy(LakeJob.daily(3, 3, 1, 2)),
        // The books are closed on the 1st and looked into on the 15th.
        daily("payments", 200_000, at(23, 50), popularity(5), 2.0, Clocks::office)
            .readBy(LakeJob.monthly(1, 7, 3), LakeJob.monthly(15, 7, 3)),
        // A snapshot: only the newest is of use, to people and to what orders supplies.
        daily("inventory", 130_000, at(5, 0), popularity(6), 3.0, Clocks::web)
            .readBy(
                LakeJob.daily(2, 1, 1, 4),
                LakeJob.daily(8, 0, 0, 4),
                LakeJob.daily(14, 0, 0, 4),
                LakeJob.daily(20, 0, 0, 4)),
        // What was sent is looked at again when it should have arrived.
        daily("shipments", 180_000, at(23, 10), popularity(7), 1.6, Clocks::office)
            .readBy(LakeJob.daily(6, 8, 8, 4), LakeJob.daily(6, 15, 15, 2)),
        daily(
                "experiments",
                240_000,
                at(22, 0),
                popularity(10),
                1.2,
                LakeDataset::tuesdaysAndThursdays)
            .readBy(),
        daily("returns", 100_000, at(23, 20), popularity(9), 0.5, Clocks::office).readBy(),
        daily("ledger", 160_000, at(20, 30), popularity(8), 2.5, Clocks::office)
            .readBy(LakeJob.weekly(DayOfWeek.FRIDAY, 15, 5, 2), LakeJob.monthly(1, 8, 4)),
        // Small files that a nightly job rolls up; before that a monitor follows them.
        new LakeDataset(
                "clicks", true, 60_000, 3600 + 600, popularity(11) / 4, 2.0, Clocks::web, List.of())
            .readBy(LakeJob.daily(1, 1, 1, 1), LakeJob.weekly(DayOfWeek.MONDAY, 7, 7, 1)),
        // Kept because it might be needed.
        daily("telemetry", 480_000, at(24, 40), 0, 1.0, Clocks::web).readBy());
  }

  private static LakeDataset daily(
      String name,
      long bytes,
      long landsAfterSeconds,
      double queries,
      double cooling,
      Crowd crowd) {
    return new LakeDataset(
        name, false, bytes, landsAfterSeconds, queries, cooling, crowd, List.of());
  }

  private LakeDataset readBy(LakeJob... readers) {
    return new LakeDataset(
        name, hourly, bytes, landsAfterSeconds, queriesPerDay, cooling, crowd, List.of(readers));
  }

  private static double popularity(int rank) {
    return MOST_POPULAR * StrictMath.pow(rank, -ZIPF_EXPONENT);
  }

  private static long at(int hour, int minute) {
    return hour * 3600L + minute * 60L;
  }

  /** Whose results are discussed twice a week. */
  private static double tuesdaysAndThursdays(LocalDate day, int hour) {
    boolean theirs =
        day.getDayOfWeek() == DayOfWeek.TUESDAY || day.getDayOfWeek() == DayOfWeek.THURSDAY;
    return theirs && hour >= 8 && hour < 18 ? 24.0 / 10 * 7 / 2 : 0;
  }

  /** How many partitions a day has. */
  int partitionsPerDay() {
    return hourly ? 24 : 1;
  }

  /** Path of a partition's file; the hour is of hourly ones only. */
  String objectId(LocalDate day, int hour) {
    return hourly
        ? "%s/dt=%s/hh=%02d/part-0000.parquet".formatted(name, day, hour)
        : "%s/dt=%s/part-0000.parquet".formatted(name, day);
  }

  /** Queries an hour, of a partition of an age in days that is of average interest. */
  double queries(LocalDate day, int hour, double ageDays) {
    return queriesPerDay / 24 * StrictMath.pow(1 + ageDays, -cooling) * crowd.busy(day, hour);
  }
}
