package io.metashard.store;

import java.io.IOException;

/** A frame's bytes are not those that were written at that place of that container. */
public final class CorruptFrameException extends IOException {
  private final String path;
  private final long position;

  public CorruptFrameException(String path, long position, int stored, int computed) {
    super(
        "Cannot use the frame at byte %d of container %s: its checksum is %08x, its bytes give %08x; rebuild the block from the others of its meta-shard"
            .formatted(position, path, stored, computed));
    this.path = path;
    this.position = position;
  }

  /** Path of the container, relative to its location's root. */
  public String path() {
    return path;
  }

  /** Where the frame begins in the container. */
  public long position() {
    return position;
  }
}
