package io.metashard.simulate;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;

/**
 * What storing, reading and moving costs; no figure of money is shown unless these are set.
 *
 * @param currency a word that stands beside amounts; empty: no prices
 * @param storagePerGibMonth of stored bytes
 * @param per1000Reads of requests to a location or source
 * @param per1000Writes of requests that write to a location
 * @param movePerGib of bytes that a run reads from sources or writes to locations
 */
public record Prices(
    String currency,
    double storagePerGibMonth,
    double per1000Reads,
    double per1000Writes,
    double movePerGib) {
  private static final double GIB = 1L << 30;

  public Prices {
    String all =
        "prices.storage-per-gib-month = %s, prices.per-1000-reads = %s, prices.per-1000-writes = %s, prices.move-per-gib = %s"
            .formatted(storagePerGibMonth, per1000Reads, per1000Writes, movePerGib);
    if (storagePerGibMonth < 0 || per1000Reads < 0 || per1000Writes < 0 || movePerGib < 0) {
      throw new SettingsException("Cannot use " + all + ": a price is 0 or more");
    }
    if (currency.isEmpty() && storagePerGibMonth + per1000Reads + per1000Writes + movePerGib > 0) {
      throw new SettingsException(
          "Cannot use "
              + all
              + ": prices.currency is not set, so nobody would know of what; set it, e.g. USD");
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
        settings.number("prices.per-1000-reads"),
        settings.number("prices.per-1000-writes"),
        settings.number("prices.move-per-gib"));
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

  public double writes(double requests) {
    return requests / 1000 * per1000Writes;
  }

  public double moved(double bytes) {
    return bytes / GIB * movePerGib;
  }
}
