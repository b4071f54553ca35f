package io.metashard.encode;

import io.metashard.plan.PlannedBlock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Meta-shards in their order, as many at a time as their blocks and bytes allow: at least one. */
final class Windows implements Iterator<List<List<PlannedBlock>>> {
  private static final int MOST_BLOCKS = 16_384;

  private final Iterator<List<PlannedBlock>> metaShards;
  private final long mostBytes;

  /**
   * @param mostBytes of source, after which a window ends
   */
  Windows(Iterator<List<PlannedBlock>> metaShards, long mostBytes) {
    this.metaShards = metaShards;
    this.mostBytes = mostBytes;
  }

  @Override
  public boolean hasNext() {
    return metaShards.hasNext();
  }

  @Override
  public List<List<PlannedBlock>> next() {
    if (!hasNext()) {
      throw new NoSuchElementException("No more meta-shards");
    }
    List<List<PlannedBlock>> window = new ArrayList<>();
    int blocks = 0;
    long bytes = 0;
    while (metaShards.hasNext() && blocks < MOST_BLOCKS && bytes < mostBytes) {
      List<PlannedBlock> metaShard = metaShards.next();
      window.add(metaShard);
      blocks += metaShard.size();
      for (PlannedBlock block : metaShard) {
        bytes += block.objectId() == null ? 0 : block.length();
      }
    }
    return window;
  }
}
