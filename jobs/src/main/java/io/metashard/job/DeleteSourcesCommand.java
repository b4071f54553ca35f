package io.metashard.job;

import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  private SelectedObjects selected;

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
    return "delete-sources-" + (yes ? "yes-" : "") + selected.key();
  }

  @Override
  Answer run(Start start) throws java.io.IOException {
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
          Map<String, Object> figures = new LinkedHashMap<>();
          figures.put("run_id", context.runId());
          figures.put("state", report.state());
          figures.put("reason", report.reason());
          figures.putAll(report.figures());
          return Answer.done(figures);
        });
  }
}
