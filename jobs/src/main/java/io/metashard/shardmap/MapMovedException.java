package io.metashard.shardmap;

/** Another writer committed to the shard map first; nothing of ours is in it. */
public final class MapMovedException extends RuntimeException {
  public MapMovedException(String message) {
    super(message);
  }

  public MapMovedException(String message, Throwable cause) {
    super(message, cause);
  }
}
