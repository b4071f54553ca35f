package io.metashard.store;

/** Which checksums of its logical bytes a block gets ({@code integrity.sha256}). */
public enum Digest {
  /** CRC32C only. */
  CRC32C,
  /** CRC32C and SHA-256. */
  SHA256
}
