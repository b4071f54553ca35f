package io.metashard.logs;

import java.io.Closeable;
import java.io.IOException;

/** The lines of one log file, in order, one at a time. */
interface LogReader extends Closeable {
  /**
   * The next line, or null at the end of the file.
   *
   * @throws IOException if the storage fails; what is wrong with the file's contents is a rejected
   *     line instead
   */
  NumberedLine next() throws IOException;
}
