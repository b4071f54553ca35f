package io.metashard.forecast;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimelineTest {
  private static Timeline timeline(String at, String bucket, String horizon) {
    return Timeline.of(
        Instant.parse(at),
        new ForecastOptions(
            Duration.parse(bucket),
            Duration.parse(horizon),
            Duration.ofDays(35),
            6,
            ModelChoice.AUTO,
            1));
  }

  @Test
  void roundsTheMomentDownToItsBucket() {
    Timeline timeline = timeline("2026-03-02T10:59:59.999Z", "PT1H", "PT24H");
    assertThat(timeline.originAt()).isEqualTo(Instant.parse("2026-03-02T10:00:00Z"));
    assertThat(timeline.horizonEnd()).isEqualTo(Instant.parse("2026-03-03T10:00:00Z"));
    assertThat(timeline.start()).isEqualTo(Instant.parse("2026-01-26T10:00:00Z"));
    assertThat(timeline.origin()).isEqualTo(35 * 24);
  }

  @Test
  void worksBefore1970() {
    assertThat(timeline("1969-12-31T23:30:00Z", "PT1H", "PT1H").originAt())
        .isEqualTo(Instant.parse("1969-12-31T23:00:00Z"));
  }

  @Test
  void backtestHorizonsEndBeforeTheOriginAndOverlapByThreeQuarters() {
    Timeline timeline = timeline("2026-03-02T00:00:00Z", "PT1H", "PT24H");
    assertThat(timeline.backtestOrigins(0, 6)).isEqualTo(List.of(816, 810, 804, 798, 792, 786));
  }

  @Test
  void shortHorizonsAreSpreadOverTheDay() {
    Timeline timeline = timeline("2026-03-02T00:00:00Z", "PT1H", "PT1H");
    assertThat(timeline.backtestOrigins(0, 6)).isEqualTo(List.of(839, 835, 831, 827, 823, 819));
  }

  @Test
  void aQuarterOfTheHistoryIsLeftToLearnFrom() {
    Timeline timeline = timeline("2026-03-02T00:00:00Z", "PT1M", "PT5M");
    int first = timeline.origin() - 60;
    assertThat(timeline.backtestOrigins(first, 6).stream().map(o -> o - first))
        .containsExactly(55, 48, 41, 34, 27, 20);
    assertThat(timeline.backtestOrigins(first, 100)).allMatch(o -> o - first >= 15).hasSize(41);
  }

  @Test
  void tooLittleHistoryHasNoBacktest() {
    Timeline timeline = timeline("2026-03-02T00:00:00Z", "PT1H", "PT24H");
    assertThat(timeline.backtestOrigins(timeline.origin(), 6)).isEmpty();
    assertThat(timeline.backtestOrigins(timeline.origin() - 24, 6)).isEmpty();
    assertThat(timeline.backtestOrigins(timeline.origin() - 32, 6)).hasSize(1);
    assertThat(timeline.backtestOrigins(0, 0)).isEmpty();
  }
}
