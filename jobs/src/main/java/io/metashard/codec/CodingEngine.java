package io.metashard.codec;

import io.metashard.ObjectIds;

/**
 * Computes linear combinations of blocks over GF(2^8) (polynomial 0x11D): what both encoding and
 * rebuilding are. All engines give the same bytes; they differ in speed. Thread safe.
 */
public interface CodingEngine {
  /** The name in settings: {@code long} or {@code jrs}. */
  String name();

  /**
   * Sets {@code outputs[r][offset..offset + length)} to the sum over i of {@code coefficients[r][i]
   * * inputs[i][offset..offset + length)}.
   *
   * @param coefficients one row per output, one column per input
   * @param inputs only read; none may be one of the outputs
   * @param outputs overwritten in the range, untouched elsewhere
   * @throws IllegalArgumentException if the shapes do not fit together
   * @throws IndexOutOfBoundsException if the range is not inside every array; nothing is changed
   */
  void multiply(byte[][] coefficients, byte[][] inputs, byte[][] outputs, int offset, int length);

  /**
   * The engine called {@code name}: {@code long} (packed {@code long[]} loops) or {@code jrs}
   * (JavaReedSolomon's own loop).
   */
  static CodingEngine named(String name) {
    return switch (name) {
      case LongEngine.NAME -> LongEngine.INSTANCE;
      case JrsEngine.NAME -> JrsEngine.INSTANCE;
      default ->
          throw new IllegalArgumentException(
              "Cannot use coding engine %s: known are %s, %s"
                  .formatted(ObjectIds.printable(name), LongEngine.NAME, JrsEngine.NAME));
    };
  }
}
