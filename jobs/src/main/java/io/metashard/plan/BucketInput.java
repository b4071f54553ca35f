package io.metashard.plan;

import java.util.List;

/**
 * All that planning knows of one bucket.
 *
 * @param objects whose source is present, in any order
 * @param stored every block the map holds in this bucket, in any order
 */
public record BucketInput(int bucket, List<PlanObject> objects, List<StoredBlock> stored) {
  public BucketInput {
    objects = List.copyOf(objects);
    stored = List.copyOf(stored);
  }
}
