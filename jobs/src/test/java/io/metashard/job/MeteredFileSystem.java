package io.metashard.job;

import java.io.IOException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local folders that count what they are asked for, and read as slowly, and fail as often, as a
 * test says. What it says holds for all instances: one test at a time.
 */
public final class MeteredFileSystem extends OddFileSystem {
  static final String AUTHORITY = "metered";

  /** Openings, reads, listings, writes and deletes. */
  static final AtomicInteger REQUESTS = new AtomicInteger();

  /** File, position and length of every read. */
  static final Queue<String> RANGES = new ConcurrentLinkedQueue<>();

  private static final AtomicInteger READS = new AtomicInteger();
  private static volatile long requestNanos;
  private static volatile double bytesPerSecond;
  private static volatile int failEvery;
  private static volatile Semaphore atATime;

  /**
   * Begins anew.
   *
   * @param requestMillis before the first byte
   * @param speed bytes per second of one read
   * @param every the how-manieth read fails; 0 for none
   * @param readsAtATime others wait
   */
  static void reset(double requestMillis, double speed, int every, int readsAtATime) {
    REQUESTS.set(0);
    READS.set(0);
    RANGES.clear();
    requestNanos = (long) (requestMillis * 1e6);
    bytesPerSecond = speed;
    failEvery = every;
    atATime = new Semaphore(readsAtATime, true);
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    REQUESTS.incrementAndGet();
    return new FSDataInputStream(new Metered(path.getName(), super.open(path, bufferSize)));
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    REQUESTS.incrementAndGet();
    return super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    REQUESTS.incrementAndGet();
    return super.delete(path, recursive);
  }

  @Override
  public RemoteIterator<LocatedFileStatus> listFiles(Path path, boolean recursive)
      throws IOException {
    REQUESTS.incrementAndGet();
    return super.listFiles(path, recursive);
  }

  /** Only whole ranges are asked for. */
  private static final class Metered extends FSInputStream {
    private final String name;
    private final FSDataInputStream inner;

    Metered(String name, FSDataInputStream inner) {
      this.name = name;
      this.inner = inner;
    }

    @Override
    public void readFully(long position, byte[] buffer, int offset, int length) throws IOException {
      REQUESTS.incrementAndGet();
      RANGES.add("%s %d %d".formatted(name, position, length));
      int number = READS.incrementAndGet();
      Semaphore turn = atATime;
      turn.acquireUninterruptibly();
      try {
        long end = System.nanoTime() + requestNanos + (long) (length / bytesPerSecond * 1e9);
        inner.readFully(position, buffer, offset, length);
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
      } finally {
        turn.release();
      }
      if (failEvery > 0 && number % failEvery == 0) {
        throw new IOException("read %d fails".formatted(number));
      }
    }

    @Override
    public int read() throws IOException {
      throw new IOException("Cannot read in order: only ranges are counted");
    }

    @Override
    public void seek(long position) throws IOException {
      throw new IOException("Cannot seek: only ranges are counted");
    }

    @Override
    public long getPos() throws IOException {
      return inner.getPos();
    }

    @Override
    public boolean seekToNewSource(long position) {
      return false;
    }

    @Override
    public void close() throws IOException {
      inner.close();
    }
  }
}
