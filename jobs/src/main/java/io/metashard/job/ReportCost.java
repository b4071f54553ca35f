package io.metashard.job;

import io.metashard.Amounts;
import io.metashard.report.NightReport;
import io.metashard.simulate.Prices;
import java.util.ArrayList;
import java.util.List;

/** Money, from figures of the report and configured prices. */
final class ReportCost {
  private ReportCost() {}

  /** Works amounts out; no line for what has no price. */
  static NightReport.Cost of(
      Prices prices, NightReport.Stored stored, NightReport.Forecast forecast) {
    if (!prices.areSet()) {
      return NightReport.Cost.NONE;
    }
    List<NightReport.CostLine> lines = new ArrayList<>();
    if (prices.storagePerGibMonth() > 0) {
      lines.add(
          new NightReport.CostLine(
              "storage a month",
              prices.storagePerMonth(stored.storedBytes()),
              "%s at %s a GiB and month"
                  .formatted(
                      Amounts.bytes(stored.storedBytes()),
                      Amounts.number(prices.storagePerGibMonth()))));
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
}
