package io.metashard.store;

import java.io.IOException;
import java.util.Iterator;

/** A store whose reads and writes keep to a pace. */
public final class PacedStore implements ObjectStore {
  private final ObjectStore store;
  private final Pace pace;

  /**
   * @param store is closed with this one
   */
  public PacedStore(ObjectStore store, Pace pace) {
    this.store = store;
    this.pace = pace;
  }

  @Override
  public StoreOutput create(String path) throws IOException {
    return new PacedOutput(store.create(path));
  }

  @Override
  public void readFully(String path, long position, byte[] buffer, int offset, int length)
      throws IOException {
    pace.take(length);
    store.readFully(path, position, buffer, offset, length);
  }

  @Override
  public long length(String path) throws IOException {
    return store.length(path);
  }

  @Override
  public Iterator<StoredFile> list(String prefix) throws IOException {
    return store.list(prefix);
  }

  @Override
  public void delete(String path) throws IOException {
    store.delete(path);
  }

  @Override
  public void close() throws IOException {
    store.close();
  }

  private final class PacedOutput extends StoreOutput {
    private final StoreOutput output;

    PacedOutput(StoreOutput output) {
      this.output = output;
    }

    @Override
    public void write(int b) throws IOException {
      pace.take(1);
      output.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      pace.take(length);
      output.write(bytes, offset, length);
    }

    @Override
    public void flush() throws IOException {
      output.flush();
    }

    @Override
    public void close() throws IOException {
      output.close();
    }

    @Override
    public void abort() {
      output.abort();
    }

    @Override
    public long position() {
      return output.position();
    }
  }
}
