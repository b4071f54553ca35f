package io.metashard.bench;

import io.metashard.Amounts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How time and memory grow with size, as Markdown.
 *
 * @param rowsHeading what {@link Size#rows} counts
 * @param sizes the smallest first: the others are told as multiples of it
 */
public record ScaleTable(String rowsHeading, List<Size> sizes) {
  /** What growth may exceed that of the segments by, and still be called linear: noise. */
  public static final double NOISE = 0.05;

  /**
   * All runs of one size; of each figure, the median of seconds and the most of memory count.
   *
   * @param rows that were learned from, or made
   * @param how the work was done: the model that made the forecast, the form of a plan
   */
  public record Size(long segments, long rows, String how, List<Usage> runs) {
    public Size {
      runs = List.copyOf(runs);
      if (runs.isEmpty()) {
        throw new IllegalArgumentException(
            "Cannot tell of %d segments: there was no run".formatted(segments));
      }
    }

    double seconds() {
      return median(Usage::seconds);
    }

    double cpuSeconds() {
      return median(Usage::cpuSeconds);
    }

    private double median(ToDoubleFunction<Usage> figure) {
      List<Double> sorted = runs.stream().mapToDouble(figure).sorted().boxed().toList();
      int middle = sorted.size() / 2;
      return sorted.size() % 2 == 1
          ? sorted.get(middle)
          : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double most(ToDoubleFunction<Usage> figure) {
      return runs.stream().mapToDouble(figure).max().orElseThrow();
    }

    double heapBytes() {
      return most(Usage::heapBytes);
    }

    double rssBytes() {
      return most(Usage::rssBytes);
    }
  }

  public ScaleTable {
    sizes = sizes.stream().sorted(Comparator.comparingLong(Size::segments)).toList();
    if (sizes.isEmpty()) {
      throw new IllegalArgumentException("Cannot tell of no size");
    }
  }

  /** Whether time and memory grew no faster than the segments, from each size to the next. */
  public boolean linear() {
    return IntStream.range(1, sizes.size())
        .allMatch(i -> growsNoFaster(sizes.get(i - 1), sizes.get(i)));
  }

  /** The same of CPU time alone: what the machine's other work changes little. */
  public boolean linearInCpuTime() {
    return IntStream.range(1, sizes.size())
        .allMatch(
            i ->
                sizes.get(i).cpuSeconds()
                    <= allowed(sizes.get(i - 1), sizes.get(i)) * sizes.get(i - 1).cpuSeconds());
  }

  private static double allowed(Size from, Size to) {
    return (double) to.segments() / from.segments() * (1 + NOISE);
  }

  private static boolean growsNoFaster(Size from, Size to) {
    double allowed = allowed(from, to);
    return to.seconds() <= from.seconds() * allowed
        && to.cpuSeconds() <= from.cpuSeconds() * allowed
        && to.heapBytes() <= from.heapBytes() * allowed
        && to.rssBytes() <= from.rssBytes() * allowed;
  }

  /** The table. */
  public String markdown() {
    Size first = sizes.get(0);
    List<List<String>> lines = new ArrayList<>();
    lines.add(
        List.of(
            "segments",
            rowsHeading,
            "time",
            "as a multiple",
            "CPU time",
            "as a multiple",
            "heap",
            "as a multiple",
            "process",
            "spilled",
            "to the driver",
            "failed tasks"));
    for (Size size : sizes) {
      lines.add(
          List.of(
              Amounts.count(size.segments()) + multiple(size.segments(), first.segments()),
              Amounts.count(size.rows()),
              Amounts.duration(size.seconds()),
              times(size.seconds(), first.seconds()),
              Amounts.duration(size.cpuSeconds()),
              times(size.cpuSeconds(), first.cpuSeconds()),
              Amounts.bytes((long) size.heapBytes()),
              times(size.heapBytes(), first.heapBytes()),
              size.rssBytes() == 0 ? "-" : Amounts.bytes((long) size.rssBytes()),
              Amounts.bytes((long) size.most(Usage::spilledBytes)),
              Amounts.bytes((long) size.most(Usage::resultBytes)),
              Amounts.count((long) size.most(Usage::failedTasks))));
    }
    return Markdown.table(lines);
  }

  private static String multiple(long segments, long first) {
    return segments == first ? "" : " (%s)".formatted(times(segments, first));
  }

  private static String times(double value, double first) {
    return first == 0 ? "-" : String.format(Locale.ROOT, "%.1f x", value / first);
  }

  /** The queries of the largest size's slowest run that took most, as Markdown. */
  public String queries(int most) {
    Usage slowest =
        sizes.get(sizes.size() - 1).runs().stream()
            .max(Comparator.comparingDouble(Usage::seconds))
            .orElseThrow();
    List<List<String>> lines = new ArrayList<>();
    lines.add(
        List.of(
            "query",
            "stages",
            "CPU seconds of tasks",
            "of all",
            "shuffled",
            "spilled",
            "to the driver"));
    for (Usage.Work work : slowest.work().subList(0, Math.min(most, slowest.work().size()))) {
      lines.add(
          List.of(
              work.name(),
              Integer.toString(work.stages()),
              String.format(Locale.ROOT, "%.1f", work.taskSeconds()),
              Amounts.percent(work.taskSeconds() / Math.max(1e-9, slowest.taskSeconds())),
              Amounts.bytes(work.shuffledBytes()),
              Amounts.bytes(work.spilledBytes()),
              Amounts.bytes(work.resultBytes())));
    }
    return Markdown.table(lines);
  }
}
