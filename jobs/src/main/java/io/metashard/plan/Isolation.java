package io.metashard.plan;

import io.metashard.ObjectIds;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Which objects may share meta-shards and containers: those of one group.
 *
 * @param depth 0: objects of one root; n above 0: of one root whose first n folders are equal; -1:
 *     all objects
 */
public record Isolation(int depth) implements Serializable {
  public static final Isolation NONE = new Isolation(-1);
  public static final Isolation ROOT = new Isolation(0);

  private static final int GROUP_BYTES = 8;

  public Isolation {
    if (depth < -1) {
      throw new IllegalArgumentException(
          "Cannot isolate objects by %d folders: use 1 or more".formatted(depth));
    }
  }

  /** Reads {@code root}, {@code none} or a number of folders. */
  public static Isolation parse(String text) {
    return switch (text) {
      case "none" -> NONE;
      case "root" -> ROOT;
      default -> {
        if (!text.matches("[1-9][0-9]{0,2}")) {
          throw new SettingsException(
              "Cannot use plan.isolate-by = %s: it must be root, none or a number of folders, 1 or more"
                  .formatted(ObjectIds.printable(text)));
        }
        yield new Isolation(Integer.parseInt(text));
      }
    };
  }

  /**
   * The group of an object: 16 hex digits of a SHA-256, so that no part of an id is in it and equal
   * groups mean equal keys.
   */
  public String group(String root, String objectId) {
    StringBuilder key = new StringBuilder();
    if (depth >= 0) {
      key.append(root);
    }
    int from = 0;
    for (int folder = 0; folder < depth; folder++) {
      int slash = objectId.indexOf('/', from);
      if (slash < 0) {
        break;
      }
      key.append('\0').append(objectId, from, slash);
      from = slash + 1;
    }
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(key.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, GROUP_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
