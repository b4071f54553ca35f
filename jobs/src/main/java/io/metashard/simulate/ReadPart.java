package io.metashard.simulate;

import io.metashard.LocationModel;

/**
 * Parts of a read that are alike: the read ends when the last of all its parts has come.
 *
 * @param blocks that one part asks for, each at a location of its own
 * @param turns requests that each of those locations serves of the part, one after the other
 * @param load of the locations
 * @param slowness in how many times of the model's a request takes place there
 * @param count parts that are alike
 */
public record ReadPart(
    BlockReads blocks, int turns, LocationModel.Load load, double slowness, int count) {
  public ReadPart {
    if (turns < 1 || count < 1 || !(slowness > 0)) {
      throw new IllegalArgumentException(
          "Cannot read %d parts in %d turns, %s times as slow as the model: each must be more than 0"
              .formatted(count, turns, slowness));
    }
  }

  /** All that a read asks for, at locations as fast as the model. */
  public static ReadPart only(BlockReads blocks, LocationModel.Load load) {
    return new ReadPart(blocks, 1, load, 1, 1);
  }
}
