package io.metashard.job;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one stage did: printed as a table, kept as a row of {@code runs}.
 *
 * @param stage command name, such as {@code ingest}
 * @param state {@code done}, {@code unchanged} (skipped: nothing new), {@code failed} or {@code
 *     stopped} (by a signal)
 * @param reason why it ran or did not, in words
 * @param fingerprint of inputs, configuration and code; the next run skips when it is the same
 * @param figures what to print, in order; values are numbers, strings or booleans
 */
public record StageReport(
    String stage,
    String state,
    String reason,
    String fingerprint,
    long rowsIn,
    long rowsOut,
    long bytesIn,
    long bytesOut,
    Map<String, Object> figures) {
  public static final String DONE = "done";
  public static final String UNCHANGED = "unchanged";
  public static final String FAILED = "failed";
  public static final String STOPPED = "stopped";

  public StageReport {
    figures = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(figures));
  }
}
