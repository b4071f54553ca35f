package io.metashard.job;

import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import picocli.CommandLine.Command;

/** Removes what nothing needs any more. */
@Command(
    name = "vacuum",
    description = {
      "Remove what nothing needs any more: containers that no version of the shard map in use names (vacuum.retention",
      "after it was replaced), what killed runs left (vacuum.orphan-age), backups of the map that newer ones replace,",
      "saved models and pages, rows older than tables.*.retention-days; keep the files of tables few; and write what is left in",
      "containers that are mostly dead into new ones (vacuum.compact-below).",
      "A rollback cannot go back beyond what is removed: the map's floor. While another command works on the lake",
      "nothing is committed, and what needs a commit waits. With --dry-run: say what would be removed, and why.",
      "Times below vacuum.min-retention are refused without --force."
    })
final class VacuumCommand extends LakeCommand {
  VacuumCommand() {
    super("vacuum");
  }

  @Override
  boolean knowsDryRun() {
    return true;
  }

  @Override
  Answer run(Start start) throws IOException {
    // Before Spark starts.
    VacuumOptions.from(start.settings(), repeat());
    TableRetention.requireEnough(start.settings());
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  VacuumJob.STAGE,
                  List.of(ShardMapTable.TABLE),
                  () ->
                      new VacuumJob(
                              context,
                              runner,
                              Locations.known(context.lake()),
                              extent(),
                              repeat(),
                              Clock.systemUTC())
                          .run());
          return Answer.of(0, context, runner, report);
        });
  }
}
