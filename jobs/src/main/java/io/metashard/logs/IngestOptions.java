package io.metashard.logs;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * How logs are read.
 *
 * @param keepClient whether addresses are kept: personal data
 * @param maxLineBytes longer lines are refused; bounds a task's memory
 * @param maxClockSkew how much later than the moment of planning, and than the clock, a request may
 *     be
 */
public record IngestOptions(
    List<LogSource> sources,
    BucketMapping buckets,
    boolean keepClient,
    int maxLineBytes,
    Duration maxClockSkew)
    implements Serializable {
  private static final int LEAST_LINE_BYTES = 256;
  private static final int MOST_LINE_BYTES = 64 << 20;

  public IngestOptions {
    sources = List.copyOf(sources);
    if (maxLineBytes < LEAST_LINE_BYTES || maxLineBytes > MOST_LINE_BYTES) {
      throw new SettingsException(
          "Cannot use ingest.max-line-bytes = %d: it must be %d to %d"
              .formatted(maxLineBytes, LEAST_LINE_BYTES, MOST_LINE_BYTES));
    }
  }

  public static IngestOptions from(Settings settings) {
    return new IngestOptions(
        LogSource.from(settings),
        BucketMapping.from(settings),
        settings.flag("ingest.keep-client"),
        (int) Math.min(Integer.MAX_VALUE, settings.bytes("ingest.max-line-bytes")),
        settings.duration("ingest.max-clock-skew"));
  }
}
