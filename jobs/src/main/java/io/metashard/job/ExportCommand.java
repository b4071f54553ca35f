package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Writes objects as plain files again. */
@Command(
    name = "export",
    description = {
      "Write objects as plain files again, each under its id below a folder, from the map as it is when the export begins.",
      "Lost or corrupt blocks are rebuilt from the others; what is not encoded yet comes from its source (read.fallback).",
      "Nothing is ever overwritten, --force or not. Run again, it goes on: files that are there and right stay.",
      "An object whose id can be no file's name, whose name something else has, or that cannot be read is left out and",
      "named in _metashard/manifest below the folder, beside the SHA-256 of all others; the exit code is 1 then."
    })
final class ExportCommand extends LakeCommand {
  @ArgGroup(multiplicity = "1")
  private SelectedObjects.Options which;

  @Option(
      names = "--to",
      paramLabel = "URI",
      required = true,
      description =
          "the folder, any Hadoop URI; of its own, apart from the lake, sources and locations")
  private String to;

  @Option(
      names = "--read-back",
      paramLabel = "WHICH",
      description =
          "all: every file that was written is read back and compared by CRC32C; none (default: ${DEFAULT-VALUE})",
      defaultValue = "all")
  private String readBack;

  ExportCommand() {
    super("export");
  }

  @Override
  boolean knowsDryRun() {
    return true;
  }

  @Override
  String runName() {
    // Other objects, or another folder, are another run.
    return "export-" + CommonOptions.sha256(to + "\0" + which.selected().key());
  }

  private ExportTarget.ReadBack readBack() {
    return switch (readBack) {
      case "all" -> ExportTarget.ReadBack.ALL;
      case "none" -> ExportTarget.ReadBack.NONE;
      default ->
          throw new MetashardException(
              MetashardException.USAGE,
              "Cannot use --read-back %s: it is all or none"
                  .formatted(ObjectIds.printable(readBack)));
    };
  }

  @Override
  Answer run(Start start) throws IOException {
    SelectedObjects selection = which.selected();
    ExportTarget.ReadBack checked = readBack();
    String target = ExportJob.requireApart(start.settings(), start.lakeRoot(), to, start.hadoop());
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  ExportJob.STAGE,
                  List.of(ShardMapTable.TABLE, Objects.TABLE),
                  () -> new ExportJob(context, selection, target, checked).run(extent()));
          return Answer.of(
              report.state().equals(StageReport.FAILED) ? MetashardException.FAILED : 0,
              context,
              runner,
              report);
        });
  }
}
