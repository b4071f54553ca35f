package io.metashard.store;

import io.metashard.Block;
import io.metashard.Shape;
import java.time.Instant;
import java.util.Random;

/** Rows of the map for tests of this room. */
final class Blocks {
  private Blocks() {}

  /** The row of a block that a writer has just written. */
  static Block of(ContainerWriter writer, int frameBytes, WrittenBlock written) {
    return new Block(
        Block.FORMAT,
        3,
        16,
        "dir/object with spaces\n.bin",
        "etag-1",
        written.length(),
        true,
        0,
        0,
        written.length(),
        "shard-1",
        1,
        0,
        Shape.COPY,
        0,
        written.length(),
        "a",
        writer.path(),
        written.containerOffset(),
        frameBytes,
        written.crc32c(),
        written.sha256(),
        "none",
        "00000000000000000001-run",
        Instant.parse("2026-01-02T03:04:05.000006Z"),
        1.5,
        2);
  }

  /** A row of anything that the record allows. */
  static Block random(Random random) {
    int k = 1 + random.nextInt(20);
    int m = random.nextInt(6);
    int index = random.nextInt(k + m);
    boolean isParity = index >= k;
    long blockBytes = Math.floorMod(random.nextLong(), 1L << 40);
    byte[] sha256 = null;
    if (random.nextBoolean()) {
      sha256 = new byte[32];
      random.nextBytes(sha256);
    }
    return new Block(
        Block.FORMAT,
        random.nextInt(),
        random.nextInt(),
        isParity ? null : text(random),
        isParity ? null : text(random),
        random.nextLong(),
        random.nextBoolean(),
        random.nextInt(),
        random.nextLong(),
        isParity ? blockBytes : (long) (blockBytes * random.nextDouble()),
        text(random),
        k,
        m,
        text(random),
        index,
        blockBytes,
        text(random),
        text(random),
        Math.floorMod(random.nextLong(), 1L << 50),
        1 + random.nextInt(1 << 20),
        random.nextInt() & 0xffffffffL,
        sha256,
        text(random),
        text(random),
        Instant.ofEpochSecond(random.nextInt() * 100L, random.nextInt(1_000_000_000)),
        Math.abs(random.nextGaussian()) * 1e9,
        random.nextInt(),
        random.nextInt(3) > 0
            ? null
            : Instant.ofEpochSecond(random.nextInt() * 100L, random.nextInt(1_000_000_000)));
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(30); length > 0; length--) {
      int codePoint = random.nextInt(4) == 0 ? random.nextInt(0xd800) : 'a' + random.nextInt(26);
      text.appendCodePoint(random.nextInt(50) == 0 ? 0x1f600 : codePoint);
    }
    return text.toString();
  }
}
