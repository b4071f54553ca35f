package io.metashard.generate;

import io.metashard.ObjectIds;
import java.time.Instant;

/**
 * A file to make.
 *
 * @param id path below the root
 * @param modifiedAt its modification time; nobody asks for it before
 */
public record DemoObject(String id, long bytes, Instant modifiedAt) {
  public DemoObject {
    ObjectIds.problem(id)
        .ifPresent(
            problem -> {
              throw new IllegalArgumentException(
                  "Cannot make object %s: %s".formatted(ObjectIds.printable(id), problem));
            });
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "Cannot make object %s of %d bytes: negative".formatted(id, bytes));
    }
  }
}
