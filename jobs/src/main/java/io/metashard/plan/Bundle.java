package io.metashard.plan;

import io.metashard.plan.MetaShard.Piece;
import java.util.ArrayList;
import java.util.List;

/**
 * Meta-shards that are placed together: their blocks are in columns, and a column is at one
 * location, where its blocks lie side by side and are read by one request.
 *
 * @param rows the meta-shards
 * @param columnOf by row: the columns of its data blocks, ascending
 * @param columns columns of data; parity is in further ones, {@code m} of them
 */
record Bundle(List<MetaShard> rows, List<List<Integer>> columnOf, int columns) {
  Bundle {
    rows = List.copyOf(rows);
    columnOf = List.copyOf(columnOf);
  }

  static Bundle of(MetaShard shard) {
    List<Integer> columns = new ArrayList<>();
    for (int i = 0; i < shard.shape().k(); i++) {
      columns.add(i);
    }
    return new Bundle(List.of(shard), List.of(columns), columns.size());
  }

  /**
   * @param columns pieces that are read together, one list a column; a row is the i-th piece of
   *     each that has so many
   * @param parity columns beside them
   */
  static Bundle of(Form form, List<List<Piece>> columns, int parity, Width width) {
    List<MetaShard> rows = new ArrayList<>();
    List<List<Integer>> columnOf = new ArrayList<>();
    int most = columns.stream().mapToInt(List::size).max().orElseThrow();
    for (int row = 0; row < most; row++) {
      List<Piece> pieces = new ArrayList<>();
      List<Integer> places = new ArrayList<>();
      for (int column = 0; column < columns.size(); column++) {
        if (row < columns.get(column).size()) {
          pieces.add(columns.get(column).get(row));
          places.add(column);
        }
      }
      rows.add(new MetaShard(form, width.shape(pieces.size(), parity), pieces));
      columnOf.add(places);
    }
    return new Bundle(rows, columnOf, columns.size());
  }

  Form form() {
    return rows.get(0).form();
  }

  int m() {
    return rows.get(0).shape().m();
  }

  long physicalBytes() {
    long sum = 0;
    for (MetaShard row : rows) {
      sum = Math.addExact(sum, row.physicalBytes());
    }
    return sum;
  }

  /** The pieces of each data column. */
  List<List<Piece>> pieces() {
    List<List<Piece>> pieces = new ArrayList<>();
    for (int column = 0; column < columns; column++) {
      pieces.add(new ArrayList<>());
    }
    for (int row = 0; row < rows.size(); row++) {
      for (int i = 0; i < columnOf.get(row).size(); i++) {
        pieces.get(columnOf.get(row).get(i)).add(rows.get(row).data().get(i));
      }
    }
    return pieces;
  }

  /** Bytes of a parity column. */
  long parityBytes() {
    return rows.stream().mapToLong(MetaShard::blockBytes).sum();
  }

  /** Whether a read may take any of the columns, and so loads all of them alike. */
  boolean spreadsReads() {
    return columns == 1 || form() == Form.STRIPED || form() == Form.SPLIT;
  }

  static long bytes(List<Piece> column) {
    long sum = 0; // no stream: columns are sorted by it
    for (Piece piece : column) {
      sum += piece.length();
    }
    return sum;
  }
}
