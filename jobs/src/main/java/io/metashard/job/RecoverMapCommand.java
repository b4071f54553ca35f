package io.metashard.job;

import io.metashard.catalogue.Objects;
import io.metashard.config.SettingsException;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes a lost shard map anew. */
@Command(
    name = "recover-map",
    description = {
      "Make the shard map anew when it is lost: row for row from the newest complete backup at the locations; where there",
      "is none, from the footers of containers: for each object the highest generation that is whole and decodes.",
      "What cannot be known is listed, and then --yes is needed. A map that is not lost is left alone, unless --force.",
      "With --dry-run: look, say what would be recovered, and how it differs from the map that is there."
    })
final class RecoverMapCommand extends LakeCommand {
  @Option(
      names = "--sequence",
      paramLabel = "NUMBER",
      description = "the backup of this switch, complete at some location; default: the newest")
  private Long sequence;

  @Option(
      names = "--from-footers",
      description = "from the footers, though there are backups; reads every block")
  private boolean fromFooters;

  @Option(names = "--yes", description = "recover although something cannot be known")
  private boolean yes;

  RecoverMapCommand() {
    super("recover-map");
  }

  @Override
  boolean knowsDryRun() {
    return true;
  }

  @Override
  String runName() {
    // Recovering something else is another run.
    return fromFooters
        ? "recover-map-footers"
        : sequence == null ? "recover-map" : "recover-map-" + sequence;
  }

  @Override
  Answer run(Start start) throws IOException {
    if (sequence != null && (sequence < 1 || fromFooters)) {
      throw new SettingsException(
          fromFooters
              ? "Cannot use --sequence with --from-footers: footers are of no one switch"
              : "Cannot use --sequence %d: switches are counted from 1".formatted(sequence));
    }
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  RecoverMapJob.STAGE,
                  List.of(Objects.TABLE),
                  () -> new RecoverMapJob(context, recovery()).run());
          return Answer.of(
              report.state().equals(StageReport.FAILED) ? MetashardException.USAGE : 0,
              context,
              runner,
              report);
        });
  }

  private RecoverMapJob.Options recovery() {
    return new RecoverMapJob.Options(
        fromFooters ? RecoverMapJob.Source.FOOTERS : RecoverMapJob.Source.NEWEST,
        sequence == null ? OptionalLong.empty() : OptionalLong.of(sequence),
        extent(),
        repeat(),
        yes ? RecoverMapJob.Consent.YES : RecoverMapJob.Consent.NOT_YET);
  }
}
