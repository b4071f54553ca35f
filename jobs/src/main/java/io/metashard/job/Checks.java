package io.metashard.job;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.SourceRoot;
import io.metashard.config.Settings;
import io.metashard.logs.LogListing;
import io.metashard.logs.LogSource;
import io.metashard.plan.PlanOptions;
import io.metashard.plan.PlanRefusedException;
import io.metashard.plan.Site;
import io.metashard.plan.Width;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.security.alias.CredentialProvider;
import org.apache.hadoop.security.alias.CredentialProviderFactory;
import org.apache.hadoop.util.VersionInfo;

/**
 * Whether a night could run with this configuration on this machine. No Spark session is opened;
 * what the executors of a cluster may do, only a night there shows.
 */
final class Checks {
  /** Clocks that differ by more make logs look early or late, and young objects old. */
  private static final Duration MOST_SKEW = Duration.ofSeconds(5);

  /** Planning fills meta-shards of unequal blocks: the least ratio is never quite reached. */
  private static final double RATIO_SLACK = 1.02;

  /** A JVM with less memory per task is short of it once tables are sorted and joined. */
  private static final long LEAST_BYTES_PER_TASK = 256L << 20;

  /** Less room than this at a location is soon gone. */
  private static final long LEAST_ROOM_BYTES = 1L << 30;

  /** File systems that do not know how much room they have say that it is endless. */
  private static final long ENDLESS_BYTES = 1L << 60;

  private static final int LEAST_JAVA = 17;

  private final Settings settings;
  private final Configuration hadoop;
  private final String lakeRoot;
  private final List<CheckLine> lines = new ArrayList<>();

  Checks(Settings settings, Configuration hadoop, String lakeRoot) {
    this.settings = settings;
    this.hadoop = hadoop;
    this.lakeRoot = lakeRoot;
  }

  /** All checks, in the order in which one would mend what they find. */
  List<CheckLine> run() {
    versions();
    Optional<PlanOptions> plan = options();
    Optional<List<SourceRoot>> roots = value("objects.roots", () -> SourceRoot.from(settings));
    Optional<List<LogSource>> logs = value("logs", () -> LogSource.from(settings));
    Optional<List<Location>> locations =
        value("locations", () -> Locations.configured(settings, hadoop));
    credentials();
    lake();
    roots.ifPresent(this::roots);
    logs.ifPresent(this::logs);
    locations.ifPresent(this::locations);
    if (locations.isPresent() && plan.isPresent()) {
      domains(plan.get(), locations.get());
    }
    if (roots.isPresent() && locations.isPresent()) {
      overlaps(roots.get(), locations.get());
    }
    spark();
    return List.copyOf(lines);
  }

  private void versions() {
    int java = Runtime.version().feature();
    String javaText = System.getProperty("java.version");
    lines.add(
        java == LEAST_JAVA
            ? CheckLine.ok("java", javaText)
            : CheckLine.warn(
                "java",
                javaText + ", tested is " + LEAST_JAVA,
                "use a JDK " + LEAST_JAVA + " (JAVA_HOME)"));
    // Spark and Delta are asked without a session; both must be on the class path.
    version("spark", org.apache.spark.package$.MODULE$::SPARK_VERSION, "4.1.", "4.0.");
    version("delta", io.delta.package$.MODULE$::VERSION, "4.");
    version("hadoop", VersionInfo::getVersion, "3.4.");
    lines.add(CheckLine.ok("metashard", Version.text()));
  }

  private void version(String what, Supplier<String> version, String... supported) {
    String fix = "use the versions that README names";
    try {
      String found = version.get();
      for (String prefix : supported) {
        if (found.startsWith(prefix)) {
          lines.add(CheckLine.ok(what, found));
          return;
        }
      }
      lines.add(
          CheckLine.fail(
              what, found + ", supported are " + String.join("x, ", supported) + "x", fix));
    } catch (LinkageError e) {
      lines.add(CheckLine.fail(what, "it is not on the class path (" + e + ")", fix));
    }
  }

  /** A typed option, or a failed line that says what is wrong with it. */
  private <T> Optional<T> value(String what, Supplier<T> value) {
    try {
      return Optional.of(value.get());
    } catch (RuntimeException e) {
      CheckLine line =
          CheckLine.fail(what, Failures.message(e), "correct it in " + settings.source());
      // Some options are part of two records: what is wrong with them is said once.
      if (lines.stream().noneMatch(before -> before.found().equals(line.found()))) {
        lines.add(line);
      }
      return Optional.empty();
    }
  }

  private Optional<PlanOptions> options() {
    List<Optional<?>> others = new ArrayList<>();
    others.add(value("logs", () -> LogSource.from(settings)));
    for (Function<Settings, ?> part : EveryOption.PARTS) {
      others.add(value("configuration", () -> part.apply(settings)));
    }
    Optional<PlanOptions> plan = value("configuration", () -> PlanOptions.from(settings));
    if (plan.isPresent() && others.stream().allMatch(Optional::isPresent)) {
      lines.add(
          CheckLine.ok(
              "configuration",
              "%s, every key is known and its value can be used".formatted(settings.source())));
    }
    return plan;
  }

  /** Providers that are named must open; what is in them is counted, never shown. */
  private void credentials() {
    String key = CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH;
    if (hadoop.get(key) != null) {
      try {
        int aliases = 0;
        for (CredentialProvider provider : CredentialProviderFactory.getProviders(hadoop)) {
          aliases += provider.getAliases().size();
        }
        lines.add(
            aliases > 0
                ? CheckLine.ok("credentials", "%d in the credential providers".formatted(aliases))
                : CheckLine.warn(
                    "credentials",
                    "the credential providers are empty",
                    "add them by: hadoop credential create NAME -provider " + hadoop.get(key)));
      } catch (IOException | RuntimeException e) {
        lines.add(
            CheckLine.fail(
                "credentials",
                "Cannot open the credential providers: " + Failures.message(e),
                "correct hadoop.\"" + key + "\""));
      }
    }
    if (!settings.secrets().isEmpty()) {
      lines.add(
          CheckLine.warn(
              "credentials",
              "%d are in the configuration as they are".formatted(settings.secrets().size()),
              "keep them in a credential provider (hadoop.\"" + key + "\") or the environment"));
    }
  }

  private void lake() {
    writable("lake.root", lakeRoot);
    String setting = LogStores.setting(lakeRoot);
    String store = settings.open("spark").getOrDefault(setting, System.getProperty(setting));
    LogStores.problem(lakeRoot, store)
        .ifPresent(problem -> lines.add(CheckLine.fail("lake.root", problem, "")));
  }

  /** Probes a place that a night writes to. */
  private void writable(String what, String uri) {
    String place = shown(uri);
    try {
      WriteTrial.Found found = new WriteTrial(uri, hadoop).run();
      if (!found.createOnly()) {
        lines.add(
            CheckLine.fail(
                what,
                "of two writers of one file at %s both won".formatted(place),
                "use a store that puts conditionally (If-None-Match), or another place"));
        return;
      }
      if (found.left().isPresent()) {
        lines.add(
            CheckLine.warn(
                what,
                "a probe at %s could not be deleted: %s".formatted(place, found.left().get()),
                "allow deletes below it, or remove metashard-check-* yourself"));
      } else {
        lines.add(CheckLine.ok(what, place + ": writable, create-only, reads back, lists"));
      }
      found
          .skew()
          .filter(skew -> skew.abs().compareTo(MOST_SKEW) > 0)
          .ifPresent(
              skew ->
                  lines.add(
                      CheckLine.warn(
                          what,
                          "its clock is %s %s"
                              .formatted(
                                  Figures.duration(skew.abs().toMillis() / 1e3),
                                  skew.isNegative() ? "behind ours" : "ahead of ours"),
                          "keep clocks together (NTP): ages and log times are compared")));
    } catch (IOException | RuntimeException e) {
      lines.add(
          CheckLine.fail(
              what,
              "Cannot write to %s: %s".formatted(place, Failures.message(e)),
              "make it a folder that user %s may write to".formatted(user())));
    }
  }

  private void roots(List<SourceRoot> roots) {
    if (roots.isEmpty()) {
      lines.add(CheckLine.warn("objects.roots", "there are none", "name where the objects are"));
    }
    for (SourceRoot root : roots) {
      String what = "source " + root.name();
      Path path = new Path(root.uri());
      String place = shown(root.uri());
      try {
        FileSystem files = path.getFileSystem(hadoop);
        if (!files.getFileStatus(path).isDirectory()) {
          lines.add(CheckLine.fail(what, place + " is a file", "name the folder it is in"));
          continue;
        }
        Optional<FileStatus> first = firstFile(files, path);
        if (first.isEmpty()) {
          lines.add(
              CheckLine.warn(what, place + " has no files", "is it mounted? correct its uri"));
          continue;
        }
        readable(files, first.get().getPath());
        lines.add(CheckLine.ok(what, place + ": lists and reads"));
      } catch (FileNotFoundException e) {
        lines.add(CheckLine.fail(what, "there is nothing at " + place, "correct its uri"));
      } catch (IOException | RuntimeException e) {
        lines.add(unreadable(what, place, e));
      }
    }
  }

  private CheckLine unreadable(String what, String place, Exception e) {
    return CheckLine.fail(
        what,
        "Cannot read %s: %s".formatted(place, Failures.message(e)),
        "let user %s list and read it".formatted(user()));
  }

  private static Optional<FileStatus> firstFile(FileSystem files, Path folder) throws IOException {
    RemoteIterator<? extends FileStatus> below = files.listFiles(folder, true);
    while (below.hasNext()) {
      FileStatus file = below.next();
      if (file.isFile()) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }

  private static void readable(FileSystem files, Path file) throws IOException {
    try (InputStream in = files.open(file)) {
      if (in.read() < 0) {
        return; // empty: that it opens is all there is to see
      }
    }
  }

  /** Ends a listing at its first file. */
  private static final class FirstFound extends RuntimeException {
    private final transient LogListing.Found file;

    FirstFound(LogListing.Found file) {
      super(null, null, false, false);
      this.file = file;
    }
  }

  private void logs(List<LogSource> sources) {
    if (sources.isEmpty()) {
      lines.add(CheckLine.warn("logs", "there are none", "name the request logs"));
    }
    for (int i = 0; i < sources.size(); i++) {
      String what = "logs[%d]".formatted(i);
      String place = shown(sources.get(i).path());
      try {
        LogListing.list(
            List.of(sources.get(i)),
            hadoop,
            file -> {
              throw new FirstFound(file);
            });
        lines.add(
            CheckLine.warn(what, place + " has no files yet", "correct its path, or wait for one"));
      } catch (FirstFound first) {
        try {
          Path file = new Path(first.file.path());
          readable(file.getFileSystem(hadoop), file);
          lines.add(CheckLine.ok(what, place + ": lists and reads"));
        } catch (IOException | RuntimeException e) {
          lines.add(unreadable(what, place, e));
        }
      } catch (FileNotFoundException e) {
        lines.add(
            CheckLine.fail(
                what, "there is nothing at " + place, "correct its path, or take the item out"));
      } catch (IOException | RuntimeException e) {
        lines.add(unreadable(what, place, e));
      }
    }
  }

  private void locations(List<Location> locations) {
    if (locations.isEmpty()) {
      lines.add(
          CheckLine.warn("locations", "there are none", "name where meta-shards are written"));
    }
    for (Location location : locations) {
      String what = "location " + location.name();
      writable(what, location.uri());
      room(what, location);
    }
  }

  /** Whether a location has the room that it is said to have. */
  private void room(String what, Location location) {
    try {
      Path path = new Path(location.uri());
      FileSystem files = path.getFileSystem(hadoop);
      while (path.getParent() != null && !files.exists(path)) {
        path = path.getParent();
      }
      FsStatus status = files.getStatus(path);
      if (status.getCapacity() >= ENDLESS_BYTES) {
        return;
      }
      if (location.capacityBytes() != Long.MAX_VALUE
          && location.capacityBytes() > status.getCapacity()) {
        lines.add(
            CheckLine.warn(
                what,
                "its capacity is set to %s, the file system has %s in all"
                    .formatted(
                        Figures.bytes(location.capacityBytes()),
                        Figures.bytes(status.getCapacity())),
                "lower locations[].capacity"));
      } else if (status.getRemaining() < LEAST_ROOM_BYTES) {
        lines.add(
            CheckLine.warn(
                what,
                "only %s are free".formatted(Figures.bytes(status.getRemaining())),
                "make room, or set its state to draining"));
      }
    } catch (IOException | RuntimeException e) {
      // The probe has said already what is wrong with it.
      return;
    }
  }

  private void domains(PlanOptions plan, List<Location> locations) {
    if (locations.isEmpty()) {
      return;
    }
    Tiers tiers = Tiers.from(settings);
    List<Site> sites = Site.of(locations, tiers.of(locations));
    tiers(tiers, locations);
    Width width;
    try {
      width = Width.of(plan, sites);
    } catch (PlanRefusedException e) {
      lines.add(CheckLine.fail("domains", e.getMessage(), ""));
      return;
    }
    String found =
        "%d, of which %d may be lost; meta-shards of %s"
            .formatted(width.domains(), width.m(), width);
    int asked =
        plan.policy() == PlanOptions.Policy.WEIGHTED_RANDOM ? plan.draw().maxK() : plan.maxK();
    lines.add(
        width.k() < asked
            ? CheckLine.ok(
                "domains",
                found + " (max-k = %d takes %d domains)".formatted(asked, asked + width.m()))
            : CheckLine.ok("domains", found));
    budget(plan, width);
    sharedDevices(locations);
  }

  private void tiers(Tiers tiers, List<Location> locations) {
    for (String name : tiers.without(locations)) {
      lines.add(
          CheckLine.warn(
              "tier " + name,
              "no location is of it, so nothing will be there",
              "name it as the tier of a location, or take it out of tiers"));
    }
  }

  private void budget(PlanOptions plan, Width width) {
    double least = width.leastRatio();
    String found =
        "plan.storage-budget = %s, meta-shards of %s take %.3f bytes per byte or more"
            .formatted(plan.storageBudget(), width, least);
    String fix = "raise the budget, lower plan.survive or add locations in further domains";
    if (least > plan.storageBudget()) {
      lines.add(CheckLine.fail("storage budget", found, fix));
    } else if (least * RATIO_SLACK > plan.storageBudget()) {
      lines.add(
          CheckLine.warn("storage budget", found + ": nothing is left for unequal blocks", fix));
    } else {
      lines.add(CheckLine.ok("storage budget", found));
    }
  }

  /** Domains that fail together are no domains. */
  private void sharedDevices(List<Location> locations) {
    Map<String, Set<String>> domainsByDevice = new TreeMap<>();
    for (Location location : locations) {
      domainsByDevice
          .computeIfAbsent(device(location.uri()), device -> new TreeSet<>())
          .add(location.domain());
    }
    domainsByDevice.forEach(
        (device, domains) -> {
          if (domains.size() > 1) {
            lines.add(
                CheckLine.warn(
                    "domains",
                    "%d of them are on one %s: %s"
                        .formatted(domains.size(), device, String.join(", ", domains)),
                    "what fails as one must be one domain; well enough for a trial"));
          }
        });
  }

  /** What holds a location: the device of a local folder, else bucket or cluster. */
  private static String device(String uri) {
    URI parsed = new Path(uri).toUri();
    if (!"file".equals(parsed.getScheme())) {
      return "store (%s://%s)".formatted(parsed.getScheme(), parsed.getAuthority());
    }
    try {
      java.nio.file.Path at = java.nio.file.Path.of(parsed.getPath());
      while (at.getParent() != null && !Files.exists(at)) {
        at = at.getParent();
      }
      return "device (%s)".formatted(Files.getFileStore(at).name());
    } catch (IOException e) {
      return uri; // not known: no reason to warn
    }
  }

  /** Nothing that a night writes may be where it looks for objects or logs. */
  private void overlaps(List<SourceRoot> roots, List<Location> locations) {
    Map<String, String> written = new TreeMap<>();
    written.put("lake.root", lakeRoot);
    locations.forEach(location -> written.put("location " + location.name(), location.uri()));
    for (SourceRoot root : roots) {
      String source;
      try {
        source = JobContext.qualified(root.uri(), hadoop);
      } catch (RuntimeException e) {
        continue; // said before
      }
      written.forEach(
          (what, uri) -> {
            if (isWithin(uri, source) || isWithin(source, uri)) {
              lines.add(
                  CheckLine.fail(
                      what,
                      "%s and source %s are one inside the other"
                          .formatted(shown(uri), root.name()),
                      "keep them apart: sources are never written"));
            }
          });
    }
  }

  private static boolean isWithin(String inner, String outer) {
    return (inner + "/").startsWith(outer.endsWith("/") ? outer : outer + "/");
  }

  private void spark() {
    String master = System.getProperty("spark.master");
    if (master != null) {
      lines.add(CheckLine.ok("spark session", "by spark-submit, master " + master));
      return;
    }
    int cores = Runtime.getRuntime().availableProcessors();
    long heap = Runtime.getRuntime().maxMemory();
    String found =
        "local, %d tasks at a time in a heap of %s".formatted(cores, Figures.bytes(heap));
    lines.add(
        heap / cores < LEAST_BYTES_PER_TASK
            ? CheckLine.warn(
                "spark session",
                found,
                "set METASHARD_HEAP to %s or more"
                    .formatted(Figures.bytes(cores * LEAST_BYTES_PER_TASK)))
            : CheckLine.ok("spark session", found));
  }

  private static String user() {
    try {
      return UserGroupInformation.getCurrentUser().getShortUserName();
    } catch (IOException e) {
      return System.getProperty("user.name");
    }
  }

  private static String shown(String uri) {
    return ObjectIds.printable(Settings.withoutUserInfo(uri), 300);
  }
}
