package io.metashard.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * CRC32C of (UTF-8 bytes of a container's path, a position in it as a big-endian long, the bytes
 * there): a frame that was swapped, moved or is of another container fails. Not thread safe.
 */
final class FrameChecksum {
  private final CRC32C crc = new CRC32C();
  private final byte[] path;
  private final ByteBuffer position = ByteBuffer.allocate(Long.BYTES);

  FrameChecksum(String path) {
    this.path = path.getBytes(StandardCharsets.UTF_8);
  }

  int of(long framePosition, byte[] bytes, int offset, int length) {
    crc.reset();
    crc.update(path);
    crc.update(position.putLong(0, framePosition).array());
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }
}
