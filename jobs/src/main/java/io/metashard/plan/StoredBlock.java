package io.metashard.plan;

import io.metashard.ObjectIds;
import java.time.Instant;

/**
 * A block that the shard map holds, with what planning looks at; components as in {@link
 * io.metashard.Block}.
 *
 * @param deadSince of data that is dead, never null there: where the map does not tell, no later
 *     than it was
 */
public record StoredBlock(
    String objectId,
    String objectVersion,
    long objectBytes,
    boolean live,
    int segment,
    long objectOffset,
    long length,
    String metaShardId,
    String codec,
    int k,
    int m,
    int blockIndex,
    String location,
    double expectedRequests,
    Instant deadSince) {
  public StoredBlock {
    if (!live && blockIndex < k && deadSince == null) {
      throw new IllegalArgumentException(
          "Cannot plan with block %d of meta-shard %s: it is dead, and not said since when"
              .formatted(blockIndex, ObjectIds.printable(metaShardId)));
    }
  }

  /** What the map will say of a planned block once it is written. */
  public static StoredBlock of(PlannedBlock block) {
    return new StoredBlock(
        block.objectId(),
        block.objectVersion(),
        block.objectBytes(),
        block.objectId() != null,
        block.segment(),
        block.objectOffset(),
        block.length(),
        block.metaShardId(),
        block.codec(),
        block.k(),
        block.m(),
        block.blockIndex(),
        block.location(),
        block.expectedRequests(),
        null);
  }

  /** The same data, served no longer. */
  StoredBlock dead(Instant since) {
    return new StoredBlock(
        objectId,
        objectVersion,
        objectBytes,
        false,
        segment,
        objectOffset,
        length,
        metaShardId,
        codec,
        k,
        m,
        blockIndex,
        location,
        expectedRequests,
        since);
  }

  boolean isParity() {
    return blockIndex >= k;
  }
}
