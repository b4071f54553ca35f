package io.metashard.logs;

import io.metashard.ObjectIds;
import io.metashard.config.SettingsException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The forms of logs that can be read. */
public enum LogFormat {
  /** Parquet files with columns of {@link Requests}. */
  PARQUET,
  /** Amazon S3 server access logs. */
  S3_ACCESS,
  /** NCSA combined, as Apache and nginx write it. */
  COMBINED,
  /** CSV with a header that names columns of {@link Requests}. */
  CSV;

  /** The word that the configuration uses. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static LogFormat of(String word, String where) {
    return Arrays.stream(values())
        .filter(format -> format.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new SettingsException(
                    "Cannot use format %s (%s): it must be one of %s"
                        .formatted(
                            ObjectIds.printable(word),
                            where,
                            Arrays.stream(values())
                                .map(LogFormat::word)
                                .collect(Collectors.joining(", ")))));
  }
}
