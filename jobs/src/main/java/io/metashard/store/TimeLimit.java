package io.metashard.store;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.math.BigDecimal;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * How long a call of a file system may take. Each call has a thread of its own; one that does not
 * come back in time is interrupted and left behind, and the caller learns of it.
 */
final class TimeLimit {
  private static final AtomicLong NUMBER = new AtomicLong();
  private static final ExecutorService CALLS =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "metashard-store-" + NUMBER.incrementAndGet());
            thread.setDaemon(true);
            return thread;
          });

  private final long millis;

  /**
   * @param millis 0: none, and calls run in the caller's thread
   */
  TimeLimit(long millis) {
    this.millis = millis;
  }

  /** A location did not answer in time. */
  static final class NoAnswerException extends IOException {
    private static final long serialVersionUID = 1L;

    NoAnswerException(String message) {
      super(message);
    }
  }

  /** Something that a file system does. */
  @FunctionalInterface
  interface Action {
    void run() throws IOException;
  }

  boolean isNone() {
    return millis == 0;
  }

  /**
   * Does something in time.
   *
   * @param what it is, in words
   * @throws NoAnswerException if it takes too long: it may still be done, now or later
   * @throws InterruptedIOException if the caller is interrupted meanwhile
   */
  <T> T call(Supplier<String> what, Callable<T> work) throws IOException {
    try {
      if (isNone()) {
        return work.call();
      }
      Future<T> answer = CALLS.submit(work);
      try {
        return answer.get(millis, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        answer.cancel(true);
        throw new NoAnswerException(
            "Cannot %s: no answer within %s s; see whether its file system hangs, or raise %s"
                .formatted(
                    what.get(),
                    BigDecimal.valueOf(millis, 3).stripTrailingZeros().toPlainString(),
                    HadoopStore.TIMEOUT_MILLIS));
      } catch (InterruptedException e) {
        answer.cancel(true);
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("Cannot %s: interrupted".formatted(what.get()));
      }
    } catch (ExecutionException e) {
      throw rethrown(e.getCause());
    } catch (Exception e) {
      throw rethrown(e);
    }
  }

  /** As {@link #call}, where nothing comes back. */
  void run(Supplier<String> what, Action work) throws IOException {
    call(
        what,
        () -> {
          work.run();
          return null;
        });
  }

  private static IOException rethrown(Throwable failure) {
    if (failure instanceof IOException e) {
      return e;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    return new IOException(failure);
  }

  /** Does something that nobody waits for, such as closing what is read no more. */
  void later(Runnable work) {
    if (isNone()) {
      work.run();
    } else {
      CALLS.execute(work);
    }
  }
}
