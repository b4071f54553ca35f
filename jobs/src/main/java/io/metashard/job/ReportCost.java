package io.metashard.job;

import io.metashard.Amounts;
import io.metashard.report.NightReport;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Money, from figures of the report and configured prices. */
final class ReportCost {
  private static final double GIB = 1L << 30;

  private ReportCost() {}

  /**
   * Works amounts out; no line for what has no price.
   *
   * @param containers that the run wrote
   */
  static NightReport.Cost of(
      Prices prices, NightReport.Stored stored, NightReport.Forecast forecast, long containers) {
    if (!prices.any()) {
      return NightReport.Cost.NONE;
    }
    List<NightReport.CostLine> lines = new ArrayList<>();
    List<String> unpriced = new ArrayList<>();
    TreeMap<String, Long> byTier = new TreeMap<>();
    for (NightReport.Place place : stored.places()) {
      byTier.merge(place.tier(), place.bytes(), Long::sum);
    }
    byTier.forEach(
        (tier, bytes) -> {
          Double price = prices.storagePerGibMonth().get(tier);
          if (price == null) {
            unpriced.add("storage of tier " + tier);
          } else {
            lines.add(
                new NightReport.CostLine(
                    "storage a month, tier " + tier,
                    bytes / GIB * price,
                    "%s at %s a GiB and month"
                        .formatted(Amounts.bytes(bytes), Amounts.number(price))));
          }
        });
    if (prices.putPerThousand().isPresent()) {
      double price = prices.putPerThousand().getAsDouble();
      lines.add(
          new NightReport.CostLine(
              "writing containers in this run",
              containers / 1000.0 * price,
              "at least one request for each of %s, at %s for 1,000"
                  .formatted(Amounts.count(containers), Amounts.number(price))));
    } else {
      unpriced.add("requests that write");
    }
    if (prices.getPerThousand().isPresent() && Double.isFinite(forecast.expected())) {
      double price = prices.getPerThousand().getAsDouble();
      lines.add(
          new NightReport.CostLine(
              "reads of the span forecast",
              forecast.expected() / 1000.0 * price,
              "one request for each of %s segment reads, at %s for 1,000"
                  .formatted(Amounts.number(forecast.expected()), Amounts.number(price))));
    } else if (prices.getPerThousand().isEmpty()) {
      unpriced.add("requests that read");
    }
    return new NightReport.Cost(prices.currency(), lines, unpriced);
  }
}
