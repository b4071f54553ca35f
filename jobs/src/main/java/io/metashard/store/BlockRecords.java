package io.metashard.store;

import io.metashard.Block;
import io.metashard.ObjectIds;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows of the shard map as bytes, for footers and backups: a table of the distinct strings, then
 * the rows (FORMAT.md, field by field). Equal lists give equal bytes.
 */
public final class BlockRecords {
  /** The format that is written and the highest that is read. */
  public static final int FORMAT = 1;

  /** Most bytes of one list: bounds what a reader takes into memory. */
  public static final int MAX_BYTES = 256 << 20;

  private static final int MAX_STRING_BYTES = 0xffff;
  private static final int NO_STRING = -1; // null
  private static final int ROW_BYTES = 134; // of format 1, without a SHA-256
  private static final int SHA256_BYTES = 32;
  private static final int DEAD_SINCE_BYTES = 1 + Long.BYTES + Integer.BYTES; // where there is one

  private BlockRecords() {}

  /**
   * The rows as bytes.
   *
   * @throws IllegalArgumentException if a row lacks a field that only data blocks may lack, a
   *     string is not valid Unicode or too long, or all is more than {@link #MAX_BYTES}
   */
  public static byte[] encode(List<Block> rows) {
    StringTable strings = new StringTable();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(body)) {
      out.writeInt(rows.size());
      for (Block row : rows) {
        write(row, strings, out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail so
    }
    long bytes = 2L * Integer.BYTES + strings.bytes + body.size();
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "Cannot encode %d block rows: they need %d bytes, a list has at most %d; use smaller containers or more buckets"
              .formatted(rows.size(), bytes, MAX_BYTES));
    }
    ByteBuffer all = ByteBuffer.allocate((int) bytes);
    all.putInt(FORMAT).putInt(strings.indices.size());
    for (byte[] string : strings.encoded) {
      all.putShort((short) string.length).put(string);
    }
    return all.put(body.toByteArray()).array();
  }

  /**
   * The rows in {@code bytes}; takes no more memory than a small multiple of their length.
   *
   * @throws CorruptRecordsException if they are not rows, or of a format not known here
   */
  public static List<Block> decode(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      int format = in.getInt();
      if (format != FORMAT) {
        throw new CorruptRecordsException(
            "they are of format %d, this code reads %d; use a newer Metashard"
                .formatted(format, FORMAT));
      }
      String[] strings = new String[checkedCount("strings", in.getInt(), Short.BYTES, in)];
      for (int i = 0; i < strings.length; i++) {
        strings[i] = readString(in);
      }
      int count = checkedCount("rows", in.getInt(), Short.BYTES + ROW_BYTES, in);
      List<Block> rows = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        int rowBytes = in.getShort() & 0xffff;
        int end = in.position() + rowBytes;
        if (end > in.limit()) {
          throw new BufferUnderflowException();
        }
        rows.add(read(in.slice(in.position(), rowBytes), strings));
        in.position(end); // beyond the fields of format 1 may be fields added since
      }
      if (in.hasRemaining()) {
        throw new CorruptRecordsException(
            "%d bytes follow the last of %d rows".formatted(in.remaining(), count));
      }
      return List.copyOf(rows);
    } catch (BufferUnderflowException e) {
      throw new CorruptRecordsException(
          "they end too early, after %d bytes".formatted(bytes.length), e);
    }
  }

  private static void write(Block row, StringTable strings, DataOutputStream out)
      throws IOException {
    boolean hasSha256 = row.sha256() != null;
    if (hasSha256 && row.sha256().length != SHA256_BYTES) {
      throw cannotEncode(row, "its sha256 has %d bytes".formatted(row.sha256().length));
    }
    if (row.crc32c() < 0 || row.crc32c() > 0xffffffffL) {
      throw cannotEncode(row, "its crc32c is %d".formatted(row.crc32c()));
    }
    if (row.writtenAt() == null) {
      throw cannotEncode(row, "its writtenAt is null");
    }
    boolean hasDeadSince = row.deadSince() != null;
    out.writeShort(
        ROW_BYTES + (hasSha256 ? SHA256_BYTES : 0) + (hasDeadSince ? DEAD_SINCE_BYTES : 0));
    out.writeInt(row.format());
    out.writeInt(row.bucket());
    out.writeInt(row.buckets());
    out.writeInt(strings.indexOrNull(row.objectId()));
    out.writeInt(strings.indexOrNull(row.objectVersion()));
    out.writeLong(row.objectBytes());
    out.writeByte(row.live() ? 1 : 0);
    out.writeInt(row.segment());
    out.writeLong(row.objectOffset());
    out.writeLong(row.length());
    out.writeInt(strings.index(row.metaShardId(), row, "metaShardId"));
    out.writeInt(row.k());
    out.writeInt(row.m());
    out.writeInt(strings.index(row.codec(), row, "codec"));
    out.writeInt(row.blockIndex());
    out.writeLong(row.blockBytes());
    out.writeInt(strings.index(row.location(), row, "location"));
    out.writeInt(strings.index(row.path(), row, "path"));
    out.writeLong(row.containerOffset());
    out.writeInt(row.frameBytes());
    out.writeInt((int) row.crc32c());
    out.writeInt(strings.index(row.encryption(), row, "encryption"));
    out.writeInt(strings.index(row.generation(), row, "generation"));
    out.writeLong(row.writtenAt().getEpochSecond());
    out.writeInt(row.writtenAt().getNano());
    out.writeDouble(row.expectedRequests());
    out.writeInt(row.heatClass());
    out.writeByte(hasSha256 ? 1 : 0);
    if (hasSha256) {
      out.write(row.sha256());
    }
    if (hasDeadSince) { // left out else: rows are then as they were before there was the field
      out.writeByte(1);
      out.writeLong(row.deadSince().getEpochSecond());
      out.writeInt(row.deadSince().getNano());
    }
  }

  private static Block read(ByteBuffer in, String[] strings) {
    int format = in.getInt();
    if (format > Block.FORMAT) {
      throw new CorruptRecordsException(
          "a row is of format %d, this code reads up to %d; use a newer Metashard"
              .formatted(format, Block.FORMAT));
    }
    int bucket = in.getInt();
    int buckets = in.getInt();
    String objectId = stringOrNull(in, strings);
    String objectVersion = stringOrNull(in, strings);
    long objectBytes = in.getLong();
    boolean live = readFlag(in, "live");
    int segment = in.getInt();
    long objectOffset = in.getLong();
    long length = in.getLong();
    String metaShardId = string(in, strings, "metaShardId");
    int k = in.getInt();
    int m = in.getInt();
    String codec = string(in, strings, "codec");
    int blockIndex = in.getInt();
    long blockBytes = in.getLong();
    String location = string(in, strings, "location");
    String path = string(in, strings, "path");
    long containerOffset = in.getLong();
    int frameBytes = in.getInt();
    long crc32c = in.getInt() & 0xffffffffL;
    String encryption = string(in, strings, "encryption");
    String generation = string(in, strings, "generation");
    long writtenSeconds = in.getLong();
    int writtenNanos = in.getInt();
    double expectedRequests = in.getDouble();
    int heatClass = in.getInt();
    byte[] sha256 = null;
    if (readFlag(in, "sha256")) {
      sha256 = new byte[SHA256_BYTES];
      in.get(sha256);
    }
    boolean hasDeadSince = in.hasRemaining() && readFlag(in, "deadSince");
    long deadSeconds = hasDeadSince ? in.getLong() : 0;
    int deadNanos = hasDeadSince ? in.getInt() : 0;
    try {
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
          location,
          path,
          containerOffset,
          frameBytes,
          crc32c,
          sha256,
          encryption,
          generation,
          Instant.ofEpochSecond(writtenSeconds, writtenNanos),
          expectedRequests,
          heatClass,
          hasDeadSince ? Instant.ofEpochSecond(deadSeconds, deadNanos) : null);
    } catch (IllegalArgumentException | DateTimeException | ArithmeticException e) {
      throw new CorruptRecordsException("a row contradicts itself: " + e.getMessage(), e);
    }
  }

  /** A count that the bytes left can hold: nothing is allocated for one that they cannot. */
  private static int checkedCount(String what, int count, int leastBytesEach, ByteBuffer in) {
    if (count < 0 || count > in.remaining() / leastBytesEach) {
      throw new CorruptRecordsException(
          "they claim %d %s, but only %d bytes follow".formatted(count, what, in.remaining()));
    }
    return count;
  }

  private static String readString(ByteBuffer in) {
    int length = in.getShort() & 0xffff;
    if (length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    int start = in.position();
    in.position(start + length);
    return ObjectIds.decodeUtf8(in.array(), start, length)
        .orElseThrow(
            () ->
                new CorruptRecordsException("the string at byte %d is not UTF-8".formatted(start)));
  }

  private static String stringOrNull(ByteBuffer in, String[] strings) {
    int index = in.getInt();
    if (index < NO_STRING || index >= strings.length) {
      throw new CorruptRecordsException(
          "a row names string %d of %d".formatted(index, strings.length));
    }
    return index == NO_STRING ? null : strings[index];
  }

  private static String string(ByteBuffer in, String[] strings, String field) {
    String string = stringOrNull(in, strings);
    if (string == null) {
      throw new CorruptRecordsException("a row has no " + field);
    }
    return string;
  }

  private static boolean readFlag(ByteBuffer in, String field) {
    byte flag = in.get();
    if (flag != 0 && flag != 1) {
      throw new CorruptRecordsException(
          "a row's flag for %s is %d, neither 0 nor 1".formatted(field, flag));
    }
    return flag == 1;
  }

  private static IllegalArgumentException cannotEncode(Block row, String why) {
    return new IllegalArgumentException(
        "Cannot encode block %d of meta-shard %s: %s"
            .formatted(row.blockIndex(), ObjectIds.printable(row.metaShardId()), why));
  }

  /** Distinct strings in the order in which rows first use them. */
  private static final class StringTable {
    private final Map<String, Integer> indices = new LinkedHashMap<>();
    private final List<byte[]> encoded = new ArrayList<>();
    private long bytes;

    int indexOrNull(String text) {
      if (text == null) {
        return NO_STRING;
      }
      Integer known = indices.get(text);
      if (known != null) {
        return known;
      }
      byte[] utf8 = utf8(text);
      indices.put(text, encoded.size());
      encoded.add(utf8);
      bytes += Short.BYTES + utf8.length;
      return encoded.size() - 1;
    }

    int index(String text, Block row, String field) {
      if (text == null) {
        throw cannotEncode(row, "its %s is null".formatted(field));
      }
      return indexOrNull(text);
    }

    private static byte[] utf8(String text) {
      try {
        ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        if (utf8.remaining() > MAX_STRING_BYTES) {
          throw new IllegalArgumentException(
              "Cannot encode the string %s: it has %d bytes, at most %d fit"
                  .formatted(ObjectIds.printable(text, 40), utf8.remaining(), MAX_STRING_BYTES));
        }
        byte[] exact = new byte[utf8.remaining()];
        utf8.get(exact);
        return exact;
      } catch (CharacterCodingException e) {
        throw new IllegalArgumentException(
            "Cannot encode the string %s: it is not valid Unicode"
                .formatted(ObjectIds.printable(text, 40)),
            e);
      }
    }
  }
}
