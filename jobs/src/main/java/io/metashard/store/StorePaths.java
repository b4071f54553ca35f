package io.metashard.store;

import io.metashard.ObjectIds;
import java.util.regex.Pattern;

/** Which paths stores take: none that leaves the root, or that any file system reads otherwise. */
final class StorePaths {
  /** Longest path, in characters: what S3 allows for a key, less room for the root. */
  static final int MAX_CHARS = 800;

  // Possessive, so that a long hostile name costs one pass.
  private static final Pattern SAFE = Pattern.compile("[A-Za-z0-9._=-]++(?:/[A-Za-z0-9._=-]++)*+");

  private static final Pattern DOTS = Pattern.compile("\\.\\.|(?:^|/)\\.(?:/|$)");

  private StorePaths() {}

  static boolean isSafe(String path) {
    return path != null
        && path.length() <= MAX_CHARS
        && SAFE.matcher(path).matches()
        && !DOTS.matcher(path).find();
  }

  /** The path of a file, if it is one that stores take. */
  static String checkedFile(String path) {
    if (!isSafe(path)) {
      throw new IllegalArgumentException(
          "Cannot use path %s: it must be relative, of segments of A-Z a-z 0-9 . _ = - without .., and of at most %d characters"
              .formatted(ObjectIds.printable(path), MAX_CHARS));
    }
    return path;
  }

  /** The path of a folder, if it is one that stores take; empty is the root. */
  static String checkedFolder(String path) {
    return "".equals(path) ? path : checkedFile(path);
  }
}
