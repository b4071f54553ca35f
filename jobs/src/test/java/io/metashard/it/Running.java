package io.metashard.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A program that runs while the test goes on; ended at the end, whatever happens. */
final class Running implements AutoCloseable {
  private static final int MINUTES = 20;

  private final Process process;
  private final Path out;
  private final Path err;

  private Running(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** Starts {@code jobs/metashard}. */
  static Running metashard(Map<String, String> environment, String... arguments)
      throws IOException {
    // A build that runs in the background ignores Ctrl-C, and so would its children.
    List<String> command =
        new ArrayList<>(
            List.of(
                "python3",
                "-c",
                "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
                    + " os.execv(sys.argv[1], sys.argv[1:])",
                Commands.JOBS.resolve("metashard").toString()));
    command.addAll(List.of(arguments));
    Map<String, String> all = new HashMap<>(Map.of("METASHARD_HEAP", "2g"));
    all.putAll(environment);
    return of(command, all);
  }

  /** Starts a program. */
  static Running of(List<String> command, Map<String, String> environment) throws IOException {
    Path folder = Files.createDirectories(Commands.JOBS.resolve("target/it-output"));
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(Commands.HOME.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    Commands.withoutOtherSparks(builder.environment()).putAll(environment);
    return new Running(builder.start(), out, err);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** What it started, and what that started. */
  Stream<ProcessHandle> descendants() {
    return process.descendants();
  }

  String stderr() {
    return read(err);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Waits until something is so, while the program runs. */
  void until(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
    while (!condition.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new AssertionError(
            "%s did not come to be%n%s%n%s".formatted(what, read(out), read(err)));
      }
      Thread.sleep(100);
    }
  }

  /** Sends a signal, by its name without SIG. */
  void signal(String name) throws IOException, InterruptedException {
    Commands.require(
        Commands.run(List.of("kill", "-s", name, Long.toString(process.pid())), Map.of()));
  }

  Commands.Ended ended() throws InterruptedException {
    if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
      throw new AssertionError("It did not end:%n%s%n%s".formatted(read(out), read(err)));
    }
    return new Commands.Ended(process.exitValue(), read(out), read(err));
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
