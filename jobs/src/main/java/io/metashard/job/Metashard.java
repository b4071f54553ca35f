package io.metashard.job;

import io.metashard.generate.GenerateOptions;
import io.metashard.shardmap.ShardMap;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;

/** The one command: {@code metashard COMMAND}. The same class runs under spark-submit. */
@Command(
    name = "metashard",
    description =
        "Reads request logs, forecasts demand, and re-encodes objects into erasure-coded meta-shards, with a Delta table that says where every block is.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = Metashard.VersionText.class,
    subcommands = {
      Metashard.Nightly.class,
      Metashard.Generate.class,
      Metashard.Ingest.class,
      Metashard.Catalogue.class,
      Metashard.Aggregate.class,
      Metashard.Score.class,
      TuneCommand.class,
      Metashard.Forecast.class,
      Metashard.Plan.class,
      Metashard.Reshard.class,
      ReadCommands.Ls.class,
      ReadCommands.Cat.class,
      ExportCommand.class,
      VerifyCommand.class,
      RepairCommand.class,
      VacuumCommand.class,
      RollbackCommand.class,
      DeleteSourcesCommand.class,
      ForgetCommand.class,
      RecoverMapCommand.class,
      ReportCommand.class,
      BacktestCommand.class,
      SimulateCommand.class,
      ProbeCommand.class,
      Metashard.ShowConfig.class,
      CheckCommand.class,
      BenchCommand.class,
      CompletionCommand.class,
      HelpCommand.class
    },
    footerHeading = "%nExit codes:%n",
    footer = {
      "  0  done",
      "  1  failed",
      "  2  wrong use, configuration or input",
      "  3  verify found damage, or repair left some",
      "  4  another run holds the lake or the map moved on: retry",
      "  130, 143  stopped by Ctrl-C or SIGTERM: retry"
    })
public final class Metashard {
  private Metashard() {}

  public static void main(String[] arguments) {
    Logging.configure(List.of(arguments));
    int exitCode = run(arguments);
    // Under spark-submit a System.exit(0) would race with the driver's own end.
    if (exitCode != 0 || !Submitted.here().bySparkSubmit()) {
      System.exit(exitCode);
    }
  }

  /** Runs a command and gives back its exit code. */
  static int run(String... arguments) {
    return commandLine()
        .setExecutionExceptionHandler(
            (failure, line, parsed) -> {
              PrintWriter err = line.getErr();
              err.println("metashard: " + Failures.message(failure));
              err.flush();
              return Failures.exitCode(failure);
            })
        .execute(arguments.length == 0 ? new String[] {"help"} : arguments);
  }

  /** All commands and options. */
  static CommandLine commandLine() {
    CommandLine root = new CommandLine(new Metashard());
    withHelp(root);
    return root.setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpWidth(Math.min(Math.max(Terminal.columns(), 60), 100));
  }

  /** Every command knows --help, wherever it stands. */
  private static void withHelp(CommandLine command) {
    for (CommandLine sub : command.getSubcommands().values()) {
      CommandLine.Model.CommandSpec spec = sub.getCommandSpec();
      if (!spec.mixinStandardHelpOptions() && !spec.helpCommand()) {
        spec.mixinStandardHelpOptions(true);
        spec.versionProvider(new VersionText());
      }
      withHelp(sub);
    }
  }

  static final class VersionText implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"metashard " + Version.text()};
    }
  }

  /** A command that is one stage of the night, as the night runs it. */
  abstract static class StageCommand extends LakeCommand {
    private final String stage;

    StageCommand(String stage) {
      super(stage);
      this.stage = stage;
    }

    abstract StageReport stage(NightlyJob night, JobContext context);

    CatalogueOptions catalogueOptions() {
      return CatalogueOptions.DEFAULTS;
    }

    @Override
    Answer run(Start start) throws IOException {
      return withSpark(
          start,
          (context, runner) -> {
            StageReport report =
                stage(new NightlyJob(context, runner, catalogueOptions()), context);
            Map<String, Object> figures = figures(context, runner, report);
            return Answer.done(figures);
          });
    }

    Map<String, Object> figures(JobContext context, StageRunner runner, StageReport report) {
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("run_id", context.runId());
      figures.put("state", report.state());
      figures.put("reason", report.reason());
      figures.put("seconds", runner.seconds().get(stage));
      List<String> before =
          runner.reports().keySet().stream().filter(name -> !name.equals(stage)).toList();
      if (!before.isEmpty()) {
        figures.put("done_before", String.join(", ", before));
      }
      figures.putAll(report.figures());
      figures.putAll(factsAfter(context));
      return figures;
    }

    /** What else is worth knowing when the stage has ended. */
    Map<String, Object> factsAfter(JobContext context) {
      return Map.of();
    }
  }

  @Command(name = "ingest", description = "Take new log files into the requests table.")
  static final class Ingest extends StageCommand {
    Ingest() {
      super("ingest");
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      return night.ingest();
    }
  }

  /** Options of what catalogues. */
  static final class AllowMissing {
    @Option(
        names = "--allow-missing",
        paramLabel = "N",
        description = "go on although up to N objects are gone from their roots",
        defaultValue = "0")
    private long objects;

    CatalogueOptions options() {
      return new CatalogueOptions(objects);
    }
  }

  /** An option of what plans. */
  static final class Full {
    @Option(
        names = "--full",
        description = {
          "encode every object anew, in this one run: reshard.max-bytes-per-run does not hold",
          "(--set plan.full=true)"
        })
    private boolean full;

    List<String> overrides() {
      return full ? List.of("plan.full=true") : List.of();
    }
  }

  @Command(name = "catalogue", description = "List the source roots into the objects table.")
  static final class Catalogue extends StageCommand {
    @CommandLine.Mixin private AllowMissing allowMissing;

    Catalogue() {
      super("catalogue");
    }

    @Override
    CatalogueOptions catalogueOptions() {
      return allowMissing.options();
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      return night.catalogue();
    }
  }

  @Command(
      name = "aggregate",
      description = "Count reads per segment and time bucket, for days that are new or grew.")
  static final class Aggregate extends StageCommand {
    Aggregate() {
      super("aggregate");
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      return night.aggregate();
    }
  }

  @Command(
      name = "score",
      description = {
        "Hold the last night whose horizon has passed against what was requested: its forecast, and how its layout",
        "would read and cost; say whether forecasts can be relied on. Run it after aggregate; nightly and plan do it",
        "before they plan."
      })
  static final class Score extends StageCommand {
    Score() {
      super("score");
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      return night.score();
    }
  }

  @Command(
      name = "forecast",
      description =
          "Tune the forecast, if it is due; forecast each segment's requests, with the model that a back-test chooses.")
  static final class Forecast extends StageCommand {
    Forecast() {
      super("forecast");
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      // Of a night in pieces.
      night.tune(TuneJob.Occasion.NIGHT, repeat());
      return night.forecast(repeat());
    }
  }

  @Command(
      name = "plan",
      description = {
        "Score the last night, if nothing did; decide which objects are encoded, in which shapes, and where. Moves nothing.",
        "With --explain also tell why: what the lake is before and after (read times, balance, storage, failures",
        "survived, nines, with prices set money), kinds of objects and the hottest ones; or each part of one object."
      })
  static final class Plan extends StageCommand {
    @CommandLine.Mixin private Full full;

    @Option(
        names = "--explain",
        paramLabel = "OBJECT_ID",
        arity = "0..1",
        fallbackValue = "",
        description = "tell why objects have their shapes; with an id, of that object")
    private String explain;

    @Option(
        names = "--explain-limit",
        paramLabel = "N",
        defaultValue = "20",
        description =
            "objects, or parts of one, told of one by one, the hottest (default: ${DEFAULT-VALUE})")
    private int explainLimit;

    Plan() {
      super("plan");
    }

    @Override
    List<String> overrides() {
      return full.overrides();
    }

    @Override
    boolean knowsDryRun() {
      return true;
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      return stage(night, PlanJob.Audience.NOBODY);
    }

    private StageReport stage(NightlyJob night, PlanJob.Audience audience) {
      if (!options().dryRun()) {
        // Of a night in pieces: the map is still the one that readers met in the last horizon.
        night.score();
      }
      return night.plan(extent(), repeat(), audience);
    }

    @Override
    Answer run(Start start) throws IOException {
      if (explain == null) {
        return super.run(start);
      }
      ExplainOptions explains =
          new ExplainOptions(
              explain.isEmpty() ? Optional.empty() : Optional.of(explain), explainLimit);
      return withSpark(
          start,
          (context, runner) -> {
            PlanExplainer explainer = new PlanExplainer(context, explains);
            StageReport report =
                stage(new NightlyJob(context, runner, catalogueOptions()), explainer);
            Map<String, Object> figures = figures(context, runner, report);
            String text = Figures.table(figures);
            if (explainer.explained().isPresent()) {
              figures.put("explained", explainer.explained().get().values());
              text += "\n" + explainer.explained().get().text();
            }
            return new Answer(0, text, figures);
          });
    }
  }

  @Command(
      name = "reshard",
      description = {
        "Carry out a plan: encode, read back, and switch the map by one commit.",
        "With --run-id ID the same as --plan ID it is the last stage of that run: a plan made from what has",
        "changed since, such as the map, is made anew first."
      })
  static final class Reshard extends StageCommand {
    @CommandLine.Mixin private AllowMissing allowMissing;

    @Option(
        names = "--plan",
        paramLabel = "ID",
        required = true,
        description = "run id of the plan, as plan printed it")
    private String planId;

    @CommandLine.Mixin private Full full;

    Reshard() {
      super("reshard");
    }

    @Override
    List<String> overrides() {
      return full.overrides();
    }

    @Override
    CatalogueOptions catalogueOptions() {
      return allowMissing.options();
    }

    @Override
    StageReport stage(NightlyJob night, JobContext context) {
      return planId.equals(context.runId())
          ? night.reshardWhatIsPlannedNow(repeat())
          : night.reshard(planId);
    }

    @Override
    Map<String, Object> factsAfter(JobContext context) {
      ShardMap map = new ShardMap(context.lake());
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("map_sequence", map.sequence());
      // By whichever attempt: a scheduler that lost one after its commit asks the next one.
      facts.put("map_switched_by_run", map.lastSwitchWasBy(context.runId()));
      return facts;
    }
  }

  @Command(
      name = "nightly",
      description = {
        "Run the whole night: ingest, catalogue, aggregate, score, tune, forecast, plan, reshard.",
        "Each stage is skipped when nothing that it reads has changed. With --shadow nothing is moved: instead of",
        "reshard, what the map would be is kept in the table shadow_map, from which the next shadow night plans;",
        "sources are listed, not read, and nothing is written outside lake.root."
      })
  static final class Nightly extends LakeCommand {
    @CommandLine.Mixin private AllowMissing allowMissing;

    @Option(
        names = "--shadow",
        description = "forecast, plan and score on your own logs; move nothing")
    private boolean shadow;

    @Option(
        names = "--report",
        description = "then write the night's page, as report does, into _reports below lake.root")
    private boolean report;

    @CommandLine.Mixin private Full full;

    Nightly() {
      super("nightly");
    }

    @Override
    List<String> overrides() {
      return full.overrides();
    }

    @Override
    String runName() {
      return shadow ? "nightly-shadow" : "nightly";
    }

    @Override
    boolean knowsDryRun() {
      return true;
    }

    @Override
    Answer run(Start start) throws IOException {
      return withSpark(
          start,
          (context, runner) -> {
            Map<String, Object> summary =
                new NightlyJob(
                        context,
                        runner,
                        allowMissing.options(),
                        shadow ? NightlyJob.Mode.SHADOW : NightlyJob.Mode.REAL)
                    .run(extent(), repeat());
            if (report) {
              summary.put(
                  "report_page",
                  ReportCommand.afterNight(
                      context, shadow ? ReportJob.Mode.SHADOW : ReportJob.Mode.REAL));
            }
            return new Answer(
                0,
                "%s of %s, run %s%n%n"
                        .formatted(shadow ? "Shadow night" : "Night", start.at(), start.runId())
                    + NightlyJob.text(summary)
                    + (report ? "%nReport: %s%n".formatted(summary.get("report_page")) : ""),
                summary);
          });
    }
  }

  @Command(
      name = "config",
      description = "Print every setting as it is in force, secrets redacted.")
  static final class ShowConfig extends LakeCommand {
    ShowConfig() {
      super("config");
    }

    @Override
    Answer run(Start start) {
      String shown = start.settings().shown();
      return new Answer(0, shown, Map.of("configuration", shown));
    }
  }

  @Command(
      name = "generate",
      description = "Make demo objects and request logs, the same for the same seed.")
  static final class Generate implements Callable<Integer> {
    static final class Where {
      @Option(names = "--out", paramLabel = "FOLDER", description = "where (default: data)")
      private Path out = Path.of("data");

      @Option(
          names = "--backtest",
          paramLabel = "FOLDER",
          description =
              "make, instead of objects and logs, the demand that they would give: demand.parquet, objects.parquet and backtest.json, whose last 14 days are to be forecast from each midnight")
      private Path backtest;
    }

    @ArgGroup(multiplicity = "0..1")
    private Where where = new Where();

    @Option(
        names = "--workload",
        description =
            "web (a site), lake (partitions that are read by schedule and by age) or mixed (default: ${DEFAULT-VALUE})",
        defaultValue = "mixed")
    private String workload;

    @Option(
        names = "--seed",
        description = "of everything random (default: ${DEFAULT-VALUE})",
        defaultValue = "1")
    private long seed;

    @Option(
        names = "--days",
        description = "of requests (default: ${DEFAULT-VALUE})",
        defaultValue = "21")
    private int days;

    @Option(names = "--end", paramLabel = "DATE", description = "day after the last one")
    private LocalDate end;

    @Option(names = "--json", description = "print the result as one line of JSON")
    private boolean json;

    @Override
    public Integer call() {
      Path folder = where.backtest == null ? where.out : where.backtest;
      GenerateJob job =
          new GenerateJob(
              new GenerateOptions(
                  folder, workload, seed, days, end == null ? GenerateOptions.DEFAULT_END : end));
      Map<String, Object> made = where.backtest == null ? job.run() : job.backtest();
      Function<Map<String, Object>, String> show = json ? Figures::json : Figures::table;
      LakeCommand.out().print(show.apply(made));
      if (json) {
        LakeCommand.out().println();
      }
      return 0;
    }
  }
}
