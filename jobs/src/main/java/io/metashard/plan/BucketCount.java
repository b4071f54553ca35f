package io.metashard.plan;

/** How many buckets a new shard map gets. */
public final class BucketCount {
  /** A bucket is planned in one task and is one or a few files: large enough to pack well. */
  private static final long SEGMENTS_PER_BUCKET = 4000;

  private static final int MAX = 65_536;

  private BucketCount() {}

  /** A power of two that gives about 4,000 segments a bucket: 1 to 65,536. */
  public static int forSegments(long segments) {
    if (segments < 0) {
      throw new IllegalArgumentException(
          "Cannot choose the number of buckets for %d segments".formatted(segments));
    }
    int buckets = 1;
    while (buckets < MAX && segments / buckets > SEGMENTS_PER_BUCKET) {
      buckets *= 2;
    }
    return buckets;
  }
}
