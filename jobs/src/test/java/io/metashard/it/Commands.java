package io.metashard.it;

import io.metashard.job.InThisJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs programs as a user would: as processes, with their output in files. */
final class Commands {
  static final Path JOBS = Path.of(System.getProperty("metashard.basedir")).toAbsolutePath();
  static final Path HOME = JOBS.getParent();
  private static final int MINUTES = 25;

  /** A command of a test lives for a minute: compiling it well takes longer than it gains. */
  static final String SMALL_JVM =
      "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC";

  static {
    try {
      // As the first use would: most of these tests are many short commands.
      require(run(List.of(JOBS.resolve("metashard").toString(), "--archive-classes"), Map.of()));
    } catch (IOException | InterruptedException e) {
      throw new AssertionError("Cannot run jobs/metashard --archive-classes", e);
    }
  }

  private Commands() {}

  /** What a program printed, and how it ended. */
  record Ended(int exitCode, String stdout, String stderr) {}

  /** Runs {@code jobs/metashard}, in a JVM that starts fast. */
  static Ended metashard(String... arguments) throws IOException, InterruptedException {
    return metashard(Map.of("METASHARD_JAVA_OPTIONS", SMALL_JVM), arguments);
  }

  /** Runs {@code jobs/metashard} with some environment. */
  static Ended metashard(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(JOBS.resolve("metashard").toString()));
    command.addAll(List.of(arguments));
    Map<String, String> all = new HashMap<>(Map.of("METASHARD_HEAP", "2g"));
    all.putAll(environment);
    return run(command, all);
  }

  /** The same command in the JVM of the test: several times as fast. */
  static Ended inThisJvm(String... arguments) {
    InThisJvm.Ended ended = InThisJvm.metashard(arguments);
    return new Ended(ended.exitCode(), ended.out(), ended.err());
  }

  static Ended run(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(JOBS.resolve("target/it-output"));
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(HOME.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    withoutOtherSparks(builder.environment()).putAll(environment);
    Process process = builder.start();
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      throw new IOException("%s did not end in %d minutes".formatted(command, MINUTES));
    }
    return new Ended(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  /** Another Spark of this machine would be used instead of the test's. */
  static Map<String, String> withoutOtherSparks(Map<String, String> environment) {
    environment.keySet().removeAll(List.of("SPARK_HOME", "SPARK_CONF_DIR"));
    return environment;
  }

  static Ended require(Ended ended) {
    if (ended.exitCode() != 0) {
      throw new AssertionError(
          "exit code %d%n%s%n%s".formatted(ended.exitCode(), ended.stdout(), ended.stderr()));
    }
    return ended;
  }
}
