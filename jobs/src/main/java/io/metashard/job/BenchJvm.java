package io.metashard.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.metashard.ObjectIds;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * JVMs for the steps of a benchmark: each begins cold, with a heap and cores of a known size.
 *
 * @param heap as {@code -Xmx} takes it
 * @param cores that Spark uses: {@code local[cores]}
 */
record BenchJvm(String heap, int cores, Path work) {
  private static final List<String> OF_THE_PARENT =
      List.of("-Xmx", "-Xms", "-XX:ActiveProcessorCount", "-agentlib", "-javaagent");

  BenchJvm {
    if (!heap.matches("[1-9][0-9]{0,8}[kKmMgG]?")) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot use a heap of %s: write it as 4g or 512m".formatted(ObjectIds.printable(heap)));
    }
  }

  /**
   * Runs a step of a benchmark, and gives back what it told.
   *
   * @param run the hidden command below {@code bench} that has the step
   */
  JsonNode step(String run, List<String> arguments) throws IOException {
    Path result = Files.createTempFile(Files.createDirectories(work), "step", ".json");
    List<String> all = new ArrayList<>(List.of("bench", run));
    all.addAll(arguments);
    all.add("--result");
    all.add(result.toString());
    try {
      metashard(all);
      return BenchFigures.read(result);
    } finally {
      Files.deleteIfExists(result);
    }
  }

  /** Runs a command; what it prints on stdout is not shown. */
  void metashard(List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (OF_THE_PARENT.stream().noneMatch(option::startsWith)) {
        command.add(option);
      }
    }
    command.add("-Xmx" + heap);
    command.add("-XX:ActiveProcessorCount=" + cores);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Metashard.class.getName());
    command.addAll(arguments);
    int exitCode = exitCode(command);
    if (exitCode != 0) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot measure: metashard %s ended with exit code %d; its messages are above"
              .formatted(ObjectIds.printable(String.join(" ", arguments)), exitCode));
    }
  }

  /** Runs a program to its end; it ends when this process is told to. */
  static int exitCode(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Thread end =
        new Thread(
            () -> {
              process.descendants().forEach(ProcessHandle::destroy);
              process.destroy();
            },
            "bench-end");
    Runtime.getRuntime().addShutdownHook(end);
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Cannot wait for " + command.get(0) + ": interrupted", e);
    } finally {
      if (process.isAlive()) {
        process.destroy();
        try {
          process.waitFor(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      try {
        Runtime.getRuntime().removeShutdownHook(end);
      } catch (IllegalStateException e) {
        // The process is ending: the hook does its work.
      }
    }
  }
}
