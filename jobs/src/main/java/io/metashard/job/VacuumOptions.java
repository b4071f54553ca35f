package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.time.Duration;

/**
 * For how long {@code vacuum} keeps what is stored.
 *
 * @param retention how long a version of the map is in use after the commit that replaced it, and
 *     former versions of all tables can be read
 * @param orphanAge files that no version in use names stay until they are as old; a run that began
 *     longer ago commits nothing
 * @param backups fewest backups of the map that stay; those of switches in use stay, too
 * @param deletesPerSecond most files removed in a second, of all tasks together
 * @param models age from which saved MLlib models are removed
 * @param reports the same of pages that {@code report} wrote
 * @param compactBelow containers are written anew of which a smaller share is in the map; 0: none
 * @param compactMaxBytes most bytes of blocks that are written anew in a run, about
 */
record VacuumOptions(
    Duration retention,
    Duration orphanAge,
    int backups,
    int deletesPerSecond,
    Duration models,
    Duration reports,
    double compactBelow,
    long compactMaxBytes) {
  private static final String RETENTION = "vacuum.retention";
  private static final String MIN_RETENTION = "vacuum.min-retention";
  static final String ORPHAN_AGE = "vacuum.orphan-age";

  VacuumOptions {
    atLeastOne("vacuum.backups", backups);
    atLeastOne("vacuum.deletes-per-second", deletesPerSecond);
    if (!(compactBelow >= 0 && compactBelow <= 0.9)) {
      throw new SettingsException(
          "Cannot use vacuum.compact-below = %s: it must be 0 to 0.9".formatted(compactBelow));
    }
  }

  private static void atLeastOne(String key, int value) {
    if (value < 1) {
      throw new SettingsException("Cannot use %s = %d: it must be 1 or more".formatted(key, value));
    }
  }

  /**
   * @param repeat whether times below the minimum are refused
   * @throws SettingsException if a time is shorter than {@code vacuum.min-retention}
   */
  static VacuumOptions from(Settings settings, NightlyJob.Repeat repeat) {
    if (repeat != NightlyJob.Repeat.FORCE) {
      Duration least = settings.duration(MIN_RETENTION);
      for (String key : new String[] {RETENTION, ORPHAN_AGE}) {
        if (settings.duration(key).compareTo(least) < 0) {
          throw new SettingsException(
              "Cannot vacuum with %s = %s: it is shorter than %s = %s, and readers, running nights or a rollback may need what would be removed; raise it, or add --force when nothing else runs"
                  .formatted(
                      key,
                      Settings.durationText(settings.duration(key)),
                      MIN_RETENTION,
                      Settings.durationText(least)));
        }
      }
    }
    return new VacuumOptions(
        settings.duration(RETENTION),
        settings.duration(ORPHAN_AGE),
        settings.integer("vacuum.backups"),
        settings.integer("vacuum.deletes-per-second"),
        settings.duration("vacuum.models"),
        settings.duration("vacuum.reports"),
        settings.number("vacuum.compact-below"),
        settings.bytes("vacuum.compact-max-bytes"));
  }

  /** Age from which a run commits nothing: vacuum may have removed what it wrote first. */
  static Duration orphanAge(Settings settings) {
    return settings.duration(ORPHAN_AGE);
  }
}
