package io.metashard.store;

/** Bytes that should be block rows are not. */
public final class CorruptRecordsException extends RuntimeException {
  public CorruptRecordsException(String why) {
    super("Cannot decode block rows: " + why);
  }

  public CorruptRecordsException(String why, Throwable cause) {
    super("Cannot decode block rows: " + why, cause);
  }
}
