package io.metashard.plan;

import java.time.Instant;

/**
 * An object whose source is missing: it cannot be encoded, only kept as it is, or dropped.
 *
 * @param object as its source was last
 * @param since when the source was first found missing
 */
public record MissingObject(PlanObject object, Instant since) {}
