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

/**
 * Lakes of several sizes, and runs of a stage on each.
 *
 * @param run the hidden benchmark whose steps are run
 * @param segments of each size
 * @param repeat runs of each size
 */
record BenchSizes(BenchJvm jvm, String run, List<Long> segments, int repeat) {
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
      for (long size : segments) {
        tell("%s segments: making their lake".formatted(Amounts.count(size)));
        jvm.step(run, make.apply(size, lake(lakes, size)));
      }
      // In turn, so that what else the machine does meets all sizes.
      for (int i = 1; i <= repeat; i++) {
        for (long size : segments) {
          JsonNode one = jvm.step(run, measure.apply(lake(lakes, size)));
          told.computeIfAbsent(size, any -> new ArrayList<>()).add(one);
          Usage usage = BenchFigures.usage(one);
          tell(
              "%s segments, run %d of %d: %s, of CPU %s, heap %s"
                  .formatted(
                      Amounts.count(size),
                      i,
                      repeat,
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
