package io.metashard.plan;

/**
 * Why segments of an object have their shape: all of them where it is read whole, else alike ones
 * that lie side by side.
 *
 * @param objectBytes of the whole object
 * @param fromSegment the first
 * @param toSegment the one after the last
 * @param bytes of these segments
 * @param storedBytes that they take once the run is over, their part of parity included; 0 while
 *     they are in no meta-shard
 * @param form of {@link Form}, or {@code source} while they are in no meta-shard; of what was
 *     stored before, what can be told from the map
 * @param k most data blocks of their meta-shards; 0 in none
 * @param copies how often each byte is a data block
 * @param requests expected of these segments, in sum
 * @param reads expected: of the object where it is read whole, else of each segment, in sum
 * @param readMillis what a read costs by the model of {@link ShapePrices}, in milliseconds: its own
 *     time, what it makes others wait, and {@code plan.request-cost} for its requests
 * @param plainMillis the same, were they packed in one column
 * @param savedMillis of all expected reads, against being packed in one column
 * @param moreBytes stored, against being packed in one column
 * @param other the shape that comes next; empty where none was compared
 * @param otherMillis what a read of that one costs; NaN where there is none
 * @param otherMoreBytes stored by that one, against being packed in one column
 * @param reason in words
 */
public record Explanation(
    String objectId,
    long objectBytes,
    int fromSegment,
    int toSegment,
    boolean readWhole,
    Fate fate,
    String form,
    int k,
    int m,
    int copies,
    long bytes,
    double storedBytes,
    double requests,
    double reads,
    double readMillis,
    double plainMillis,
    double savedMillis,
    double moreBytes,
    String other,
    double otherMillis,
    double otherMoreBytes,
    String reason) {
  /** Form of what is in no meta-shard yet. */
  public static final String SOURCE = "source";

  /** Form of what is nowhere any more. */
  public static final String NOWHERE = "none";

  public int segments() {
    return toSegment - fromSegment;
  }

  /** {@code striped 6+3}, {@code packed 10+4 x2}, {@code source}. */
  public String shape() {
    return k == 0 ? form : form + " " + k + "+" + m + (copies > 1 ? " x" + copies : "");
  }
}
