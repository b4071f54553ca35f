package io.metashard.job;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.util.SignalUtils;

/**
 * Ctrl-C, or a scheduler's SIGTERM: Spark's jobs are cancelled until the command notices, so that
 * it ends by its own way out, with its row of {@code runs}, its result and its exit code.
 *
 * <p>A second signal, or a command that does not end in time, ends the process at once: that is no
 * worse than a power cut, which every stage stands.
 */
class StopSignal {
  /** For who runs jobs inside a process of their own: nothing ever asks to stop. */
  static final StopSignal NONE = new StopSignal(message -> {}, Thread.currentThread());

  /** Time in which the command must notice by itself, before its thread is interrupted. */
  private static final long NOTICE_MILLIS = 5_000;

  /** Time from the signal to the end of the process, at most. */
  private static final long END_MILLIS = 45_000;

  private static final long AGAIN_MILLIS = 250;

  /** Numbers of POSIX, which shells add to 128. */
  private static final Map<String, Integer> NUMBERS = Map.of("INT", 2, "TERM", 15);

  private static final AtomicBoolean REGISTERED = new AtomicBoolean();

  /** Whoever runs now: handlers stay, commands come and go. */
  private static final AtomicReference<StopSignal> CURRENT = new AtomicReference<>();

  private final Consumer<String> tell;
  private final Thread worker;
  private final AtomicReference<Asked> asked = new AtomicReference<>();
  private volatile SparkContext spark;
  private volatile boolean acknowledged;

  private StopSignal(Consumer<String> tell, Thread worker) {
    this.tell = tell;
    this.worker = worker;
  }

  /** A signal that came. */
  record Asked(String name, int exitCode) {
    String text() {
      return name.equals("INT") ? "Ctrl-C (SIGINT)" : "SIG" + name;
    }
  }

  /** The command was asked to stop. */
  static final class StoppedException extends MetashardException {
    StoppedException(int exitCode, String message, Throwable cause) {
      super(exitCode, message, cause);
    }
  }

  /**
   * Watches for signals on behalf of a command that the calling thread runs.
   *
   * @param tell takes what people are told when one comes
   */
  static StopSignal watch(Consumer<String> tell) {
    StopSignal signal = new StopSignal(tell, Thread.currentThread());
    CURRENT.set(signal);
    if (REGISTERED.compareAndSet(false, true)) {
      // Does nothing where there are no such signals; a shell that ignores one stays so.
      NUMBERS.keySet().forEach(name -> SignalUtils.register(name, () -> handled(name)));
    }
    return signal;
  }

  /** From now on signals do what they do by themselves. */
  void end() {
    acknowledged = true;
    CURRENT.compareAndSet(this, null);
  }

  private static Object handled(String name) {
    StopSignal current = CURRENT.get();
    return current != null && current.ask(name);
  }

  /** Whether the signal was taken; one that is not does what it does by itself. */
  boolean ask(String name) {
    Asked now = new Asked(name, 128 + NUMBERS.get(name));
    if (!asked.compareAndSet(null, now)) {
      Runtime.getRuntime().halt(now.exitCode());
    }
    tell.accept("stopping after %s; the same again ends it at once".formatted(now.text()));
    Thread thread = new Thread(() -> stop(now), "stop-by-signal");
    thread.setDaemon(true);
    thread.start();
    return true;
  }

  private void stop(Asked now) {
    long start = System.currentTimeMillis();
    boolean interrupted = false;
    try {
      while (CURRENT.get() == this && System.currentTimeMillis() - start < END_MILLIS) {
        if (!acknowledged) {
          cancelJobs(); // again and again: between two jobs there is none to cancel
          if (!interrupted && System.currentTimeMillis() - start > NOTICE_MILLIS) {
            interrupted = true;
            worker.interrupt();
          }
        }
        Thread.sleep(AGAIN_MILLIS);
      }
    } catch (InterruptedException e) {
      return; // nobody does
    }
    if (CURRENT.get() == this) {
      Runtime.getRuntime().halt(now.exitCode());
    }
  }

  private void cancelJobs() {
    SparkContext context = spark;
    if (context != null && !context.isStopped()) {
      context.cancelAllJobs();
    }
  }

  /** The session whose jobs are cancelled; its tasks are interrupted, not waited for. */
  void spark(SparkContext context) {
    spark = context;
    context.setInterruptOnCancel(true);
  }

  /** The signal that came, if one did. */
  Optional<Asked> asked() {
    return Optional.ofNullable(asked.get());
  }

  /**
   * Goes on unless a signal came.
   *
   * @throws StoppedException if one did
   */
  void goOn() {
    asked()
        .ifPresent(
            signal -> {
              throw new StoppedException(signal.exitCode(), "stopped by " + signal.text(), null);
            });
  }

  /** The command is on its way out: what it still does with Spark is not cancelled. */
  void acknowledge() {
    acknowledged = true;
    if (asked().isPresent()) {
      Thread.interrupted(); // what follows must not fail for having been interrupted
    }
  }
}
