package io.metashard.codec;

/**
 * Immutable matrix over {@link Gf256}; one byte per element, rows first.
 *
 * <p>Sizes are those of meta-shards, at most 256 x 256, and a matrix is made once per shape or
 * erasure pattern: plain loops do.
 */
final class Gf256Matrix {
  private final byte[][] rows;
  private final int columns;

  private Gf256Matrix(byte[][] rows, int columns) {
    this.rows = rows;
    this.columns = columns;
  }

  static Gf256Matrix of(byte[][] rows) {
    byte[][] copy = new byte[rows.length][];
    for (int r = 0; r < rows.length; r++) {
      copy[r] = rows[r].clone();
    }
    return new Gf256Matrix(copy, rows[0].length);
  }

  /** Element (r, c) is r to the power c: any {@code columns} rows are independent. */
  static Gf256Matrix vandermonde(int rowCount, int columns) {
    byte[][] rows = new byte[rowCount][columns];
    for (int r = 0; r < rowCount; r++) {
      for (int c = 0; c < columns; c++) {
        rows[r][c] = (byte) Gf256.power(r, c);
      }
    }
    return new Gf256Matrix(rows, columns);
  }

  /**
   * The generator of {@code rs}: the (k+m) x k Vandermonde matrix times the inverse of its top k x
   * k. The top becomes the identity, so data blocks are stored as they are, and any k rows stay
   * independent (Plank's tutorial of 1997, as corrected in 2003).
   */
  static Gf256Matrix systematic(int k, int m) {
    Gf256Matrix vandermonde = vandermonde(k + m, k);
    int[] top = new int[k];
    for (int r = 0; r < k; r++) {
      top[r] = r;
    }
    return vandermonde.times(vandermonde.select(top).inverse());
  }

  int rowCount() {
    return rows.length;
  }

  int element(int row, int column) {
    return rows[row][column] & 0xff;
  }

  /** A copy of the elements. */
  byte[][] toArray() {
    return of(rows).rows;
  }

  /** The matrix of the given rows, in that order. */
  Gf256Matrix select(int[] wanted) {
    byte[][] selected = new byte[wanted.length][];
    for (int r = 0; r < wanted.length; r++) {
      selected[r] = rows[wanted[r]]; // shared: nobody writes to a row
    }
    return new Gf256Matrix(selected, columns);
  }

  Gf256Matrix times(Gf256Matrix right) {
    if (columns != right.rows.length) {
      throw new IllegalArgumentException(
          "Cannot multiply matrices: %d columns on the left, %d rows on the right"
              .formatted(columns, right.rows.length));
    }
    byte[][] product = new byte[rows.length][right.columns];
    for (int r = 0; r < rows.length; r++) {
      for (int i = 0; i < columns; i++) {
        addMultiple(product[r], right.rows[i], element(r, i));
      }
    }
    return new Gf256Matrix(product, right.columns);
  }

  /**
   * Gauss-Jordan elimination.
   *
   * @throws ArithmeticException if the rows depend on each other
   */
  Gf256Matrix inverse() {
    int size = rows.length;
    if (columns != size) {
      throw new IllegalArgumentException(
          "Cannot invert a matrix of %d x %d: it must be square".formatted(size, columns));
    }
    byte[][] left = toArray();
    byte[][] right = new byte[size][size];
    for (int i = 0; i < size; i++) {
      right[i][i] = 1;
    }
    for (int pivot = 0; pivot < size; pivot++) {
      swapInPivot(left, right, pivot);
      int scale = Gf256.inverse(left[pivot][pivot] & 0xff);
      multiply(left[pivot], scale);
      multiply(right[pivot], scale);
      for (int r = 0; r < size; r++) {
        int factor = left[r][pivot] & 0xff;
        if (r != pivot && factor != 0) {
          addMultiple(left[r], left[pivot], factor); // minus is plus in GF(2^8)
          addMultiple(right[r], right[pivot], factor);
        }
      }
    }
    return new Gf256Matrix(right, size);
  }

  private static void swapInPivot(byte[][] left, byte[][] right, int pivot) {
    int row = pivot;
    while (row < left.length && left[row][pivot] == 0) {
      row++;
    }
    if (row == left.length) {
      throw new ArithmeticException(
          "Cannot invert a matrix of %d x %d: its rows depend on each other"
              .formatted(left.length, left.length));
    }
    byte[] leftRow = left[row];
    byte[] rightRow = right[row];
    left[row] = left[pivot];
    right[row] = right[pivot];
    left[pivot] = leftRow;
    right[pivot] = rightRow;
  }

  private static void multiply(byte[] row, int factor) {
    for (int i = 0; i < row.length; i++) {
      row[i] = (byte) Gf256.multiply(row[i] & 0xff, factor);
    }
  }

  private static void addMultiple(byte[] row, byte[] other, int factor) {
    for (int i = 0; i < row.length; i++) {
      row[i] ^= (byte) Gf256.multiply(other[i] & 0xff, factor);
    }
  }
}
