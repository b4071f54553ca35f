package io.metashard.logstore;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A Delta log store for S3 that is safe for several drivers: a commit is one put that S3 makes only
 * if the file is not there (If-None-Match).
 *
 * <p>Delta names it by {@code spark.delta.logStore.s3a.impl}. It needs S3A of Hadoop 3.4.2 or
 * later, and a server that knows conditional puts; a file system that does not know the condition
 * refuses to commit rather than to commit without it.
 *
 * <p>A put whose answer was lost is not guessed at: the file is read back. Commits hold a random id
 * (Delta's {@code txnId}), so equal bytes are our own.
 */
public final class ConditionalPutLogStore extends HadoopFileSystemLogStore {
  /** Not constants of hadoop-client-api 3.4.2: only S3A knows them. */
  private static final String CONDITIONAL_CREATE = "fs.option.create.conditional.overwrite";

  /** No look at what is there before a put: the put itself decides. */
  private static final String NO_PROBES = "fs.s3a.create.performance";

  private static final int TRIES = 5;
  private static final long FIRST_PAUSE_MILLIS = 100;

  public ConditionalPutLogStore(Configuration hadoop) {
    super(hadoop);
  }

  /**
   * Writes lines as one file.
   *
   * @throws FileAlreadyExistsException if {@code overwrite} is false and the file is there with
   *     other content: another driver committed that version
   */
  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoop)
      throws IOException {
    FileSystem fileSystem = path.getFileSystem(hadoop);
    byte[] bytes = bytes(actions);
    if (overwrite) {
      put(fileSystem, path, bytes, true);
      return;
    }
    long pauseMillis = FIRST_PAUSE_MILLIS;
    for (int attempt = 1; ; attempt++) {
      IOException failure;
      try {
        put(fileSystem, path, bytes, false);
        return;
      } catch (IOException e) {
        failure = e;
      }
      // It was there, or the answer was lost: whatever S3A makes of it, the file itself decides.
      switch (found(fileSystem, path, bytes)) {
        case OURS -> {
          return;
        }
        case ANOTHER -> throw taken(path, failure);
        default -> {
          // S3 answers 409 to a put that met another one; whoever won, nothing is there yet.
          if (attempt == TRIES || !isConflict(failure)) {
            throw failure;
          }
        }
      }
      pause(pauseMillis, failure);
      pauseMillis *= 2;
    }
  }

  private static void pause(long millis, IOException failure) throws IOException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure;
    }
  }

  private static byte[] bytes(Iterator<String> actions) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    while (actions.hasNext()) {
      out.writeBytes(actions.next().getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    }
    return out.toByteArray();
  }

  private static void put(FileSystem fileSystem, Path path, byte[] bytes, boolean overwrite)
      throws IOException {
    FSDataOutputStreamBuilder<?, ?> builder = fileSystem.createFile(path); // changed by each call
    builder.overwrite(overwrite);
    builder.recursive();
    builder.opt(NO_PROBES, true);
    if (!overwrite) {
      builder.must(CONDITIONAL_CREATE, true);
    }
    FSDataOutputStream out;
    try {
      out = builder.build();
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      throw new IOException(
          "Cannot commit to %s: its file system, %s, cannot put conditionally, and without that two drivers could commit one version; use s3a:// of Hadoop 3.4.2 or later"
              .formatted(path, fileSystem.getClass().getName()),
          e);
    }
    out.write(bytes); // kept by S3A until close, which is what puts
    out.close();
  }

  private enum Found {
    OURS,
    ANOTHER,
    NOTHING
  }

  private static Found found(FileSystem fileSystem, Path path, byte[] ours) throws IOException {
    try (InputStream in = fileSystem.open(path)) {
      byte[] there = in.readNBytes(ours.length + 1);
      return Arrays.equals(there, ours) ? Found.OURS : Found.ANOTHER;
    } catch (FileNotFoundException e) {
      return Found.NOTHING;
    }
  }

  private static boolean isConflict(IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (message.contains("ConditionalRequestConflict") || message.contains("Status Code: 409")) {
        return true;
      }
    }
    return false;
  }

  private static FileAlreadyExistsException taken(Path path, IOException cause) {
    FileAlreadyExistsException taken =
        new FileAlreadyExistsException(path.toString(), null, "another driver committed it");
    taken.initCause(cause);
    return taken;
  }

  /** An object is there whole or not at all: readers never see a part of one. */
  @Override
  public Boolean isPartialWriteVisible(Path path, Configuration hadoop) {
    return false;
  }
}
