package io.metashard.read;

import io.metashard.Block;
import java.io.IOException;
import java.util.List;

/** Finds blocks of one pinned version of the shard map. */
public interface ShardLookup {
  /**
   * The live data blocks of an object, by offset; bytes may be in several of them.
   *
   * @return empty if the map does not have the object
   */
  List<Block> objectBlocks(String objectId) throws IOException;

  /** All blocks of a meta-shard, dead ones and parity included, by index. */
  List<Block> metaShardBlocks(int bucket, String metaShardId) throws IOException;
}
