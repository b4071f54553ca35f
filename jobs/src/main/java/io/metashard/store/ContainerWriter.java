package io.metashard.store;

import io.metashard.Block;
import io.metashard.ObjectIds;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * Writes one container: the frames of its blocks, then a footer that repeats all that the map says
 * of them (FORMAT.md). Memory is one frame, whatever a block's length. Not thread safe.
 *
 * <p>For each block {@link #beginBlock}, {@link #append}, {@link #endBlock}; then {@link #finish}.
 * Closing without finishing discards the container.
 */
public final class ContainerWriter implements Closeable {
  /** Longest payload of a frame: what a reader must hold in memory to check one byte. */
  public static final int MAX_FRAME_BYTES = 16 << 20;

  private final String path;
  private final int frameBytes;
  private final FrameChecksum frameChecksum;
  private final CRC32C blockCrc = new CRC32C();
  private final MessageDigest blockSha256; // null unless asked for
  private final byte[] frame; // payload only
  private final ByteBuffer header = ByteBuffer.allocate(Block.FRAME_HEADER_BYTES);
  private final StoreOutput output;

  private int frameFill;
  private long blockOffset;
  private long blockLength;
  private boolean inBlock;
  private boolean closed;

  /**
   * Creates the container's file.
   *
   * @param path relative to the store's root; a part of every checksum
   * @param frameBytes payload bytes of a full frame
   * @throws java.nio.file.FileAlreadyExistsException if the path is taken
   */
  public ContainerWriter(ObjectStore store, String path, int frameBytes, Digest digest)
      throws IOException {
    if (frameBytes < 1 || frameBytes > MAX_FRAME_BYTES) {
      throw new IllegalArgumentException(
          "Cannot write container %s: frames of %d bytes; they must be 1 to %d"
              .formatted(path, frameBytes, MAX_FRAME_BYTES));
    }
    this.path = StorePaths.checkedFile(path);
    this.frameBytes = frameBytes;
    this.frameChecksum = new FrameChecksum(path);
    this.blockSha256 = digest == Digest.SHA256 ? newSha256() : null;
    this.frame = new byte[frameBytes];
    this.output = store.create(path);
  }

  /** Relative to the store's root. */
  public String path() {
    return path;
  }

  /** Bytes written so far, those of an unfinished frame not counted. */
  public long position() {
    return output.position();
  }

  /** Begins a block at {@link #position}. */
  public void beginBlock() {
    require(!inBlock && !closed, "begin a block", inBlock ? "one is open" : "it is closed");
    inBlock = true;
    blockOffset = output.position();
    blockLength = 0;
    blockCrc.reset(); // the SHA-256 resets itself when it is taken
  }

  /** Adds bytes to the open block, in pieces of any size. */
  public void append(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    require(inBlock, "append to a block", "none is open");
    blockCrc.update(bytes, offset, length);
    if (blockSha256 != null) {
      blockSha256.update(bytes, offset, length);
    }
    blockLength += length;
    int from = offset;
    int left = length;
    while (left > 0) {
      if (frameFill == 0 && left >= frameBytes) {
        writeFrame(bytes, from, frameBytes); // a whole frame needs no copy
        from += frameBytes;
        left -= frameBytes;
      } else {
        int piece = Math.min(left, frameBytes - frameFill);
        System.arraycopy(bytes, from, frame, frameFill, piece);
        frameFill += piece;
        from += piece;
        left -= piece;
        if (frameFill == frameBytes) {
          writeFrame(frame, 0, frameFill);
          frameFill = 0;
        }
      }
    }
  }

  /** Ends the open block; an empty one has no frames. */
  public WrittenBlock endBlock() throws IOException {
    require(inBlock, "end a block", "none is open");
    if (frameFill > 0) {
      writeFrame(frame, 0, frameFill);
      frameFill = 0;
    }
    inBlock = false;
    return new WrittenBlock(
        blockOffset,
        blockLength,
        blockCrc.getValue(),
        blockSha256 == null ? null : blockSha256.digest());
  }

  /**
   * Writes the footer and closes the file: from here on the container is visible and never changes.
   *
   * @param rows the rows that the map will have for the blocks in this container
   * @throws IllegalArgumentException if a row is of another container or lies outside this one
   */
  public void finish(List<Block> rows) throws IOException {
    require(!inBlock && !closed, "finish", inBlock ? "a block is open" : "it is closed");
    for (Block row : rows) {
      if (!SealedRecords.holds(path, output.position(), row)) {
        throw new IllegalArgumentException(
            "Cannot finish container %s of %d bytes: a row is of a block of %d bytes at %d of %s, which it does not hold"
                .formatted(
                    path,
                    output.position(),
                    row.length(),
                    row.containerOffset(),
                    ObjectIds.printable(row.path())));
      }
    }
    SealedRecords.write(output, path, rows);
    output.close();
    closed = true;
  }

  /** Discards the container unless it was finished. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      inBlock = false;
      output.abort();
    }
  }

  private void writeFrame(byte[] bytes, int offset, int length) throws IOException {
    int checksum = frameChecksum.of(output.position(), bytes, offset, length);
    output.write(header.putInt(0, checksum).array());
    output.write(bytes, offset, length);
  }

  private void require(boolean holds, String what, String why) {
    if (!holds) {
      throw new IllegalStateException("Cannot %s in container %s: %s".formatted(what, path, why));
    }
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
