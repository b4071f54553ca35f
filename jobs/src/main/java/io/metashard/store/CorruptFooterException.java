package io.metashard.store;

import java.io.IOException;

/** The block rows at the end of a container, or in a backup file, cannot be used. */
public final class CorruptFooterException extends IOException {
  public CorruptFooterException(String path, String why) {
    this(path, why, null);
  }

  public CorruptFooterException(String path, String why, Throwable cause) {
    super("Cannot use the block rows in %s: %s".formatted(path, why), cause);
  }
}
