package io.metashard.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CodingEngineTest {
  @ParameterizedTest
  @ValueSource(strings = {"long", "jrs"})
  void isFoundByItsName(String name) {
    assertThat(CodingEngine.named(name).name()).isEqualTo(name);
  }

  @Test
  void refusesAnUnknownName() {
    assertThatThrownBy(() -> CodingEngine.named("fast\n"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot use coding engine fast\\u000a: known are long, jrs");
  }

  @Property(tries = 300)
  void bothEnginesComputeTheSumsOfProducts(
      @ForAll @IntRange(min = 0, max = 20) int inputCount,
      @ForAll @IntRange(min = 0, max = 5) int outputCount,
      @ForAll @IntRange(min = 0, max = 9) int offset,
      @ForAll @IntRange(min = 0, max = 9000) int length,
      @ForAll long seed) {
    Random random = new Random(seed);
    byte[][] coefficients = randomBytes(random, outputCount, inputCount);
    byte[][] inputs = randomBytes(random, inputCount, offset + length + 3);
    for (String name : new String[] {"long", "jrs"}) {
      byte[][] outputs = randomBytes(random, outputCount, offset + length + 5);
      byte[][] expected = new byte[outputCount][];
      for (int r = 0; r < outputCount; r++) {
        expected[r] = outputs[r].clone();
        for (int b = offset; b < offset + length; b++) {
          int sum = 0;
          for (int i = 0; i < inputCount; i++) {
            sum ^= Gf256.multiply(coefficients[r][i] & 0xff, inputs[i][b] & 0xff);
          }
          expected[r][b] = (byte) sum;
        }
      }
      byte[][] inputsBefore = copy(inputs);

      CodingEngine.named(name).multiply(coefficients, inputs, outputs, offset, length);

      assertThat(outputs).as(name).isDeepEqualTo(expected);
      assertThat(inputs).as(name).isDeepEqualTo(inputsBefore);
    }
  }

  @Test
  void multipliesEveryByteByEveryCoefficient() {
    byte[] all = new byte[256];
    for (int b = 0; b < 256; b++) {
      all[b] = (byte) b;
    }
    int products = 0;
    for (String name : new String[] {"long", "jrs"}) {
      for (int coefficient = 0; coefficient < 256; coefficient++) {
        byte[][] output = new byte[1][256];
        byte[][] row = {{(byte) coefficient}};
        CodingEngine.named(name).multiply(row, new byte[][] {all}, output, 0, 256);
        for (int b = 0; b < 256; b++) {
          assertThat(output[0][b] & 0xff).isEqualTo(Gf256.multiply(coefficient, b));
          products++;
        }
      }
    }
    assertThat(products).isEqualTo(2 << 16);
  }

  @Test
  void doesManyMoreInputsThanAMetaShardHas() {
    Random random = new Random(7);
    byte[][] coefficients = randomBytes(random, 1, 1000);
    byte[][] inputs = randomBytes(random, 1000, 40);
    byte[][] byLong = new byte[1][40];
    byte[][] byJrs = new byte[1][40];
    CodingEngine.named("long").multiply(coefficients, inputs, byLong, 0, 40);
    CodingEngine.named("jrs").multiply(coefficients, inputs, byJrs, 0, 40);
    assertThat(byLong).isDeepEqualTo(byJrs);
    assertThat(byLong[0]).isNotEqualTo(new byte[40]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"long", "jrs"})
  void refusesShapesThatDoNotFit(String name) {
    CodingEngine engine = CodingEngine.named(name);
    byte[][] two = new byte[2][8];
    assertThatThrownBy(() -> engine.multiply(new byte[1][2], two, new byte[2][8], 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot multiply: 1 rows of coefficients for 2 outputs; there must be one row per output");
    assertThatThrownBy(() -> engine.multiply(new byte[1][3], two, new byte[1][8], 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot multiply: row 0 has 3 coefficients for 2 inputs; there must be one per input");
    assertThatThrownBy(() -> engine.multiply(new byte[2][2], two, two, 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot multiply: an array is both input and output; outputs need arrays of their own");
  }

  @ParameterizedTest
  @ValueSource(strings = {"long", "jrs"})
  void refusesRangesOutsideTheArraysAndChangesNothing(String name) {
    CodingEngine engine = CodingEngine.named(name);
    byte[][] inputs = randomBytes(new Random(3), 2, 8);
    byte[][] outputs = randomBytes(new Random(4), 1, 8);
    byte[][] before = copy(outputs);
    int[][] ranges = {{0, 9}, {-1, 4}, {4, -1}, {8, 1}, {1, Integer.MAX_VALUE}};
    for (int[] range : ranges) {
      assertThatThrownBy(
              () -> engine.multiply(new byte[][] {{1, 2}}, inputs, outputs, range[0], range[1]))
          .as(Arrays.toString(range))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
    assertThat(outputs).isDeepEqualTo(before);
  }

  private static byte[][] randomBytes(Random random, int rows, int columns) {
    byte[][] bytes = new byte[rows][columns];
    for (byte[] row : bytes) {
      random.nextBytes(row);
    }
    return bytes;
  }

  private static byte[][] copy(byte[][] rows) {
    return Arrays.stream(rows).map(byte[]::clone).toArray(byte[][]::new);
  }
}
