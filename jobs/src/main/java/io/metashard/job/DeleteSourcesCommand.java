package io.metashard.job;

import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Deletes sources that the map can do without. */
@Command(
    name = "delete-sources",
    description = {
      "List the sources that the shard map can do without; with --yes, delete them. The objects are then read from the map alone.",
      "A source may go if the map has its version, surviving the loss of 3 failure domains, and a full verify within",
      "release.max-verify-age found all of its blocks right. None goes unless a sample of them is read back from the map as it is in the sources."
    })
final class DeleteSourcesCommand extends LakeCommand {
  @ArgGroup(multiplicity = "1")
  private SelectedObjects.Options which;

  @Option(names = "--yes", description = "delete them; there is no way back but export")
  private boolean yes;

  DeleteSourcesCommand() {
    super("delete-sources");
  }

  @Override
  boolean needsSample() {
    return false;
  }

  @Override
  String runName() {
    // Of other objects, or only listed, it is another run.
    return "delete-sources-" + (yes ? "yes-" : "") + which.selected().key();
  }

  @Override
  Answer run(Start start) throws IOException {
    SelectedObjects selected = which.selected();
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  DeleteSourcesJob.STAGE,
                  List.of(ShardMapTable.TABLE, Objects.TABLE),
                  () ->
                      new DeleteSourcesJob(
                              context,
                              Locations.known(context.lake()),
                              selected,
                              yes
                                  ? DeleteSourcesJob.Consent.GIVEN
                                  : DeleteSourcesJob.Consent.ASKED_FOR)
                          .run());
          return Answer.of(0, context, runner, report);
        });
  }
}
