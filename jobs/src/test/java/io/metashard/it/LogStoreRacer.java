package io.metashard.it;

import io.metashard.logstore.ConditionalPutLogStore;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;

/** One of several processes that try to commit the same versions of a table. */
final class LogStoreRacer {
  private static final long JITTER_MILLIS = 10;
  private static final long PATIENCE_SECONDS = 120;

  private LogStoreRacer() {}

  /**
   * Commits as many versions as it can win, and prints those that it believes to have won.
   *
   * @param arguments log folder, number of versions, folder to meet in, number of this process, how
   *     many there are, then Hadoop options as {@code key=value}
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int versions = Integer.parseInt(arguments[1]);
    Path folder = Path.of(arguments[2]);
    int index = Integer.parseInt(arguments[3]);
    int processes = Integer.parseInt(arguments[4]);
    String name = "racer-" + index;
    Configuration hadoop = new Configuration();
    for (String option : List.of(arguments).subList(5, arguments.length)) {
      String[] parts = option.split("=", 2);
      hadoop.set(parts[0], parts[1]);
    }
    ConditionalPutLogStore store = new ConditionalPutLogStore(hadoop);
    org.apache.hadoop.fs.Path log = new org.apache.hadoop.fs.Path(arguments[0]);
    // Classes, connections and the bucket are known before the race begins.
    store.write(
        new org.apache.hadoop.fs.Path(log, "warm-up-" + name),
        List.of(name).iterator(),
        true,
        hadoop);
    Random random = new Random(name.hashCode());
    for (int version = 0; version < versions; version++) {
      // All begin a version together, now one and now another a little earlier: refused commits
      // take longer, so that whoever won once would be ahead and win everything.
      meet(folder, version, index, processes);
      Thread.sleep(random.nextLong(JITTER_MILLIS));
      String file = "%020d.json".formatted(version);
      try {
        store.write(
            new org.apache.hadoop.fs.Path(log, file),
            List.of("{\"by\":\"%s\",\"version\":%d}".formatted(name, version)).iterator(),
            false,
            hadoop);
        System.out.println(version);
      } catch (FileAlreadyExistsException e) {
        // Another one has it.
      }
    }
  }

  /** Says that this process is there, and waits until all are. */
  private static void meet(Path folder, int version, int index, int processes)
      throws IOException, InterruptedException {
    Files.createFile(folder.resolve(version + "-" + index));
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    for (int other = 0; other < processes; other++) {
      while (!Files.exists(folder.resolve(version + "-" + other))) {
        if (System.nanoTime() > until) {
          throw new IOException("Process %d did not come to version %d".formatted(other, version));
        }
        Thread.sleep(1);
      }
    }
  }
}
