package io.metashard.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeadlinesTest {
  private static final Instant NOW = Instant.parse("2026-03-31T00:00:00Z");

  private static Deadlines with(Optional<Instant> listedAt, String... overrides) {
    return Deadlines.from(Settings.parse("test", "", List.of(overrides)), NOW, listedAt);
  }

  private static Instant daysAgo(long days) {
    return NOW.minus(Duration.ofDays(days));
  }

  @Test
  void byDefaultNothingIsDroppedAndDeadBytesAreDueAWeekBeforeTheirTimeIsOver() {
    Deadlines deadlines = with(Optional.of(NOW));
    assertThat(deadlines.isDropped(Instant.EPOCH)).isFalse();
    assertThat(deadlines.isErased(daysAgo(23))).isTrue();
    assertThat(deadlines.isErased(daysAgo(23).plusMillis(1))).isFalse();
    assertThat(deadlines.isErased(Instant.MAX)).isFalse();
    assertThat(deadlines.daysDue(daysAgo(30))).isEqualTo(7);
  }

  @Test
  void nothingIsDueWhereThereAreNoDeadlines() {
    assertThat(Deadlines.NONE.isDropped(Instant.EPOCH)).isFalse();
    assertThat(Deadlines.NONE.isErased(Instant.EPOCH)).isFalse();
  }

  @Test
  void aSourceIsMissingOnlyAsLongAsListingsSayIt() {
    String key = "objects.drop-missing-after=10d";
    assertThat(with(Optional.of(NOW), key).isDropped(daysAgo(10))).isTrue();
    assertThat(with(Optional.of(NOW), key).isDropped(daysAgo(9))).isFalse();
    // Last listed four days ago: what was missing for nine days then was never seen to be for ten.
    assertThat(with(Optional.of(daysAgo(4)), key).isDropped(daysAgo(13))).isFalse();
    assertThat(with(Optional.of(daysAgo(4)), key).isDropped(daysAgo(14))).isTrue();
    // By a run of later than this one's moment no more is known of this moment.
    assertThat(with(Optional.of(NOW.plusSeconds(86_400)), key).isDropped(daysAgo(9))).isFalse();
    assertThat(with(Optional.empty(), key).isDropped(Instant.EPOCH)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"1, 24", "3, 24", "4, 24", "8, 48", "30, 168", "3650, 168"})
  void theMarginIsAQuarterButANightAtLeastAndSevenAtMost(long days, long hours) {
    assertThat(Deadlines.margin(Duration.ofDays(days))).isEqualTo(Duration.ofHours(hours));
  }

  @Test
  void whatIsNotDueInOneNightIsNotLateInTheNext() {
    for (int days = 1; days < 60; days++) {
      Deadlines deadlines = with(Optional.of(NOW), "delete.erase-within=" + days + "d");
      Instant diedAfterLastDue = deadlines.eraseDeadSince().plusMillis(1);
      Duration ageNextNight = Duration.between(diedAfterLastDue, NOW.plus(Duration.ofDays(1)));
      assertThat(ageNextNight).isLessThan(Duration.ofDays(days));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "delete.erase-within=23h | nights are a day apart; use 1d or more",
        "delete.erase-within=soon | delete.erase-within",
        "objects.drop-missing-after=30 | may be a slip; use 1d or more, or never",
        "objects.drop-missing-after=0s | may be a slip; use 1d or more, or never",
        "objects.drop-missing-after=-1d | objects.drop-missing-after",
        "objects.drop-missing-after=sometimes | objects.drop-missing-after",
      })
  void refusesWhatCannotBe(String override, String message) {
    assertThatThrownBy(() -> with(Optional.of(NOW), override))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(message);
  }
}
