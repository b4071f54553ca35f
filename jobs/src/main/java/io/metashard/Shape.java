package io.metashard;

/**
 * The code of a meta-shard: {@code k} data blocks and {@code m} parity blocks, any k of which give
 * all.
 *
 * @param codec {@code copy} (k = 1, parity rows are further copies), {@code xor} (m = 1) or {@code
 *     rs} (Reed-Solomon as JavaReedSolomon computes it)
 */
public record Shape(String codec, int k, int m) {
  public static final String COPY = "copy";
  public static final String XOR = "xor";
  public static final String RS = "rs";

  /** Rows of a Vandermonde matrix over GF(2^8) stay distinct up to this many blocks. */
  public static final int MAX_BLOCKS = 256;

  public Shape {
    if (k < 1 || m < 0 || m > MAX_BLOCKS - k) {
      throw new IllegalArgumentException(
          "Cannot use %d+%d: a meta-shard has 1 or more data blocks and at most %d blocks in all"
              .formatted(k, m, MAX_BLOCKS));
    }
    boolean fits =
        switch (codec) {
          case COPY -> k == 1;
          case XOR -> m == 1;
          case RS -> true;
          default ->
              throw new IllegalArgumentException(
                  "Cannot use codec %s: known are copy, xor, rs"
                      .formatted(ObjectIds.printable(codec)));
        };
    if (!fits) {
      throw new IllegalArgumentException(
          "Cannot use codec %s with %d+%d: copy needs k = 1, xor needs m = 1"
              .formatted(codec, k, m));
    }
  }

  /** All blocks: {@code k + m}. */
  public int blocks() {
    return k + m;
  }

  @Override
  public String toString() {
    return codec + " " + k + "+" + m;
  }
}
