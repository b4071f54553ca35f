package io.metashard.plan;

import java.io.Serializable;

/**
 * A way to store what is read at once: an object that is read whole, or a segment.
 *
 * @param storage whose parity it is
 * @param columns locations that hold its data, each a part of equal length that lies in one piece
 * @param spare blocks beside them: parity that can stand in for any, or where parity is shared,
 *     further copies of the only column
 */
record ReadShape(Storage storage, int columns, int spare) implements Serializable {
  enum Storage {
    /** In meta-shards with others: little parity, and none of it stands in for a slow block. */
    SHARED,
    /** Meta-shards of its own: any {@code columns} of {@code columns + spare} blocks give it. */
    OWN
  }

  static ReadShape shared(int columns, int copies) {
    return new ReadShape(Storage.SHARED, columns, copies);
  }

  static ReadShape own(int columns, int parity) {
    return new ReadShape(Storage.OWN, columns, parity);
  }

  boolean isOwn() {
    return storage == Storage.OWN;
  }

  /** One block, with copies of it. */
  boolean isCopies() {
    return isOwn() && columns == 1;
  }

  /** Blocks that a read asks for at once. */
  int asked(int extraReads) {
    return columns > 1 ? columns + Math.min(spare, extraReads) : columns;
  }

  /** Blocks that share the reads. */
  int blocks() {
    return columns + spare;
  }
}
