package io.metashard.store;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Holds one task to so many bytes a second: a token bucket that holds a second's worth. Thread
 * safe.
 *
 * <p>Bytes are taken before they are moved, so that a large request waits for itself and not for
 * the next one.
 */
public final class Pace {
  /** No limit. */
  public static final Pace UNLIMITED = new Pace(0);

  private static final long SECOND_NANOS = 1_000_000_000L;

  private final long bytesPerSecond;
  private final LongSupplier clock;
  private final LongConsumer sleep;
  private long freeAtNanos; // when all that was taken is paid for; guarded by this

  /**
   * @param bytesPerSecond 0: no limit
   */
  public Pace(long bytesPerSecond) {
    this(bytesPerSecond, System::nanoTime, LockSupport::parkNanos);
  }

  Pace(long bytesPerSecond, LongSupplier clock, LongConsumer sleep) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException(
          "Cannot move %d bytes a second: 0 is no limit".formatted(bytesPerSecond));
    }
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
    this.sleep = sleep;
    this.freeAtNanos = clock.getAsLong() - SECOND_NANOS;
  }

  /**
   * Waits until the bytes may be moved. An interrupt ends the wait: who asked for it looks at the
   * flag, which stays set.
   */
  public void take(long bytes) {
    if (bytesPerSecond == 0 || bytes <= 0) {
      return;
    }
    long until;
    synchronized (this) {
      freeAtNanos =
          Math.max(freeAtNanos, clock.getAsLong() - SECOND_NANOS)
              + (long) ((double) bytes / bytesPerSecond * SECOND_NANOS);
      until = freeAtNanos;
    }
    for (long left = until - clock.getAsLong(); left > 0; left = until - clock.getAsLong()) {
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
      sleep.accept(left);
    }
  }
}
