package io.metashard.job;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The group of benchmarks; each is a command of its own. */
@Command(
    name = "bench",
    description = "Measure Metashard on this machine; the README's tables come from here.",
    synopsisSubcommandLabel = "BENCHMARK",
    mixinStandardHelpOptions = true,
    subcommands = {
      BenchForecast.class,
      BenchForecastRun.class,
      BenchPlan.class,
      BenchPlanRun.class,
      BenchWeek.class
    })
final class BenchCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Cannot run bench: name a benchmark, such as bench forecast");
  }
}
