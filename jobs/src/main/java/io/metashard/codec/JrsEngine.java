package io.metashard.codec;

import com.backblaze.erasure.CodingLoop;
import com.backblaze.erasure.InputOutputByteTableCodingLoop;
import java.util.Arrays;

/**
 * Engine {@code jrs}: the coding loop that Backblaze's {@code ReedSolomon.create} uses, fed our
 * coefficients. Slower than {@link LongEngine}; kept as the second opinion.
 */
final class JrsEngine implements CodingEngine {
  static final String NAME = "jrs";
  static final JrsEngine INSTANCE = new JrsEngine();

  private final CodingLoop loop = new InputOutputByteTableCodingLoop();

  private JrsEngine() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void multiply(
      byte[][] coefficients, byte[][] inputs, byte[][] outputs, int offset, int length) {
    EngineArguments.check(coefficients, inputs, outputs, offset, length);
    if (inputs.length == 0) { // the loop begins with input 0
      for (byte[] output : outputs) {
        Arrays.fill(output, offset, offset + length, (byte) 0);
      }
      return;
    }
    loop.codeSomeShards(
        coefficients, inputs, inputs.length, outputs, outputs.length, offset, length);
  }
}
