package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Option;

/** Options that every command has. */
final class CommonOptions {
  /** A configuration is a page of text; more is a mistake. */
  private static final int MAX_CONFIG_BYTES = 4 << 20;

  private static final DateTimeFormatter COMPACT =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmm'Z'").withZone(ZoneOffset.UTC);

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "configuration (HOCON), any Hadoop URI or one of --files; default: the sample's conf/local.conf")
  private String config;

  @Option(
      names = "--date",
      paramLabel = "DAY",
      description = "plan at the end of this day (UTC), as 2026-01-21")
  private String date;

  @Option(
      names = "--at",
      paramLabel = "INSTANT",
      description =
          "plan at this moment, as 2026-01-22T00:00:00Z; default: the end of the last day that is over for ingest.settle")
  private String at;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "override one setting; may be repeated")
  private List<String> set = new ArrayList<>();

  @Option(
      names = "--run-id",
      paramLabel = "ID",
      description =
          "id of the run; default: made of command, moment and configuration, so that a retry has the same")
  private String runId;

  @Option(names = "--force", description = "run although it was done before, as a new run")
  private boolean force;

  @Option(
      names = "--dry-run",
      description =
          "print what would be done and stop: nothing is moved or switched, no plan is kept")
  private boolean dryRun;

  @Option(names = "--json", description = "print the result as one line of JSON")
  private boolean json;

  @Option(
      names = "--result",
      paramLabel = "URI",
      description = "write the same line as a file, last, on failure too, with exit_code")
  private String result;

  @Option(names = "--quiet", description = "no progress, only the result and problems")
  private boolean quiet;

  // Logging looks at this and the next two itself, before anything is logged.
  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      description =
          "text, or json: one object a line with run_id and stage (or METASHARD_LOG_FORMAT)")
  private Logging.Format logFormat;

  @Option(names = "--verbose", description = "all that Spark says, and stack traces")
  private boolean verbose;

  boolean force() {
    return force;
  }

  boolean dryRun() {
    return dryRun;
  }

  /** Whether the moment of planning was given. */
  boolean namesMoment() {
    return at != null || date != null;
  }

  boolean json() {
    return json;
  }

  /** Overridden settings, as given. */
  List<String> set() {
    return List.copyOf(set);
  }

  String result() {
    return result;
  }

  boolean quiet() {
    return quiet;
  }

  Logging.Format logFormat() {
    return logFormat != null ? logFormat : Logging.format(List.of(), System.getenv());
  }

  boolean usesSample() {
    return config == null;
  }

  /**
   * Reads the configuration; without {@code --config}, the sample's.
   *
   * @param own settings that the command's own options set; they win over those of {@code --set}
   */
  Settings settings(List<String> own) {
    String source = config == null ? "conf/local.conf" : config;
    List<String> overrides = new ArrayList<>(set);
    overrides.addAll(own);
    return Settings.parse(Settings.withoutUserInfo(source), read(source), overrides);
  }

  private static String read(String uri) {
    Path path = Submitted.here().file(uri);
    try {
      // One of its own: Hadoop would keep it, and give it out later without the options read here.
      Configuration hadoop = HadoopSettings.configuration(Settings.defaults());
      URI place =
          path.toUri().getScheme() == null ? FileSystem.getDefaultUri(hadoop) : path.toUri();
      try (FileSystem fileSystem = FileSystem.newInstance(place, hadoop);
          InputStream in = fileSystem.open(path)) {
        byte[] bytes = in.readNBytes(MAX_CONFIG_BYTES + 1);
        if (bytes.length > MAX_CONFIG_BYTES) {
          throw new SettingsException(
              "Cannot read configuration %s: it is larger than 4 MiB".formatted(uri));
        }
        return ObjectIds.decodeUtf8(bytes, 0, bytes.length)
            .orElseThrow(
                () ->
                    new SettingsException(
                        "Cannot read configuration %s: it is not UTF-8 text".formatted(uri)));
      }
    } catch (IOException e) {
      throw new SettingsException(
          "Cannot read configuration %s: %s"
              .formatted(Settings.withoutUserInfo(uri), e.getMessage()),
          e);
    }
  }

  /**
   * The moment of planning.
   *
   * @param sampleEnd end of the sample data, when that is what is used; else null
   */
  Instant at(Settings settings, Instant now, Instant sampleEnd) {
    if (at != null && date != null) {
      throw new SettingsException("Cannot use both --at and --date: give one");
    }
    try {
      if (at != null) {
        return Instant.parse(at);
      }
      if (date != null) {
        return LocalDate.parse(date).plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
      }
    } catch (DateTimeException e) {
      throw new SettingsException(
          "Cannot use %s: write --at as 2026-01-22T00:00:00Z and --date as 2026-01-21"
              .formatted(ObjectIds.printable(at != null ? at : date)),
          e);
    }
    if (sampleEnd != null) {
      return sampleEnd;
    }
    return now.minus(settings.duration("ingest.settle")).truncatedTo(ChronoUnit.DAYS);
  }

  /**
   * The id that {@code --run-id} gives to the run.
   *
   * @throws SettingsException if no run can have it
   */
  Optional<String> givenRunId() {
    if (runId != null && !runId.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")) {
      throw new SettingsException(
          "Cannot use --run-id %s: it must be 1 to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit"
              .formatted(ObjectIds.printable(runId)));
    }
    return Optional.ofNullable(runId);
  }

  /** The id of the run. */
  String runId(String command, Instant planAt, Settings settings, Instant now) {
    if (givenRunId().isPresent()) {
      return runId;
    }
    String id = "%s-%s-%s".formatted(command, COMPACT.format(planAt), sha256(settings.redacted()));
    return force ? id + "-" + Long.toString(now.getEpochSecond(), 36) : id;
  }

  static String sha256(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }
}
