package io.metashard.job;

import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoreOutput;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Tries on a small file what Metashard needs of a place: writing, that one of two writers of a path
 * is refused, reading back, listing, deleting.
 */
final class WriteTrial {
  private static final int BYTES = 4096;

  private final String root;
  private final Configuration hadoop;

  WriteTrial(String root, Configuration hadoop) {
    this.root = root;
    this.hadoop = hadoop;
  }

  /**
   * What was found.
   *
   * @param createOnly whether the second writer was refused, and the first one's bytes stayed
   * @param skew the place's clock less ours; empty where it does not say when a file was written
   * @param left why the file could not be taken away again; empty when it was
   */
  record Found(boolean createOnly, Optional<Duration> skew, Optional<String> left) {}

  /**
   * Writes, reads and takes away what it wrote, the folders it made too.
   *
   * @throws IOException if the place cannot be written, read or listed
   */
  Found run() throws IOException {
    Path folder = new Path(root);
    FileSystem files = folder.getFileSystem(hadoop);
    MadeFolders made = MadeFolders.above(files, files.makeQualified(folder));
    String name = "metashard-check-" + UUID.randomUUID();
    Path file = new Path(folder, name);
    boolean createOnly;
    Optional<Duration> skew;
    try (ObjectStore store = new HadoopStore(root, hadoop)) {
      byte[] ours = bytes((byte) 1);
      Instant before = Instant.now();
      createOnly = writtenOnce(store, name, ours, bytes((byte) 2));
      Instant after = Instant.now();
      if (store.length(name) != BYTES) {
        throw new IOException(
            "Cannot use %s: %d bytes were written, it has %d"
                .formatted(root, BYTES, store.length(name)));
      }
      byte[] back = new byte[BYTES];
      store.readFully(name, 0, back, 0, BYTES);
      createOnly &= Arrays.equals(back, ours);
      skew = skew(files.getFileStatus(file), before, after);
      if (!files.listStatusIterator(folder).hasNext()) {
        throw new IOException(
            "Cannot use %s: it lists nothing, although a file was just written".formatted(root));
      }
    } catch (IOException e) {
      takeAway(files, file, made);
      throw e;
    }
    return new Found(createOnly, skew, takeAway(files, file, made));
  }

  private static byte[] bytes(byte value) {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, value);
    return bytes;
  }

  /**
   * Whether a second writer is refused that began before the first one ended: object stores decide
   * when a file is closed, others when it is created.
   */
  private static boolean writtenOnce(ObjectStore store, String name, byte[] ours, byte[] theirs)
      throws IOException {
    StoreOutput first = store.create(name);
    StoreOutput second = null;
    boolean refused = false;
    try {
      second = store.create(name);
    } catch (FileAlreadyExistsException e) {
      refused = true;
    } catch (IOException e) {
      first.abort();
      throw e;
    }
    first.write(ours);
    first.close();
    if (second != null) {
      try {
        second.write(theirs);
        second.close();
      } catch (FileAlreadyExistsException e) {
        refused = true;
      }
    }
    return refused;
  }

  /** How far the file's time is outside of the time in which we wrote it. */
  private static Optional<Duration> skew(FileStatus status, Instant before, Instant after) {
    if (status.getModificationTime() <= 0) {
      return Optional.empty();
    }
    Instant at = Instant.ofEpochMilli(status.getModificationTime());
    if (at.isBefore(before)) {
      return Optional.of(Duration.between(before, at));
    }
    return Optional.of(at.isAfter(after) ? Duration.between(after, at) : Duration.ZERO);
  }

  private static Optional<String> takeAway(FileSystem files, Path file, MadeFolders made) {
    try {
      files.delete(file, false);
      made.takeAway();
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(Failures.message(e));
    }
  }
}
