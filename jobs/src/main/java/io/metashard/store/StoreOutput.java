package io.metashard.store;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A file being written. {@link #close} makes it visible and durable as the store knows how; a file
 * that was not closed is abandoned by {@link #abort}. Not thread safe.
 */
public abstract class StoreOutput extends OutputStream {
  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  // Not OutputStream's own, which would write byte by byte.
  @Override
  public abstract void write(byte[] bytes, int offset, int length) throws IOException;

  /**
   * Discards what was written, as far as the store can: nothing becomes visible. Never throws: it
   * is called while another failure is on its way. Nothing happens after {@link #close}.
   */
  public abstract void abort();

  /** Bytes written so far: where the next one goes. */
  public abstract long position();
}
