package io.metashard.job;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which object ids can be the name of a file below a folder, as they are. Ids come from strangers:
 * one that could leave the folder, or that a file system would read otherwise, is refused, never
 * changed.
 */
final class ExportNames {
  /** Where an export keeps what is its own, below its target. */
  static final String OWN_FOLDER = "_metashard";

  /** Longest part between slashes, in bytes of UTF-8: what local file systems and HDFS take. */
  static final int MOST_PART_BYTES = 255;

  private ExportNames() {}

  /** What a target takes for a name. */
  enum Target {
    /** Keys of an object store. */
    KEYS,
    /** Files in folders. */
    FILES,
    /** Files in folders that Hadoop reads with a checksum file, {@code .name.crc}, beside each. */
    FILES_WITH_CHECKSUMS
  }

  /**
   * Why an id can be no file of a target, in words.
   *
   * @param id an object id, as {@link io.metashard.ObjectIds} has it
   */
  static Optional<String> problem(String id, Target target) {
    String[] parts = id.split("/", -1);
    if (parts[0].toLowerCase(Locale.ROOT).equals(OWN_FOLDER)) {
      return Optional.of(
          "its name begins with %s/, where exports keep their own".formatted(OWN_FOLDER));
    }
    for (String part : parts) {
      if (part.isEmpty()) {
        return Optional.of(
            "a part of its name is empty: it begins or ends with a slash, or has two in a row");
      }
      if (part.equals(".") || part.equals("..")) {
        return Optional.of("a part of its name is %s".formatted(part));
      }
      if (target != Target.KEYS && part.getBytes(StandardCharsets.UTF_8).length > MOST_PART_BYTES) {
        return Optional.of(
            "a part of its name is longer than %d bytes, the most that file systems take"
                .formatted(MOST_PART_BYTES));
      }
      if (target == Target.FILES_WITH_CHECKSUMS && part.startsWith(".") && part.endsWith(".crc")) {
        return Optional.of(
            "a part of its name is that of a checksum file (.name.crc) of Hadoop's, which would say of another file that it is damaged");
      }
    }
    if (id.indexOf('\\') >= 0) {
      return Optional.of("its name has a backslash");
    }
    if (id.chars().anyMatch(Character::isISOControl)) {
      return Optional.of("its name has a control character");
    }
    return Optional.empty();
  }

  /**
   * The folders that a file of this name lies in, the outermost first: of {@code a/b/c}, a and a/b.
   */
  static List<String> folders(String id) {
    List<String> folders = new ArrayList<>();
    for (int slash = id.indexOf('/'); slash >= 0; slash = id.indexOf('/', slash + 1)) {
      if (slash > 0) {
        folders.add(id.substring(0, slash));
      }
    }
    return folders;
  }
}
