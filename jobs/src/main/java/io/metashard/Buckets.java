package io.metashard;

import java.nio.charset.StandardCharsets;

/**
 * Which bucket of the shard map an object is in.
 *
 * <p>{@code (murmur3_x86_32(UTF-8 object id, seed 0) & 0x7fffffff) mod buckets}: the bucket
 * transform of the Iceberg specification (Appendix B). Spark's own {@code hash} differs on tails.
 */
public final class Buckets {
  private Buckets() {}

  /** The bucket of an object id, 0 to {@code buckets - 1}. */
  public static int of(String objectId, int buckets) {
    if (buckets < 1 || Integer.bitCount(buckets) != 1) {
      throw new IllegalArgumentException(
          "Cannot place an object in one of %d buckets: the number must be a power of two"
              .formatted(buckets));
    }
    byte[] bytes = objectId.getBytes(StandardCharsets.UTF_8);
    return (murmur3(bytes) & 0x7fffffff) % buckets;
  }

  /** MurmurHash3_x86_32 with seed 0 (Austin Appleby, public domain). */
  static int murmur3(byte[] data) {
    int hash = 0;
    int blocks = data.length & ~3;
    for (int i = 0; i < blocks; i += 4) {
      int word =
          (data[i] & 0xff)
              | (data[i + 1] & 0xff) << 8
              | (data[i + 2] & 0xff) << 16
              | (data[i + 3] & 0xff) << 24;
      hash ^= mixed(word);
      hash = Integer.rotateLeft(hash, 13) * 5 + 0xe6546b64;
    }
    int tail = 0;
    for (int i = data.length - 1; i >= blocks; i--) {
      tail = tail << 8 | (data[i] & 0xff);
    }
    if (data.length > blocks) {
      hash ^= mixed(tail);
    }
    hash ^= data.length;
    hash ^= hash >>> 16;
    hash *= 0x85ebca6b;
    hash ^= hash >>> 13;
    hash *= 0xc2b2ae35;
    return hash ^ hash >>> 16;
  }

  private static int mixed(int word) {
    return Integer.rotateLeft(word * 0xcc9e2d51, 15) * 0x1b873593;
  }
}
