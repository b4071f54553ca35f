package io.metashard.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What makes a lake worth a forecast. */
class LakeWorkloadTest {
  private static final LocalDate END = LocalDate.of(2026, 1, 22);
  private static final int DAYS = 45;

  private static final Map<String, DemoObject> OBJECTS = new TreeMap<>();

  /** Reads of each object, by day. */
  private static final Map<String, TreeMap<LocalDate, Integer>> READS = new HashMap<>();

  /** Of them those by scheduled jobs, as object and day. */
  private static final Map<String, Integer> JOB_READS = new HashMap<>();

  @BeforeAll
  static void make() {
    LakeWorkload workload =
        new LakeWorkload(new GenerateOptions(Path.of("x"), GenerateOptions.LAKE, 1, DAYS, END));
    workload.objects().forEach(object -> OBJECTS.put(object.id(), object));
    for (DemoRequest request : workload.requests()) {
      if (request.operation().equals("GET") && request.status() < 300) {
        READS
            .computeIfAbsent(request.objectId(), id -> new TreeMap<>())
            .merge(LocalDate.ofInstant(request.ts(), ZoneOffset.UTC), 1, Integer::sum);
        if (request.client().equals("192.0.2.12")) {
          JOB_READS.merge(
              request.objectId() + LocalDate.ofInstant(request.ts(), ZoneOffset.UTC),
              1,
              Integer::sum);
        }
      }
    }
  }

  private static int reads(String objectId, LocalDate day) {
    return READS.getOrDefault(objectId, new TreeMap<>()).getOrDefault(day, 0);
  }

  private static boolean wasReadBefore(String objectId, LocalDate day) {
    TreeMap<LocalDate, Integer> days = READS.get(objectId);
    return days != null && days.firstKey().isBefore(day);
  }

  private static boolean isOfDataset(String objectId, String dataset) {
    return objectId.startsWith(dataset + "/");
  }

  @Test
  void asksForNewPartitionsThatNobodyHasAskedForYet() {
    int young = 0;
    int youngRead = 0;
    int old = 0;
    int oldRead = 0;
    long readsOfUnasked = 0;
    long reads = 0;
    for (LocalDate day = END.minusDays(14); day.isBefore(END); day = day.plusDays(1)) {
      Instant midnight = day.atStartOfDay().toInstant(ZoneOffset.UTC);
      for (DemoObject object : OBJECTS.values()) {
        if (!object.modifiedAt().isBefore(midnight)) {
          continue;
        }
        int today = reads(object.id(), day);
        reads += today;
        if (wasReadBefore(object.id(), day)) {
          continue;
        }
        readsOfUnasked += today;
        if (object.modifiedAt().isBefore(midnight.minus(2, ChronoUnit.DAYS))) {
          old++;
          oldRead += today > 0 ? 1 : 0;
        } else if (!isOfDataset(object.id(), "telemetry")) { // which nobody queries
          young++;
          youngRead += today > 0 ? 1 : 0;
        }
      }
    }
    // Counts alone know nothing of either; age tells them apart.
    assertThat((double) youngRead / young).as("of %d young ones", young).isGreaterThan(0.6);
    assertThat((double) oldRead / old).as("of %d old ones", old).isLessThan(0.1);
    assertThat((double) readsOfUnasked / reads).isBetween(0.04, 0.3);
  }

  @Test
  void coolsAtSpeedsThatDifferByDataset() {
    assertThat(share("impressions", 7)).isLessThan(share("events", 7));
    assertThat(share("events", 7)).isLessThan(share("returns", 7));
    assertThat(share("impressions", 7)).isLessThan(0.2);
    assertThat(share("returns", 7)).isBetween(0.4, 0.9);
  }

  /** Reads per day a week after a dataset's partitions were written, relative to the first days. */
  private static double share(String dataset, int days) {
    double early = 0;
    double late = 0;
    for (DemoObject object : OBJECTS.values()) {
      LocalDate written = LocalDate.ofInstant(object.modifiedAt(), ZoneOffset.UTC);
      if (isOfDataset(object.id(), dataset) && written.isBefore(END.minusDays(2 * days))) {
        for (int d = 1; d <= 7; d++) {
          early += reads(object.id(), written.plusDays(d));
          late += reads(object.id(), written.plusDays(d + days));
        }
      }
    }
    return late / early;
  }

  @Test
  void hasReadersOfWeekdaysAndOfDaysOfTheMonth() {
    Map<DayOfWeek, Integer> experiments = new TreeMap<>();
    READS.forEach(
        (id, days) -> {
          if (isOfDataset(id, "experiments")) {
            days.forEach((day, n) -> experiments.merge(day.getDayOfWeek(), n, Integer::sum));
          }
        });
    int twoDays = experiments.get(DayOfWeek.TUESDAY) + experiments.get(DayOfWeek.THURSDAY);
    int all = experiments.values().stream().mapToInt(Integer::intValue).sum();
    assertThat((double) twoDays / all).isGreaterThan(0.8);

    LocalDate monday = LocalDate.of(2026, 1, 19);
    Set<String> week = new HashSet<>();
    int notOnSunday = 0;
    for (int back = 1; back <= 7; back++) {
      for (int hour = 0; hour < 24; hour++) {
        String id =
            "clicks/dt=%s/hh=%02d/part-0000.parquet".formatted(monday.minusDays(back), hour);
        assertThat(OBJECTS).containsKey(id);
        week.add(id);
        notOnSunday += reads(id, monday.minusDays(1)) == 0 ? 1 : 0;
      }
    }
    assertThat(week).hasSize(7 * 24);
    assertThat(notOnSunday).isGreaterThan(week.size() / 2);
    // The last hour of Sunday is written and read on Monday.
    assertThat(week).allMatch(id -> reads(id, monday) > 0);

    LocalDate middle = LocalDate.of(2026, 1, 15);
    List<String> payments =
        OBJECTS.keySet().stream()
            .filter(id -> id.startsWith("payments/dt=2026-01-"))
            .filter(id -> id.compareTo("payments/dt=2026-01-15") < 0)
            .collect(Collectors.toList());
    assertThat(payments).hasSize(14).allMatch(id -> reads(id, middle) >= 3);
    assertThat(payments.stream().filter(id -> reads(id, middle.minusDays(1)) >= 3).count())
        .isLessThan(7);
  }

  @Test
  void readsPartitionsASecondTimeAWeekLater() {
    int partitions = 0;
    int again = 0;
    for (LocalDate day = END.minusDays(40);
        day.isBefore(END.minusDays(10));
        day = day.plusDays(1)) {
      String id = "shipments/dt=%s/part-0000.parquet".formatted(day);
      again += JOB_READS.getOrDefault(id + day.plusDays(8), 0) >= 4 ? 1 : 0;
      assertThat(JOB_READS)
          .doesNotContainKeys(id + day.plusDays(1), id + day.plusDays(7), id + day.plusDays(9));
      partitions++;
    }
    assertThat(partitions).isEqualTo(30);
    assertThat(again).isGreaterThanOrEqualTo(27); // a run may be skipped
  }

  @Test
  void keepsWhatNobodyReads() {
    assertThat(OBJECTS.keySet().stream().filter(id -> isOfDataset(id, "archive"))).hasSize(3);
    assertThat(READS.keySet()).noneMatch(id -> isOfDataset(id, "archive"));
    assertThat(reads("tables/targets/part-0000.parquet", LocalDate.of(2026, 1, 19))).isEqualTo(1);
    assertThat(READS.get("tables/targets/part-0000.parquet").keySet())
        .allMatch(day -> day.getDayOfWeek() == DayOfWeek.MONDAY);
  }
}
