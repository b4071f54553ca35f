package io.metashard.job;

import io.metashard.ObjectIds;
import java.util.Optional;

/**
 * What of a plan is explained.
 *
 * @param objectId of one object; empty: what objects have in common, and the hottest
 * @param rows most objects, or parts of one, that are told of one by one
 */
record ExplainOptions(Optional<String> objectId, int rows) {
  private static final int MOST_ROWS = 10_000;

  ExplainOptions {
    if (rows < 1 || rows > MOST_ROWS) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot use --explain-limit %d: it must be 1 to %d".formatted(rows, MOST_ROWS));
    }
    objectId
        .flatMap(ObjectIds::problem)
        .ifPresent(
            problem -> {
              throw new MetashardException(
                  MetashardException.USAGE,
                  "Cannot explain object %s: %s"
                      .formatted(ObjectIds.printable(objectId.orElseThrow()), problem));
            });
  }
}
