package io.metashard.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.backblaze.erasure.ReedSolomon;
import io.metashard.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockCoderTest {
  private static final List<String> ENGINES = List.of("long", "jrs");

  @Property(tries = 200)
  void encodesAsJavaReedSolomon(
      @ForAll @IntRange(min = 1, max = 24) int k,
      @ForAll @IntRange(min = 1, max = 8) int m,
      @ForAll @IntRange(min = 0, max = 11) int offset,
      @ForAll @IntRange(min = 0, max = 5000) int length,
      @ForAll long seed) {
    byte[][] expected = sample(seed, k + m, offset + length + 3);
    byte[][] before = copy(expected);
    ReedSolomon.create(k, m).encodeParity(expected, offset, length);
    for (String engine : ENGINES) {
      byte[][] blocks = copy(before);
      coder(Shape.RS, k, m, engine).encode(blocks, offset, length);
      assertThat(blocks).as(engine).isDeepEqualTo(expected);
    }
  }

  @Property(tries = 200)
  void rebuildsAsJavaReedSolomon(
      @ForAll @IntRange(min = 1, max = 16) int k,
      @ForAll @IntRange(min = 1, max = 6) int m,
      @ForAll @IntRange(min = 0, max = 11) int offset,
      @ForAll @IntRange(min = 0, max = 3000) int length,
      @ForAll long seed) {
    Random random = new Random(seed);
    byte[][] blocks = sample(seed, k + m, offset + length + 3);
    ReedSolomon oracle = ReedSolomon.create(k, m);
    oracle.encodeParity(blocks, offset, length);
    boolean[] present = new boolean[k + m];
    Arrays.fill(present, true);
    for (int lost = random.nextInt(m + 1); lost > 0; lost--) {
      present[random.nextInt(k + m)] = false;
    }
    byte[][] damaged = copy(blocks);
    for (int i = 0; i < present.length; i++) {
      if (!present[i]) {
        Arrays.fill(damaged[i], (byte) 0x55);
      }
    }
    byte[][] expected = copy(damaged);
    oracle.decodeMissing(expected, present.clone(), offset, length);
    for (String engine : ENGINES) {
      byte[][] rebuilt = copy(damaged);
      coder(Shape.RS, k, m, engine).rebuild(rebuilt, present, all(k + m), offset, length);
      assertThat(rebuilt).as(engine).isDeepEqualTo(expected);
    }
  }

  @Test
  void encodesTheWidestShapesAsJavaReedSolomon() {
    for (int k : new int[] {1, 127, 200, 255}) {
      int m = Shape.MAX_BLOCKS - k;
      byte[][] expected = sample(k, k + m, 19);
      byte[][] blocks = copy(expected);
      ReedSolomon.create(k, m).encodeParity(expected, 0, 19);
      coder(Shape.RS, k, m, "long").encode(blocks, 0, 19);
      assertThat(blocks).as("%d+%d", k, m).isDeepEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"long", "jrs"})
  void rebuildsEveryErasurePatternOfEveryShapeUpToEightBlocks(String engine) {
    long patterns = 0;
    long refused = 0;
    List<Shape> shapes = shapesUpTo(8);
    for (Shape shape : shapes) {
      BlockCoder coder = BlockCoder.of(shape, CodingEngine.named(engine));
      byte[][] blocks = sample(shape.hashCode(), shape.blocks(), 37);
      coder.encode(blocks, 0, 37);
      for (int lost = 0; lost < 1 << shape.blocks(); lost++) {
        boolean[] present = presentWithout(shape, lost);
        byte[][] damaged = without(blocks, present);
        if (Integer.bitCount(lost) <= shape.m()) {
          coder.rebuild(damaged, present, all(shape.blocks()), 0, 37);
          assertThat(damaged)
              .as("%s without %s", shape, Integer.toBinaryString(lost))
              .isDeepEqualTo(blocks);
          patterns++;
        } else {
          byte[][] before = copy(damaged);
          assertThatThrownBy(() -> coder.rebuild(damaged, present, all(shape.blocks()), 0, 37))
              .isInstanceOf(TooFewBlocksException.class);
          assertThat(damaged).isDeepEqualTo(before);
          refused++;
        }
      }
    }
    assertThat(shapes).hasSize(36 + 8 + 7); // rs: pairs k + m <= 8; copy: m 0 to 7; xor: k 1 to 7
    assertThat(patterns).isEqualTo(countedPatterns(shapes));
    assertThat(patterns + refused)
        .isEqualTo(shapes.stream().mapToLong(shape -> 1L << shape.blocks()).sum());
  }

  @Test
  void touchesOnlyWantedBlocksAndTakesNullForOthers() {
    BlockCoder coder = coder(Shape.RS, 4, 3, "long");
    byte[][] blocks = sample(11, 7, 50);
    coder.encode(blocks, 0, 50);
    byte[][] some = {null, blocks[1], null, blocks[3], blocks[4], new byte[50], blocks[6]};
    boolean[] present = {false, true, false, true, true, false, true};
    boolean[] wanted = {false, true, false, false, false, true, false};
    coder.rebuild(some, present, wanted, 10, 30);
    assertThat(some[0]).isNull();
    assertThat(some[2]).isNull();
    byte[] expected = new byte[50];
    System.arraycopy(blocks[5], 10, expected, 10, 30);
    assertThat(some[5]).isEqualTo(expected);
  }

  @Test
  void nothingMissingNeedsNothing() {
    BlockCoder coder = coder(Shape.RS, 2, 1, "long");
    byte[][] blocks = new byte[3][];
    coder.rebuild(blocks, new boolean[3], new boolean[3], 0, 10);
    assertThat(blocks).isDeepEqualTo(new byte[3][]);
  }

  @Test
  void xorIsTheSumAndDiffersFromReedSolomonWithOneParity() {
    byte[][] blocks = sample(5, 5, 100);
    byte[][] reedSolomon = copy(blocks);
    coder(Shape.XOR, 4, 1, "long").encode(blocks, 0, 100);
    for (int b = 0; b < 100; b++) {
      assertThat(blocks[4][b])
          .isEqualTo((byte) (blocks[0][b] ^ blocks[1][b] ^ blocks[2][b] ^ blocks[3][b]));
    }
    coder(Shape.RS, 4, 1, "long").encode(reedSolomon, 0, 100);
    assertThat(reedSolomon[4]).isNotEqualTo(blocks[4]);
  }

  @Test
  void withoutParityNothingIsWritten() {
    byte[][] blocks = sample(2, 3, 20);
    byte[][] before = copy(blocks);
    coder(Shape.RS, 3, 0, "long").encode(blocks, 0, 20);
    assertThat(blocks).isDeepEqualTo(before);
  }

  @Test
  void copiesAreTheSameBytes() {
    byte[][] blocks = sample(6, 4, 64);
    coder(Shape.COPY, 1, 3, "long").encode(blocks, 0, 64);
    assertThat(blocks).isDeepEqualTo(new byte[][] {blocks[0], blocks[0], blocks[0], blocks[0]});
  }

  @Test
  void everyFlippedBitOfABlockChangesWhatIsRebuilt() {
    BlockCoder coder = coder(Shape.RS, 4, 2, "long");
    byte[][] blocks = sample(8, 6, 16);
    coder.encode(blocks, 0, 16);
    int flips = 0;
    for (int block = 1; block <= 4; block++) {
      for (int bit = 0; bit < 16 * 8; bit++) {
        byte[][] damaged = copy(blocks);
        damaged[block][bit >> 3] ^= (byte) (1 << (bit & 7));
        boolean[] present = {false, true, true, true, true, true};
        coder.rebuild(damaged, present, all(6), 0, 16);
        assertThat(damaged[0]).as("block %d bit %d", block, bit).isNotEqualTo(blocks[0]);
        flips++;
      }
    }
    assertThat(flips).isEqualTo(4 * 128);
  }

  @Test
  void anEngineWithAWrongCoefficientIsCaughtByTheOracle() {
    CodingEngine wrong =
        new CodingEngine() {
          @Override
          public String name() {
            return "wrong";
          }

          @Override
          public void multiply(
              byte[][] coefficients, byte[][] inputs, byte[][] outputs, int offset, int length) {
            byte[][] changed = copy(coefficients);
            changed[0][1] ^= 1;
            CodingEngine.named("long").multiply(changed, inputs, outputs, offset, length);
          }
        };
    byte[][] blocks = sample(9, 6, 32);
    byte[][] expected = copy(blocks);
    ReedSolomon.create(4, 2).encodeParity(expected, 0, 32);
    BlockCoder.of(new Shape(Shape.RS, 4, 2), wrong).encode(blocks, 0, 32);
    assertThat(blocks[4]).isNotEqualTo(expected[4]);
    assertThat(blocks[5]).isEqualTo(expected[5]);
  }

  @Test
  void saysWhichBlocksAreMissing() {
    BlockCoder coder = coder(Shape.RS, 4, 2, "long");
    boolean[] present = {true, false, true, false, false, true};
    boolean[] wanted = {false, true, false, false, false, false};
    assertThatThrownBy(() -> coder.rebuild(new byte[6][8], present, wanted, 0, 8))
        .isInstanceOf(TooFewBlocksException.class)
        .hasMessage(
            "Cannot rebuild blocks [1] of rs 4+2: needs any 4 of its 6 blocks, only [0, 2, 5] are at hand; find 1 more");
  }

  @Test
  void refusesWrongCountsNullsAndRanges() {
    BlockCoder coder = coder(Shape.RS, 2, 1, "long");
    assertThatThrownBy(() -> coder.encode(new byte[2][8], 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot code rs 2+1: 2 blocks given, it has 3 blocks");
    assertThatThrownBy(() -> coder.rebuild(new byte[3][8], new boolean[4], all(3), 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot code rs 2+1: 4 present flags given, it has 3 blocks");
    assertThatThrownBy(() -> coder.rebuild(new byte[3][8], all(3), new boolean[1], 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot code rs 2+1: 1 wanted flags given, it has 3 blocks");
    assertThatThrownBy(() -> coder.encode(new byte[][] {new byte[8], null, new byte[8]}, 0, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot code rs 2+1: block 1 is null but is needed; give it an array");
    for (String codec : List.of(Shape.RS, Shape.XOR)) {
      byte[][] blocks = sample(1, 3, 8);
      byte[][] before = copy(blocks);
      for (int[] range : new int[][] {{0, 9}, {-1, 2}, {3, -1}, {9, 0}, {1, Integer.MAX_VALUE}}) {
        assertThatThrownBy(() -> coder(codec, 2, 1, "long").encode(blocks, range[0], range[1]))
            .as("%s %s", codec, Arrays.toString(range))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThat(blocks).isDeepEqualTo(before);
    }
  }

  @Test
  void manyThreadsShareACoderAndMorePatternsThanItKeeps() throws Exception {
    BlockCoder coder = coder(Shape.RS, 6, 4, "long");
    byte[][] blocks = sample(12, 10, 700);
    coder.encode(blocks, 0, 700);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        results.add(
            threads.submit(
                () -> {
                  int wrong = 0;
                  for (int lost = 0; lost < 1 << 10; lost++) {
                    if (Integer.bitCount(lost) <= 4) {
                      boolean[] present = presentWithout(coder.shape(), lost);
                      byte[][] damaged = without(blocks, present);
                      coder.rebuild(damaged, present, all(10), 0, 700);
                      wrong += Arrays.deepEquals(damaged, blocks) ? 0 : 1;
                    }
                  }
                  return wrong;
                }));
      }
      for (Future<Integer> result : results) {
        assertThat(result.get()).isZero();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static BlockCoder coder(String codec, int k, int m, String engine) {
    return BlockCoder.of(new Shape(codec, k, m), CodingEngine.named(engine));
  }

  private static List<Shape> shapesUpTo(int blocks) {
    List<Shape> shapes = new ArrayList<>();
    for (int k = 1; k <= blocks; k++) {
      for (int m = 0; k + m <= blocks; m++) {
        shapes.add(new Shape(Shape.RS, k, m));
        if (k == 1) {
          shapes.add(new Shape(Shape.COPY, k, m));
        }
        if (m == 1) {
          shapes.add(new Shape(Shape.XOR, k, m));
        }
      }
    }
    return shapes;
  }

  /** Sum over the shapes of the number of ways to lose at most m of k + m blocks. */
  private static long countedPatterns(List<Shape> shapes) {
    long count = 0;
    for (Shape shape : shapes) {
      long ways = 1; // to lose none
      for (int lost = 0; lost <= shape.m(); lost++) {
        count += ways;
        ways = ways * (shape.blocks() - lost) / (lost + 1);
      }
    }
    return count;
  }

  private static boolean[] presentWithout(Shape shape, int lost) {
    boolean[] present = new boolean[shape.blocks()];
    for (int i = 0; i < present.length; i++) {
      present[i] = (lost >> i & 1) == 0;
    }
    return present;
  }

  private static byte[][] without(byte[][] blocks, boolean[] present) {
    byte[][] left = copy(blocks);
    for (int i = 0; i < left.length; i++) {
      if (!present[i]) {
        left[i] = new byte[blocks[i].length];
      }
    }
    return left;
  }

  private static boolean[] all(int count) {
    boolean[] all = new boolean[count];
    Arrays.fill(all, true);
    return all;
  }

  private static byte[][] sample(long seed, int blocks, int bytes) {
    Random random = new Random(seed);
    byte[][] sample = new byte[blocks][bytes];
    for (byte[] block : sample) {
      random.nextBytes(block);
    }
    return sample;
  }

  private static byte[][] copy(byte[][] blocks) {
    return Arrays.stream(blocks).map(byte[]::clone).toArray(byte[][]::new);
  }
}
