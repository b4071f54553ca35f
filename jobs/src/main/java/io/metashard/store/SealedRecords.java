package io.metashard.store;

import io.metashard.Block;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Block rows at the end of a file: the bytes of {@link BlockRecords}, then a trailer of {@value
 * #TRAILER_BYTES} bytes that says how long they are and proves them (FORMAT.md).
 *
 * <p>What is read may be anybody's: lengths are checked before memory is taken for them.
 */
final class SealedRecords {
  static final int FORMAT = 1;
  static final int TRAILER_BYTES = 24; // length 8, checksum 4, format 4, magic 8
  static final byte[] MAGIC = "METASHRD".getBytes(StandardCharsets.US_ASCII);

  private SealedRecords() {}

  /** Rows, and where in the file they begin. */
  record Found(List<Block> rows, long position) {}

  static void write(StoreOutput output, String path, List<Block> rows) throws IOException {
    byte[] payload = BlockRecords.encode(rows);
    long position = output.position();
    output.write(payload);
    output.write(
        ByteBuffer.allocate(TRAILER_BYTES)
            .putLong(payload.length)
            .putInt(checksum(path, position, payload))
            .putInt(FORMAT)
            .put(MAGIC)
            .array());
  }

  static Found read(ObjectStore store, String path) throws IOException {
    long fileLength = store.length(path);
    if (fileLength < TRAILER_BYTES) {
      throw new CorruptFooterException(
          path,
          "the file has %d bytes, its trailer alone has %d; it was cut short or is not ours"
              .formatted(fileLength, TRAILER_BYTES));
    }
    byte[] trailerBytes = new byte[TRAILER_BYTES];
    store.readFully(path, fileLength - TRAILER_BYTES, trailerBytes, 0, TRAILER_BYTES);
    ByteBuffer trailer = ByteBuffer.wrap(trailerBytes);
    long length = trailer.getLong();
    int stored = trailer.getInt();
    int format = trailer.getInt();
    if (!ByteBuffer.wrap(MAGIC).equals(trailer)) {
      throw new CorruptFooterException(
          path, "the file does not end in METASHRD; it was cut short or is not ours");
    }
    if (format != FORMAT) {
      throw new CorruptFooterException(
          path,
          "it is of format %d, this code reads %d; use a newer Metashard"
              .formatted(format, FORMAT));
    }
    if (length < 0 || length > fileLength - TRAILER_BYTES || length > BlockRecords.MAX_BYTES) {
      throw new CorruptFooterException(
          path,
          "the trailer says %d bytes of rows in a file of %d bytes, and at most %d are read"
              .formatted(length, fileLength, BlockRecords.MAX_BYTES));
    }
    long position = fileLength - TRAILER_BYTES - length;
    byte[] payload = new byte[(int) length];
    store.readFully(path, position, payload, 0, payload.length);
    int computed = checksum(path, position, payload);
    if (stored != computed) {
      throw new CorruptFooterException(
          path,
          "the checksum is %08x, the bytes give %08x; it was changed, moved or renamed"
              .formatted(stored, computed));
    }
    try {
      return new Found(BlockRecords.decode(payload), position);
    } catch (CorruptRecordsException e) {
      throw new CorruptFooterException(path, e.getMessage(), e);
    }
  }

  /** Whether the row's frames fit in the first {@code bytes} of the file at {@code path}. */
  static boolean holds(String path, long bytes, Block row) {
    return row.path().equals(path)
        && row.length() <= bytes // first, so that the sum below cannot overflow
        && row.containerOffset() <= bytes - row.physicalBytes();
  }

  private static int checksum(String path, long position, byte[] payload) {
    return new FrameChecksum(path).of(position, payload, 0, payload.length);
  }
}
