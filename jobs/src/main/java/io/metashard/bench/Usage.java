package io.metashard.bench;

import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What a run took.
 *
 * @param cpuSeconds of the process, on all cores, compiling and collecting included: what the
 *     machine's other work does not change much
 * @param heapBytes in use right after a collection, at most
 * @param rssBytes of the process at most, since it began; 0: the system does not tell
 * @param failedTasks of Spark, retried or not
 * @param work by query, the slowest first
 */
public record Usage(
    double seconds,
    double cpuSeconds,
    long heapBytes,
    long rssBytes,
    long failedTasks,
    List<Work> work) {
  /**
   * What the stages of one query did.
   *
   * @param name where in the code it was asked for
   * @param taskSeconds of CPU, of all tasks together
   * @param shuffledBytes written
   * @param spilledBytes written to disk for want of memory
   * @param resultBytes brought to the driver
   */
  public record Work(
      String name,
      int stages,
      double taskSeconds,
      long shuffledBytes,
      long spilledBytes,
      long resultBytes) {
    static final Comparator<Work> SLOWEST_FIRST =
        Comparator.comparingDouble(Work::taskSeconds).reversed().thenComparing(Work::name);

    Work plus(Work other) {
      return new Work(
          name,
          stages + other.stages,
          taskSeconds + other.taskSeconds,
          shuffledBytes + other.shuffledBytes,
          spilledBytes + other.spilledBytes,
          resultBytes + other.resultBytes);
    }
  }

  public Usage {
    work = List.copyOf(work);
  }

  public long spilledBytes() {
    return sum(Work::spilledBytes);
  }

  public long shuffledBytes() {
    return sum(Work::shuffledBytes);
  }

  /** Brought to the driver: what would grow with the segments, if anything did. */
  public long resultBytes() {
    return sum(Work::resultBytes);
  }

  public double taskSeconds() {
    return work.stream().mapToDouble(Work::taskSeconds).sum();
  }

  private long sum(ToLongFunction<Work> figure) {
    return work.stream().mapToLong(figure).sum();
  }
}
