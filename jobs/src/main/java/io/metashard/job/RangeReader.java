package io.metashard.job;

import io.metashard.simulate.TimedRead;
import java.io.Closeable;
import java.io.IOException;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.util.functional.FutureIO;

/**
 * Reads ranges of one file by a stream of its own, each range by a request of its own. Not thread
 * safe.
 */
final class RangeReader implements Closeable {
  /** Of one read: opening, where the stream before it failed, and reading. */
  static final int MOST_REQUESTS = 2;

  private final FileSystem files;
  private final Path path;
  private final long bytes;
  private final RequestBudget budget;
  private FSDataInputStream in; // null until the first read, and after one that failed
  private byte[] buffer = new byte[0];

  RangeReader(String root, Configuration hadoop, LocationTiming.Source source, RequestBudget budget)
      throws IOException {
    this.path = new Path(new Path(root), source.path());
    FileSystem found = path.getFileSystem(hadoop);
    // As HadoopStore reads: without side files.
    this.files =
        found instanceof ChecksumFileSystem checksummed ? checksummed.getRawFileSystem() : found;
    this.bytes = source.bytes();
    this.budget = budget;
  }

  /** Reads so many bytes at a random offset, and says how long that took. */
  TimedRead timed(Random random, int length) throws IOException {
    long offset = (long) (random.nextDouble() * (bytes - length + 1));
    open();
    long begin = System.nanoTime();
    fill(offset, length);
    return new TimedRead(length, Math.max(1, System.nanoTime() - begin) / 1e6);
  }

  /** Reads so many bytes at an offset, and forgets them. */
  void read(long offset, int length) throws IOException {
    open();
    fill(offset, length);
  }

  private void fill(long offset, int length) throws IOException {
    budget.spend(1);
    if (buffer.length < length) {
      buffer = new byte[length];
    }
    boolean isSound = false;
    try {
      in.readFully(offset, buffer, 0, length);
      isSound = true;
    } catch (FSError e) {
      // An Error, so that Hadoop's daemons stop when their disk fails; here one read failed.
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e);
    } finally {
      if (!isSound) {
        close();
      }
    }
  }

  private void open() throws IOException {
    if (in == null) {
      budget.spend(1);
      in =
          FutureIO.awaitFuture(
              files
                  .openFile(path)
                  .opt(
                      Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                      Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_VECTOR
                          + ", "
                          + Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM)
                  .build());
    } else if (in.hasCapability(StreamCapabilities.UNBUFFER)) {
      in.unbuffer(); // what was read ahead would serve the next range
    }
  }

  @Override
  public void close() {
    FSDataInputStream closed = in;
    in = null;
    if (closed != null) {
      try {
        closed.close();
      } catch (IOException e) {
        return; // what was asked of it is here
      }
    }
  }
}
