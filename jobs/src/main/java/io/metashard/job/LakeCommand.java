package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Mixin;

/** A command on a lake: reads the configuration, runs, prints, writes {@code --result}. */
abstract class LakeCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(LakeCommand.class);

  @Mixin private CommonOptions options;

  private final String name;

  LakeCommand(String name) {
    this.name = name;
  }

  /**
   * What a command gives back.
   *
   * @param text for people, printed as it is; null when it printed itself
   * @param values for programs
   */
  record Answer(int exitCode, String text, Map<String, Object> values) {
    static Answer done(Map<String, Object> figures) {
      return new Answer(0, Figures.table(figures), figures);
    }
  }

  /** What a run starts from. */
  record Start(
      Settings settings, Configuration hadoop, String lakeRoot, Instant at, String runId) {}

  /** Does the work. */
  abstract Answer run(Start start) throws IOException;

  CommonOptions options() {
    return options;
  }

  /** Whether the command can say what it would do without doing it. */
  boolean knowsDryRun() {
    return false;
  }

  @Override
  public Integer call() {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("command", name);
    int exitCode;
    try {
      if (options.dryRun() && !knowsDryRun()) {
        throw new SettingsException(
            "Cannot use --dry-run with %s: only plan and nightly know it".formatted(name));
      }
      Instant now = Clock.systemUTC().instant();
      SampleData sample = SampleData.forRun(options.usesSample());
      Settings settings = options.settings();
      Instant at = options.at(settings, now, sample.end());
      String runId = options.runId(name, at, settings, now);
      result.put("run_id", runId);
      result.put("at", at.toString());
      Configuration hadoop = hadoop(settings);
      String lakeRoot = JobContext.qualified(settings.string("lake.root"), hadoop);
      Answer answer = run(new Start(settings, hadoop, lakeRoot, at, runId));
      exitCode = answer.exitCode();
      result.putAll(answer.values());
      if (!options.json() && answer.text() != null) {
        out().print(answer.text());
      }
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      exitCode = Failures.exitCode(e);
      String message = Failures.message(e);
      result.put("error", message);
      System.err.println("metashard " + name + ": " + message);
      LOG.debug("{} failed", name, e);
    }
    result.put("exit_code", exitCode);
    if (options.json()) {
      out().println(Figures.json(result));
    }
    return writeResult(result, exitCode);
  }

  static PrintStream out() {
    return System.out;
  }

  private static Configuration hadoop(Settings settings) {
    Configuration hadoop = new Configuration();
    settings.open("hadoop").forEach(hadoop::set);
    return hadoop;
  }

  private int writeResult(Map<String, Object> result, int exitCode) {
    if (options.result() == null) {
      return exitCode;
    }
    Path path = new Path(options.result());
    try (FSDataOutputStream file =
            path.getFileSystem(new Configuration())
                .createFile(path)
                .overwrite(true)
                .recursive()
                .build();
        OutputStream out = file) {
      out.write((Figures.json(result) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      System.err.println(
          "metashard %s: Cannot write the result to %s: %s"
              .formatted(name, Settings.withoutUserInfo(options.result()), Failures.message(e)));
      return exitCode == 0 ? MetashardException.FAILED : exitCode;
    }
    return exitCode;
  }

  /** Opens Spark, runs, and closes it again. */
  Answer withSpark(Start start, SparkWork work) throws IOException {
    SparkSession spark = Sessions.open(start.settings(), name);
    LOG.info(
        "metashard {} on Spark {}, master {}",
        Version.text(),
        spark.version(),
        spark.sparkContext().master());
    ProgressBar progress =
        new ProgressBar(System.err, Boolean.getBoolean("metashard.terminal") && !options.quiet());
    if (!options.quiet()) {
      spark.sparkContext().addSparkListener(progress);
    }
    try {
      String store = spark.conf().get(LogStores.setting(start.lakeRoot()), null);
      LogStores.problem(start.lakeRoot(), store)
          .ifPresent(
              problem -> {
                throw new MetashardException(MetashardException.USAGE, problem);
              });
      JobContext context =
          new JobContext(
              spark,
              new Lake(spark, start.lakeRoot()),
              start.settings(),
              start.at(),
              start.runId());
      return work.run(context, new StageRunner(context, progress));
    } finally {
      spark.stop();
    }
  }

  /** Work that needs Spark. */
  interface SparkWork {
    Answer run(JobContext context, StageRunner runner) throws IOException;
  }
}
