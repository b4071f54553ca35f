package io.metashard.store;

/**
 * Where a block went.
 *
 * @param containerOffset where its first frame begins
 * @param length logical bytes
 * @param crc32c of the logical bytes, 0 to 2^32 - 1
 * @param sha256 of the logical bytes; null unless asked for
 */
public record WrittenBlock(long containerOffset, long length, long crc32c, byte[] sha256) {}
