package io.metashard.simulate;

import io.metashard.LocationModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.math3.stat.regression.OLSMultipleLinearRegression;
import org.apache.commons.math3.stat.regression.SimpleRegression;

/**
 * What {@link LocationModel} says of a location, found from reads that were timed one after the
 * other.
 *
 * <p><b>Time of a plain read.</b> Of the reads of one length the median is taken: it stays at a
 * plain read's time while fewer than half of them are slow. Through the medians {@code t} of all
 * lengths {@code b} goes the line {@code t = first + b / speed} for which the sum of {@code n * ((t
 * - first - b / speed) / t)^2} is least, {@code n} reads a length: errors count relative to the
 * time, so that long reads do not decide alone. Neither term may be below 0; where one would be,
 * the best line without it is taken.
 *
 * <p><b>Slow reads.</b> Of a read, {@code r} is its time over the line's. Those with {@code r > c},
 * {@code c} = {@value #SLOW_MULTIPLE}, are surely slow. In the model a share {@code p} of reads
 * takes {@code r} evenly spread between 1 and the slow factor {@code F}; those above {@code c} are
 * then evenly spread between {@code c} and {@code F}, their mean is {@code (c + F) / 2}, and they
 * are {@code p * (F - c) / (F - 1)} of all. So {@code F = 2 * mean - c}, and with {@code q} the
 * share found above {@code c}, {@code p = q * (F - 1) / (F - c)}, at most 1. With none above, no
 * read is slow.
 *
 * @param bytesPerSecond of one read; where {@code speedSeen} is false, it is at least that
 * @param speedSeen whether the longest reads took more of the time than chance alone explains
 * @param reads that it was found from
 */
public record LocationFit(
    double firstByteMillis,
    double bytesPerSecond,
    boolean speedSeen,
    double slowShare,
    double slowFactor,
    int reads) {
  /** A read that takes more than this many times what the line says is slow. */
  public static final double SLOW_MULTIPLE = 1.5;

  /** Different lengths of reads that a line needs. */
  public static final int LEAST_LENGTHS = 3;

  /** Reads of each length, so that one slow one is not the median. */
  public static final int LEAST_READS_EACH = 3;

  /** Sending the longest read's bytes takes this part of its first byte's time, or is not seen. */
  private static final double LEAST_SENDING = 0.1;

  private static final double MIB = 1 << 20;

  /** Median time of reads of one length. */
  private record Point(double mebibytes, double millis, int reads) {}

  /**
   * Finds the model that fits.
   *
   * @throws IllegalArgumentException if there are fewer lengths, or reads of one, than it takes
   */
  public static LocationFit of(List<TimedRead> reads) {
    List<Point> points = points(reads);
    double[] line = line(points);
    double longest = points.get(points.size() - 1).mebibytes();
    double leastSlope = LEAST_SENDING * line[0] / longest;
    boolean speedSeen = line[1] > leastSlope;
    double firstByteMillis = line[0];
    double slope = Math.max(line[1], leastSlope); // ms per MiB
    double slowSum = 0;
    int slow = 0;
    for (TimedRead read : reads) {
      double times = read.millis() / (firstByteMillis + slope * read.bytes() / MIB);
      if (times > SLOW_MULTIPLE) {
        slowSum += times;
        slow++;
      }
    }
    double slowFactor = slow == 0 ? 1 : 2 * slowSum / slow - SLOW_MULTIPLE;
    double slowShare =
        slow == 0
            ? 0
            : Math.min(
                1, (double) slow / reads.size() * (slowFactor - 1) / (slowFactor - SLOW_MULTIPLE));
    return new LocationFit(
        firstByteMillis, MIB * 1000 / slope, speedSeen, slowShare, slowFactor, reads.size());
  }

  private static List<Point> points(List<TimedRead> reads) {
    Map<Long, List<Double>> byLength = new TreeMap<>();
    reads.forEach(
        read -> byLength.computeIfAbsent(read.bytes(), b -> new ArrayList<>()).add(read.millis()));
    int fewest = byLength.values().stream().mapToInt(List::size).min().orElse(0);
    if (byLength.size() < LEAST_LENGTHS || fewest < LEAST_READS_EACH) {
      throw new IllegalArgumentException(
          "Cannot tell how fast a location is from %d reads of %d lengths, %d of the rarest: %d lengths and %d reads of each are needed"
              .formatted(reads.size(), byLength.size(), fewest, LEAST_LENGTHS, LEAST_READS_EACH));
    }
    List<Point> points = new ArrayList<>();
    byLength.forEach(
        (bytes, millis) ->
            points.add(
                new Point(
                    bytes / MIB,
                    StatUtils.percentile(
                        millis.stream().mapToDouble(Double::doubleValue).toArray(), 50),
                    millis.size())));
    return points;
  }

  /** Milliseconds before the first byte, and per MiB, neither below 0, not both 0. */
  private static double[] line(List<Point> points) {
    double[] ones = new double[points.size()];
    double[][] terms = new double[points.size()][];
    SimpleRegression onlyFirst = new SimpleRegression(false);
    SimpleRegression onlySpeed = new SimpleRegression(false);
    for (int i = 0; i < points.size(); i++) {
      Point point = points.get(i);
      // Over the time, so that errors are relative; times the root of how often it was timed.
      ones[i] = Math.sqrt(point.reads());
      double weight = ones[i] / point.millis();
      terms[i] = new double[] {weight, weight * point.mebibytes()};
      onlyFirst.addData(terms[i][0], ones[i]);
      onlySpeed.addData(terms[i][1], ones[i]);
    }
    OLSMultipleLinearRegression both = new OLSMultipleLinearRegression();
    both.setNoIntercept(true);
    both.newSampleData(ones, terms);
    double[] line = both.estimateRegressionParameters();
    if (line[0] < 0) {
      return new double[] {0, onlySpeed.getSlope()};
    }
    return line[1] < 0 ? new double[] {onlyFirst.getSlope(), 0} : line;
  }

  /** The model of a location that serves one read after the other. */
  public LocationModel.Disk disk() {
    return new LocationModel.Disk(firstByteMillis, bytesPerSecond, slowShare, slowFactor);
  }

  /** The model of a location that serves many reads at a time. */
  public LocationModel.ObjectStore objectStore(double requestsPerSecond) {
    return new LocationModel.ObjectStore(
        firstByteMillis, bytesPerSecond, slowShare, slowFactor, requestsPerSecond);
  }
}
