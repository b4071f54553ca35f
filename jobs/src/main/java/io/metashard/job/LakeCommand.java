package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.lake.Lake;
import io.metashard.shardmap.ShardMap;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
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
  private Configuration hadoop = new Configuration();

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

    /** What a command that is one stage gives back. */
    static Answer of(int exitCode, JobContext context, StageRunner runner, StageReport report) {
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("run_id", context.runId());
      figures.put("state", report.state());
      figures.put("reason", report.reason());
      figures.put("seconds", runner.seconds().get(report.stage()));
      figures.putAll(report.figures());
      return new Answer(exitCode, Figures.table(figures), figures);
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

  /** How far it goes, by {@code --dry-run}. */
  NightlyJob.Extent extent() {
    return options.dryRun() ? NightlyJob.Extent.DRY_RUN : NightlyJob.Extent.FULL;
  }

  /** What is done with what was done before, by {@code --force}. */
  NightlyJob.Repeat repeat() {
    return options.force() ? NightlyJob.Repeat.FORCE : NightlyJob.Repeat.SKIP_DONE;
  }

  /** Whether the command can say what it would do without doing it. */
  boolean knowsDryRun() {
    return false;
  }

  /** Whether sample data is made where no configuration is given. */
  boolean needsSample() {
    return true;
  }

  /** Whether a command that came to an answer has printed what {@code --json} asks for. */
  boolean printsOwnJson() {
    return false;
  }

  /** Settings, as key=value, that the command's own options set. */
  List<String> overrides() {
    return List.of();
  }

  /** What default run ids begin with: runs that do different things have different ids. */
  String runName() {
    return name;
  }

  @Override
  public Integer call() {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("command", name);
    int exitCode;
    try {
      // Also where the configuration, of which others are made, cannot be read.
      options.givenRunId().ifPresent(given -> result.put("run_id", given));
      if (options.dryRun() && !knowsDryRun()) {
        throw new SettingsException(
            "Cannot use --dry-run with %s: only export, forget, nightly, plan, recover-map, repair, rollback and vacuum know it"
                .formatted(name));
      }
      Instant now = Clock.systemUTC().instant();
      SampleData sample = SampleData.forRun(needsSample() && options.usesSample());
      Settings settings = options.settings(overrides());
      Instant at = options.at(settings, now, sample.end());
      String runId = options.runId(runName(), at, settings, now);
      result.put("run_id", runId);
      result.put("at", at.toString());
      LogContext.run(runId);
      hadoop = HadoopSettings.configuration(settings);
      String lakeRoot = JobContext.qualified(settings.string("lake.root"), hadoop);
      Answer answer = run(new Start(settings, hadoop, lakeRoot, at, runId));
      exitCode = answer.exitCode();
      result.putAll(answer.values());
      if (!options.json() && answer.text() != null) {
        out().print(answer.text());
      }
    } catch (Throwable e) { // errors too: the result file says how every run ended
      exitCode = Failures.exitCode(e);
      String message = Failures.message(e);
      result.put("error", message);
      tell(message);
      LOG.debug("{} failed", name, e);
    }
    result.put("exit_code", exitCode);
    if (options.json() && !(printsOwnJson() && !result.containsKey("error"))) {
      out().println(Figures.json(result));
    }
    int ended = writeResult(result, exitCode);
    LogContext.clear();
    return ended;
  }

  /** Says why the command failed, as the log is written. */
  private void tell(String message) {
    if (options.logFormat() == Logging.Format.JSON) {
      LOG.error(message);
    } else {
      // A terminal shows ^C, or a bar, where the line would begin.
      System.err.println(
          (Terminal.hasStderr() ? "\r\u001b[K" : "") + "metashard " + name + ": " + message);
    }
  }

  static PrintStream out() {
    return System.out;
  }

  private int writeResult(Map<String, Object> result, int exitCode) {
    if (options.result() == null) {
      return exitCode;
    }
    Path path = new Path(options.result());
    try (FSDataOutputStream file =
            path.getFileSystem(hadoop).createFile(path).overwrite(true).recursive().build();
        OutputStream out = file) {
      out.write((Figures.json(result) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      tell(
          "Cannot write the result to %s: %s"
              .formatted(Settings.withoutUserInfo(options.result()), Failures.message(e)));
      return exitCode == 0 ? MetashardException.FAILED : exitCode;
    }
    return exitCode;
  }

  /**
   * Opens Spark, runs, and closes it again.
   *
   * @throws StopSignal.StoppedException if a signal asked to stop
   */
  Answer withSpark(Start start, SparkWork work) throws IOException {
    StopSignal stop =
        StopSignal.watch(
            message -> {
              LogContext.run(start.runId()); // on the signal's own thread
              tell(message);
            });
    try {
      return inSession(start, work, stop);
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      if (stop.asked().isPresent() && !(e instanceof StopSignal.StoppedException)) {
        throw new StopSignal.StoppedException(
            stop.asked().get().exitCode(),
            "stopped by %s before anything began".formatted(stop.asked().get().text()),
            e);
      }
      throw e;
    } finally {
      stop.end();
    }
  }

  private Answer inSession(Start start, SparkWork work, StopSignal stop) throws IOException {
    SparkSession spark = Sessions.open(start.settings(), name);
    stop.spark(spark.sparkContext());
    LogContext.run(spark.sparkContext(), start.runId());
    LOG.info(
        "metashard {} on Spark {}, master {}",
        Version.text(),
        spark.version(),
        spark.sparkContext().master());
    ProgressBar progress =
        Terminal.hasStderr() && options.logFormat() == Logging.Format.TEXT
            ? ProgressBar.onTerminal(System.err, Terminal.columns())
            : ProgressBar.inLog();
    if (!options.quiet()) {
      spark.sparkContext().addSparkListener(progress);
    }
    try {
      String store = LogStores.inForce(start.lakeRoot(), spark.conf());
      LogStores.problem(start.lakeRoot(), store)
          .ifPresent(
              problem -> {
                throw new MetashardException(MetashardException.USAGE, problem);
              });
      StageMetrics metrics = new StageMetrics();
      metrics.register(spark.sparkContext());
      JobContext context =
          new JobContext(
              spark,
              new Lake(spark, start.lakeRoot()),
              start.settings(),
              start.at(),
              start.runId());
      StageRunner runner = new StageRunner(context, progress, metrics, stop);
      Answer answer = runner.command(name, () -> work.run(context, runner));
      progress.clear();
      linger(start.settings(), stop);
      return answer;
    } catch (Exception e) { // Spark throws checked ones through methods that declare none
      stop.acknowledge();
      if (stop.asked().isEmpty()) {
        throw e;
      }
      LOG.debug("{} was stopped", name, e);
      throw new StopSignal.StoppedException(
          stop.asked().get().exitCode(), stopped(spark, start, stop.asked().get()), e);
    } finally {
      progress.clear();
      spark.stop();
    }
  }

  /** Stays up for a last scrape; a signal ends it, and the command has ended well all the same. */
  private static void linger(Settings settings, StopSignal stop) {
    Duration linger = settings.duration("metrics.linger");
    if (!linger.isZero()) {
      LOG.info(
          "done; stays up for {} for a last scrape", Figures.duration(linger.toMillis() / 1e3));
    }
    long end = System.nanoTime() + linger.toNanos();
    try {
      while (stop.asked().isEmpty() && System.nanoTime() < end) {
        Thread.sleep(100);
      }
    } catch (InterruptedException e) {
      LOG.debug("Interrupted while lingering: the work is done");
    }
  }

  /** What a signal left behind, for people. */
  private String stopped(SparkSession spark, Start start, StopSignal.Asked signal) {
    String map;
    try {
      map =
          new ShardMap(new Lake(spark, start.lakeRoot())).lastSwitchWasBy(start.runId())
              ? "the shard map had been switched by this run"
              : "the shard map is as it was before";
    } catch (RuntimeException e) {
      map = "the shard map is the old or the new one, whole (" + Failures.message(e) + ")";
    }
    return "stopped by %s; %s; run the same command again, it %s"
        .formatted(signal.text(), map, afterStop());
  }

  /** What the same command does when it is run again. */
  String afterStop() {
    return "goes on from there";
  }

  /** Work that needs Spark. */
  interface SparkWork {
    Answer run(JobContext context, StageRunner runner) throws IOException;
  }
}
