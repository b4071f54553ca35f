package io.metashard.job;

import java.io.PrintStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows how far the Spark jobs of a stage are: on a terminal a bar that is drawn over itself,
 * elsewhere a log line now and then. Jobs that end soon show nothing.
 */
final class ProgressBar extends SparkListener {
  private static final Logger LOG = LoggerFactory.getLogger(ProgressBar.class);

  /** Jobs shorter than this pass in silence. */
  private static final long SHORT_MILLIS = 2_000;

  private static final long TERMINAL_MILLIS = 200;
  private static final long PLAIN_MILLIS = 15_000;

  private final PrintStream terminal;
  private final int columns;

  /** Jobs that run now: several when a query is read while another is written. */
  private final Map<Integer, Job> jobs = new HashMap<>();

  private final Map<Integer, Integer> jobByStage = new HashMap<>();
  private String stage = "";
  private long lastShown;
  private boolean drawn;

  private static final class Job {
    private final int tasks;
    private final long startedAt;
    private int done;

    Job(int tasks, long startedAt) {
      this.tasks = tasks;
      this.startedAt = startedAt;
    }
  }

  private ProgressBar(PrintStream terminal, int columns) {
    this.terminal = terminal;
    this.columns = columns;
  }

  /** Draws a bar. */
  static ProgressBar onTerminal(PrintStream terminal, int columns) {
    return new ProgressBar(Objects.requireNonNull(terminal), columns);
  }

  /** Logs a line now and then. */
  static ProgressBar inLog() {
    return new ProgressBar(null, 0);
  }

  /** Names what runs now. */
  synchronized void stage(String name) {
    clear();
    stage = name;
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart job) {
    int tasks = 0;
    for (int i = 0; i < job.stageInfos().size(); i++) {
      tasks += job.stageInfos().apply(i).numTasks();
      jobByStage.put(job.stageInfos().apply(i).stageId(), job.jobId());
    }
    if (jobs.isEmpty()) {
      lastShown = now();
    }
    jobs.put(job.jobId(), new Job(tasks, now()));
  }

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart task) {
    show();
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd task) {
    Job job = jobs.get(jobByStage.getOrDefault(task.stageId(), -1));
    if (job != null && task.taskInfo().successful()) {
      job.done++;
      show();
    }
  }

  @Override
  public synchronized void onJobEnd(SparkListenerJobEnd job) {
    jobs.remove(job.jobId());
    jobByStage.values().removeIf(id -> id == job.jobId());
    if (jobs.isEmpty()) {
      clear();
    }
  }

  private void show() {
    long now = now();
    long startedAt = Long.MAX_VALUE;
    int done = 0;
    int tasks = 0;
    for (Job job : jobs.values()) {
      startedAt = Math.min(startedAt, job.startedAt);
      done += job.done;
      tasks += job.tasks;
    }
    if (jobs.isEmpty()
        || now - startedAt < SHORT_MILLIS
        || now - lastShown < (terminal != null ? TERMINAL_MILLIS : PLAIN_MILLIS)) {
      return;
    }
    lastShown = now;
    Duration elapsed = Duration.ofMillis(now - startedAt);
    if (terminal != null) {
      String line = ProgressLine.render(stage, done, tasks, elapsed, columns);
      // The rest of a longer line before it is blanked out.
      terminal.print("\r" + line + " ".repeat(Math.max(0, columns - 1 - line.length())));
      terminal.flush();
      drawn = true;
    } else {
      LOG.info("{}: {}", stage, ProgressLine.text(done, tasks, elapsed));
    }
  }

  /** Takes the bar away, so that a line can be written. */
  synchronized void clear() {
    if (drawn) {
      terminal.print("\r" + " ".repeat(Math.max(0, columns - 1)) + "\r");
      terminal.flush();
      drawn = false;
    }
  }

  /** Milliseconds that only grow. */
  private static long now() {
    return System.nanoTime() / 1_000_000;
  }
}
