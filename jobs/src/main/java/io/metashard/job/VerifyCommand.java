package io.metashard.job;

import io.metashard.config.SettingsException;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Reads back what is stored. */
@Command(
    name = "verify",
    description = {
      "Read every block of the map and every container's footer, decode every meta-shard with parity in use, and look",
      "for files that no map names; with --share or --sample only the blocks of some meta-shards. What is wrong goes to",
      "the table verify_findings, with what to do about it. A retry does not read again what the attempt before it found",
      "whole. Exit code 3 when something is damaged."
    })
final class VerifyCommand extends LakeCommand {
  @ArgGroup private Part part;

  @Option(
      names = "--bytes-per-second",
      paramLabel = "SIZE",
      description =
          "read at most so much, as 100MiB, of all tasks together (--set verify.bytes-per-second); default: no limit")
  private String bytesPerSecond;

  /** At most one of them. */
  static final class Part {
    @Option(
        names = "--sample",
        paramLabel = "PERCENT",
        description =
            "of meta-shards, more than 0 and up to 100, chosen by the run's id: others each night")
    private Double samplePercent;

    @Option(
        names = "--share",
        paramLabel = "N",
        description =
            "one N-th of the meta-shards, chosen by --date: N nights in a row read all of them")
    private Integer shares;
  }

  VerifyCommand() {
    super("verify");
  }

  @Override
  List<String> overrides() {
    return bytesPerSecond == null ? List.of() : List.of(VerifyJob.RATE + "=" + bytesPerSecond);
  }

  @Override
  String runName() {
    // What reads other blocks is another run.
    if (part == null) {
      return "verify";
    }
    return part.shares != null
        ? "verify-share-" + part.shares
        : "verify-sample-" + CommonOptions.sha256(String.valueOf(part.samplePercent));
  }

  private VerifyScope scope(Start start) throws SettingsException {
    if (part == null) {
      return new VerifyScope.All();
    }
    return part.shares != null
        ? VerifyScope.Share.of(part.shares, start.at())
        : new VerifyScope.Sample(part.samplePercent, start.runId());
  }

  @Override
  Answer run(Start start) throws IOException {
    VerifyScope scope = scope(start);
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  VerifyJob.STAGE,
                  List.of(ShardMapTable.TABLE),
                  new VerifyJob(context, scope)::run);
          return new Answer(
              report.rowsOut() > 0 ? MetashardException.DAMAGE : 0,
              Figures.table(report.figures()),
              report.figures());
        });
  }

  @Override
  String afterStop() {
    return "reads what this attempt had not yet found whole";
  }
}
