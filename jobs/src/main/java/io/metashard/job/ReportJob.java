package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.metashard.config.Settings;
import io.metashard.report.NightReport;
import io.metashard.report.Page;
import io.metashard.simulate.Prices;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/** Gathers the figures of a night from the lake's tables, and writes its page. */
final class ReportJob {
  /** Nights looked back at, unless asked otherwise. */
  static final int NIGHTS = 14;

  static final int MOST_NIGHTS = 90;

  /** Metrics of one night; there are some thirty. */
  private static final int SCORES_PER_NIGHT = 100;

  /** Which nights' scores the page shows. */
  enum Mode {
    /** Nights that moved bytes. */
    REAL(NightScores.REAL),
    /** Nights that only said what they would move. */
    SHADOW(NightScores.SHADOW);

    private final String word;

    Mode(String word) {
      this.word = word;
    }
  }

  /**
   * What is wanted.
   *
   * @param runId of the night; empty for the newest
   * @param plannedAt of the night; empty for any
   * @param nights how many days, former forecasts and scored nights are looked back at
   */
  record Request(Optional<String> runId, Optional<Instant> plannedAt, Mode mode, int nights) {
    Request {
      if (nights < 1 || nights > MOST_NIGHTS) {
        throw new MetashardException(
            MetashardException.USAGE,
            "Cannot report on %d nights: --nights is 1 to %d".formatted(nights, MOST_NIGHTS));
      }
    }
  }

  private final JobContext context;

  ReportJob(JobContext context) {
    this.context = context;
  }

  /**
   * The figures of a night.
   *
   * @throws MetashardException of exit code 2 if the lake has no such night
   */
  NightReport report(Request request) {
    Dataset<Row> rows =
        context.lake().read(RunsTable.TABLE).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      ReportRuns runs = new ReportRuns(context, rows);
      ReportRuns.Chosen run = runs.choose(request.runId(), request.plannedAt());
      return report(run, runs, request);
    } finally {
      rows.unpersist();
    }
  }

  private NightReport report(ReportRuns.Chosen run, ReportRuns runs, Request request) {
    ReportDemand demand = new ReportDemand(context.lake(), run, request.nights());
    try {
      ReportMap map = new ReportMap(context, run);
      ReportMap.Now now = map.now();
      NightReport.Forecast forecast = demand.forecast();
      Instant from = run.plannedAt().minus(Duration.ofDays(request.nights()));
      return new NightReport(
          new NightReport.Run(
              run.runId(),
              run.plannedAt(),
              run.codeVersion(),
              run.sparkVersion(),
              Settings.withoutUserInfo(context.lake().root()),
              run.newest(),
              run.stages()),
          demand.asked(),
          forecast,
          map.moved(),
          now.stored(),
          ReportCost.of(
              Prices.from(context.settings()),
              Tiers.from(context.settings()),
              now.stored(),
              forecast),
          map.risk(now, runs, from),
          worth(run, request),
          ReportTuning.of(context, run.plannedAt()));
    } finally {
      demand.close();
    }
  }

  /** Scores of the newest nights that began no later than this one. */
  private NightReport.Worth worth(ReportRuns.Chosen run, Request request) {
    String[] night = {NightScores.SCORED_RUN_ID, NightScores.HORIZON_START};
    Dataset<Row> all =
        context
            .lake()
            .read(NightScores.TABLE)
            .where(
                col(NightScores.MODE)
                    .equalTo(request.mode().word)
                    .and(col(NightScores.HORIZON_START).leq(lit(Timestamp.from(run.plannedAt())))));
    List<Row> newest =
        all
            .select(col(NightScores.SCORED_RUN_ID), col(NightScores.HORIZON_START))
            .distinct()
            .orderBy(col(NightScores.HORIZON_START).desc(), col(NightScores.SCORED_RUN_ID))
            .limit(request.nights())
            .collectAsList()
            .stream()
            .map(row -> RowFactory.create(row.get(0), row.get(1)))
            .toList();
    if (newest.isEmpty()) {
      return new NightReport.Worth(
          request.mode().word, request.nights(), List.of(), NightReport.Monitor.NONE);
    }
    Dataset<Row> wanted =
        context
            .spark()
            .createDataFrame(
                newest,
                new StructType()
                    .add(night[0], DataTypes.StringType, false)
                    .add(night[1], DataTypes.TimestampType, false));
    List<NightReport.Score> scores =
        all
            .join(wanted, night, "left_semi")
            .orderBy(
                col(NightScores.HORIZON_START),
                col(NightScores.SCORED_RUN_ID),
                col(NightScores.LAYOUT),
                col(NightScores.LOCATION_MODEL),
                col(NightScores.METRIC))
            .limit(request.nights() * SCORES_PER_NIGHT)
            .collectAsList()
            .stream()
            .map(
                row ->
                    new NightReport.Score(
                        row.getAs(NightScores.SCORED_RUN_ID),
                        row.<Timestamp>getAs(NightScores.HORIZON_START).toInstant(),
                        row.<Timestamp>getAs(NightScores.HORIZON_END).toInstant(),
                        row.getAs(NightScores.LAYOUT),
                        row.getAs(NightScores.LOCATION_MODEL),
                        row.getAs(NightScores.METRIC),
                        row.<Double>getAs(NightScores.VALUE),
                        row.getAs(NightScores.UNIT)))
            .toList();
    return new NightReport.Worth(
        request.mode().word,
        request.nights(),
        scores,
        ReportMonitor.of(context.lake(), request.mode().word, run.plannedAt(), request.nights()));
  }

  /**
   * Writes the page, over one of the same night that is there.
   *
   * @param out folder, or a file that ends in {@code .html}; null for {@code _reports} below the
   *     lake
   * @return where it is
   */
  String write(NightReport report, String out) {
    String name = report.run().id();
    if (!JobContext.isRunId(name)) {
      throw new MetashardException(
          MetashardException.USAGE,
          "Cannot name a page after run %s: a run id is 1 to 128 of A-Z a-z 0-9 . _ - and begins with a letter or digit; use --out with a name that ends in .html"
              .formatted(io.metashard.ObjectIds.printable(name)));
    }
    String folder = out == null ? context.lake().root() + "/_reports" : out;
    String uri =
        folder.endsWith(".html")
            ? folder
            : folder.replaceAll("/+$", "") + "/report-" + name + ".html";
    Path path = new Path(JobContext.qualified(uri, context.hadoop()));
    try (FSDataOutputStream file =
            path.getFileSystem(context.hadoop())
                .createFile(path)
                .overwrite(true)
                .recursive()
                .build();
        OutputStream to = file) {
      to.write(Page.of(report).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot write the report to %s: %s; name another place with --out"
              .formatted(Settings.withoutUserInfo(path.toString()), e.getMessage()),
          e);
    }
    return path.toString();
  }
}
