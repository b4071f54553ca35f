package io.metashard.simulate;

/**
 * A block of a layout that is simulated: what it holds, and where.
 *
 * @param objectId null on parity blocks
 * @param objectOffset where the block begins in the object; 0 on parity blocks
 * @param length bytes that are read when it is read
 * @param metaShardId blocks of one meta-shard are coded together
 * @param bundle blocks of one bundle at one location lie side by side: one request reads them
 * @param k data blocks of the meta-shard
 * @param blockIndex below {@code k}: data
 * @param location 0 to the number of locations less 1
 */
public record PlacedBlock(
    String objectId,
    long objectOffset,
    long length,
    String metaShardId,
    String bundle,
    int k,
    int blockIndex,
    int location) {
  public PlacedBlock {
    if ((objectId == null) != (blockIndex >= k) || length < 0 || location < 0) {
      throw new IllegalArgumentException(
          "Cannot place block %d of %d data blocks of %s, %d bytes, at location %d: data blocks are of an object, parity blocks of none, and nothing is negative"
              .formatted(blockIndex, k, metaShardId, length, location));
    }
  }
}
