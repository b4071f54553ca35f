package io.metashard.codec;

import io.metashard.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Turns k data blocks into m parity blocks, and any k blocks into the others.
 *
 * <p>{@code rs} gives the bytes of JavaReedSolomon's {@code ReedSolomon.create(k, m)}. {@code xor}
 * is not {@code rs} with m = 1, whose parity row is all ones only for some k. Immutable as seen
 * from outside; thread safe.
 */
public final class BlockCoder {
  /**
   * Erasure patterns whose matrices are kept: few occur at a time, each where a location is out.
   */
  private static final int MOST_PATTERNS = 128;

  private final Shape shape;
  private final CodingEngine engine;
  private final Gf256Matrix generator; // (k + m) x k; null unless rs
  private final byte[][] parityRows; // the last m rows of the generator

  private final Map<Pattern, byte[][]> patterns =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Pattern, byte[][]> eldest) {
          return size() > MOST_PATTERNS;
        }
      };

  /** The blocks that are read and the blocks that are computed from them. */
  private record Pattern(BitSet survivors, BitSet missing) {}

  private BlockCoder(Shape shape, CodingEngine engine, Gf256Matrix generator) {
    this.shape = shape;
    this.engine = engine;
    this.generator = generator;
    this.parityRows =
        generator == null
            ? new byte[0][]
            : Arrays.copyOfRange(generator.toArray(), shape.k(), shape.blocks());
  }

  /** The coder of {@code shape}; make it once and share it, since its matrices are kept in it. */
  public static BlockCoder of(Shape shape, CodingEngine engine) {
    Objects.requireNonNull(engine, "engine");
    boolean isReedSolomon = shape.codec().equals(Shape.RS);
    return new BlockCoder(
        shape, engine, isReedSolomon ? Gf256Matrix.systematic(shape.k(), shape.m()) : null);
  }

  public Shape shape() {
    return shape;
  }

  /**
   * Fills the parity blocks over a range from the data blocks.
   *
   * @param blocks {@code [k + m][]}, data first; shorter data is padded with zeros by the caller
   * @throws IndexOutOfBoundsException if a block does not hold the range; nothing is changed
   */
  public void encode(byte[][] blocks, int offset, int length) {
    checkCount("blocks", blocks.length);
    for (int i = 0; i < blocks.length; i++) {
      checkRange(blocks, i, offset, length);
    }
    byte[][] data = Arrays.copyOfRange(blocks, 0, shape.k());
    byte[][] parity = Arrays.copyOfRange(blocks, shape.k(), shape.blocks());
    combine(parityRows, data, parity, offset, length);
  }

  /**
   * Fills wanted blocks over a range from any k present ones. Of more than k, the first k are read;
   * a block that is both wanted and present stays as it is.
   *
   * @param blocks {@code [k + m][]}, data first; null where neither present nor wanted
   * @throws TooFewBlocksException if fewer than k are present while something is missing; nothing
   *     is changed
   * @throws IndexOutOfBoundsException if a block does not hold the range; nothing is changed
   */
  public void rebuild(
      byte[][] blocks, boolean[] present, boolean[] wanted, int offset, int length) {
    checkCount("blocks", blocks.length);
    checkCount("present flags", present.length);
    checkCount("wanted flags", wanted.length);
    List<Integer> survivors = new ArrayList<>();
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < blocks.length; i++) {
      if (present[i]) {
        survivors.add(i);
      } else if (wanted[i]) {
        missing.add(i);
      }
    }
    if (missing.isEmpty()) {
      return;
    }
    if (survivors.size() < shape.k()) {
      throw new TooFewBlocksException(shape, missing, survivors);
    }
    survivors = survivors.subList(0, shape.k());
    byte[][] inputs = selected(blocks, survivors, offset, length);
    byte[][] outputs = selected(blocks, missing, offset, length);
    byte[][] coefficients = generator == null ? null : coefficients(survivors, missing);
    combine(coefficients, inputs, outputs, offset, length);
  }

  private void combine(
      byte[][] coefficients, byte[][] inputs, byte[][] outputs, int offset, int length) {
    switch (shape.codec()) {
      case Shape.RS -> engine.multiply(coefficients, inputs, outputs, offset, length);
      // Any block of xor is the sum of all the others; any block of copy is any other. With k of
      // them as inputs both are the same loop.
      case Shape.XOR, Shape.COPY -> {
        for (byte[] output : outputs) {
          sum(inputs, output, offset, length);
        }
      }
      default -> throw new IllegalStateException("Cannot code " + shape + ": no such code");
    }
  }

  private static void sum(byte[][] inputs, byte[] output, int offset, int length) {
    System.arraycopy(inputs[0], offset, output, offset, length);
    int end = offset + length;
    for (int i = 1; i < inputs.length; i++) {
      byte[] input = inputs[i];
      for (int b = offset; b < end; b++) {
        output[b] ^= input[b];
      }
    }
  }

  /** How the missing blocks are made of the survivors; computed once per pattern. */
  private byte[][] coefficients(List<Integer> survivors, List<Integer> missing) {
    Pattern pattern = new Pattern(bits(survivors), bits(missing));
    synchronized (patterns) {
      byte[][] known = patterns.get(pattern);
      if (known != null) {
        return known;
      }
    }
    // Outside the lock: two threads may both compute it, to the same result.
    Gf256Matrix inverse = generator.select(indices(survivors)).inverse();
    byte[][] computed = generator.select(indices(missing)).times(inverse).toArray();
    synchronized (patterns) {
      patterns.put(pattern, computed);
    }
    return computed;
  }

  private static BitSet bits(List<Integer> indices) {
    BitSet bits = new BitSet();
    indices.forEach(bits::set);
    return bits;
  }

  private static int[] indices(List<Integer> indices) {
    return indices.stream().mapToInt(Integer::intValue).toArray();
  }

  private byte[][] selected(byte[][] blocks, List<Integer> indices, int offset, int length) {
    byte[][] selected = new byte[indices.size()][];
    for (int i = 0; i < selected.length; i++) {
      checkRange(blocks, indices.get(i), offset, length);
      selected[i] = blocks[indices.get(i)];
    }
    return selected;
  }

  private void checkCount(String what, int count) {
    if (count != shape.blocks()) {
      throw new IllegalArgumentException(
          "Cannot code %s: %d %s given, it has %d blocks"
              .formatted(shape, count, what, shape.blocks()));
    }
  }

  private void checkRange(byte[][] blocks, int index, int offset, int length) {
    if (blocks[index] == null) {
      throw new IllegalArgumentException(
          "Cannot code %s: block %d is null but is needed; give it an array"
              .formatted(shape, index));
    }
    Objects.checkFromIndexSize(offset, length, blocks[index].length);
  }
}
