package io.metashard.plan;

import java.time.Instant;

/**
 * An object that the map serves no longer once the plan is carried out.
 *
 * @param objectBytes of the version that the map has
 * @param missingSince when its source was first found missing
 */
public record DroppedObject(String objectId, long objectBytes, Instant missingSince) {}
