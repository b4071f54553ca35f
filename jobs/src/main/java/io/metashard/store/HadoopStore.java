package io.metashard.store;

import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.util.functional.FutureIO;

/**
 * Files of any Hadoop file system below one root.
 *
 * <p>Exactly one of several writers of a path wins: local files are created with {@code O_EXCL}, on
 * S3 the upload is conditional (If-None-Match) and the loser learns of it when it closes. On S3
 * nothing is visible before close; local files and HDFS show a growing file, which is safe because
 * the map names only finished containers and their footers prove it.
 *
 * <p>Input streams stay open for the next read, so a file that others delete may stay readable for
 * as long as this store has it open. Local files are read and written without Hadoop's {@code .crc}
 * side files: frames have checksums of their own.
 */
public final class HadoopStore implements ObjectStore {
  /** Input streams that stay open: readers ask for many ranges of few containers. */
  private static final int MAX_OPEN_STREAMS = 64;

  /**
   * Key of the Hadoop configuration: milliseconds within which a file system must answer each call,
   * 0 for no limit. Local files have none: a mount that hangs is its own options' matter.
   */
  public static final String TIMEOUT_MILLIS = "metashard.store.timeout-millis";

  /** Longer than what the clients of stores wait and try again by themselves. */
  private static final long DEFAULT_TIMEOUT_MILLIS = 600_000;

  /** Not a constant of hadoop-client-api 3.4.2: only S3A knows it, others ignore it. */
  private static final String CONDITIONAL_CREATE = "fs.option.create.conditional.overwrite";

  /** In which order readers ask for the ranges of a file: object stores answer by it. */
  public enum Reads {
    /** Any: each range is a request of its own. */
    RANDOM,
    /** From front to back: one request, which goes on from range to range. */
    FORWARD
  }

  private final Reads reads;
  private final TimeLimit inTime;
  private final FileSystem fileSystem; // shared by Hadoop's cache: never closed here
  private final Path root;
  private final String rootPath; // ends in a slash

  /** Least recently used first; guarded by itself. */
  private final Map<String, OpenStream> openStreams = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * Opens the file system of {@code rootUri}; the root itself need not exist.
   *
   * @throws UncheckedIOException if there is no such file system or it cannot be reached
   */
  public HadoopStore(String rootUri, Configuration hadoop) {
    this(rootUri, hadoop, Reads.RANDOM);
  }

  /** As {@link #HadoopStore(String, Configuration)}, for reads in a certain order. */
  public HadoopStore(String rootUri, Configuration hadoop, Reads reads) {
    this.reads = reads;
    Path given = new Path(rootUri);
    try {
      FileSystem found = given.getFileSystem(hadoop);
      this.fileSystem =
          found instanceof ChecksumFileSystem checksummed ? checksummed.getRawFileSystem() : found;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot open the file system of %s: %s; check the URI and its credentials"
              .formatted(rootUri, e.getMessage()),
          e);
    }
    this.inTime =
        new TimeLimit(
            fileSystem instanceof RawLocalFileSystem
                ? 0
                : hadoop.getLong(TIMEOUT_MILLIS, DEFAULT_TIMEOUT_MILLIS));
    this.root = fileSystem.makeQualified(given);
    String path = root.toUri().getPath();
    this.rootPath = path.endsWith("/") ? path : path + "/";
  }

  @Override
  public StoreOutput create(String path) throws IOException {
    Path file = resolved(path);
    try {
      if (fileSystem instanceof RawLocalFileSystem local) {
        return new LocalOutput(path, local.pathToFile(file));
      }
      return new HadoopOutput(
          path, inTime.call(() -> "write " + display(path), () -> createOnly(fileSystem, file)));
    } catch (IOException e) {
      throw unwritten(path, e);
    }
  }

  /**
   * Begins a file that nothing may have been before, and its folders: on S3 by a conditional
   * upload, whose loser learns of it when it closes. {@link #isTaken} knows the failure.
   */
  public static FSDataOutputStream createOnly(FileSystem fileSystem, Path file) throws IOException {
    FSDataOutputStreamBuilder<?, ?> builder = fileSystem.createFile(file); // changed by each call
    builder.overwrite(false);
    builder.recursive();
    builder.opt(CONDITIONAL_CREATE, true);
    return builder.build();
  }

  /** Whether a create failed because there is such a file already. */
  public static boolean isTaken(IOException e) {
    return e instanceof FileAlreadyExistsException
        || e instanceof org.apache.hadoop.fs.FileAlreadyExistsException
        // By name: the class is in hadoop-aws, which need not be there.
        || e.getClass().getSimpleName().equals("RemoteFileChangedException");
  }

  @Override
  public void readFully(String path, long position, byte[] buffer, int offset, int length)
      throws IOException {
    StorePaths.checkedFile(path);
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (position < 0) {
      throw new IllegalArgumentException(
          "Cannot read %s at %d: the position is negative".formatted(path, position));
    }
    if (length == 0) {
      return;
    }
    OpenStream kept = borrowKept(path);
    if (kept != null) {
      try {
        readAndGiveBack(kept, position, buffer, offset, length);
        return;
      } catch (EOFException e) {
        throw e;
      } catch (IOException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        // A stream that was left open may have died since: its connection timed out, or a reader
        // that was interrupted took the file channel with it. A new one decides.
      }
    }
    try {
      readAndGiveBack(openKept(path), position, buffer, offset, length);
    } catch (IOException e) {
      throw translated(path, e);
    }
  }

  @Override
  public long length(String path) throws IOException {
    try {
      Path file = resolved(path);
      FileStatus status =
          inTime.call(() -> "look at " + display(path), () -> fileSystem.getFileStatus(file));
      if (status.isDirectory()) {
        throw new NoSuchFileException(display(path), null, "it is a folder");
      }
      return status.getLen();
    } catch (IOException e) {
      throw translated(path, e);
    }
  }

  @Override
  public Iterator<StoredFile> list(String prefix) throws IOException {
    return list(prefix, new LongAdder());
  }

  /**
   * As {@link #list(String)}.
   *
   * @param leftOut counts, as the iterator goes on, the files whose names cannot be ours
   */
  public Iterator<StoredFile> list(String prefix, LongAdder leftOut) throws IOException {
    StorePaths.checkedFolder(prefix);
    Path folder = prefix.isEmpty() ? root : new Path(root, prefix);
    try {
      return new Listing(
          inTime.call(() -> "list " + folder, () -> fileSystem.listFiles(folder, true)), leftOut);
    } catch (FileNotFoundException e) {
      return Collections.emptyIterator();
    }
  }

  @Override
  public void delete(String path) throws IOException {
    Path file = resolved(path);
    OpenStream kept = borrowKept(path);
    if (kept != null) {
      discard(kept);
    }
    // Local files tell by no more than false that they are still there.
    boolean stays =
        inTime.call(
            () -> "delete " + display(path),
            () -> !fileSystem.delete(file, false) && fileSystem.exists(file));
    if (stays) {
      throw new IOException(
          "Cannot delete %s: the file system refuses to".formatted(display(path)));
    }
  }

  /**
   * Removes a folder in which nothing is, and those above it that are empty then, up to the first
   * part of its path. Where folders are only names, as on object stores, nothing is done.
   */
  public void deleteEmptyFolders(String path) {
    String scheme = fileSystem.getUri().getScheme();
    if (!scheme.equals("file") && !scheme.equals("hdfs")) {
      return;
    }
    Path folder = resolved(path);
    try {
      for (int depth = path.split("/").length; depth > 1; depth--) {
        fileSystem.delete(folder, false);
        folder = folder.getParent();
      }
    } catch (IOException e) {
      // Something is in it, or another task was faster.
    }
  }

  /** Closes the streams that are open; the file system itself is Hadoop's to close. */
  @Override
  public void close() {
    List<OpenStream> all;
    synchronized (openStreams) {
      all = new ArrayList<>(openStreams.values());
    }
    for (OpenStream stream : all) {
      evict(stream);
    }
  }

  private Path resolved(String path) {
    return new Path(root, StorePaths.checkedFile(path));
  }

  private String display(String path) {
    return root + "/" + path;
  }

  /** The same failure as the JDK names it; Hadoop's own types end at this class. */
  private IOException translated(String path, IOException e) {
    if (e instanceof NoSuchFileException) {
      return e;
    }
    if (e instanceof FileNotFoundException) {
      return initCause(new NoSuchFileException(display(path), null, "it does not exist"), e);
    }
    if (isTaken(e)) {
      return initCause(
          new FileAlreadyExistsException(display(path), null, "it was written before"), e);
    }
    return e;
  }

  /** The same for a write, with what could not be written. */
  private IOException unwritten(String path, IOException e) {
    IOException translated = translated(path, e);
    boolean isNamed =
        translated != e
            || e instanceof TimeLimit.NoAnswerException
            || e instanceof NoSuchFileException
            || String.valueOf(e.getMessage()).contains(path);
    return isNamed
        ? translated
        : new IOException("Cannot write %s: %s".formatted(display(path), e.getMessage()), e);
  }

  private static IOException initCause(IOException translated, IOException cause) {
    translated.initCause(cause);
    return translated;
  }

  // --- open streams

  /** An input stream and how many reads use it now; fields guarded by {@link #openStreams}. */
  private static final class OpenStream {
    private final String path;
    private final FSDataInputStream in;
    private int readers;
    private boolean isEvicted;

    OpenStream(String path, FSDataInputStream in) {
      this.path = path;
      this.in = in;
    }
  }

  /** The stream that is open already, if there is one. */
  private OpenStream borrowKept(String path) {
    synchronized (openStreams) {
      OpenStream kept = openStreams.get(path);
      if (kept != null) {
        kept.readers++;
      }
      return kept;
    }
  }

  /** A new stream, which stays open for later reads. */
  private OpenStream openKept(String path) throws IOException {
    Path file = resolved(path);
    FSDataInputStream in = inTime.call(() -> "read " + display(path), () -> opened(file));
    OpenStream opened = new OpenStream(path, in);
    opened.readers = 1;
    OpenStream eldest = null;
    synchronized (openStreams) {
      if (openStreams.putIfAbsent(path, opened) != null) {
        opened.isEvicted = true; // another thread was faster: ours serves one read
      } else if (openStreams.size() > MAX_OPEN_STREAMS) {
        eldest = openStreams.values().iterator().next();
      }
    }
    if (eldest != null) {
      evict(eldest);
    }
    return opened;
  }

  private FSDataInputStream opened(Path file) throws IOException {
    return FutureIO.awaitFuture(
        fileSystem
            .openFile(file)
            .opt(
                Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                reads == Reads.FORWARD
                    ? Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_SEQUENTIAL
                    : Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_VECTOR
                        + ", "
                        + Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM)
            .build());
  }

  /** A read that comes too late must not write into what has another use by then. */
  private void read(OpenStream stream, long position, byte[] buffer, int offset, int length)
      throws IOException {
    if (inTime.isNone()) {
      stream.in.readFully(position, buffer, offset, length);
      return;
    }
    byte[] found =
        inTime.call(
            () -> "read " + display(stream.path),
            () -> {
              byte[] bytes = new byte[length];
              stream.in.readFully(position, bytes, 0, length);
              return bytes;
            });
    System.arraycopy(found, 0, buffer, offset, length);
  }

  private void readAndGiveBack(
      OpenStream stream, long position, byte[] buffer, int offset, int length) throws IOException {
    boolean isSound = false;
    try {
      read(stream, position, buffer, offset, length);
      isSound = true;
    } catch (EOFException e) {
      isSound = true;
      throw e;
    } catch (FSError e) {
      // An Error, so that Hadoop's daemons stop when their disk fails; here one location failed.
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e);
    } finally {
      if (isSound) {
        giveBack(stream);
      } else {
        discard(stream);
      }
    }
  }

  private void giveBack(OpenStream stream) {
    boolean isLast;
    synchronized (openStreams) {
      stream.readers--;
      isLast = stream.isEvicted && stream.readers == 0;
    }
    if (isLast) {
      closeInput(stream);
    }
  }

  /** Gives back a stream that nobody shall get again. */
  private void discard(OpenStream stream) {
    evict(stream);
    giveBack(stream);
  }

  /** Takes a stream out; it is closed once no read uses it. */
  private void evict(OpenStream stream) {
    boolean isUnused;
    synchronized (openStreams) {
      if (stream.isEvicted) {
        return;
      }
      openStreams.remove(stream.path, stream);
      stream.isEvicted = true;
      isUnused = stream.readers == 0;
    }
    if (isUnused) {
      closeInput(stream);
    }
  }

  private void closeInput(OpenStream stream) {
    inTime.later(
        () -> {
          try {
            stream.in.close();
          } catch (IOException e) {
            // All that was asked of it has been read and will be verified: nothing is lost.
          }
        });
  }

  /** The files of one listing that are named as ours are. */
  private final class Listing implements Iterator<StoredFile> {
    private final RemoteIterator<LocatedFileStatus> files;
    private final LongAdder leftOut;
    private StoredFile next; // null when it is not known yet

    Listing(RemoteIterator<LocatedFileStatus> files, LongAdder leftOut) {
      this.files = files;
      this.leftOut = leftOut;
    }

    @Override
    public boolean hasNext() {
      try {
        while (next == null) {
          LocatedFileStatus file =
              inTime.call(() -> "list " + root, () -> files.hasNext() ? files.next() : null);
          if (file == null) {
            break;
          }
          String path = file.getPath().toUri().getPath();
          String relative = path.startsWith(rootPath) ? path.substring(rootPath.length()) : path;
          if (StorePaths.isSafe(relative)) {
            next =
                new StoredFile(
                    relative, file.getLen(), Instant.ofEpochMilli(file.getModificationTime()));
          } else {
            leftOut.increment();
          }
        }
        return next != null;
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot list files below %s".formatted(root), e);
      }
    }

    @Override
    public StoredFile next() {
      if (!hasNext()) {
        throw new NoSuchElementException("No more files below " + root);
      }
      StoredFile found = next;
      next = null;
      return found;
    }
  }

  // --- outputs

  /** A local file, created by the kernel's own create-only call; Hadoop's checks, then creates. */
  private final class LocalOutput extends StoreOutput {
    private static final int BUFFER_BYTES = 64 << 10;

    private final String path;
    private final java.nio.file.Path file;
    private final OutputStream out;
    private long position;
    private boolean isDone;

    LocalOutput(String path, File file) throws IOException {
      this.path = path;
      this.file = file.toPath();
      try {
        Files.createDirectories(this.file.getParent());
      } catch (FileAlreadyExistsException e) {
        throw new IOException(
            "Cannot create %s: %s is a file, not a folder".formatted(file, e.getFile()), e);
      }
      this.out =
          new BufferedOutputStream(
              Files.newOutputStream(
                  this.file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              BUFFER_BYTES);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw unwritten(path, e);
      }
      position += length;
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void close() throws IOException {
      if (!isDone) {
        try {
          out.close();
        } catch (IOException e) {
          throw unwritten(path, e);
        }
        isDone = true;
      }
    }

    @Override
    public void abort() {
      if (!isDone) {
        isDone = true;
        try {
          try {
            out.close();
          } finally {
            Files.deleteIfExists(file);
          }
        } catch (IOException e) {
          // What stays is a file that no map names; vacuum removes it.
        }
      }
    }
  }

  /** A file of any other file system. */
  private final class HadoopOutput extends StoreOutput {
    private final String path;
    private final FSDataOutputStream out;

    /** Nothing more is asked of it: a close was tried, or it did not answer. */
    private boolean isOver;

    HadoopOutput(String path, FSDataOutputStream out) {
      this.path = path;
      this.out = out;
    }

    private void inTime(TimeLimit.Action work) throws IOException {
      try {
        inTime.run(() -> "write " + display(path), work);
      } catch (TimeLimit.NoAnswerException e) {
        isOver = true;
        throw e;
      } catch (IOException e) {
        throw unwritten(path, e);
      }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      inTime(() -> out.write(bytes, offset, length));
    }

    @Override
    public long position() {
      return out.getPos();
    }

    @Override
    public void close() throws IOException {
      isOver = true;
      inTime(out::close);
    }

    /** On S3 nothing was ever visible; elsewhere the file is closed, then deleted. */
    @Override
    public void abort() {
      if (isOver) {
        return; // it is finished, or the path may be another writer's
      }
      isOver = true;
      try {
        if (out.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) {
          inTime(out::abort);
        } else {
          inTime(out::close);
          delete(path);
        }
      } catch (IOException e) {
        // What stays is a file that no map names; vacuum removes it.
      }
    }
  }
}
