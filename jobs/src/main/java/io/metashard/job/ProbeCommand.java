package io.metashard.job;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.config.LocationModels;
import io.metashard.config.Settings;
import io.metashard.lake.StorageKinds;
import io.metashard.simulate.LocationFit;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures locations, and prints the settings that describe them. Needs no Spark. */
@Command(
    name = "probe",
    description = {
      "Measure how fast locations answer, and print what simulate should say of them.",
      "Reads ranges of the containers that a location has, one after the other and then side by side; a location is described by the time before the first byte, the bytes per second of one read, how many reads are slow and how slow, and how many reads begin in a second. Prints a table, and settings to paste into the configuration. Opens no Spark session, writes nothing to the lake.",
      "Exit code 1 when a location cannot be measured; the others are measured all the same."
    })
final class ProbeCommand extends LakeCommand {
  private static final int MOST_REQUESTS = 1_000_000;

  /** Locations of one kind are this much alike: one model describes them. */
  private static final double ALIKE = 2;

  /** No disk answers sooner. */
  private static final double FROM_MEMORY_MILLIS = 0.05;

  @Option(
      names = "--max-requests",
      required = true,
      paramLabel = "N",
      description =
          "most requests at each location, of every kind, 64 or more; 200 or more tell rare slow reads from none")
  private int maxRequests;

  @Option(
      names = "--location",
      paramLabel = "NAME",
      description =
          "only this location; may be repeated (default: all of the configuration, active or draining)")
  private List<String> names = new ArrayList<>();

  @Option(
      names = "--write",
      description =
          "where a location has no container of 1 MiB or more, write a file of 16 MiB below probe/ there, read that, and delete it at the end")
  private boolean write;

  @Option(
      names = "--seed",
      description = "decides what is read, where, and in which order (default: ${DEFAULT-VALUE})",
      defaultValue = "1")
  private long seed;

  ProbeCommand() {
    super("probe");
  }

  /** A location, and what was measured or why it could not be. */
  record Line(String location, Optional<LocationTiming.Measured> measured, String problem) {}

  @Override
  boolean printsOwnJson() {
    return true;
  }

  @Override
  boolean needsSample() {
    return false;
  }

  @Override
  Answer run(Start start) {
    if (maxRequests < LocationTiming.LEAST_REQUESTS || maxRequests > MOST_REQUESTS) {
      throw usage(
          "Cannot use --max-requests %d: it must be %d to %d"
              .formatted(maxRequests, LocationTiming.LEAST_REQUESTS, MOST_REQUESTS));
    }
    List<Location> chosen = chosen(Locations.configured(start.settings(), start.hadoop()));
    Configuration hadoop = LocationTiming.withoutRetries(start.hadoop());
    LocationTiming.Options how =
        new LocationTiming.Options(
            maxRequests, write ? LocationTiming.Writes.ONE_FILE : LocationTiming.Writes.NONE, seed);
    List<Line> lines = new ArrayList<>();
    for (Location location : chosen) {
      // One after the other: they may share a way.
      Line line = line(location, hadoop, how);
      if (options().json()) {
        out().println(Figures.json(figures(line)));
      }
      lines.add(line);
    }
    boolean failed = lines.stream().anyMatch(line -> line.measured().isEmpty());
    String settings =
        settings(lines, LocationModels.objectStore(start.settings()).requestsPerSecond());
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("locations", lines.stream().map(ProbeCommand::figures).toList());
    values.put("settings", settings);
    return new Answer(failed ? MetashardException.FAILED : 0, text(lines) + settings, values);
  }

  private List<Location> chosen(List<Location> configured) {
    if (configured.isEmpty()) {
      throw usage("Cannot measure locations: none are configured; name them in locations");
    }
    List<String> known = configured.stream().map(Location::name).toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw usage(
            "Cannot measure location %s: the configuration has none of that name, only %s"
                .formatted(ObjectIds.printable(name), String.join(", ", known)));
      }
    }
    return configured.stream()
        .filter(location -> names.isEmpty() || names.contains(location.name()))
        .toList();
  }

  private static MetashardException usage(String message) {
    return new MetashardException(MetashardException.USAGE, message);
  }

  private static Line line(Location location, Configuration hadoop, LocationTiming.Options how) {
    try {
      forgetOpened(location, hadoop);
      return new Line(
          location.name(), Optional.of(new LocationTiming(location, hadoop, how).run()), "");
    } catch (IOException | RuntimeException e) {
      String message = Failures.message(e);
      return new Line(
          location.name(),
          Optional.empty(),
          message.startsWith("Cannot measure location ")
              ? message
              : "Cannot measure location %s at %s: %s; see whether it can be reached and read (metashard check)"
                  .formatted(
                      location.name(),
                      ObjectIds.printable(Settings.withoutUserInfo(location.uri()), 300),
                      message));
    }
  }

  /** Hadoop would hand out again what was opened with retries, to name the location in full. */
  private static void forgetOpened(Location location, Configuration hadoop) throws IOException {
    if (StorageKinds.isObjectStore(location.uri())) {
      new Path(location.uri()).getFileSystem(hadoop).close();
    }
  }

  private static Map<String, Object> figures(Line line) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("location", line.location());
    if (line.measured().isEmpty()) {
      figures.put("error", line.problem());
      return figures;
    }
    LocationTiming.Measured measured = line.measured().get();
    LocationFit fit = measured.fit();
    figures.put("requests", measured.requests());
    figures.put("files", measured.files());
    figures.put("read_bytes", measured.readBytes());
    figures.put("reads", fit.reads());
    figures.put("failed_reads", measured.failedReads());
    figures.put("first_byte_millis", fit.firstByteMillis());
    figures.put("bytes_per_second", fit.bytesPerSecond());
    figures.put("bytes_per_second_is_least", !fit.speedSeen());
    figures.put("slow_share", fit.slowShare());
    figures.put("slow_factor", fit.slowFactor());
    figures.put("requests_per_second", measured.rate().requestsPerSecond());
    figures.put("requests_per_second_is_least", !measured.rate().limitSeen());
    figures.put("readers", measured.rate().readers());
    figures.put("speedup", measured.rate().speedup());
    return figures;
  }

  private static String text(List<Line> lines) {
    StringBuilder text = new StringBuilder();
    TextTable table =
        new TextTable(
            "location",
            "requests",
            "reads",
            "failed",
            "read",
            "first_byte_millis",
            "MB_per_second",
            "slow_share",
            "slow_factor",
            "requests_per_second",
            "speedup");
    for (Line line : lines) {
      line.measured().ifPresent(measured -> add(table, line.location(), measured));
    }
    if (lines.stream().anyMatch(line -> line.measured().isPresent())) {
      text.append(table.render());
    }
    lines.stream()
        .filter(line -> line.measured().isEmpty())
        .forEach(line -> text.append(line.problem()).append('\n'));
    return text.toString();
  }

  private static void add(TextTable table, String location, LocationTiming.Measured measured) {
    LocationFit fit = measured.fit();
    table.add(
        location,
        measured.requests(),
        fit.reads(),
        measured.failedReads(),
        Figures.bytes(measured.readBytes()),
        digits(fit.firstByteMillis()),
        (fit.speedSeen() ? "" : ">= ") + digits(fit.bytesPerSecond() / 1e6),
        digits(fit.slowShare()),
        digits(fit.slowFactor()),
        (measured.rate().limitSeen() ? "" : ">= ") + digits(measured.rate().requestsPerSecond()),
        String.format(
            Locale.ROOT,
            "%.1f with %d readers",
            measured.rate().speedup(),
            measured.rate().readers()));
  }

  /**
   * Settings that describe what was measured; empty if nothing was.
   *
   * @param configuredRate stays where no limit was met below it
   */
  private static String settings(List<Line> lines, double configuredRate) {
    List<LocationTiming.Measured> all = new ArrayList<>();
    lines.forEach(line -> line.measured().ifPresent(all::add));
    if (all.isEmpty()) {
      return "";
    }
    double firstByte = median(all, measured -> measured.fit().firstByteMillis());
    double speed = median(all, measured -> measured.fit().bytesPerSecond());
    double slowShare = median(all, measured -> measured.fit().slowShare());
    double slowFactor = median(all, measured -> measured.fit().slowFactor());
    double reached = median(all, measured -> measured.rate().requestsPerSecond());
    double speedup = median(all, measured -> measured.rate().speedup());
    boolean limitSeen = all.stream().anyMatch(measured -> measured.rate().limitSeen());
    double rate = limitSeen ? reached : Math.max(reached, configuredRate);
    StringBuilder text = new StringBuilder();
    text.append("%n# Medians of locations measured: %d.%n".formatted(all.size()));
    if (!isAlike(all)) {
      text.append(
          "# They differ more than %s times in first byte or speed, and the model knows one kind: measure those that count by --location.%n"
              .formatted(digits(ALIKE)));
    }
    if (firstByte < FROM_MEMORY_MILLIS) {
      text.append(
          "# No disk answers that soon: these reads came from this machine's memory (page cache).%n"
              .formatted());
    }
    text.append(
        speedup < SideBySide.LEAST_SPEEDUP
            ? "# Reads wait for each other here: plan.read-model = disk is the likelier one.%n"
                .formatted()
            : "# Reads side by side are %s times as many: plan.read-model = object-store is the likelier one.%n"
                .formatted(digits(speedup)));
    String common =
        "    bytes-per-second = %s%n    slow-share = %s%n    slow-factor = %s%n"
            .formatted(
                digits(Math.max(1, Math.rint(speed))), digits(slowShare), digits(slowFactor));
    text.append("simulate {%n  disk {%n    request = %sms%n".formatted(digits(firstByte)))
        .append(common)
        .append("  }%n  object-store {%n    first-byte = %sms%n".formatted(digits(firstByte)))
        .append(common)
        .append(
            limitSeen
                ? "    requests-per-second = %s%n".formatted(digits(rate))
                : "    # At least %s: no limit was met%s.%n    requests-per-second = %s%n"
                    .formatted(
                        digits(reached),
                        rate > reached ? ", so this is as it is configured" : "",
                        digits(rate)))
        .append("  }%n}%n".formatted());
    return text.toString();
  }

  private static boolean isAlike(List<LocationTiming.Measured> all) {
    return spread(all, measured -> measured.fit().firstByteMillis()) <= ALIKE
        && spread(all, measured -> measured.fit().bytesPerSecond()) <= ALIKE;
  }

  private static double spread(
      List<LocationTiming.Measured> all, ToDoubleFunction<LocationTiming.Measured> figure) {
    double most = all.stream().mapToDouble(figure).max().orElseThrow();
    double least = all.stream().mapToDouble(figure).min().orElseThrow();
    return most == least ? 1 : most / least;
  }

  private static double median(
      List<LocationTiming.Measured> all, ToDoubleFunction<LocationTiming.Measured> figure) {
    return StatUtils.percentile(all.stream().mapToDouble(figure).toArray(), 50);
  }

  /** Three digits that count, never as 1E+8: settings and people read it. */
  private static String digits(double value) {
    return new BigDecimal(value).round(new MathContext(3)).stripTrailingZeros().toPlainString();
  }
}
