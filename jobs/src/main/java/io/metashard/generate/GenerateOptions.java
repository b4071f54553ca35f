package io.metashard.generate;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;

/**
 * What demo input to make. The same options give the same bytes.
 *
 * @param out folder that gets what is made
 * @param workload one of {@link #WORKLOADS}
 * @param seed of everything random
 * @param days days of requests, the last one being the day before {@code end}
 * @param end the day after the last day, UTC
 */
public record GenerateOptions(Path out, String workload, long seed, int days, LocalDate end) {
  public static final String WEB = "web";
  public static final String LAKE = "lake";
  public static final String MIXED = "mixed";

  /** Five small objects and their requests: what {@code data/sample} holds. */
  public static final String SAMPLE = "sample";

  public static final List<String> WORKLOADS = List.of(WEB, LAKE, MIXED, SAMPLE);

  public static final long DEFAULT_SEED = 1;
  public static final int DEFAULT_DAYS = 21;

  /** Fixed, so that the default output is the same whenever it is made. */
  public static final LocalDate DEFAULT_END = LocalDate.of(2026, 1, 22);

  /** Most days: the generator holds all requests in memory. */
  public static final int MAX_DAYS = 400;

  public GenerateOptions {
    if (out == null) {
      throw new IllegalArgumentException("Cannot generate: no folder given; name one with --out");
    }
    if (!WORKLOADS.contains(workload)) {
      throw new IllegalArgumentException(
          "Cannot generate workload %s: it must be one of %s"
              .formatted(workload, String.join(", ", WORKLOADS)));
    }
    if (days < 1 || days > MAX_DAYS) {
      throw new IllegalArgumentException(
          "Cannot generate %d days: it must be 1 to %d".formatted(days, MAX_DAYS));
    }
    if (end == null || end.getYear() < 1971 || end.getYear() > 9999) {
      throw new IllegalArgumentException(
          "Cannot generate up to %s: the year must be 1971 to 9999".formatted(end));
    }
  }

  /** The defaults, into a folder. */
  public static GenerateOptions into(Path out) {
    return new GenerateOptions(out, MIXED, DEFAULT_SEED, DEFAULT_DAYS, DEFAULT_END);
  }

  LocalDate firstDay() {
    return end.minusDays(days);
  }

  /** One line that names all that the output depends on. */
  public String describe() {
    return "workload=%s seed=%d days=%d end=%s".formatted(workload, seed, days, end);
  }
}
