package io.metashard.codec;

import io.metashard.Shape;
import java.util.List;

/** Too few blocks of a meta-shard are at hand to rebuild others. */
public final class TooFewBlocksException extends RuntimeException {
  public TooFewBlocksException(Shape shape, List<Integer> wanted, List<Integer> present) {
    super(
        "Cannot rebuild blocks %s of %s: needs any %d of its %d blocks, only %s are at hand; find %d more"
            .formatted(
                wanted, shape, shape.k(), shape.blocks(), present, shape.k() - present.size()));
  }
}
