package io.metashard.simulate;

/**
 * What carrying a plan out asks of stores, by estimate.
 *
 * @param sourceReads requests that read sources, or ask for their version
 * @param storedReads requests that read back what was written
 * @param writes requests that write containers
 * @param sourceBytes read from sources
 * @param writtenBytes to locations
 */
public record Move(
    long sourceReads, long storedReads, long writes, long sourceBytes, long writtenBytes) {
  public static final Move NOTHING = new Move(0, 0, 0, 0, 0);

  /** Containers longer than this are written in parts of it: the default of Hadoop's S3A. */
  private static final long PART_BYTES = 64L << 20;

  /** Of a container in parts: the request that begins it, and the one that completes it. */
  private static final long PART_OVERHEAD = 2;

  /**
   * Requests that write so many bytes to one location.
   *
   * @param tasks that have a container open there, at most one a block
   */
  public static long writes(long bytes, long blocks, long tasks, long containerBytes) {
    if (blocks == 0) {
      return 0;
    }
    long containers = Math.max(Math.min(tasks, blocks), dividedUp(bytes, containerBytes));
    long each = dividedUp(bytes, containers);
    return containers * (each <= PART_BYTES ? 1 : dividedUp(each, PART_BYTES) + PART_OVERHEAD);
  }

  private static long dividedUp(long value, long by) {
    return value / by + (value % by == 0 ? 0 : 1);
  }

  /** What it costs, once. */
  public double cost(Prices prices) {
    return prices.reads((double) sourceReads + storedReads)
        + prices.writes(writes)
        + prices.moved((double) sourceBytes + writtenBytes);
  }
}
