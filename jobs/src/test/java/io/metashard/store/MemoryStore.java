package io.metashard.store;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;

/** Files in memory, as S3 keeps them: a path is taken when its writer closes. */
public final class MemoryStore implements ObjectStore {
  private final Map<String, byte[]> files = new ConcurrentSkipListMap<>();
  private final AtomicLong reads = new AtomicLong();

  @Override
  public StoreOutput create(String path) throws IOException {
    StorePaths.checkedFile(path);
    if (files.containsKey(path)) {
      throw new FileAlreadyExistsException(path);
    }
    return new MemoryOutput(path);
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
    reads.incrementAndGet();
    byte[] bytes = bytes(path);
    if (position > bytes.length - length) {
      throw new EOFException(
          "%s has %d bytes, not %d at %d".formatted(path, bytes.length, length, position));
    }
    System.arraycopy(bytes, (int) position, buffer, offset, length);
  }

  @Override
  public long length(String path) throws IOException {
    return bytes(StorePaths.checkedFile(path)).length;
  }

  @Override
  public Iterator<StoredFile> list(String prefix) {
    StorePaths.checkedFolder(prefix);
    return files.entrySet().stream()
        .filter(file -> prefix.isEmpty() || file.getKey().startsWith(prefix + "/"))
        .map(file -> new StoredFile(file.getKey(), file.getValue().length, Instant.EPOCH))
        .iterator();
  }

  @Override
  public void delete(String path) {
    files.remove(StorePaths.checkedFile(path));
  }

  @Override
  public void close() {}

  /** Reads that reached the store so far. */
  public long reads() {
    return reads.get();
  }

  /** A copy of the file's bytes. */
  public byte[] content(String path) throws IOException {
    return bytes(path).clone();
  }

  /** Puts bytes at a path whatever was there: what a failing disk or an attacker does. */
  public void replace(String path, byte[] content) {
    files.put(path, content.clone());
  }

  private byte[] bytes(String path) throws IOException {
    byte[] bytes = files.get(path);
    if (bytes == null) {
      throw new NoSuchFileException(path);
    }
    return bytes;
  }

  private final class MemoryOutput extends StoreOutput {
    private final String path;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private boolean isDone;

    MemoryOutput(String path) {
      this.path = path;
    }

    @Override
    public void write(int b) {
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      out.write(bytes, offset, length);
    }

    @Override
    public long position() {
      return out.size();
    }

    @Override
    public void close() throws IOException {
      if (!isDone) {
        isDone = true;
        if (files.putIfAbsent(path, out.toByteArray()) != null) {
          throw new FileAlreadyExistsException(path);
        }
      }
    }

    @Override
    public void abort() {
      isDone = true;
    }
  }
}
