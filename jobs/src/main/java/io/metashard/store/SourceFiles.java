package io.metashard.store;

import io.metashard.ObjectIds;
import io.metashard.ObjectVersions;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** Source objects: read at one version, never written; deleted by one job alone. */
public final class SourceFiles {
  private SourceFiles() {}

  /** A source is not what the catalogue says of it: it changed, shrank or is gone. */
  public static final class SourceChangedException extends IOException {
    public SourceChangedException(String message) {
      super(message);
    }

    SourceChangedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** What a source is like now. */
  public record State(long bytes, String version, long modifiedMillis) {}

  /** Looks at a source; empty when it is gone. */
  public static Optional<State> state(Configuration hadoop, String uri) throws IOException {
    Path path = new Path(uri);
    try {
      FileStatus status = fileSystem(path, hadoop).getFileStatus(path);
      return Optional.of(new State(status.getLen(), version(status), status.getModificationTime()));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /** The version that the store's answer tells. */
  private static String version(FileStatus status) {
    return ObjectVersions.of(
        status instanceof EtagSource source ? source.getEtag() : null,
        status.getLen(),
        status.getModificationTime());
  }

  /**
   * Checks that the source is still at a version.
   *
   * @throws SourceChangedException if it is not, or is gone
   */
  public static FileStatus requireVersion(
      Configuration hadoop, String objectId, String uri, String objectVersion) throws IOException {
    Path path = new Path(uri);
    FileStatus status;
    try {
      status = fileSystem(path, hadoop).getFileStatus(path);
    } catch (FileNotFoundException e) {
      throw new SourceChangedException(
          "Cannot read object %s: its source is gone since it was catalogued; run catalogue and plan again"
              .formatted(ObjectIds.printable(objectId)),
          e);
    }
    String now = version(status);
    if (!now.equals(objectVersion)) {
      throw new SourceChangedException(
          "Cannot read object %s: its source is at version %s, the catalogue has %s; run catalogue and plan again"
              .formatted(
                  ObjectIds.printable(objectId),
                  ObjectIds.printable(now),
                  ObjectIds.printable(objectVersion)));
    }
    return status;
  }

  /** Removes a source. Only for what was found, a moment ago, to be as it may be removed. */
  public static void delete(Configuration hadoop, String uri) throws IOException {
    Path path = new Path(uri);
    fileSystem(path, hadoop).delete(path, false);
  }

  /** The raw one for local files: the other looks for checksum files, and trips over colons. */
  private static FileSystem fileSystem(Path path, Configuration hadoop) throws IOException {
    FileSystem fileSystem = path.getFileSystem(hadoop);
    return fileSystem instanceof LocalFileSystem local ? local.getRaw() : fileSystem;
  }

  /**
   * Opens bytes {@code [offset, offset + length)} of a source for reading in order.
   *
   * <p>The stream is bound to the version: where the store has ETags, by If-Match on every request.
   *
   * @throws SourceChangedException if the source is not at the version
   */
  public static InputStream open(
      Configuration hadoop,
      String objectId,
      String uri,
      String objectVersion,
      long offset,
      long length)
      throws IOException {
    FileStatus status = requireVersion(hadoop, objectId, uri, objectVersion);
    Path path = new Path(uri);
    FileSystem fileSystem = fileSystem(path, hadoop);
    FSDataInputStream in;
    try {
      in =
          fileSystem
              .openFile(path)
              .withFileStatus(status)
              .opt("fs.option.openfile.read.policy", "sequential")
              .opt("fs.option.openfile.split.start", Long.toString(offset))
              .opt("fs.option.openfile.split.end", Long.toString(offset + length))
              .build()
              .get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while opening object " + ObjectIds.printable(objectId), e);
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IOException(
          "Cannot open object %s: %s"
              .formatted(ObjectIds.printable(objectId), e.getCause().getMessage()),
          e.getCause());
    }
    try {
      in.seek(offset);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
    return in;
  }

  /**
   * Fills {@code buffer[0..length)}; a short read is not taken for the end.
   *
   * @throws SourceChangedException if the source ends before
   */
  public static void readFully(InputStream in, byte[] buffer, int length, String objectId)
      throws IOException {
    try {
      int read = in.readNBytes(buffer, 0, length);
      if (read < length) {
        throw new EOFException("%d of %d bytes".formatted(read, length));
      }
    } catch (EOFException e) {
      throw new SourceChangedException(
          "Cannot read object %s: its source ended early (%s), so it shrank while it was read; run catalogue and plan again"
              .formatted(ObjectIds.printable(objectId), e.getMessage()),
          e);
    }
  }
}
