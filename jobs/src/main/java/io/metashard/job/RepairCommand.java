package io.metashard.job;

import io.metashard.Location;
import io.metashard.ObjectIds;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.config.SettingsException;
import io.metashard.shardmap.ShardMapTable;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes whole again what is damaged. */
@Command(
    name = "repair",
    description = {
      "Find what verify would find, and write lost and damaged blocks again from the others of their meta-shards: into new",
      "containers, at the same location, or at another one where theirs does not answer. What was written is read back and",
      "decoded before the map is switched, by one commit. What is most in danger comes first. What cannot be repaired is",
      "named, exit code 3; everything else is repaired all the same. With --dry-run: look, and say what would be done."
    })
final class RepairCommand extends LakeCommand {
  @ArgGroup private Part part;

  @Option(
      names = "--gone",
      description =
          "with --location: it is lost for good. It is declared gone, its name is never used again, and all that it held is rebuilt elsewhere")
  private boolean gone;

  @Option(
      names = "--max-bytes",
      paramLabel = "SIZE",
      description =
          "write at most so much in this run, about, as 1TiB; what is left needs another run (default: no limit)")
  private String maxBytes;

  @Option(
      names = "--bytes-per-second",
      paramLabel = "SIZE",
      description =
          "read and write at most so much, as 100MiB, of all tasks together (--set repair.bytes-per-second); default: no limit")
  private String bytesPerSecond;

  /** At most one of them. */
  static final class Part {
    @Option(
        names = "--findings",
        paramLabel = "RUN_ID",
        description =
            "look only at the meta-shards in which that run of verify found something: all else is taken for whole")
    private String findings;

    @Option(
        names = "--location",
        paramLabel = "NAME",
        description =
            "only what is damaged at that location; it may have been replaced by an empty one, which is filled again")
    private String location;
  }

  RepairCommand() {
    super("repair");
  }

  @Override
  boolean knowsDryRun() {
    return true;
  }

  @Override
  List<String> overrides() {
    return bytesPerSecond == null ? List.of() : List.of(RepairJob.RATE + "=" + bytesPerSecond);
  }

  @Override
  String runName() {
    // What repairs other damage is another run.
    String name = gone ? "repair-gone" : "repair";
    if (part == null && maxBytes == null) {
      return name;
    }
    return name
        + "-"
        + CommonOptions.sha256(
            part == null ? maxBytes : "%s %s %s".formatted(part.findings, part.location, maxBytes));
  }

  private RepairWhat what() {
    String location = part == null ? null : part.location;
    if (gone && location == null) {
      throw new SettingsException("Cannot use --gone alone: --location says which one is gone");
    }
    if (location != null) {
      return gone ? new RepairWhat.Gone(location) : new RepairWhat.At(location);
    }
    if (part == null) {
      return new RepairWhat.Everything();
    }
    if (!JobContext.isRunId(part.findings)) {
      throw new SettingsException(
          "Cannot repair what %s found: give the run_id that verify printed"
              .formatted(ObjectIds.printable(part.findings)));
    }
    return new RepairWhat.Findings(part.findings);
  }

  private static long bytes(String size) {
    if (size == null) {
      return Long.MAX_VALUE;
    }
    long bytes =
        Settings.parse("--max-bytes", "", List.of("repair.batch-bytes=" + size))
            .bytes("repair.batch-bytes");
    if (bytes == 0) {
      throw new SettingsException("Cannot repair at most 0 bytes: --max-bytes must be more");
    }
    return bytes;
  }

  @Override
  Answer run(Start start) throws IOException {
    RepairWhat what = what();
    long most = bytes(maxBytes);
    return withSpark(
        start,
        (context, runner) -> {
          StageReport report =
              runner.run(
                  RepairJob.STAGE,
                  List.of(ShardMapTable.TABLE, Objects.TABLE),
                  () ->
                      new RepairJob(context, locations(context), extent(), repeat(), most)
                          .run(what));
          return Answer.of(
              report.rowsOut() > 0 ? MetashardException.DAMAGE : 0, context, runner, report);
        });
  }

  /**
   * All locations of the lake, and new ones of the configuration: what is rebuilt may need them.
   */
  private List<Location> locations(JobContext context) {
    List<Location> configured =
        Locations.withoutGone(
            context.lake(), Locations.configured(context.settings(), context.hadoop()));
    return options().dryRun()
        ? Locations.merged(context.lake(), configured)
        : Locations.reconcile(context.lake(), configured, context.at());
  }
}
