package io.metashard.job;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.security.AccessControlException;
import org.apache.hadoop.util.Progressable;

/**
 * Local folders of which one, named by the authority of its URI, has a fault while a test says so.
 */
public final class FaultyFileSystem extends OddFileSystem {
  enum Fault {
    /** Takes some bytes, and then no more. */
    FULL,
    READ_ONLY,
    /** Neither opens nor creates a file until the fault is over, and says nothing. */
    HANGS,
    /** Files are half as long when they are opened to be read. */
    SHRINKS,
    /** Files of other bytes, as long as before, when they are opened to be read. */
    CHANGES
  }

  private record Present(String authority, Fault fault, CountDownLatch over) {}

  /** How many times a fault got in the way since it began. */
  static final AtomicInteger MET = new AtomicInteger();

  private static final int ROOM_BYTES = 3_000;
  private static volatile Present present;

  static void begin(String authority, Fault fault) {
    MET.set(0);
    present = new Present(authority, fault, new CountDownLatch(1));
  }

  static void end() {
    Present was = present;
    present = null;
    if (was != null) {
      was.over.countDown();
    }
  }

  private boolean has(Fault fault) {
    Present now = present;
    boolean met =
        now != null && now.fault == fault && now.authority.equals(getUri().getAuthority());
    MET.addAndGet(met ? 1 : 0);
    return met;
  }

  private void hang() throws IOException {
    Present now = present;
    if (has(Fault.HANGS)) {
      try {
        now.over.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while the location hangs");
      }
    }
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    java.nio.file.Path file = java.nio.file.Path.of(path.toUri().getPath());
    hang();
    if (has(Fault.SHRINKS)) {
      byte[] bytes = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
    } else if (has(Fault.CHANGES)) {
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 1] ^= 1;
      Files.write(file, bytes);
      // Later than any catalogue, whatever the clock's steps.
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(5)));
    }
    return super.open(path, bufferSize);
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
    hang();
    if (has(Fault.READ_ONLY)) {
      throw new AccessControlException("Permission denied: the volume is mounted read-only");
    }
    FSDataOutputStream out =
        super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
    return has(Fault.FULL) ? new FSDataOutputStream(new Filling(out), null) : out;
  }

  private static final class Filling extends OutputStream {
    private final FSDataOutputStream out;
    private long room = ROOM_BYTES;

    Filling(FSDataOutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      int fits = (int) Math.min(length, room);
      out.write(bytes, offset, fits);
      room -= fits;
      if (fits < length) {
        throw new IOException("No space left on device");
      }
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
