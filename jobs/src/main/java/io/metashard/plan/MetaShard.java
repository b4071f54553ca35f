package io.metashard.plan;

import io.metashard.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * A meta-shard to be written, not yet placed. Data blocks are not empty, or it is one of length 0.
 */
record MetaShard(Form form, Shape shape, List<Piece> data) {
  MetaShard {
    data = List.copyOf(data);
    if (data.size() != shape.k()) {
      throw new IllegalArgumentException(
          "Cannot form a meta-shard of %s from %d data blocks".formatted(shape, data.size()));
    }
  }

  /** A byte range of one segment. */
  record Piece(PlanObject object, int segment, long offset, long length) {
    static Piece whole(PlanObject object, int segment) {
      return new Piece(
          object,
          segment,
          object.segmentation().offset(segment),
          object.segmentation().length(segment));
    }

    PlanSegment forecast() {
      return object.segments().get(segment);
    }

    /** Up to {@code slices} equal parts of 1 byte or more; the last may be shorter. */
    List<Piece> sliced(int slices) {
      long sliceBytes = sliceBytes(length, slices);
      List<Piece> parts = new ArrayList<>();
      for (long from = 0; from < length; from += sliceBytes) {
        parts.add(new Piece(object, segment, offset + from, Math.min(sliceBytes, length - from)));
      }
      return parts;
    }
  }

  static long sliceBytes(long length, int slices) {
    return (length - 1) / slices + 1;
  }

  long blockBytes() {
    long longest = 0;
    for (Piece piece : data) {
      longest = Math.max(longest, piece.length());
    }
    return longest;
  }

  /** Data and parity, without the 4 bytes of every frame's checksum (0.006 % of full frames). */
  long physicalBytes() {
    long sum = Math.multiplyExact(blockBytes(), (long) shape.m());
    for (Piece piece : data) {
      sum = Math.addExact(sum, piece.length());
    }
    return sum;
  }
}
