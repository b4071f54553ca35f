package io.metashard.encode;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;

/** Where the bytes of objects are read that have no source any more: in the map. */
public interface MapSource extends Serializable {
  /** There is none: whatever is planned has a source. */
  MapSource NONE =
      () -> {
        throw new IOException("no map to read objects without a source from was given");
      };

  /** Opens the map for one task. */
  Reader open() throws IOException;

  /** One task's view of it; used by one thread. */
  interface Reader extends Closeable {
    /**
     * Writes bytes {@code [from, to)} of an object to a stream.
     *
     * @param bucket of the object
     * @throws io.metashard.store.SourceFiles.SourceChangedException if the map has it at another
     *     version
     * @throws IOException if they can be had from nowhere
     */
    void copy(
        int bucket, String objectId, String objectVersion, long from, long to, OutputStream out)
        throws IOException;
  }
}
