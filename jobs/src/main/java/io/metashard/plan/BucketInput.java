package io.metashard.plan;

import java.util.List;

/**
 * All that planning knows of one bucket.
 *
 * @param objects whose source is present, in any order
 * @param missing objects whose source is missing, in any order
 * @param stored every block the map holds in this bucket, in any order
 */
public record BucketInput(
    int bucket, List<PlanObject> objects, List<MissingObject> missing, List<StoredBlock> stored) {
  public BucketInput {
    objects = List.copyOf(objects);
    missing = List.copyOf(missing);
    stored = List.copyOf(stored);
  }

  /** One in which no source is known to be missing. */
  public BucketInput(int bucket, List<PlanObject> objects, List<StoredBlock> stored) {
    this(bucket, objects, List.of(), stored);
  }
}
