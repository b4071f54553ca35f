package io.metashard.job;

import io.metashard.Amounts;
import io.metashard.report.NightReport;
import io.metashard.simulate.Prices;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Money, from figures of the report and configured prices. */
final class ReportCost {
  private ReportCost() {}

  /** Works amounts out; no line for what has no price. */
  static NightReport.Cost of(
      Prices prices, Tiers tiers, NightReport.Stored stored, NightReport.Forecast forecast) {
    if (!prices.areSet()) {
      return NightReport.Cost.NONE;
    }
    List<NightReport.CostLine> lines = new ArrayList<>();
    if (!tiers.areNone()) {
      Map<String, Long> bytes = new TreeMap<>();
      stored.places().forEach(at -> bytes.merge(at.tier(), at.bytes(), Math::addExact));
      bytes.forEach(
          (tier, held) ->
              lines.add(
                  storage("storage a month, tier " + tier, held, tiers.prices(tier, prices))));
    } else if (prices.storagePerGibMonth() > 0) {
      lines.add(storage("storage a month", stored.storedBytes(), prices));
    }
    if (prices.per1000Reads() > 0 && Double.isFinite(forecast.expected())) {
      lines.add(
          new NightReport.CostLine(
              "reads of the span forecast",
              prices.reads(forecast.expected()),
              "a request for each of %s segment reads, at %s for 1,000"
                  .formatted(
                      Amounts.number(forecast.expected()), Amounts.number(prices.per1000Reads()))));
    }
    return new NightReport.Cost(prices.currency(), lines);
  }

  private static NightReport.CostLine storage(String what, long bytes, Prices prices) {
    return new NightReport.CostLine(
        what,
        prices.storagePerMonth(bytes),
        "%s at %s a GiB and month"
            .formatted(Amounts.bytes(bytes), Amounts.number(prices.storagePerGibMonth())));
  }
}
