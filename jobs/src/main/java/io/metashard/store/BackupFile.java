package io.metashard.store;

import io.metashard.Block;
import java.io.IOException;
import java.util.List;

/** One bucket of the shard map as a file: a container that has no blocks but a footer. */
public final class BackupFile {
  private BackupFile() {}

  /**
   * Writes the rows.
   *
   * @throws java.nio.file.FileAlreadyExistsException if the path is taken
   */
  public static void write(ObjectStore store, String path, List<Block> rows) throws IOException {
    StoreOutput output = store.create(path);
    boolean written = false;
    try {
      SealedRecords.write(output, path, rows);
      output.close();
      written = true;
    } finally {
      if (!written) {
        output.abort();
      }
    }
  }

  /**
   * The rows of a backup file.
   *
   * @throws CorruptFooterException if they cannot be trusted, or are of a format not known here
   */
  public static List<Block> read(ObjectStore store, String path) throws IOException {
    SealedRecords.Found found = SealedRecords.read(store, path);
    if (found.position() != 0) {
      throw new CorruptFooterException(
          path, "its rows begin at byte %d; a backup has nothing else".formatted(found.position()));
    }
    return found.rows();
  }
}
