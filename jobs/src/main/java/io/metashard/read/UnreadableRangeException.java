package io.metashard.read;

import java.io.IOException;

/**
 * Bytes that neither their blocks, nor the other blocks of their meta-shards, nor a source give.
 */
public final class UnreadableRangeException extends IOException {
  UnreadableRangeException(String message) {
    super(message);
  }
}
