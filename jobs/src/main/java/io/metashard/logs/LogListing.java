package io.metashard.logs;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** Finds log files. Files and folders below a path whose names begin with _ or . are skipped. */
public final class LogListing {
  private LogListing() {}

  /**
   * @param source which item of {@code logs} it belongs to, from 0
   */
  public record Found(String path, long bytes, Instant modifiedAt, int source) {}

  /** Takes what was found, one at a time: a listing may be longer than memory. */
  @FunctionalInterface
  public interface Sink {
    void accept(Found file);
  }

  /**
   * Lists the files of all items.
   *
   * @throws FileNotFoundException if there is nothing at an item's path; the message names it
   * @throws IOException if a path cannot be listed
   */
  public static void list(List<LogSource> sources, Configuration hadoop, Sink sink)
      throws IOException {
    for (int i = 0; i < sources.size(); i++) {
      Path path = new Path(sources.get(i).path());
      FileSystem files = path.getFileSystem(hadoop);
      for (FileStatus root : roots(files, path, "logs[%d]".formatted(i))) {
        if (root.isFile()) {
          sink.accept(found(root, i));
          continue;
        }
        RemoteIterator<LocatedFileStatus> below = files.listFiles(root.getPath(), true);
        while (below.hasNext()) {
          FileStatus file = below.next();
          if (!isHidden(root.getPath(), file.getPath())) {
            sink.accept(found(file, i));
          }
        }
      }
    }
  }

  /** A name with characters of a glob in it is a name first. */
  private static FileStatus[] roots(FileSystem files, Path path, String item) throws IOException {
    try {
      return new FileStatus[] {files.getFileStatus(path)};
    } catch (FileNotFoundException e) {
      FileStatus[] matches = files.globStatus(path);
      if (matches == null || matches.length == 0) {
        throw new FileNotFoundException(
            "Cannot ingest %s: there is nothing at %s; correct its path, or take the item out"
                .formatted(item, shown(files.makeQualified(path))));
      }
      return matches;
    }
  }

  private static String shown(Path path) {
    return ObjectIds.printable(Settings.withoutUserInfo(path.toString()), 1000);
  }

  private static Found found(FileStatus file, int source) {
    return new Found(
        file.getPath().toString(),
        file.getLen(),
        Instant.ofEpochMilli(file.getModificationTime()),
        source);
  }

  private static boolean isHidden(Path root, Path file) {
    for (Path at = file; at != null && at.depth() > root.depth(); at = at.getParent()) {
      if (at.getName().startsWith("_") || at.getName().startsWith(".")) {
        return true;
      }
    }
    return false;
  }
}
