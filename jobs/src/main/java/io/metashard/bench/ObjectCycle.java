package io.metashard.bench;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.lit;

import java.util.Arrays;
import org.apache.spark.sql.Column;

/**
 * Numbers of segments that objects have in turn, again and again: how many a numbered object has is
 * known without looking at those before it.
 */
final class ObjectCycle {
  private final int[] sizes;
  private final int[] firsts;
  private final int segments;

  /**
   * @param sizes all 1 or more
   */
  ObjectCycle(int[] sizes) {
    this.sizes = sizes.clone();
    this.firsts = new int[sizes.length];
    for (int i = 1; i < sizes.length; i++) {
      firsts[i] = firsts[i - 1] + sizes[i - 1];
    }
    this.segments = Arrays.stream(sizes).sum();
  }

  /** How many objects have so many segments in all; the last one may be cut. */
  long objects(long ofSegments) {
    int rest = (int) (ofSegments % segments);
    return ofSegments / segments * sizes.length
        + Arrays.stream(firsts).filter(first -> first < rest).count();
  }

  double segmentsPerObject() {
    return (double) segments / sizes.length;
  }

  /** Segments of the object with the number in a column, from 0, where there are so many in all. */
  Column segments(String number, long ofSegments) {
    Column inCycle = col(number).mod(sizes.length).plus(1).cast("int");
    Column first =
        floor(col(number).divide(sizes.length))
            .multiply(segments)
            .plus(element_at(lit(firsts), inCycle));
    return least(element_at(lit(sizes), inCycle).cast("long"), lit(ofSegments).minus(first))
        .cast("int");
  }

  /** The sum of 1/n for the segments of an object, by how many it has, from 1. */
  double[] harmonic() {
    double[] sums = new double[Arrays.stream(sizes).max().orElseThrow()];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = (i == 0 ? 0 : sums[i - 1]) + 1.0 / (i + 1);
    }
    return sums;
  }
}
