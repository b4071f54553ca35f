package io.metashard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;

/** The request log of the committed sample. */
public final class SampleLog {
  private static final Path DAYS =
      Path.of(System.getProperty("metashard.basedir")).resolveSibling("data/sample/logs/parquet");

  private SampleLog() {}

  /** Copies the last days of it, with their moments, into a folder. */
  public static void copyLastDays(int count, Path to) throws IOException {
    try (Stream<Path> days = Files.list(DAYS)) {
      for (Path day : days.sorted(Comparator.reverseOrder()).limit(count).toList()) {
        FileUtils.copyDirectory(day.toFile(), to.resolve(day.getFileName()).toFile());
      }
    }
  }
}
