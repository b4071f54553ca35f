package io.metashard.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class Gf256MatrixTest {
  @Test
  void aMatrixTimesItsInverseIsTheIdentity() {
    int checked = 0;
    for (int size = 1; size <= 40; size++) {
      Gf256Matrix matrix = Gf256Matrix.vandermonde(size, size);
      byte[][] product = matrix.times(matrix.inverse()).toArray();
      for (int r = 0; r < size; r++) {
        for (int c = 0; c < size; c++) {
          assertThat(product[r][c]).isEqualTo((byte) (r == c ? 1 : 0));
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(40 * 41 * 81 / 6);
  }

  @Test
  void theTopOfASystematicMatrixIsTheIdentity() {
    Gf256Matrix generator = Gf256Matrix.systematic(10, 4);
    assertThat(generator.rowCount()).isEqualTo(14);
    for (int r = 0; r < 10; r++) {
      for (int c = 0; c < 10; c++) {
        assertThat(generator.element(r, c)).isEqualTo(r == c ? 1 : 0);
      }
    }
  }

  @Test
  void refusesToInvertRowsThatDependOnEachOther() {
    Gf256Matrix twiceTheSame = Gf256Matrix.of(new byte[][] {{3, 5}, {6, 10}}); // row 1 = 2 x row 0
    assertThatThrownBy(twiceTheSame::inverse)
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("Cannot invert a matrix of 2 x 2: its rows depend on each other");
  }

  @Test
  void refusesToInvertWhatIsNotSquare() {
    assertThatThrownBy(() -> Gf256Matrix.vandermonde(3, 2).inverse())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot invert a matrix of 3 x 2: it must be square");
  }

  @Test
  void refusesToMultiplyWhatDoesNotFit() {
    Gf256Matrix left = Gf256Matrix.vandermonde(3, 2);
    assertThatThrownBy(() -> left.times(left))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot multiply matrices: 2 columns on the left, 3 rows on the right");
  }
}
