package io.metashard.job;

import io.metashard.config.Settings;
import io.metashard.lake.StorageKinds;
import io.metashard.store.HadoopStore;
import io.metashard.store.ObjectStore;
import io.metashard.store.StoreOutput;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.util.ShutdownHookManager;

/**
 * A file of random bytes at a location, written to be read back. Closing deletes it, and folders
 * that it made; so does the end of the process, should a signal come first.
 */
final class TemporaryFile implements Closeable {
  /** Folder below a location's root. */
  static final String FOLDER = "probe";

  private static final int CHUNK_BYTES = 1 << 20;

  private final FileSystem files;
  private final Path root;
  private final Path path;
  private final String name;
  private final MadeFolders made;
  private final Thread atEnd = new Thread(this::deleteAtEnd, "delete-temporary-file");

  private TemporaryFile(FileSystem files, Path root, String name, MadeFolders made) {
    this.files = files;
    this.root = files.makeQualified(root);
    this.path = new Path(this.root, name);
    this.name = name;
    this.made = made;
  }

  /**
   * Writes it.
   *
   * @param root of the location
   * @throws IOException if it cannot be written; what was begun is deleted
   */
  static TemporaryFile write(String root, Configuration hadoop, long bytes, long seed)
      throws IOException {
    Path at = new Path(root);
    FileSystem files = at.getFileSystem(hadoop);
    // Object stores have no folders that stay behind, and to ask for some costs requests.
    MadeFolders made =
        StorageKinds.isObjectStore(root)
            ? new MadeFolders(files, List.of())
            : MadeFolders.above(files, files.makeQualified(new Path(at, FOLDER)));
    TemporaryFile file =
        new TemporaryFile(files, at, FOLDER + "/metashard-probe-" + UUID.randomUUID(), made);
    ShutdownHookManager.get().addShutdownHook(file.atEnd, FileSystem.SHUTDOWN_HOOK_PRIORITY + 1);
    try (ObjectStore store = new HadoopStore(root, hadoop)) {
      file.fill(store, bytes, seed);
    } catch (IOException | RuntimeException e) {
      try {
        file.close();
      } catch (IOException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
    return file;
  }

  private void fill(ObjectStore store, long bytes, long seed) throws IOException {
    Random random = new Random(seed); // of no pattern that storage could shorten
    byte[] chunk = new byte[CHUNK_BYTES];
    StoreOutput out = store.create(name);
    try {
      for (long left = bytes; left > 0; left -= chunk.length) {
        random.nextBytes(chunk);
        out.write(chunk, 0, (int) Math.min(left, chunk.length));
      }
    } catch (IOException | RuntimeException e) {
      out.abort();
      throw e;
    }
    out.close();
  }

  /** Relative to the location's root. */
  String name() {
    return name;
  }

  /**
   * Deletes it.
   *
   * @throws IOException if it is still there; the message says where
   */
  @Override
  public void close() throws IOException {
    // Once the process is ending the hook itself is at work.
    if (!ShutdownHookManager.get().isShutdownInProgress()) {
      ShutdownHookManager.get().removeShutdownHook(atEnd);
    }
    try {
      delete();
      made.takeAway();
    } catch (IOException e) {
      throw new IOException(
          "Cannot delete %s: %s; delete it yourself"
              .formatted(Settings.withoutUserInfo(path.toString()), Failures.message(e)),
          e);
    }
  }

  /** By the bulk call: S3A's plain one leaves an empty file where a folder has become empty. */
  private void delete() throws IOException {
    try (BulkDelete bulk = files.createBulkDelete(root)) {
      for (Map.Entry<Path, String> failed : bulk.bulkDelete(List.of(path))) {
        throw new IOException(failed.getValue());
      }
    }
  }

  private void deleteAtEnd() {
    try {
      close();
    } catch (IOException e) {
      System.err.println("metashard probe: " + Failures.message(e));
    }
  }
}
