package io.metashard.simulate;

import io.metashard.LocationModel;
import io.metashard.config.LocationModels;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.util.List;

/**
 * What reading is simulated with.
 *
 * @param draws times that every kind of read is drawn
 * @param extraReads blocks asked for beyond what a split segment needs
 */
public record SimulateOptions(
    int draws,
    long seed,
    int extraReads,
    LocationModel.Disk disk,
    LocationModel.ObjectStore objectStore)
    implements Serializable {
  private static final int MOST_DRAWS = 1_000_000;

  public SimulateOptions {
    // Below 100 there is no 99th percentile.
    if (draws < 100 || draws > MOST_DRAWS || extraReads < 0) {
      throw new SettingsException(
          "Cannot use simulate.draws = %d, simulate.extra-reads = %d: they must be 100 to %d, and 0 or more"
              .formatted(draws, extraReads, MOST_DRAWS));
    }
  }

  public static SimulateOptions from(Settings settings) {
    return new SimulateOptions(
        settings.integer("simulate.draws"),
        settings.longInteger("simulate.seed"),
        settings.integer("simulate.extra-reads"),
        LocationModels.disk(settings),
        LocationModels.objectStore(settings));
  }

  /** Results are always shown for both. */
  public List<LocationModel> models() {
    return List.of(disk, objectStore);
  }
}
