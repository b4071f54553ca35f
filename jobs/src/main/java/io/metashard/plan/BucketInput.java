package io.metashard.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * All that planning knows of one bucket.
 *
 * @param objects whose source is present, and those of the map that were released, in any order
 * @param missing objects of the map whose source is missing, in any order
 * @param stored every block the map holds in this bucket, in any order
 */
public record BucketInput(
    int bucket, List<PlanObject> objects, List<MissingObject> missing, List<StoredBlock> stored) {
  public BucketInput {
    objects = List.copyOf(objects);
    missing = List.copyOf(missing);
    stored = List.copyOf(stored);
  }

  /** The objects that may be encoded: all but those that are dropped. */
  List<PlanObject> encodable(Deadlines deadlines) {
    if (missing.isEmpty()) {
      return objects;
    }
    List<PlanObject> encodable = new ArrayList<>(objects);
    for (MissingObject one : missing) {
      if (!deadlines.isDropped(one.since())) {
        encodable.add(one.object());
      }
    }
    return encodable;
  }

  /** One in which no source is known to be missing. */
  public BucketInput(int bucket, List<PlanObject> objects, List<StoredBlock> stored) {
    this(bucket, objects, List.of(), stored);
  }
}
