package io.metashard.store;

import java.time.Instant;
import java.util.Objects;

/**
 * A file that a store lists.
 *
 * @param path relative to the store's root
 * @param length in bytes
 * @param modifiedAt when it was written, as the store says
 */
public record StoredFile(String path, long length, Instant modifiedAt) {
  public StoredFile {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(modifiedAt, "modifiedAt");
    if (length < 0) {
      throw new IllegalArgumentException(
          "Cannot use stored file %s: its length %d is negative".formatted(path, length));
    }
  }
}
