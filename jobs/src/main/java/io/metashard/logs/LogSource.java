package io.metashard.logs;

import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * An item of {@code logs}.
 *
 * @param path file, folder or glob
 * @param stripPrefix removed from the paths of combined lines
 * @param clients whose requests do not count
 */
public record LogSource(String path, LogFormat format, String stripPrefix, ClientRules clients)
    implements Serializable {
  private static final Set<String> KEYS =
      Set.of("path", "format", "strip-prefix", "exclude-clients");

  /** The items of {@code logs}, in order. */
  public static List<LogSource> from(Settings settings) {
    List<LogSource> sources = new ArrayList<>();
    for (Settings item : settings.items("logs", null, KEYS)) {
      String path = item.string("path");
      if (path.isBlank()) {
        throw new SettingsException(
            "Cannot use path (%s): it is empty; name a file, folder or glob"
                .formatted(item.source()));
      }
      List<String> excluded =
          item.has("exclude-clients") ? item.strings("exclude-clients") : List.of();
      if (excluded.contains("")) {
        throw new SettingsException(
            "Cannot use exclude-clients (%s): \"\" is part of every client's name; remove it"
                .formatted(item.source()));
      }
      sources.add(
          new LogSource(
              path,
              LogFormat.of(item.string("format"), item.source()),
              item.has("strip-prefix") ? item.string("strip-prefix") : "",
              new ClientRules(excluded)));
    }
    return List.copyOf(sources);
  }

  LineParser lineParser(RequestChecks checks, BucketMapping buckets) {
    return switch (format) {
      case S3_ACCESS -> new S3AccessParser(checks, buckets, clients);
      case COMBINED -> new CombinedParser(checks, stripPrefix, clients);
      default -> throw new IllegalStateException("Cannot parse lines of " + format);
    };
  }
}
