package io.metashard.simulate;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;

/**
 * What storing and reading costs; no figure of money is shown unless these are set.
 *
 * @param currency a word that stands beside amounts; empty: no prices
 * @param storagePerGibMonth of stored bytes
 * @param per1000Reads of requests to a location or source
 */
public record Prices(String currency, double storagePerGibMonth, double per1000Reads) {
  private static final double GIB = 1L << 30;

  public Prices {
    if (storagePerGibMonth < 0 || per1000Reads < 0) {
      throw new SettingsException(
          "Cannot use prices.storage-per-gib-month = %s, prices.per-1000-reads = %s: a price is 0 or more"
              .formatted(storagePerGibMonth, per1000Reads));
    }
    if (currency.isEmpty() && (storagePerGibMonth > 0 || per1000Reads > 0)) {
      throw new SettingsException(
          "Cannot use prices.storage-per-gib-month = %s, prices.per-1000-reads = %s: prices.currency is not set, so nobody would know of what; set it, e.g. USD"
              .formatted(storagePerGibMonth, per1000Reads));
    }
    if (!currency.matches("[A-Za-z]{0,16}")) {
      throw new SettingsException(
          "Cannot use prices.currency: it must be a word of 1 to 16 letters, e.g. USD");
    }
  }

  public static Prices from(Settings settings) {
    return new Prices(
        settings.string("prices.currency"),
        settings.number("prices.storage-per-gib-month"),
        settings.number("prices.per-1000-reads"));
  }

  public boolean areSet() {
    return !currency.isEmpty();
  }

  public double storagePerMonth(long bytes) {
    return bytes / GIB * storagePerGibMonth;
  }

  public double reads(double requests) {
    return requests / 1000 * per1000Reads;
  }
}
