package io.metashard.aggregate;

import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.aggregate.DayPlan.Aggregated;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DayPlanTest {
  private static final AggregateOptions OPTIONS = new AggregateOptions(Duration.ofHours(1), 3);
  private static final Instant AT = Instant.parse("2026-03-10T12:00:00Z");

  /** Ended three and a half days before. */
  private static final LocalDate CLOSED = LocalDate.parse("2026-03-06");

  /** Ended two and a half days before. */
  private static final LocalDate OPEN = LocalDate.parse("2026-03-07");

  private static final LocalDate TODAY = LocalDate.parse("2026-03-10");

  private static DayPlan plan(LocalDate day, long requests, Aggregated done) {
    return DayPlan.of(
        requests == 0 ? Map.of() : Map.of(day, requests),
        done == null ? Map.of() : Map.of(day, done),
        OPTIONS,
        "now",
        AT);
  }

  private static Aggregated whole(LocalDate day, long requests, String fingerprint) {
    return new Aggregated(requests, fingerprint, end(day));
  }

  private static Instant end(LocalDate day) {
    return day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  @Test
  void takesNewDaysHoweverOld() {
    assertThat(plan(CLOSED, 1, null).days()).containsExactly(CLOSED);
    assertThat(plan(TODAY, 1, null).days()).containsExactly(TODAY);
  }

  @Test
  void leavesDaysThatDidNotChange() {
    assertThat(plan(OPEN, 5, whole(OPEN, 5, "now")))
        .isEqualTo(new DayPlan(List.of(), List.of(), List.of()));
    assertThat(plan(TODAY, 5, new Aggregated(5, "now", AT)).days()).isEmpty();
  }

  @Test
  void takesOpenDaysThatGrewOrShrankAndReportsClosedOnesThatGrew() {
    assertThat(plan(OPEN, 6, whole(OPEN, 5, "now")).days()).containsExactly(OPEN);
    assertThat(plan(OPEN, 4, whole(OPEN, 5, "now")).days()).containsExactly(OPEN);
    DayPlan closed = plan(CLOSED, 6, whole(CLOSED, 5, "now"));
    assertThat(closed.days()).isEmpty();
    assertThat(closed.closedDaysGrew()).containsExactly(CLOSED);
  }

  @Test
  void aDayThatEndedExactlyAtTheLimitIsOpen() {
    Instant at = end(CLOSED).plus(Duration.ofDays(3));
    Map<LocalDate, Long> counted = Map.of(CLOSED, 6L);
    Map<LocalDate, Aggregated> done = Map.of(CLOSED, whole(CLOSED, 5, "now"));
    assertThat(DayPlan.of(counted, done, OPTIONS, "now", at).days()).containsExactly(CLOSED);
    assertThat(DayPlan.of(counted, done, OPTIONS, "now", at.plusMillis(1)).days()).isEmpty();
  }

  @Test
  void takesDaysOfOtherSettingsUnlessTheirRequestsAreGone() {
    assertThat(plan(CLOSED, 5, whole(CLOSED, 5, "before")).days()).containsExactly(CLOSED);
    DayPlan vacuumed = plan(CLOSED, 0, whole(CLOSED, 5, "before"));
    assertThat(vacuumed.days()).isEmpty();
    assertThat(vacuumed.otherSettings()).containsExactly(CLOSED);
    assertThat(plan(CLOSED, 4, whole(CLOSED, 5, "before")).otherSettings()).containsExactly(CLOSED);
  }

  @Test
  void keepsTheDemandOfClosedDaysWhoseRequestsWereDeleted() {
    assertThat(plan(CLOSED, 3, whole(CLOSED, 5, "now")))
        .isEqualTo(new DayPlan(List.of(), List.of(), List.of()));
    assertThat(plan(CLOSED, 0, whole(CLOSED, 5, "now")))
        .isEqualTo(new DayPlan(List.of(), List.of(), List.of()));
  }

  @Test
  void takesDaysCoveredInPartAgainHoweverOld() {
    Aggregated morning = new Aggregated(5, "now", end(CLOSED).minusSeconds(3600));
    assertThat(plan(CLOSED, 5, morning).days()).containsExactly(CLOSED);
    assertThat(plan(CLOSED, 9, morning).days()).containsExactly(CLOSED);
    assertThat(plan(TODAY, 5, new Aggregated(5, "now", AT.minusSeconds(1))).days())
        .containsExactly(TODAY);
  }

  @Test
  void countsUpToThePlanningMomentAndNeverLessThanBefore() {
    assertThat(DayPlan.until(OPEN, null, AT)).isEqualTo(end(OPEN));
    assertThat(DayPlan.until(TODAY, null, AT)).isEqualTo(AT);
    assertThat(DayPlan.until(TODAY, new Aggregated(1, "now", AT.minusSeconds(9)), AT))
        .isEqualTo(AT);
    assertThat(DayPlan.until(TODAY, new Aggregated(1, "now", AT.plusSeconds(9)), AT))
        .isEqualTo(AT.plusSeconds(9));
  }

  @Test
  void sortsItsDays() {
    DayPlan plan =
        DayPlan.of(Map.of(TODAY, 1L, CLOSED, 1L, OPEN, 1L), Map.of(), OPTIONS, "now", AT);
    assertThat(plan.days()).containsExactly(CLOSED, OPEN, TODAY);
  }
}
