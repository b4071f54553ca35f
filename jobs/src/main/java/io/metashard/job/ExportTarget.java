package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.lake.StorageKinds;
import io.metashard.store.HadoopStore;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder that objects are exported to, each under its own id. A file appears whole, under a name
 * that nothing had before: nothing is ever replaced.
 *
 * <p>On object stores a file is written under its name, by a conditional create: it is visible once
 * it is closed, and nothing is renamed. Elsewhere a growing file can be seen, and one that a killed
 * writer left would stand in the way of the next: it is written below {@code _metashard/tmp}, and
 * gets its name by a link (local files) or a rename that replaces nothing. Not thread safe.
 */
final class ExportTarget {
  private static final Logger LOG = LoggerFactory.getLogger(ExportTarget.class);

  private static final int BUFFER_BYTES = 1 << 20;

  private final FileSystem fileSystem; // of Hadoop's cache: never closed here
  private final Configuration hadoop;
  private final Path root;
  private final String rootPath; // ends in a slash
  private final ExportNames.Target kind;
  private final String unfinished;
  private final String writer;
  private int begun;

  /**
   * @param uri of the folder; it need not be there
   * @param run a folder's name, of our own making, for what its writers have not finished
   * @param writer a name that no other writer of the run has
   */
  ExportTarget(String uri, String run, String writer, Configuration hadoop) throws IOException {
    Path given = new Path(uri);
    FileSystem found = given.getFileSystem(hadoop);
    this.fileSystem =
        found instanceof ChecksumFileSystem checksummed ? checksummed.getRawFileSystem() : found;
    this.kind =
        StorageKinds.isObjectStore(uri)
            ? ExportNames.Target.KEYS
            : found instanceof ChecksumFileSystem
                ? ExportNames.Target.FILES_WITH_CHECKSUMS
                : ExportNames.Target.FILES;
    this.hadoop = hadoop;
    this.root = fileSystem.makeQualified(given);
    String path = root.toUri().getPath();
    this.rootPath = path.endsWith("/") ? path : path + "/";
    this.unfinished = "%s/tmp/%s".formatted(ExportNames.OWN_FOLDER, run);
    this.writer = writer;
  }

  /** A file that was written, or that was there. */
  record Written(long bytes, String sha256, long crc32c, long modifiedMillis) {}

  /** Writes an object's bytes. */
  interface Content {
    void copyTo(OutputStream out) throws IOException;
  }

  /** Whether a file that was written is read back before it counts. */
  enum ReadBack {
    ALL,
    NONE
  }

  /** A name's file that cannot be, or that something else has. */
  static final class RefusedException extends IOException {
    RefusedException(String message) {
      super(message);
    }

    RefusedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  ExportNames.Target kind() {
    return kind;
  }

  /** Where the file of a name is, provided that the file system takes the name for what it is. */
  private Path path(String name) throws RefusedException {
    Optional<String> problem =
        name.startsWith(ExportNames.OWN_FOLDER + "/")
            ? Optional.empty()
            : ExportNames.problem(name, kind);
    if (problem.isPresent()) {
      throw new RefusedException(problem.get());
    }
    try {
      Path path = new Path(root.toUri().getScheme(), root.toUri().getAuthority(), rootPath + name);
      if (!path.toUri().getPath().equals(rootPath + name)) {
        throw new RefusedException("the file system would call it otherwise");
      }
      if (fileSystem instanceof RawLocalFileSystem local) {
        local.pathToFile(path).toPath(); // refuses what the JVM's encoding of file names cannot say
      }
      return path;
    } catch (InvalidPathException e) {
      throw new RefusedException(
          "this machine cannot name a file so: %s; set the locale of the JVM to one of UTF-8 (LC_ALL=C.UTF-8)"
              .formatted(ObjectIds.printable(e.getReason())),
          e);
    } catch (IllegalArgumentException e) {
      throw new RefusedException("the file system cannot name a file so: " + e.getMessage(), e);
    }
  }

  /**
   * What has this name now.
   *
   * @throws RefusedException if it is a folder, or if no file can have the name
   */
  Optional<FileStatus> find(String name) throws IOException {
    try {
      FileStatus status = fileSystem.getFileStatus(path(name));
      if (status.isDirectory()) {
        throw new RefusedException("a folder has its name at the target");
      }
      return Optional.of(status);
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /** The bytes of a file, from front to back. */
  InputStream open(String name) throws IOException {
    return open(path(name));
  }

  private InputStream open(Path file) throws IOException {
    try {
      return fileSystem
          .openFile(file)
          .opt("fs.option.openfile.read.policy", "sequential")
          .build()
          .get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new java.io.InterruptedIOException("Interrupted while opening " + file);
    } catch (java.util.concurrent.ExecutionException e) {
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
    }
  }

  /**
   * Writes a file of a name that nothing has.
   *
   * @param bytes that it must get
   * @throws FileAlreadyExistsException if something has the name by now; it stays as it is
   * @throws RefusedException if no file can have the name
   */
  Written write(String name, long bytes, Content content, ReadBack readBack) throws IOException {
    Path file = path(name);
    boolean isKey = kind == ExportNames.Target.KEYS;
    Path written = isKey ? file : path("%s/%s-%d".formatted(unfinished, writer, begun++));
    Digests digests;
    try {
      digests = create(written, bytes, content);
    } catch (IOException e) {
      throw HadoopStore.isTaken(e) && isKey ? taken(name, e) : e;
    }
    boolean isKept = false;
    try {
      if (readBack == ReadBack.ALL) {
        requireReadsBack(written, bytes, digests.crc32c());
      }
      if (!isKey) {
        giveName(written, file, name);
      }
      isKept = true;
    } finally {
      if (!isKept) {
        deleteQuietly(written); // ours: a create that replaces nothing has made it
      }
    }
    long modified = fileSystem.getFileStatus(file).getModificationTime();
    return new Written(bytes, digests.sha256(), digests.crc32c(), modified);
  }

  private static FileAlreadyExistsException taken(String name, Throwable cause) {
    FileAlreadyExistsException taken =
        new FileAlreadyExistsException(ObjectIds.printable(name), null, "it is there already");
    taken.initCause(cause);
    return taken;
  }

  private record Digests(String sha256, long crc32c) {}

  private Digests create(Path file, long bytes, Content content) throws IOException {
    boolean isCloseTried = false;
    boolean isDone = false;
    OutputStream out = begin(file);
    try {
      DigestedOutput digested = new DigestedOutput(out);
      content.copyTo(digested);
      if (digested.bytes != bytes) {
        throw new IOException(
            "%d bytes were read of an object of %d".formatted(digested.bytes, bytes));
      }
      isCloseTried = true;
      out.close();
      isDone = true;
      return new Digests(
          HexFormat.of().formatHex(digested.sha256.digest()), digested.crc.getValue());
    } finally {
      // A key whose close failed may be another writer's.
      if (!isDone && !(isCloseTried && kind == ExportNames.Target.KEYS)) {
        discard(out, file);
      }
    }
  }

  private OutputStream begin(Path file) throws IOException {
    if (fileSystem instanceof RawLocalFileSystem local) {
      java.nio.file.Path path = local.pathToFile(file).toPath();
      Files.createDirectories(path.getParent());
      return Files.newOutputStream(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }
    return HadoopStore.createOnly(fileSystem, file);
  }

  /** On object stores nothing became visible; elsewhere the file is closed, then deleted. */
  private void discard(OutputStream out, Path file) {
    try {
      if (out instanceof FSDataOutputStream stream
          && stream.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) {
        stream.abort();
        return;
      }
      out.close();
      fileSystem.delete(file, false);
    } catch (IOException e) {
      LOG.warn("Cannot discard {}, which was not finished: {}", file, e.getMessage());
    }
  }

  private void deleteQuietly(Path file) {
    try {
      fileSystem.delete(file, false);
    } catch (IOException e) {
      LOG.warn("Cannot delete {}, which does not count: {}", file, e.getMessage());
    }
  }

  private void requireReadsBack(Path file, long bytes, long crc32c) throws IOException {
    CheckedInputStream in = new CheckedInputStream(open(file), new CRC32C());
    long read;
    try (in) {
      read = in.transferTo(OutputStream.nullOutputStream());
    }
    if (read != bytes || in.getChecksum().getValue() != crc32c) {
      throw new IOException(
          "what was written reads back otherwise: %d bytes with checksum %08x, for %d with %08x; it was deleted again, check the target's storage"
              .formatted(read, in.getChecksum().getValue(), bytes, crc32c));
    }
  }

  /** Gives a finished file its name, unless something has it. */
  private void giveName(Path written, Path file, String name) throws IOException {
    if (fileSystem instanceof RawLocalFileSystem local) {
      java.nio.file.Path from = local.pathToFile(written).toPath();
      java.nio.file.Path to = local.pathToFile(file).toPath();
      makeFolders(to);
      try {
        Files.createLink(to, from); // unlike a rename, never replaces
        Files.delete(from);
      } catch (FileAlreadyExistsException e) {
        throw e;
      } catch (UnsupportedOperationException | FileSystemException e) {
        Files.move(from, to); // a file system without links: looks first, then renames
      }
      return;
    }
    fileSystem.mkdirs(file.getParent());
    try {
      FileContext.getFileContext(root.toUri(), hadoop).rename(written, file, Options.Rename.NONE);
    } catch (org.apache.hadoop.fs.FileAlreadyExistsException e) {
      throw taken(name, e);
    }
  }

  private static void makeFolders(java.nio.file.Path file) throws IOException {
    try {
      Files.createDirectories(file.getParent());
    } catch (FileAlreadyExistsException e) {
      throw new RefusedException(
          "%s is a file at the target, where it needs a folder"
              .formatted(ObjectIds.printable(e.getFile())),
          e);
    }
  }

  /** Removes what writers of the run did not finish; call when none of them is alive. */
  void clear() throws IOException {
    if (kind != ExportNames.Target.KEYS) {
      fileSystem.delete(path(unfinished), true);
    }
  }

  /** Digests of what goes through. */
  private static final class DigestedOutput extends OutputStream {
    private final OutputStream out;
    private final MessageDigest sha256 = NotedSources.sha256();
    private final CRC32C crc = new CRC32C();
    private long bytes;

    DigestedOutput(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
      out.write(buffer, offset, length);
      sha256.update(buffer, offset, length);
      crc.update(buffer, offset, length);
      bytes += length;
    }
  }

  /** What a file holds, held against an object byte by byte. */
  private static final class Comparison extends OutputStream {
    private final InputStream there;
    private final MessageDigest sha256 = NotedSources.sha256();
    private final CRC32C crc = new CRC32C();
    private byte[] buffer = new byte[BUFFER_BYTES];
    private boolean isEqual = true;

    Comparison(InputStream there) {
      this.there = there;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      int done = 0;
      while (isEqual && done < length) {
        int part = Math.min(buffer.length, length - done);
        int read = there.readNBytes(buffer, 0, part);
        isEqual =
            read == part
                && java.util.Arrays.equals(
                    buffer, 0, part, bytes, offset + done, offset + done + part);
        sha256.update(bytes, offset + done, part);
        crc.update(bytes, offset + done, part);
        done += part;
      }
    }
  }

  /**
   * Holds a file of the right length against an object, byte by byte.
   *
   * @return empty if they differ
   */
  Optional<Written> compare(String name, FileStatus status, Content content) throws IOException {
    try (InputStream there = open(name)) {
      Comparison comparison = new Comparison(there);
      content.copyTo(comparison);
      if (!comparison.isEqual || there.read() >= 0) {
        return Optional.empty();
      }
      return Optional.of(
          new Written(
              status.getLen(),
              HexFormat.of().formatHex(comparison.sha256.digest()),
              comparison.crc.getValue(),
              status.getModificationTime()));
    }
  }
}
