package io.metashard.bench;

import io.metashard.Amounts;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Nights one after the other, as Markdown: what each moved, what it was to be worth, and was. */
public record WeekTable(List<Night> nights) {
  /**
   * What a night did.
   *
   * @param date the day at whose end it planned
   * @param encoded objects
   * @param movedBytes that it wrote
   * @param logicalBytes of all objects in its map
   * @param storedPerLogical bytes at locations for each byte of them
   * @param mapVersion the switch of the map that it made, or found
   */
  public record Night(
      LocalDate date,
      long encoded,
      long movedBytes,
      long logicalBytes,
      double storedPerLogical,
      P99 objectStore,
      P99 disk,
      long mapVersion) {}

  /**
   * 99th percentiles of reading times, in milliseconds.
   *
   * @param expected by the plan, of the requests that were forecast
   * @param simulated of the reads that came, through the layout that the night left
   * @param ofSource the same, from the objects as they are
   */
  public record P99(double expected, double simulated, double ofSource) {}

  public WeekTable {
    nights = List.copyOf(nights);
  }

  /**
   * The table.
   *
   * @param readsBack of each map version, how its objects read after a rollback to it
   */
  public String markdown(Map<Long, String> readsBack) {
    List<List<String>> lines = new ArrayList<>();
    lines.add(
        List.of(
            "night",
            "objects encoded",
            "bytes moved",
            "of all bytes",
            "stored",
            "p99 expected, object-store",
            "simulated",
            "source's",
            "p99 expected, disk",
            "simulated",
            "source's",
            "map version",
            "reads back"));
    for (Night night : nights) {
      lines.add(
          List.of(
              night.date().toString(),
              Amounts.count(night.encoded()),
              Amounts.bytes(night.movedBytes()),
              night.logicalBytes() == 0
                  ? "-"
                  : Amounts.percent((double) night.movedBytes() / night.logicalBytes()),
              String.format(Locale.ROOT, "%.3f", night.storedPerLogical()),
              millis(night.objectStore().expected()),
              millis(night.objectStore().simulated()),
              millis(night.objectStore().ofSource()),
              millis(night.disk().expected()),
              millis(night.disk().simulated()),
              millis(night.disk().ofSource()),
              Long.toString(night.mapVersion()),
              readsBack.getOrDefault(night.mapVersion(), "-")));
    }
    return Markdown.table(lines);
  }

  private static String millis(double millis) {
    return Double.isFinite(millis) ? String.format(Locale.ROOT, "%.1f", millis) : "-";
  }
}
