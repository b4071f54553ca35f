package io.metashard.codec;

/**
 * The field GF(2^8) of Reed-Solomon: bytes as polynomials over GF(2), modulo x^8 + x^4 + x^3 + x^2
 * + 1 (0x11D, the polynomial of JavaReedSolomon). Elements are ints of 0 to 255; addition is XOR.
 */
final class Gf256 {
  /** The polynomial that products are reduced by. */
  static final int POLYNOMIAL = 0x11d;

  private static final int ORDER = 255; // of the multiplicative group, which 2 generates

  private static final int[] LOG = new int[256];
  private static final int[] EXP = new int[2 * ORDER]; // twice, so that a sum of two logs fits

  static {
    int power = 1;
    for (int exponent = 0; exponent < ORDER; exponent++) {
      EXP[exponent] = power;
      EXP[exponent + ORDER] = power;
      LOG[power] = exponent;
      power <<= 1;
      if (power > ORDER) {
        power ^= POLYNOMIAL;
      }
    }
  }

  private Gf256() {}

  static int multiply(int a, int b) {
    return a == 0 || b == 0 ? 0 : EXP[LOG[a] + LOG[b]];
  }

  /** The element whose product with {@code a} is 1. */
  static int inverse(int a) {
    if (a == 0) {
      throw new ArithmeticException("Cannot invert 0 in GF(2^8)");
    }
    return EXP[ORDER - LOG[a]];
  }

  /** {@code a} to the power {@code exponent}; the power 0 of anything, 0 included, is 1. */
  static int power(int a, int exponent) {
    if (exponent == 0) {
      return 1;
    }
    return a == 0 ? 0 : EXP[(int) ((long) LOG[a] * exponent % ORDER)];
  }
}
