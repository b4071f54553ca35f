package io.metashard.store;

import io.metashard.Block;
import io.metashard.ObjectIds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Reads ranges of blocks from their containers, verifying every frame it touches. Holds a buffer
 * that calls reuse: one reader per thread.
 */
public final class BlockReader {
  /** Most bytes asked of the store at once, unless one frame is larger. */
  private static final int MAX_READ_BYTES = 1 << 20;

  private final ObjectStore store;
  private byte[] buffer = new byte[0];

  /** Reads containers of the location whose root {@code store} is. */
  public BlockReader(ObjectStore store) {
    this.store = store;
  }

  /** The bytes of {@code [from, end)} of a block, and where they go. */
  private record Wanted(long from, long end, byte[] target, int targetOffset) {
    void take(long blockOffset, byte[] payload, int payloadOffset, int length) {
      long first = Math.max(from, blockOffset);
      long last = Math.min(end, blockOffset + length);
      System.arraycopy(
          payload,
          payloadOffset + (int) (first - blockOffset),
          target,
          targetOffset + (int) (first - from),
          (int) (last - first));
    }
  }

  /**
   * Fills {@code target[targetOffset..targetOffset + length)} with the block's logical bytes from
   * {@code from}. After a failure the target holds anything.
   *
   * @throws CorruptFrameException if a frame is not what was written there
   * @throws java.nio.file.NoSuchFileException if the container is missing
   * @throws java.io.EOFException if the container ends too early
   */
  public void read(Block block, long from, byte[] target, int targetOffset, int length)
      throws IOException {
    Objects.checkFromIndexSize(from, length, block.length());
    Objects.checkFromIndexSize(targetOffset, length, target.length);
    if (block.frameBytes() > ContainerWriter.MAX_FRAME_BYTES) {
      throw new IllegalArgumentException(
          "Cannot read block %d of meta-shard %s: its frames are of %d bytes, at most %d are read; check the shard map"
              .formatted(
                  block.blockIndex(),
                  ObjectIds.printable(block.metaShardId()),
                  block.frameBytes(),
                  ContainerWriter.MAX_FRAME_BYTES));
    }
    if (length == 0) {
      return;
    }
    Wanted wanted = new Wanted(from, from + length, target, targetOffset);
    FrameChecksum checksum = new FrameChecksum(block.path());
    int frameBytes = block.frameBytes();
    long lastFrame = (wanted.end() - 1) / frameBytes;
    int framesPerRead = Math.max(1, MAX_READ_BYTES / (frameBytes + Block.FRAME_HEADER_BYTES));
    for (long frame = from / frameBytes; frame <= lastFrame; frame += framesPerRead) {
      int frames = (int) Math.min(framesPerRead, lastFrame + 1 - frame);
      readFrames(block, frame, frames, checksum, wanted);
    }
  }

  /** Reads neighbouring frames in one go and hands on what is wanted of them. */
  private void readFrames(
      Block block, long firstFrame, int frames, FrameChecksum checksum, Wanted wanted)
      throws IOException {
    long blockOffset = firstFrame * block.frameBytes();
    long payloads =
        Math.min((long) frames * block.frameBytes(), block.length() - blockOffset); // last is short
    int bytes = (int) (payloads + (long) frames * Block.FRAME_HEADER_BYTES);
    if (buffer.length < bytes) {
      buffer = new byte[bytes];
    }
    long position =
        Math.addExact(block.containerOffset(), blockOffset + firstFrame * Block.FRAME_HEADER_BYTES);
    store.readFully(block.path(), position, buffer, 0, bytes);

    ByteBuffer read = ByteBuffer.wrap(buffer, 0, bytes);
    while (read.hasRemaining()) {
      long framePosition = position + read.position();
      int stored = read.getInt();
      int length = Math.min(block.frameBytes(), read.remaining());
      int computed = checksum.of(framePosition, buffer, read.position(), length);
      if (stored != computed) {
        throw new CorruptFrameException(block.path(), framePosition, stored, computed);
      }
      wanted.take(blockOffset, buffer, read.position(), length);
      blockOffset += length;
      read.position(read.position() + length);
    }
  }
}
