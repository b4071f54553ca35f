package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.metashard.Amounts;
import io.metashard.bench.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import picocli.CommandLine.Option;

/**
 * Lakes of several sizes, and runs of a stage on each.
 *
 * @param run the hidden benchmark whose steps are run
 */
record BenchSizes(BenchJvm jvm, String run, Asked asked) {
  static final int SLOWEST_QUERIES = 15;

  /** Options that say which sizes. */
  abstract static class Asked {
    @Option(
        names = "--segments",
        paramLabel = "N",
        split = ",",
        description = "sizes to measure (default: 100000,300000,1000000)")
    List<Long> segments = List.of(100_000L, 300_000L, 1_000_000L);

    @Option(
        names = "--repeat",
        paramLabel = "N",
        description =
            "runs of each size, in turn: the table has the median of their times and the most of their memory (default: 3)")
    int repeat = 3;

    @Option(
        names = "--queries",
        description = "also print which queries of the largest size took most")
    boolean queries;

    void check() {
      BenchOptions.requireAtLeastOne("--repeat", repeat);
    }
  }

  /**
   * Makes the lakes, measures the runs and removes the lakes.
   *
   * @param make arguments of the step that makes the lake of a size at a place
   * @param measure arguments of the step that is measured there
   * @return by size, what each run told
   */
  Map<Long, List<JsonNode>> run(
      BiFunction<Long, Path, List<String>> make, Function<Path, List<String>> measure)
      throws IOException {
    Map<Long, List<JsonNode>> told = new TreeMap<>();
    Path lakes = Files.createTempDirectory(Files.createDirectories(jvm.work()), "lakes");
    try {
      for (long size : asked.segments) {
        tell("%s segments: making their lake".formatted(Amounts.count(size)));
        jvm.step(run, make.apply(size, lake(lakes, size)));
      }
      // In turn, so that what else the machine does meets all sizes.
      for (int i = 1; i <= asked.repeat; i++) {
        for (long size : asked.segments) {
          JsonNode one = jvm.step(run, measure.apply(lake(lakes, size)));
          told.computeIfAbsent(size, any -> new ArrayList<>()).add(one);
          Usage usage = BenchFigures.usage(one);
          tell(
              "%s segments, run %d of %d: %s, of CPU %s, heap %s"
                  .formatted(
                      Amounts.count(size),
                      i,
                      asked.repeat,
                      Amounts.duration(usage.seconds()),
                      Amounts.duration(usage.cpuSeconds()),
                      Amounts.bytes(usage.heapBytes())));
        }
      }
    } finally {
      LocalFolders.delete(lakes);
    }
    return told;
  }

  private static Path lake(Path lakes, long segments) {
    return lakes.resolve(Long.toString(segments));
  }

  static void tell(String message) {
    System.err.println(message);
  }
}
