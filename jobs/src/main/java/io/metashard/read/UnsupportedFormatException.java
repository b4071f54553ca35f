package io.metashard.read;

import io.metashard.Block;

/** The shard map is of a later format than this code reads. */
public final class UnsupportedFormatException extends RuntimeException {
  UnsupportedFormatException(int format) {
    super(
        "Cannot read the shard map: it has rows of format %d, this version reads up to %d; use a newer Metashard"
            .formatted(format, Block.FORMAT));
  }
}
