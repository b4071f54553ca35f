package io.metashard;

/** What tells two states of one object apart. */
public final class ObjectVersions {
  private ObjectVersions() {}

  /**
   * The object's ETag, without the quotes that HTTP puts around it and inventories do not; where
   * the store has none, {@code size-modificationMillis}.
   */
  public static String of(String etag, long objectBytes, long modifiedMillis) {
    String bare = etag == null ? "" : etag.strip();
    if (bare.length() >= 2 && bare.startsWith("\"") && bare.endsWith("\"")) {
      bare = bare.substring(1, bare.length() - 1);
    }
    return bare.isEmpty() ? objectBytes + "-" + modifiedMillis : bare;
  }
}
