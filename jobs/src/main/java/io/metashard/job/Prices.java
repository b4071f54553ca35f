package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * What storage and requests cost, as configured; nothing has a price of its own accord.
 *
 * @param storagePerGibMonth by tier of locations
 * @param putPerThousand for 1,000 requests that write; empty when not set
 * @param getPerThousand for 1,000 requests that read; empty when not set
 */
record Prices(
    String currency,
    Map<String, Double> storagePerGibMonth,
    OptionalDouble putPerThousand,
    OptionalDouble getPerThousand) {
  Prices {
    storagePerGibMonth = Map.copyOf(storagePerGibMonth);
  }

  static Prices from(Settings settings) {
    Map<String, Double> storage = new TreeMap<>();
    settings
        .open("prices.storage-per-gib-month")
        .forEach(
            (tier, price) ->
                storage.put(tier, number("prices.storage-per-gib-month." + tier, price, settings)));
    return new Prices(
        settings.string("prices.currency"),
        storage,
        request("prices.put-per-1000", settings),
        request("prices.get-per-1000", settings));
  }

  private static OptionalDouble request(String key, Settings settings) {
    return settings.has(key)
        ? OptionalDouble.of(number(key, settings.string(key), settings))
        : OptionalDouble.empty();
  }

  private static double number(String key, String text, Settings settings) {
    double value;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      value = Double.NaN;
    }
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new SettingsException(
          "Cannot use %s = %s (%s): a price is a number, 0 or more"
              .formatted(ObjectIds.printable(key), ObjectIds.printable(text), settings.source()));
    }
    return value;
  }

  /** Whether any price is set. */
  boolean any() {
    return !storagePerGibMonth.isEmpty()
        || putPerThousand.isPresent()
        || getPerThousand.isPresent();
  }
}
