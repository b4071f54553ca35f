package io.metashard.config;

import io.metashard.LocationModel;

/** What the configuration says of how fast locations are, below {@code simulate}. */
public final class LocationModels {
  private LocationModels() {}

  /**
   * @throws SettingsException if a value makes no sense
   */
  public static LocationModel.Disk disk(Settings settings) {
    return checked(
        settings,
        () ->
            new LocationModel.Disk(
                settings.duration("simulate.disk.request").toNanos() / 1e6,
                settings.bytes("simulate.disk.bytes-per-second"),
                settings.number("simulate.disk.slow-share"),
                settings.number("simulate.disk.slow-factor")));
  }

  /**
   * @throws SettingsException if a value makes no sense
   */
  public static LocationModel.ObjectStore objectStore(Settings settings) {
    return checked(
        settings,
        () ->
            new LocationModel.ObjectStore(
                settings.duration("simulate.object-store.first-byte").toNanos() / 1e6,
                settings.bytes("simulate.object-store.bytes-per-second"),
                settings.number("simulate.object-store.slow-share"),
                settings.number("simulate.object-store.slow-factor"),
                settings.number("simulate.object-store.requests-per-second")));
  }

  private static <T> T checked(Settings settings, java.util.function.Supplier<T> model) {
    try {
      return model.get();
    } catch (SettingsException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new SettingsException(
          "Cannot use simulate of %s: %s".formatted(settings.source(), e.getMessage()), e);
    }
  }
}
