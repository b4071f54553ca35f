package io.metashard.codec;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Engine {@code long}: eight bytes of GF(2^8) packed in a {@code long}, no module, no warm-up.
 *
 * <p>A coefficient is a sum of powers of x, so a row of the product is found by Horner's rule over
 * the bits of its coefficients: for bits 7 to 0, {@code sum = x * sum + (inputs whose coefficient
 * has the bit)}. That needs no table, only XOR and the doubling of packed bytes. Work goes in
 * chunks that stay in the first-level cache; the loops are written out for up to {@value
 * #MOST_INPUTS} inputs because C2 turns exactly such loops into vector code.
 */
final class LongEngine implements CodingEngine {
  static final String NAME = "long";
  static final LongEngine INSTANCE = new LongEngine();

  private static final int CHUNK_WORDS = 256;
  private static final int CHUNK_BYTES = CHUNK_WORDS * Long.BYTES;
  private static final int MOST_INPUTS = 6;

  private static final long HIGH_BITS = 0x8080808080808080L;
  private static final long REDUCTION = 0x1d1d1d1d1d1d1d1dL; // x^8 = x^4 + x^3 + x^2 + 1

  /** The order of bytes in a word does not matter, as long as it is the same both ways. */
  private static final VarHandle WORDS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final ThreadLocal<Workspace> WORKSPACE = ThreadLocal.withInitial(Workspace::new);

  private LongEngine() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void multiply(
      byte[][] coefficients, byte[][] inputs, byte[][] outputs, int offset, int length) {
    EngineArguments.check(coefficients, inputs, outputs, offset, length);
    Workspace workspace = WORKSPACE.get();
    workspace.ensureInputs(inputs.length);
    int end = offset + length;
    for (int from = offset; from < end; from += CHUNK_BYTES) {
      int bytes = Math.min(CHUNK_BYTES, end - from);
      for (int i = 0; i < inputs.length; i++) {
        load(inputs[i], from, bytes, workspace.inputs[i]);
      }
      for (int r = 0; r < outputs.length; r++) {
        workspace.combine(coefficients[r], inputs.length, (bytes + 7) >>> 3);
        store(workspace.sum, outputs[r], from, bytes);
      }
      if (end - from <= CHUNK_BYTES) {
        return; // from + CHUNK_BYTES could overflow
      }
    }
  }

  private static void load(byte[] source, int from, int bytes, long[] words) {
    int whole = bytes >>> 3;
    for (int w = 0; w < whole; w++) {
      words[w] = (long) WORDS.get(source, from + (w << 3));
    }
    if ((bytes & 7) != 0) {
      long last = 0;
      for (int b = bytes - 1; b >= whole << 3; b--) {
        last = last << 8 | source[from + b] & 0xff;
      }
      words[whole] = last;
    }
  }

  private static void store(long[] words, byte[] target, int from, int bytes) {
    int whole = bytes >>> 3;
    for (int w = 0; w < whole; w++) {
      WORDS.set(target, from + (w << 3), words[w]);
    }
    if ((bytes & 7) != 0) {
      long last = words[whole];
      for (int b = whole << 3; b < bytes; b++) {
        target[from + b] = (byte) last;
        last >>>= 8;
      }
    }
  }

  /** Scratch memory of one thread: a chunk of every input and of one output. */
  private static final class Workspace {
    private long[][] inputs = new long[0][];
    private final long[] sum = new long[CHUNK_WORDS];
    private long[][] chosen = new long[0][];

    void ensureInputs(int count) {
      int had = inputs.length;
      if (had < count) {
        inputs = Arrays.copyOf(inputs, count);
        chosen = new long[count][];
        for (int i = had; i < count; i++) {
          inputs[i] = new long[CHUNK_WORDS];
        }
      }
    }

    /** Sets {@link #sum} to the row times the inputs. */
    void combine(byte[] row, int count, int words) {
      int all = 0;
      for (int i = 0; i < count; i++) {
        all |= row[i];
      }
      Arrays.fill(sum, 0, words, 0);
      int top = 31 - Integer.numberOfLeadingZeros(all & 0xff | 1);
      for (int bit = top; bit >= 0; bit--) {
        int picked = 0;
        for (int i = 0; i < count; i++) {
          if ((row[i] >>> bit & 1) != 0) {
            chosen[picked++] = inputs[i];
          }
        }
        int done = 0;
        if (bit < top) {
          done = Math.min(MOST_INPUTS, picked);
          doubleAndAdd(done, words);
        }
        while (done < picked) {
          int group = Math.min(MOST_INPUTS, picked - done);
          add(done, group, words);
          done += group;
        }
      }
    }

    private void doubleAndAdd(int count, int words) {
      long[][] c = chosen;
      switch (count) {
        case 0 -> doubled(sum, words);
        case 1 -> doubledPlus(sum, c[0], words);
        case 2 -> doubledPlus(sum, c[0], c[1], words);
        case 3 -> doubledPlus(sum, c[0], c[1], c[2], words);
        case 4 -> doubledPlus(sum, c[0], c[1], c[2], c[3], words);
        case 5 -> doubledPlus(sum, c[0], c[1], c[2], c[3], c[4], words);
        default -> doubledPlus(sum, c[0], c[1], c[2], c[3], c[4], c[5], words);
      }
    }

    private void add(int first, int count, int words) {
      long[][] c = chosen;
      int i = first;
      switch (count) {
        case 1 -> plus(sum, c[i], words);
        case 2 -> plus(sum, c[i], c[i + 1], words);
        case 3 -> plus(sum, c[i], c[i + 1], c[i + 2], words);
        case 4 -> plus(sum, c[i], c[i + 1], c[i + 2], c[i + 3], words);
        case 5 -> plus(sum, c[i], c[i + 1], c[i + 2], c[i + 3], c[i + 4], words);
        default -> plus(sum, c[i], c[i + 1], c[i + 2], c[i + 3], c[i + 4], c[i + 5], words);
      }
    }
  }

  /** Eight bytes, each times x. {@code t - (t >>> 7)} is 0x7f where the top bit was, else 0. */
  private static long timesX(long word) {
    long t = word & HIGH_BITS;
    return (word ^ t) << 1 ^ t - (t >>> 7) & REDUCTION;
  }

  private static void doubled(long[] sum, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]);
    }
  }

  private static void doubledPlus(long[] sum, long[] a, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]) ^ a[w];
    }
  }

  private static void doubledPlus(long[] sum, long[] a, long[] b, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]) ^ a[w] ^ b[w];
    }
  }

  private static void doubledPlus(long[] sum, long[] a, long[] b, long[] c, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]) ^ a[w] ^ b[w] ^ c[w];
    }
  }

  private static void doubledPlus(long[] sum, long[] a, long[] b, long[] c, long[] d, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]) ^ a[w] ^ b[w] ^ c[w] ^ d[w];
    }
  }

  private static void doubledPlus(
      long[] sum, long[] a, long[] b, long[] c, long[] d, long[] e, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]) ^ a[w] ^ b[w] ^ c[w] ^ d[w] ^ e[w];
    }
  }

  private static void doubledPlus(
      long[] sum, long[] a, long[] b, long[] c, long[] d, long[] e, long[] f, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] = timesX(sum[w]) ^ a[w] ^ b[w] ^ c[w] ^ d[w] ^ e[w] ^ f[w];
    }
  }

  private static void plus(long[] sum, long[] a, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] ^= a[w];
    }
  }

  private static void plus(long[] sum, long[] a, long[] b, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] ^= a[w] ^ b[w];
    }
  }

  private static void plus(long[] sum, long[] a, long[] b, long[] c, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] ^= a[w] ^ b[w] ^ c[w];
    }
  }

  private static void plus(long[] sum, long[] a, long[] b, long[] c, long[] d, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] ^= a[w] ^ b[w] ^ c[w] ^ d[w];
    }
  }

  private static void plus(
      long[] sum, long[] a, long[] b, long[] c, long[] d, long[] e, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] ^= a[w] ^ b[w] ^ c[w] ^ d[w] ^ e[w];
    }
  }

  private static void plus(
      long[] sum, long[] a, long[] b, long[] c, long[] d, long[] e, long[] f, int words) {
    for (int w = 0; w < words; w++) {
      sum[w] ^= a[w] ^ b[w] ^ c[w] ^ d[w] ^ e[w] ^ f[w];
    }
  }
}
