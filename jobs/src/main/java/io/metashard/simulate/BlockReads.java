package io.metashard.simulate;

import java.io.Serializable;

/**
 * What a reader asks locations for to serve one read: so many blocks, of which so many must come.
 *
 * @param needed the read ends when this many have come
 * @param asked blocks asked for at once, each at a location of its own; {@code needed} or more
 * @param blockBytes bytes read of the longest of them
 */
public record BlockReads(int needed, int asked, long blockBytes) implements Serializable {
  public BlockReads {
    if (needed < 1 || asked < needed || blockBytes < 0) {
      throw new IllegalArgumentException(
          "Cannot read %d of %d blocks, %d bytes each: at least 1 block is needed, and no more than are asked for"
              .formatted(needed, asked, blockBytes));
    }
  }

  /** A read from one place: an object, a copy, or a block that holds the whole segment. */
  public static BlockReads ofOne(long bytes) {
    return new BlockReads(1, 1, bytes);
  }

  /**
   * A read of a segment that is cut into slices at different locations.
   *
   * <p>A read of all slices of a meta-shard of their own may do with any k blocks: then {@code
   * extra} more are asked for and the slowest are not waited for. A read of some slices asks for
   * those.
   *
   * @param slices of the segment
   * @param sliceBytes of the longest slice
   * @param bytes of the segment that are read, from its beginning
   * @param spare blocks that can stand in for a slice: m if the slices are all the data of their
   *     meta-shard, else 0
   * @param extra blocks asked for beyond what is needed, at most
   */
  public static BlockReads ofSlices(int slices, long sliceBytes, long bytes, int spare, int extra) {
    long touched = sliceBytes == 0 ? 1 : (Math.max(1, bytes) - 1) / sliceBytes + 1;
    int needed = (int) Math.min(slices, touched);
    int more = needed == slices && slices > 1 ? Math.min(spare, extra) : 0;
    return new BlockReads(needed, needed + more, Math.min(bytes, sliceBytes));
  }
}
