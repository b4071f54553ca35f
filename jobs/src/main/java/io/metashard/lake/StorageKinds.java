package io.metashard.lake;

import java.net.URI;
import java.util.Locale;
import java.util.Set;
import org.apache.hadoop.fs.Path;

/** What kind of storage a URI is on, as far as its scheme tells. */
public final class StorageKinds {
  private static final Set<String> OBJECT_STORES =
      Set.of("s3", "s3a", "s3n", "gs", "abfs", "abfss", "wasb", "wasbs", "oss", "cosn", "obs");

  private StorageKinds() {}

  /**
   * Whether it is an object store: a file is there whole or not at all, putting it again replaces
   * it in one step, and renaming copies.
   */
  public static boolean isObjectStore(String uri) {
    URI parsed = new Path(uri).toUri();
    return parsed.getScheme() != null
        && OBJECT_STORES.contains(parsed.getScheme().toLowerCase(Locale.ROOT));
  }
}
