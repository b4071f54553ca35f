package io.metashard.job;

import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes the shard map again what it was after an earlier switch. */
@Command(
    name = "rollback",
    description = {
      "Make the shard map again what an earlier switch had made it, by one commit, if every container that it names",
      "is still there: otherwise nothing is changed (exit code 1). It is a switch of its own, which another rollback takes back.",
      "Blocks are neither read nor written; sources that changed since are stale again, and the next night encodes them.",
      "With --dry-run: check, and say what would be served."
    })
final class RollbackCommand extends LakeCommand {
  @Option(
      names = "--to",
      paramLabel = "VERSION",
      description =
          "number of the switch (map_sequence, as reshard and nightly print it), or id of the run that made it; default: the switch before the last. A VERSION that is not there is exit code 2, with those that are")
  private String to;

  RollbackCommand() {
    super("rollback");
  }

  @Override
  boolean knowsDryRun() {
    return true;
  }

  @Override
  String runName() {
    // Going back to another version is another run.
    return to == null ? "rollback" : "rollback-to-" + CommonOptions.sha256(to);
  }

  @Override
  Answer run(Start start) throws IOException {
    if (to != null) {
      RollbackJob.requireName(to);
    }
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  RollbackJob.STAGE,
                  List.of(ShardMapTable.TABLE, Objects.TABLE),
                  () ->
                      new RollbackJob(context, Locations.known(context.lake()), extent(), repeat())
                          .run(Optional.ofNullable(to)));
          return Answer.of(0, context, runner, report);
        });
  }
}
