package io.metashard.plan;

/**
 * One block that a plan wants written: the input of encoding, which decides nothing.
 *
 * @param bucket partition of the shard map
 * @param metaShardId 16 hex digits that begin with a hash of the meta-shard's first object, then
 *     {@code -} and digits that make it unique among all runs
 * @param blockIndex 0 to k-1 data, k to k+m-1 parity
 * @param objectId null on parity blocks, as are {@code objectVersion} and {@code uri}
 * @param uri of the source; null, too, for what has none: the map has its bytes
 * @param segment -1 on parity blocks
 * @param objectOffset where the block begins in the object, bytes
 * @param length logical bytes; of a parity block {@code blockBytes}
 * @param blockBytes coding length: the longest data block's length
 * @param location name of the location it goes to
 * @param group meta-shards of one group may share containers ({@code plan.isolate-by})
 * @param form {@code packed}, {@code striped}, {@code split}, {@code copies} or {@code drawn}
 */
public record PlannedBlock(
    int bucket,
    String metaShardId,
    String codec,
    int k,
    int m,
    int blockIndex,
    String objectId,
    String objectVersion,
    String uri,
    long objectBytes,
    int segment,
    long objectOffset,
    long length,
    long blockBytes,
    String location,
    String group,
    String form,
    double expectedRequests,
    int heatClass) {
  /** Digits that the ids of meta-shards have in common that are placed together. */
  public static final int BUNDLE_DIGITS = 13;

  /** What the ids of meta-shards have in common that are placed together. */
  public static String bundle(String metaShardId) {
    return metaShardId.substring(0, Math.min(BUNDLE_DIGITS, metaShardId.length()));
  }
}
