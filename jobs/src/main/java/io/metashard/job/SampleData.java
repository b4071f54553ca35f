package io.metashard.job;

import io.metashard.generate.DemoInput;
import io.metashard.generate.GenerateOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The demo input that commands use when no configuration is given.
 *
 * @param end the moment after its last day, when to plan; null when there is a configuration, or
 *     {@code data/} holds somebody's own input
 */
record SampleData(Instant end) {
  private static final Logger LOG = LoggerFactory.getLogger(SampleData.class);
  private static final Path FOLDER = Path.of("data");

  /** Makes the sample if it is asked for and {@code data/} has none. */
  static SampleData forRun(boolean wanted) {
    if (!wanted) {
      return new SampleData(null);
    }
    if (!Files.isDirectory(FOLDER.resolve("objects"))) {
      LOG.info("No --config and no sample data: making some in {}", FOLDER.toAbsolutePath());
      new GenerateJob(GenerateOptions.into(FOLDER)).run();
    }
    return new SampleData(
        DemoInput.end(FOLDER)
            .map(end -> end.atStartOfDay(ZoneOffset.UTC).toInstant())
            .orElse(null));
  }
}
