package io.metashard.job;

import io.metashard.simulate.LocationFit;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many short reads a location serves in a second when several come at a time.
 *
 * <p>First {@code c} readers read at a time, then {@code 2 c} of them, each twice as often. Reads
 * in a second are those answered over the time from the first one's begin to the last one's end.
 * Where twice the readers get less than {@value #STILL_GROWING} times as much, or a read fails, a
 * limit was met: of the location, the way to it or this machine. Otherwise what was reached is only
 * a lower bound.
 */
final class SideBySide {
  private static final Logger LOG = LoggerFactory.getLogger(SideBySide.class);

  private static final double STILL_GROWING = 1.3;

  /** As many times as one after the other: reads side by side do not wait for each other. */
  static final double LEAST_SPEEDUP = 2;

  private static final int LEAST_REQUESTS = 24;
  private static final int MOST_REQUESTS = 800;
  private static final int MOST_READERS = 16; // in the first step
  private static final int REQUESTS_PER_READER = 20;

  private final Opener opener;
  private final int length;
  private final long seed;

  /** Makes the i-th reader of the same location. */
  interface Opener {
    RangeReader open(int i) throws IOException;
  }

  /**
   * What was reached.
   *
   * @param requestsPerSecond answered
   * @param limitSeen whether more readers got no more
   * @param readers at a time, at most
   * @param speedup over plain reads of the same length one after the other
   * @param readBytes in all
   */
  record Rate(
      double requestsPerSecond, boolean limitSeen, int readers, double speedup, long readBytes) {}

  /** One step: reads answered, whether one failed, and reads answered in a second. */
  private record Step(int answered, boolean failed, double perSecond) {}

  SideBySide(Opener opener, int length, long seed) {
    this.opener = opener;
    this.length = length;
    this.seed = seed;
  }

  /** How many of all requests it takes: a quarter, within bounds. */
  static int requests(int maxRequests) {
    return Math.max(LEAST_REQUESTS, Math.min(MOST_REQUESTS, maxRequests / 4));
  }

  /**
   * Reads.
   *
   * @param requests to make at most, {@value #LEAST_REQUESTS} or more
   * @param alone how reads fare one after the other
   */
  Rate run(int requests, LocationFit alone) throws IOException {
    int few = Math.max(2, Math.min(MOST_READERS, requests / REQUESTS_PER_READER));
    int many = 2 * few;
    // Opening and an untimed read each, and opening again if that fails; of what is left a third is
    // for the first step.
    int each = (requests - many * (RangeReader.MOST_REQUESTS + 1)) / (3 * few);
    ExecutorService threads = Executors.newFixedThreadPool(many);
    List<RangeReader> readers = new ArrayList<>();
    try {
      for (int i = 0; i < many; i++) {
        RangeReader reader = opener.open(i);
        readers.add(reader);
        warmUp(reader);
      }
      Step first = step(threads, readers.subList(0, few), each, 1);
      Step second =
          first.failed()
              ? first // a reader that failed would have to open its file again
              : step(threads, readers, each, 2);
      double perSecond = Math.max(first.perSecond(), second.perSecond());
      double speedup = perSecond * alone.disk().plainMillis(length) / 1000;
      boolean limitSeen =
          second.failed()
              || second.perSecond() < STILL_GROWING * first.perSecond()
              || speedup < LEAST_SPEEDUP;
      int answered = first.answered() + (first.failed() ? 0 : second.answered());
      return new Rate(perSecond, limitSeen, many, speedup, (long) answered * length);
    } finally {
      threads.shutdownNow();
      readers.forEach(RangeReader::close);
    }
  }

  private void warmUp(RangeReader reader) {
    try {
      reader.read(0, length);
    } catch (IOException e) {
      LOG.debug("An untimed read failed; the timed ones tell", e);
    }
  }

  private Step step(ExecutorService threads, List<RangeReader> readers, int each, int number)
      throws IOException {
    List<Callable<Integer>> tasks = new ArrayList<>();
    for (int i = 0; i < readers.size(); i++) {
      RangeReader reader = readers.get(i);
      Random random = new Random(seed + 31L * i + 1009L * number);
      tasks.add(() -> answered(reader, random, each));
    }
    long begin = System.nanoTime();
    int answered = 0;
    try {
      for (Future<Integer> task : threads.invokeAll(tasks)) {
        answered += task.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Cannot go on measuring: it was told to stop", e);
    } catch (ExecutionException e) {
      throw new IOException("Cannot measure reads side by side: " + Failures.message(e), e);
    }
    double seconds = Math.max(1, System.nanoTime() - begin) / 1e9;
    return new Step(answered, answered < each * readers.size(), answered / seconds);
  }

  /** Reads until all are done or one fails; how many were answered. */
  private int answered(RangeReader reader, Random random, int reads) {
    for (int i = 0; i < reads; i++) {
      try {
        reader.timed(random, length);
      } catch (IOException e) {
        LOG.debug("A read side by side failed: the count tells it", e);
        return i;
      }
    }
    return reads;
  }
}
