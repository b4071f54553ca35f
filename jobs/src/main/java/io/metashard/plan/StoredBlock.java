package io.metashard.plan;

/**
 * A block that the shard map holds, with what planning looks at; components as in {@link
 * io.metashard.Block}.
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
    double expectedRequests) {

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
        block.expectedRequests());
  }

  boolean isParity() {
    return blockIndex >= k;
  }
}
