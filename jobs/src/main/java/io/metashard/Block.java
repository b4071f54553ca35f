package io.metashard;

import java.time.Instant;
import java.util.Arrays;

/**
 * One block of a meta-shard as the shard map knows it: what it holds, how it is coded, and where it
 * is. The components are the columns of the {@code shard_map} table, in its order.
 *
 * @param format version of this row's meaning; a reader refuses a higher one
 * @param bucket partition of the map; all blocks of a meta-shard are in one
 * @param buckets number of buckets, the same in all rows, a power of two
 * @param objectId object of a data block; null on parity rows
 * @param objectVersion version of the object the bytes are of; null on parity rows
 * @param objectBytes length of the object; 0 on parity rows
 * @param live false: bytes of a former version or of a deleted object, kept for decoding only
 * @param segment segment of the object; -1 on parity rows
 * @param objectOffset where the block's first byte lies in the object; 0 on parity rows
 * @param length logical bytes in the block; of a parity block, {@code blockBytes}
 * @param blockIndex 0 to k-1 data, k to k+m-1 parity
 * @param blockBytes coding length: shorter data blocks are coded as if padded with zeros to it
 * @param location name of the location
 * @param path of the container, relative to the location's root
 * @param containerOffset where the block's first frame begins
 * @param frameBytes payload bytes of a full frame
 * @param crc32c of the logical bytes, 0 to 2^32 - 1
 * @param sha256 of the logical bytes; null unless asked for
 * @param expectedRequests the forecast when the block was written: finite, 0 or more
 * @param heatClass the planner's class of that forecast; what hysteresis compares with
 * @param deadSince when it ceased to be served; null while it is live, and where that is not known
 */
public record Block(
    int format,
    int bucket,
    int buckets,
    String objectId,
    String objectVersion,
    long objectBytes,
    boolean live,
    int segment,
    long objectOffset,
    long length,
    String metaShardId,
    int k,
    int m,
    String codec,
    int blockIndex,
    long blockBytes,
    String location,
    String path,
    long containerOffset,
    int frameBytes,
    long crc32c,
    byte[] sha256,
    String encryption,
    String generation,
    Instant writtenAt,
    double expectedRequests,
    int heatClass,
    Instant deadSince) {
  /** The format that this code writes and the highest that it reads. */
  public static final int FORMAT = 1;

  /** Bytes of the checksum before every frame's payload. */
  public static final int FRAME_HEADER_BYTES = 4;

  public Block {
    if (length < 0 || blockBytes < length || containerOffset < 0 || frameBytes < 1) {
      throw new IllegalArgumentException(
          "Cannot use block %d of meta-shard %s: length %d, block %d, offset %d, frame %d bytes do not fit together"
              .formatted(
                  blockIndex,
                  ObjectIds.printable(metaShardId),
                  length,
                  blockBytes,
                  containerOffset,
                  frameBytes));
    }
    if (blockIndex < 0 || blockIndex >= k + m) {
      throw new IllegalArgumentException(
          "Cannot use block %d of meta-shard %s: it has %d+%d blocks"
              .formatted(blockIndex, ObjectIds.printable(metaShardId), k, m));
    }
    if (!(expectedRequests >= 0 && expectedRequests < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "Cannot use block %d of meta-shard %s: it expects %s requests, which is no number of them"
              .formatted(blockIndex, ObjectIds.printable(metaShardId), expectedRequests));
    }
  }

  /** A block that is served, or of which it is not known when it ceased to be. */
  public Block(
      int format,
      int bucket,
      int buckets,
      String objectId,
      String objectVersion,
      long objectBytes,
      boolean live,
      int segment,
      long objectOffset,
      long length,
      String metaShardId,
      int k,
      int m,
      String codec,
      int blockIndex,
      long blockBytes,
      String location,
      String path,
      long containerOffset,
      int frameBytes,
      long crc32c,
      byte[] sha256,
      String encryption,
      String generation,
      Instant writtenAt,
      double expectedRequests,
      int heatClass) {
    this(
        format,
        bucket,
        buckets,
        objectId,
        objectVersion,
        objectBytes,
        live,
        segment,
        objectOffset,
        length,
        metaShardId,
        k,
        m,
        codec,
        blockIndex,
        blockBytes,
        location,
        path,
        containerOffset,
        frameBytes,
        crc32c,
        sha256,
        encryption,
        generation,
        writtenAt,
        expectedRequests,
        heatClass,
        null);
  }

  public Shape shape() {
    return new Shape(codec, k, m);
  }

  public boolean isParity() {
    return blockIndex >= k;
  }

  /** Bytes the block takes in its container, checksums of its frames included. */
  public long physicalBytes() {
    return physicalBytes(length, frameBytes);
  }

  /** {@code length + 4 * ceil(length / frameBytes)}. */
  public static long physicalBytes(long length, int frameBytes) {
    long frames = length == 0 ? 0 : (length - 1) / frameBytes + 1;
    return Math.addExact(length, Math.multiplyExact(frames, (long) FRAME_HEADER_BYTES));
  }

  /**
   * The same block stored elsewhere: all of the row but where it is and by whom it was written.
   *
   * @param newFrameBytes payload bytes of a full frame there
   */
  public Block movedTo(
      String newLocation,
      String newPath,
      long newContainerOffset,
      int newFrameBytes,
      String newGeneration,
      Instant newWrittenAt) {
    return new Block(
        format,
        bucket,
        buckets,
        objectId,
        objectVersion,
        objectBytes,
        live,
        segment,
        objectOffset,
        length,
        metaShardId,
        k,
        m,
        codec,
        blockIndex,
        blockBytes,
        newLocation,
        newPath,
        newContainerOffset,
        newFrameBytes,
        crc32c,
        sha256,
        encryption,
        newGeneration,
        newWrittenAt,
        expectedRequests,
        heatClass,
        deadSince);
  }

  /**
   * Whether two rows agree in all that never changes once a block is written: all but whether it is
   * served, and since when it is not.
   */
  public boolean agreesWith(Block other) {
    return Arrays.equals(sha256, other.sha256) && alive().equals(other.alive());
  }

  /** For a comparison: without what changes, and without the array, which has no equality. */
  private Block alive() {
    return new Block(
        format,
        bucket,
        buckets,
        objectId,
        objectVersion,
        objectBytes,
        true,
        segment,
        objectOffset,
        length,
        metaShardId,
        k,
        m,
        codec,
        blockIndex,
        blockBytes,
        location,
        path,
        containerOffset,
        frameBytes,
        crc32c,
        null,
        encryption,
        generation,
        writtenAt,
        expectedRequests,
        heatClass,
        null);
  }

  /** First byte after the block in its object. */
  public long objectEnd() {
    return Math.addExact(objectOffset, length);
  }
}
