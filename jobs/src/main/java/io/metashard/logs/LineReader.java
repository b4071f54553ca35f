package io.metashard.logs;

import io.metashard.ObjectIds;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Lines of a stream, one at a time, each of at most a given length: memory does not grow with what
 * the stream holds. A line ends at a newline; a carriage return before it is dropped.
 */
final class LineReader {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position;
  private int limit;

  private final int maxLineBytes;
  private byte[] line = new byte[512];
  private int length;
  private long bytesOfLine;
  private long number;

  LineReader(InputStream in, int maxLineBytes) {
    this.in = in;
    this.maxLineBytes = maxLineBytes;
  }

  /**
   * Goes to the next line.
   *
   * @return false at the end of the stream
   * @throws IOException from the stream; then {@link #number} is the line that broke and {@link
   *     #shown} what was read of it
   */
  boolean next() throws IOException {
    length = 0;
    bytesOfLine = 0;
    number++;
    while (true) {
      if (position == limit) {
        limit = Math.max(0, in.read(buffer, 0, buffer.length));
        position = 0;
        if (limit == 0) {
          boolean unfinished = bytesOfLine > 0;
          if (!unfinished) {
            number--;
          }
          return unfinished;
        }
      }
      int newline = position;
      while (newline < limit && buffer[newline] != '\n') {
        newline++;
      }
      keep(position, newline - position);
      boolean ended = newline < limit;
      position = ended ? newline + 1 : limit;
      if (ended) {
        dropCarriageReturn();
        return true;
      }
    }
  }

  private void keep(int from, int count) {
    bytesOfLine += count;
    // One more than allowed: a carriage return may still go.
    int kept = Math.min(count, maxLineBytes + 1 - length);
    if (kept > 0) {
      if (length + kept > line.length) {
        line = Arrays.copyOf(line, Math.max(length + kept, line.length * 2));
      }
      System.arraycopy(buffer, from, line, length, kept);
      length += kept;
    }
  }

  private void dropCarriageReturn() {
    if (length > 0 && length == bytesOfLine && line[length - 1] == '\r') {
      length--;
      bytesOfLine--;
    }
  }

  /** Number of the line, from 1. */
  long number() {
    return number;
  }

  boolean isTooLong() {
    return bytesOfLine > maxLineBytes;
  }

  boolean hasNul() {
    for (int i = 0; i < length; i++) {
      if (line[i] == 0) {
        return true;
      }
    }
    return false;
  }

  /** The line; empty when it is not UTF-8. Not for a line that is too long. */
  Optional<String> text() {
    return ObjectIds.decodeUtf8(line, 0, length);
  }

  /** The line's beginning, whatever it is, for people to see. */
  String shown() {
    return new String(line, 0, Math.min(length, 1024), StandardCharsets.UTF_8);
  }
}
