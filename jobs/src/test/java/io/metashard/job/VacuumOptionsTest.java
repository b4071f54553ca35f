package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class VacuumOptionsTest {
  private static Settings settings(String text) {
    return Settings.parse("test", text, List.of());
  }

  @Test
  void defaultsAreWhatReferenceConfSays() {
    assertThat(VacuumOptions.from(Settings.defaults(), NightlyJob.Repeat.SKIP_DONE))
        .isEqualTo(
            new VacuumOptions(
                Duration.ofDays(7),
                Duration.ofDays(7),
                3,
                500,
                Duration.ofDays(90),
                Duration.ofDays(400),
                0.5,
                1L << 40));
    TableRetention.requireEnough(Settings.defaults());
  }

  @Test
  void timesBelowTheMinimumNeedForce() {
    int refused = 0;
    for (String key : List.of("vacuum.retention", "vacuum.orphan-age")) {
      Settings brief = settings(key + " = 23h");
      assertThatThrownBy(() -> VacuumOptions.from(brief, NightlyJob.Repeat.SKIP_DONE))
          .isInstanceOf(SettingsException.class)
          .hasMessageContaining(
              "Cannot vacuum with %s = 23h: it is shorter than vacuum.min-retention = 24h"
                  .formatted(key));
      VacuumOptions.from(brief, NightlyJob.Repeat.FORCE);
      refused++;
    }
    assertThat(refused).isEqualTo(2);
    assertThatThrownBy(
            () -> VacuumOptions.from(settings("vacuum.backups = 0"), NightlyJob.Repeat.SKIP_DONE))
        .hasMessage("Cannot use vacuum.backups = 0: it must be 1 or more");
    for (String share : List.of("1", "-0.1", "nan")) {
      assertThatThrownBy(
              () ->
                  VacuumOptions.from(
                      settings("vacuum.compact-below = " + share), NightlyJob.Repeat.SKIP_DONE))
          .isInstanceOf(SettingsException.class)
          .hasMessageContaining("vacuum.compact-below");
    }
  }

  @Test
  void retentionsThatWouldTakeWhatNightsReadAreRefusedByName() {
    assertThatThrownBy(
            () -> TableRetention.requireEnough(settings("tables.demand.retention-days = 35")))
        .isInstanceOf(SettingsException.class)
        .hasMessage(
            "Cannot vacuum with tables.demand.retention-days = 35: it must be 42 to 36500, since nights read as far back by forecast.history, forecast.horizon and tuner.origins");
    TableRetention.requireEnough(settings("tables.demand.retention-days = 42"));
    assertThatThrownBy(() -> TableRetention.requireEnough(settings("forecast.history = 500d")))
        .hasMessageContaining("tables.demand.retention-days = 400: it must be 507 to 36500");
    assertThatThrownBy(
            () -> TableRetention.requireEnough(settings("tables.runs.retention-days = 36")))
        .hasMessageContaining(
            "it must be 37 to 36500, since nights read as far back by tuner.after-nights");
    assertThatThrownBy(
            () -> TableRetention.requireEnough(settings("tables.plans.retention-days = 0")))
        .hasMessageContaining("tables.plans.retention-days = 0: it must be 7 to 36500");
  }

  /** A table that a night adds to and that nobody thought of would grow for ever. */
  @Test
  void everyTableOfTheLakeIsVacuumed() {
    List<String> vacuumed =
        java.util.stream.Stream.concat(
                TableRetention.all().stream().map(of -> of.table().name()),
                TableRetention.kept().stream().map(table -> table.name()))
            .sorted()
            .toList();
    assertThat(vacuumed).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(documented());
  }

  private static List<String> documented() {
    try {
      return java.util.regex.Pattern.compile("(?m)^\\| \\[`([a-z_]+)`\\]\\(#")
          .matcher(
              java.nio.file.Files.readString(
                  java.nio.file.Path.of(System.getProperty("metashard.basedir", "."))
                      .resolve("TABLES.md")))
          .results()
          .map(found -> found.group(1))
          .toList();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
