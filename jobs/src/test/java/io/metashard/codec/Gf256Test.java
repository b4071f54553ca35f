package io.metashard.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.backblaze.erasure.Galois;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class Gf256Test {
  @Test
  void multipliesAsJavaReedSolomonForAllPairs() {
    int pairs = 0;
    for (int a = 0; a < 256; a++) {
      for (int b = 0; b < 256; b++) {
        assertThat(Gf256.multiply(a, b)).isEqualTo(Galois.multiply((byte) a, (byte) b) & 0xff);
        pairs++;
      }
    }
    assertThat(pairs).isEqualTo(1 << 16);
  }

  @Test
  void multipliesAsPolynomialsDoForAllPairs() {
    for (int a = 0; a < 256; a++) {
      for (int b = 0; b < 256; b++) {
        int product = 0;
        for (int bit = 7; bit >= 0; bit--) { // Horner's rule, no table
          product <<= 1;
          if (product > 255) {
            product ^= Gf256.POLYNOMIAL;
          }
          if ((b >> bit & 1) != 0) {
            product ^= a;
          }
        }
        assertThat(Gf256.multiply(a, b)).as("%d x %d", a, b).isEqualTo(product);
      }
    }
  }

  @Test
  void isAFieldOverAllBytes() {
    long broken = 0;
    long triples = 0;
    for (int a = 0; a < 256; a++) {
      for (int b = 0; b < 256; b++) {
        int ab = Gf256.multiply(a, b);
        if (ab != Gf256.multiply(b, a) || (ab == 0) != (a == 0 || b == 0)) {
          broken++;
        }
        for (int c = 0; c < 256; c++) {
          boolean associative = Gf256.multiply(ab, c) == Gf256.multiply(a, Gf256.multiply(b, c));
          boolean distributive = Gf256.multiply(a, b ^ c) == (ab ^ Gf256.multiply(a, c));
          if (!associative || !distributive) {
            broken++;
          }
          triples++;
        }
      }
    }
    assertThat(triples).isEqualTo(1L << 24);
    assertThat(broken).isZero();
  }

  @Test
  void everyElementButZeroHasAnInverse() {
    BitSet inverses = new BitSet();
    for (int a = 1; a < 256; a++) {
      assertThat(Gf256.multiply(a, Gf256.inverse(a))).isEqualTo(1);
      inverses.set(Gf256.inverse(a));
    }
    assertThat(inverses.cardinality()).isEqualTo(255);
    assertThatThrownBy(() -> Gf256.inverse(0))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("Cannot invert 0 in GF(2^8)");
  }

  @Test
  void powersAreRepeatedProducts() {
    for (int a = 0; a < 256; a++) {
      int product = 1;
      for (int exponent = 0; exponent < 600; exponent++) {
        assertThat(Gf256.power(a, exponent)).as("%d^%d", a, exponent).isEqualTo(product);
        product = Gf256.multiply(product, a);
      }
    }
  }
}
