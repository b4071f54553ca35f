package io.metashard.codec;

import java.util.Objects;

/** What every engine asks of its arguments, checked once before its loops. */
final class EngineArguments {
  private EngineArguments() {}

  static void check(
      byte[][] coefficients, byte[][] inputs, byte[][] outputs, int offset, int length) {
    if (coefficients.length != outputs.length) {
      throw new IllegalArgumentException(
          "Cannot multiply: %d rows of coefficients for %d outputs; there must be one row per output"
              .formatted(coefficients.length, outputs.length));
    }
    for (int r = 0; r < coefficients.length; r++) {
      if (coefficients[r].length != inputs.length) {
        throw new IllegalArgumentException(
            "Cannot multiply: row %d has %d coefficients for %d inputs; there must be one per input"
                .formatted(r, coefficients[r].length, inputs.length));
      }
    }
    for (byte[] input : inputs) {
      Objects.checkFromIndexSize(offset, length, input.length);
    }
    for (byte[] output : outputs) {
      Objects.checkFromIndexSize(offset, length, output.length);
      for (byte[] input : inputs) {
        if (input == output) {
          throw new IllegalArgumentException(
              "Cannot multiply: an array is both input and output; outputs need arrays of their own");
        }
      }
    }
  }
}
