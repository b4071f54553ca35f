package io.metashard.store;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.Iterator;

/**
 * Files below one root: create-only writes, positional reads, listing. Thread safe.
 *
 * <p>Paths are relative and of our own making, never an object id: segments of {@code A-Z a-z 0-9 .
 * _ = -} between single slashes. Every method refuses any other with an {@link
 * IllegalArgumentException}, so that no path leaves the root.
 */
public interface ObjectStore extends Closeable {
  /**
   * Begins a new file, and its folders where the store has any.
   *
   * @throws FileAlreadyExistsException if it is there; some stores know only when it is closed
   */
  StoreOutput create(String path) throws IOException;

  /**
   * Fills {@code buffer[offset..offset + length)} with the file's bytes from {@code position}.
   *
   * @throws NoSuchFileException if the file is missing
   * @throws EOFException if the file ends before {@code position + length}
   */
  void readFully(String path, long position, byte[] buffer, int offset, int length)
      throws IOException;

  /**
   * Length of the file in bytes.
   *
   * @throws NoSuchFileException if the file is missing
   */
  long length(String path) throws IOException;

  /**
   * All files below a folder, at any depth and in any order; none if the folder is missing.
   *
   * @param prefix a folder, without a trailing slash; empty for the root
   * @return an iterator that fails with {@link java.io.UncheckedIOException}; files whose names
   *     cannot be ours are left out
   */
  Iterator<StoredFile> list(String prefix) throws IOException;

  /** Removes the file; that it is missing is not an error. */
  void delete(String path) throws IOException;
}
