package io.metashard.plan;

import java.nio.charset.StandardCharsets;

/**
 * A 64-bit hash that is the same on every machine: FNV-1a over the bytes, mixed by the finalizer of
 * SplitMix64 (Steele, Lea, Flood 2014). For spreading, not for secrets.
 */
final class Hash {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private Hash() {}

  static long of(String text) {
    long hash = FNV_OFFSET;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * FNV_PRIME;
    }
    return mixed(hash);
  }

  static long of(long first, long... rest) {
    long hash = mixed(first);
    for (long value : rest) {
      hash = mixed(hash * 31 + value);
    }
    return hash;
  }

  /** Uniform in (0, 1), neither end included. */
  static double unit(long hash) {
    return ((hash >>> 12) + 0.5) * 0x1.0p-52;
  }

  private static long mixed(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
