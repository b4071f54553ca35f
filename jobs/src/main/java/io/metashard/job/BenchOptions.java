package io.metashard.job;

import io.metashard.config.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of every benchmark that measures in JVMs of its own. */
final class BenchOptions {
  @Option(
      names = "--heap",
      description = "heap of each run's JVM (default: ${DEFAULT-VALUE})",
      defaultValue = "4g")
  String heap;

  @Option(
      names = "--cores",
      paramLabel = "N",
      description = "cores of each run (default: ${DEFAULT-VALUE})",
      defaultValue = "2")
  int cores;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description =
          "where lakes and results are made; lakes are removed at the end (default: ${DEFAULT-VALUE})",
      defaultValue = "jobs/target/bench")
  Path work;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "a setting to measure with; may be repeated")
  List<String> set = new ArrayList<>();

  @Option(names = "--json", description = "print every figure of every run as one line of JSON")
  boolean json;

  /** The JVMs that the options describe; a wrong option is told before anything is made. */
  BenchJvm jvm() {
    Settings.parse("bench", "", set);
    requireAtLeastOne("--cores", cores);
    if (Submitted.here().bySparkSubmit()) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot run bench by spark-submit: it measures JVMs that it starts itself; run it without --submit");
    }
    return new BenchJvm(heap, cores, work);
  }

  /** Arguments of a step on a lake. */
  List<String> step(Enum<?> step, Path lake, String... more) {
    List<String> arguments = new ArrayList<>();
    arguments.add("--step=" + step);
    arguments.add("--lake=" + lake.toAbsolutePath().toUri());
    set.forEach(setting -> arguments.add("--set=" + setting));
    arguments.addAll(List.of(more));
    return arguments;
  }

  static void requireAtLeastOne(String option, long value) {
    if (value < 1) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot use %s %d: it must be 1 or more".formatted(option, value));
    }
  }
}
