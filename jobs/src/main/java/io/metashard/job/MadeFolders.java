package io.metashard.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Folders that writing a file makes, to be taken away with it.
 *
 * @param missing before the file was written, the deepest first
 */
record MadeFolders(FileSystem files, List<Path> missing) {
  MadeFolders {
    missing = List.copyOf(missing);
  }

  /** The folder and those above it that are not there. */
  static MadeFolders above(FileSystem files, Path folder) throws IOException {
    List<Path> missing = new ArrayList<>();
    for (Path at = folder; at != null && !files.exists(at); at = at.getParent()) {
      missing.add(at);
    }
    return new MadeFolders(files, missing);
  }

  /** Deletes those that are empty: what somebody else put there meanwhile stays. */
  void takeAway() throws IOException {
    for (Path folder : missing) {
      if (files.exists(folder) && !files.listStatusIterator(folder).hasNext()) {
        files.delete(folder, false);
      }
    }
  }
}
