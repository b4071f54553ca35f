package io.metashard.job;

import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Makes the bytes of one object leave every container. */
@Command(
    name = "forget",
    description = {
      "Make the bytes of an object leave every container, and the parity made of them, at once: what shares its meta-shards is encoded",
      "anew, what else is in the same containers is written into others, and the containers are removed. No rollback goes back past it.",
      "Its source must be gone. With --dry-run: say what would be done."
    })
final class ForgetCommand extends LakeCommand {
  @Parameters(paramLabel = "OBJECT_ID", description = "the object's id")
  private String objectId;

  ForgetCommand() {
    super("forget");
  }

  @Override
  boolean knowsDryRun() {
    return true;
  }

  @Override
  boolean needsSample() {
    return false;
  }

  @Override
  String runName() {
    return "forget-" + CommonOptions.sha256(objectId);
  }

  @Override
  Answer run(Start start) throws IOException {
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  ForgetJob.STAGE,
                  List.of(ShardMapTable.TABLE, Objects.TABLE),
                  () ->
                      new ForgetJob(context, runner, Locations.known(context.lake()), extent())
                          .run(objectId));
          return Answer.of(0, context, runner, report);
        });
  }
}
