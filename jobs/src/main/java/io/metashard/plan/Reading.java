package io.metashard.plan;

import io.metashard.LocationModel;
import io.metashard.config.LocationModels;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;

/**
 * What shapes are compared by: how fast locations are, and how the reader asks them.
 *
 * @param model of every location
 * @param extraReads blocks asked for beyond what is needed, at most
 * @param requestMillis what a request must save in reading time, 0 or more: requests cost money
 * @param blockMillis what a block must save in the reading time of the whole horizon, 0 or more: it
 *     is a row of the map, and one more that repairing and verifying ask for
 * @param horizonMillis in which the reads that are expected come
 */
public record Reading(
    LocationModel model,
    int extraReads,
    double requestMillis,
    double blockMillis,
    double horizonMillis)
    implements Serializable {
  public Reading {
    if (!(horizonMillis > 0)) {
      throw new SettingsException(
          "Cannot plan for a horizon of %s ms: forecast.horizon must be above 0"
              .formatted(horizonMillis));
    }
    if (extraReads < 0 || !(requestMillis >= 0) || !(blockMillis >= 0)) {
      throw new SettingsException(
          "Cannot use simulate.extra-reads = %d, plan.request-cost = %s ms, plan.block-cost = %s ms: all must be 0 or more"
              .formatted(extraReads, requestMillis, blockMillis));
    }
  }

  public static Reading from(Settings settings) {
    return new Reading(
        settings.oneOf("plan.read-model", "disk", "object-store").equals("disk")
            ? LocationModels.disk(settings)
            : LocationModels.objectStore(settings),
        settings.integer("simulate.extra-reads"),
        settings.duration("plan.request-cost").toNanos() / 1e6,
        settings.duration("plan.block-cost").toNanos() / 1e6,
        settings.duration("forecast.horizon").toMillis());
  }

  /** Milliseconds that so many reads of so many bytes take in all, were nothing else asked for. */
  double loadMillis(double requests, long bytes) {
    return requests * model.meanMillis(bytes);
  }

  /**
   * Milliseconds that a move takes at the source and at the locations: one request for the object,
   * and its bytes twice, read and written. Containers are long, so what they need of requests is
   * nearly nothing for each object in them.
   *
   * @param bytes of the object, as they are read
   * @param physicalBytes that are written for it
   */
  double moveMillis(long bytes, double physicalBytes) {
    return requestMillis + model.plainMillis(bytes) + physicalBytes / model.bytesPerSecond() * 1000;
  }
}
