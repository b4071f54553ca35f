package io.metashard.job;

import com.typesafe.config.ConfigUtil;
import io.metashard.config.Settings;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Option;

/** A step of a benchmark on a lake, in the JVM that {@link BenchJvm} starts for it. */
abstract class BenchRun implements Callable<Integer> {
  /** The moment of all runs is the beginning of this day; nothing depends on which it is. */
  static final LocalDate END = LocalDate.parse("2026-03-02");

  @Option(names = "--lake", required = true)
  private String lake;

  @Option(names = "--result", required = true)
  private Path result;

  @Option(names = "--segments")
  private long segments;

  @Option(names = "--seed")
  private long seed;

  @Option(names = "--set")
  private List<String> set = new ArrayList<>();

  private final String name;

  /**
   * @param name of the session
   */
  BenchRun(String name) {
    this.name = name;
  }

  /** Does the step. */
  abstract Map<String, Object> told(JobContext context) throws IOException;

  /** Settings, as key=value, that the step needs. */
  List<String> overrides() throws IOException {
    return List.of();
  }

  long segments() {
    return segments;
  }

  long seed() {
    return seed;
  }

  @Override
  public Integer call() throws IOException {
    List<String> all = new ArrayList<>(set);
    all.addAll(overrides());
    Settings settings = Settings.parse("bench", "lake.root = " + ConfigUtil.quoteString(lake), all);
    SparkSession spark = Sessions.open(settings, name);
    try {
      JobContext context =
          context(
              spark, JobContext.qualified(lake, HadoopSettings.configuration(settings)), settings);
      Files.writeString(result, Figures.json(told(context)));
    } finally {
      spark.stop();
    }
    return 0;
  }

  static JobContext context(SparkSession spark, String lake, Settings settings) {
    Instant at = END.atStartOfDay(ZoneOffset.UTC).toInstant();
    return new JobContext(spark, new Lake(spark, lake), settings, at, "bench-" + UUID.randomUUID());
  }
}
