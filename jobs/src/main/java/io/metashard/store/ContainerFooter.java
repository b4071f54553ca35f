package io.metashard.store;

import io.metashard.Block;
import io.metashard.ObjectIds;
import java.io.IOException;
import java.util.List;

/** What a container says of itself: the map can be rebuilt from the footers of all containers. */
public final class ContainerFooter {
  private ContainerFooter() {}

  /**
   * The rows that the map had for the container's blocks when it was written.
   *
   * @throws CorruptFooterException if they cannot be trusted, or are of a format not known here
   */
  public static List<Block> read(ObjectStore store, String path) throws IOException {
    SealedRecords.Found found = SealedRecords.read(store, path);
    for (Block row : found.rows()) {
      if (!SealedRecords.holds(path, found.position(), row)) {
        throw new CorruptFooterException(
            path,
            "a row is of a block of %d bytes at %d of %s, which these %d bytes of frames do not hold"
                .formatted(
                    row.length(),
                    row.containerOffset(),
                    ObjectIds.printable(row.path()),
                    found.position()));
      }
    }
    return found.rows();
  }
}
