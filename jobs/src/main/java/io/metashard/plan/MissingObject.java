package io.metashard.plan;

import java.time.Instant;

/**
 * An object of the map whose source is missing: it is kept, and encoded anew from what the map has
 * where that is of use, or dropped.
 *
 * @param object as the map has it
 * @param since when the source was first found missing
 */
public record MissingObject(PlanObject object, Instant since) {
  public MissingObject {
    object = object.without(PlanObject.Source.MISSING);
  }
}
