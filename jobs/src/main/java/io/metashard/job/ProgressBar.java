package io.metashard.job;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * Shows how far the current Spark job is: a bar that is drawn over itself on a terminal, elsewhere
 * a plain line now and then.
 */
final class ProgressBar extends SparkListener {
  private static final int WIDTH = 30;
  private static final long TERMINAL_MILLIS = 200;
  private static final long PLAIN_MILLIS = 15_000;

  private final PrintStream out;
  private final boolean terminal;
  private final AtomicInteger done = new AtomicInteger();
  private volatile int total;
  private volatile String stage = "";
  private long lastShown;
  private boolean drawn;

  ProgressBar(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** Names what runs now. */
  void stage(String name) {
    clear();
    stage = name;
  }

  @Override
  public void onJobStart(SparkListenerJobStart job) {
    int tasks = 0;
    for (int i = 0; i < job.stageInfos().size(); i++) {
      tasks += job.stageInfos().apply(i).numTasks();
    }
    total = tasks;
    done.set(0);
    synchronized (this) {
      lastShown = System.currentTimeMillis();
    }
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd task) {
    show(done.incrementAndGet());
  }

  @Override
  public void onJobEnd(SparkListenerJobEnd job) {
    clear();
  }

  private synchronized void show(int finished) {
    long now = System.currentTimeMillis();
    int of = Math.max(total, finished);
    if (now - lastShown < (terminal ? TERMINAL_MILLIS : PLAIN_MILLIS)) {
      return;
    }
    lastShown = now;
    if (terminal) {
      int filled = (int) ((long) WIDTH * finished / of);
      out.printf(
          Locale.ROOT,
          "\r%-10s [%s%s] %d of %d tasks",
          stage,
          "#".repeat(filled),
          ".".repeat(WIDTH - filled),
          finished,
          of);
      out.flush();
      drawn = true;
    } else {
      out.printf(Locale.ROOT, "%s: %d of %d tasks%n", stage, finished, of);
    }
  }

  private synchronized void clear() {
    if (drawn) {
      out.print("\r" + " ".repeat(WIDTH + 40) + "\r");
      out.flush();
      drawn = false;
    }
  }
}
