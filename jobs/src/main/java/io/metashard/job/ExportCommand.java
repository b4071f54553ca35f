package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

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
  /** Objects by id, by the beginning of their ids, or all. */
  static final class Which {
    @Parameters(paramLabel = "OBJECT_ID", description = "the object's id", arity = "1..*")
    private List<String> objectIds = List.of();

    @Option(
        names = "--prefix",
        paramLabel = "PREFIX",
        description = "every object whose id begins with this")
    private String prefix;

    @Option(names = "--all", description = "every object")
    private boolean all;
  }

  @ArgGroup(multiplicity = "1")
  private Which which;

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
    return "export-"
        + CommonOptions.sha256(
            String.join(
                "\0",
                to,
                which.prefix == null ? "" : which.prefix,
                String.join("\0", which.objectIds)));
  }

  private ExportJob.Selection selection() {
    if (which.all) {
      return ExportJob.Selection.ALL;
    }
    if (which.prefix != null) {
      return new ExportJob.Selection(List.of(), which.prefix);
    }
    for (String objectId : which.objectIds) {
      ObjectIds.problem(objectId)
          .ifPresent(
              problem -> {
                throw new MetashardException(
                    MetashardException.USAGE,
                    "Cannot export object %s: its id cannot be one (%s)"
                        .formatted(ObjectIds.printable(objectId), problem));
              });
    }
    return new ExportJob.Selection(List.copyOf(which.objectIds), "");
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
    ExportJob.Selection selection = selection();
    ExportTarget.ReadBack checked = readBack();
    String target = ExportJob.requireApart(start.settings(), start.lakeRoot(), to, start.hadoop());
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  ExportJob.STAGE,
                  List.of(ShardMapTable.TABLE, Objects.TABLE),
                  () ->
                      new ExportJob(context, selection, target, checked)
                          .run(
                              options().dryRun()
                                  ? NightlyJob.Extent.DRY_RUN
                                  : NightlyJob.Extent.FULL));
          Map<String, Object> figures = new LinkedHashMap<>();
          figures.put("run_id", context.runId());
          figures.put("state", report.state());
          figures.put("reason", report.reason());
          figures.put("seconds", runner.seconds().get(ExportJob.STAGE));
          figures.putAll(report.figures());
          return new Answer(
              report.state().equals(StageReport.FAILED) ? MetashardException.FAILED : 0,
              Figures.table(figures),
              figures);
        });
  }
}
