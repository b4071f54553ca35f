package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.Block;
import io.metashard.Shape;
import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.aggregate.DemandDays;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.ForecastMonitor;
import io.metashard.forecast.Forecasts;
import io.metashard.forecast.Tuning;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.report.Advice;
import io.metashard.report.NightReport;
import io.metashard.shardmap.ShardMapTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The figures of a lake so small that they can be worked out by hand. */
class ReportJobSparkTest {
  private static final Instant AT = Instant.parse("2026-01-03T00:00:00Z");
  private static final Path FOLDER = SharedSpark.tempFolder("report");
  private static final Lake LAKE =
      new Lake(SharedSpark.session(), FOLDER.resolve("lake").toString());
  private static final JobContext CONTEXT =
      new JobContext(
          SharedSpark.session(),
          LAKE,
          Settings.parse(
              "test",
              "prices { currency = EUR, storage-per-gib-month = 1024, per-1000-reads = 10 }",
              List.of("lake.root=" + LAKE.root())),
          AT,
          "report-1");

  private static NightReport report;

  @BeforeAll
  static void aTinyLake() {
    // Two objects: a of 250 bytes in three segments, b of 100 in one; c's source is gone.
    write(
        Objects.TABLE,
        object("a", 250, Objects.PRESENT, Objects.ENCODED),
        object("b", 100, Objects.PRESENT, Objects.PENDING),
        object("c", 100, Objects.MISSING, Objects.ENCODED));
    write(
        Demand.TABLE,
        demand("a", 0, "2026-01-01T05:00:00Z", 4),
        demand("a", 0, "2026-01-02T05:00:00Z", 9),
        demand("a", 2, "2026-01-02T05:30:00Z", 1),
        demand("b", 0, "2026-01-02T23:00:00Z", 2));
    write(DemandDays.TABLE, day("2026-01-01", 10, 4, 1), day("2026-01-02", 20, 12, 3));
    write(
        Forecasts.TABLE,
        forecast("night-1", "2026-01-02", "a", 0, 8),
        forecast("night-1", "2026-01-02", "a", 1, 0.1),
        forecast("night-1", "2026-01-02", "a", 2, 2),
        forecast("night-2", "2026-01-03", "a", 0, 16),
        forecast("night-2", "2026-01-03", "a", 1, 0.1),
        forecast("night-2", "2026-01-03", "a", 2, 0.5),
        forecast("night-2", "2026-01-03", "b", 0, 3),
        // Over a week: the page is about the main horizon.
        further(forecast("night-1", "2026-01-02", "a", 0, 800)),
        further(forecast("night-2", "2026-01-03", "a", 0, 900)),
        further(forecast("night-3", "2026-01-03", "b", 0, 1000)));
    List<Row> blocks = new ArrayList<>();
    for (int index = 0; index < 3; index++) {
      blocks.add(block("copied", 1, 2, index, 0, "l" + index)); // one segment, three times
      blocks.add(block("striped", 2, 1, index, 1 + index, "l" + index)); // two segments of a
    }
    write(ShardMapTable.TABLE, blocks.toArray(Row[]::new));
    write(
        LocationsTable.TABLE,
        location("l0", "active"),
        location("l1", "draining"),
        location("l2", "gone"));
    write(
        NightScores.TABLE,
        score("night-1", "real", "wape", 0.25),
        score("night-1", "shadow", "wape", 0.5),
        score("night-1", "shadow", "wape_persistence", 0.75));
    write(
        ForecastMonitor.TABLE,
        monitored("night-0", "real", "all", null, "verdict", 0, "another mode's"),
        monitored("night-0", "shadow", "all", null, "verdict", 0, "older"),
        monitored("night-1", "shadow", "all", null, "verdict", 1, "because <b>"),
        monitored("night-1", "shadow", "all", null, "segments", 9, null),
        monitored("night-1", "shadow", "hot", null, "segments", 2, null),
        monitored("night-1", "shadow", "hot", null, "coverage_80", 0.5, null),
        monitored("night-1", "shadow", "all", 3, "segments", 4, null),
        monitored("night-1", "shadow", "all", 3, "p_requested_mean", 0.35, null),
        monitored("night-1", "shadow", "all", 3, "requested_share", 0.25, null),
        monitored("night-1", "shadow", "all", null, "drift_distance", 0.125, null));
    write(
        Tuning.TABLE,
        tuned("night-1", "2026-01-02", "class-prior", 100, 50, 0.125, "applied"),
        tuned("night-9", "2026-01-09", "class-prior", 50, 25, 0.25, "applied"));
    write(
        RunsTable.TABLE,
        run("night-1", "forecast", "done", "2026-01-02", 1, "{}"),
        run("night-1", "plan", "failed", "2026-01-02", 2, "{}"),
        run("night-1", "plan", "done", "2026-01-02", 3, "{\"policy\":\"balanced\"}"),
        run("night-1", "reshard", "stopped", "2026-01-02", 4, "{}"),
        run("night-2", "nightly", "running", "2026-01-03", 5, "{}"),
        run("night-2", "ingest", "done", "2026-01-03", 6, "{}"),
        run("night-2", "ingest", "unchanged", "2026-01-03", 7, "{}"),
        run(
            "check",
            "verify",
            "done",
            "2026-01-03",
            8,
            "{\"sample_percent\":10.0,\"findings\":3}"));
    report = new ReportJob(CONTEXT).report(request(Optional.empty(), ReportJob.Mode.SHADOW));
  }

  private static ReportJob.Request request(Optional<String> runId, ReportJob.Mode mode) {
    return new ReportJob.Request(runId, Optional.empty(), mode, 3);
  }

  private static void write(TableDefinition table, Row... rows) {
    LAKE.append(
        table,
        SharedSpark.session().createDataFrame(Arrays.asList(rows), table.schema()).coalesce(1),
        Lake.Commit.PLAIN);
  }

  private static Timestamp at(String text) {
    return Timestamp.from(Instant.parse(text.length() == 10 ? text + "T00:00:00Z" : text));
  }

  private static Date date(String text) {
    return Date.valueOf(LocalDate.parse(text.substring(0, 10)));
  }

  private static Row object(String id, long bytes, String sourceState, String state) {
    Timestamp then = at("2025-01-01");
    int segments = (int) (bytes + 99) / 100;
    return RowFactory.create(
        id,
        "file:/" + id,
        "root0",
        bytes,
        "v1",
        then,
        then,
        segments,
        100L,
        sourceState,
        null,
        state);
  }

  private static Row demand(String id, int segment, String bucket, double requests) {
    return RowFactory.create(
        date(bucket), id, segment, 100L, at(bucket), requests, 0.0, Math.round(requests * 10));
  }

  private static Row day(String day, long requests, long reads, long unknown) {
    return RowFactory.create(
        date(day),
        requests,
        "print",
        Timestamp.from(at(day).toInstant().plus(Duration.ofDays(1))),
        reads,
        0L,
        unknown,
        0L,
        0L,
        requests - reads,
        3L);
  }

  private static Row forecast(String run, String day, String id, int segment, double expected) {
    return RowFactory.create(
        date(day),
        run,
        id,
        segment,
        100L,
        at(day),
        Timestamp.from(at(day).toInstant().plus(Duration.ofDays(1))),
        expected,
        expected / 2,
        expected * 2,
        0.9,
        0.5,
        "total-share",
        0.0,
        true,
        null);
  }

  private static Row further(Row main) {
    Object[] values = new Object[main.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = main.get(i);
    }
    int start = Forecasts.SCHEMA.fieldIndex(Forecasts.HORIZON_START);
    values[Forecasts.SCHEMA.fieldIndex(Forecasts.HORIZON_END)] =
        Timestamp.from(main.getTimestamp(start).toInstant().plus(Duration.ofDays(7)));
    values[Forecasts.SCHEMA.fieldIndex(Forecasts.MAIN_HORIZON)] = false;
    return RowFactory.create(values);
  }

  private static Row block(String shard, int k, int m, int index, int segment, String location) {
    boolean data = index < k;
    return ShardMapTable.row(
        new Block(
            Block.FORMAT,
            0,
            1,
            data ? "a" : null,
            data ? "v1" : null,
            data ? 250 : 0,
            true,
            data ? segment : -1,
            data ? segment * 100L : 0,
            100,
            shard,
            k,
            m,
            k == 1 ? Shape.COPY : Shape.RS,
            index,
            100,
            location,
            shard + ".msc",
            0,
            65_536,
            0,
            null,
            "none",
            "00000000000000000001-night-1",
            AT,
            data ? 5 : 0,
            2));
  }

  private static Row location(String name, String state) {
    return RowFactory.create(
        name, "file:/" + name, "rack-" + name, "standard", Long.MAX_VALUE, state, at("2025-01-01"));
  }

  private static Row score(String run, String mode, String metric, double value) {
    return RowFactory.create(
        "night-2",
        run,
        mode,
        at("2026-01-02"),
        at("2026-01-03"),
        "forecast",
        null,
        metric,
        value,
        "ratio");
  }

  private static Row monitored(
      String run,
      String mode,
      String heat,
      Integer bin,
      String metric,
      double value,
      String reason) {
    int day = run.equals("night-0") ? 1 : 2;
    return RowFactory.create(
        "night-2",
        run,
        mode,
        at("2026-01-0" + day),
        at("2026-01-0" + (day + 1)),
        heat,
        bin,
        metric,
        value,
        "unit",
        reason);
  }

  private static Row tuned(
      String run,
      String day,
      String parameter,
      double from,
      double to,
      Double gain,
      String action) {
    return RowFactory.create(
        date(day),
        run,
        at(day),
        parameter,
        "requests",
        from,
        to,
        1.0,
        1 - gain,
        gain,
        4,
        3,
        action,
        "because <i>",
        null,
        at(day));
  }

  private static Row run(
      String run, String stage, String state, String plannedAt, int minute, String figures) {
    Timestamp started = Timestamp.from(AT.plus(Duration.ofMinutes(minute)));
    return RowFactory.create(
        run,
        stage,
        state,
        started,
        60.0,
        7L,
        5L,
        70L,
        50L,
        "{}",
        "",
        "0.1.0",
        at(plannedAt),
        "",
        "why",
        figures,
        state.equals("running") ? null : started,
        "attempt-" + minute,
        "app",
        "4.1.0");
  }

  @Test
  void theNewestNightIsTheOneReportedOn() {
    assertThat(report.run().id()).isEqualTo("night-2");
    assertThat(report.run().newest()).isTrue();
    assertThat(report.run().stages())
        .singleElement()
        .satisfies(
            stage -> {
              assertThat(stage.name()).isEqualTo("ingest");
              assertThat(stage.state()).isEqualTo("done"); // what a retry skipped was done
              assertThat(stage.attempts()).isEqualTo(2);
            });
    assertThat(report.moved().policy()).isNull();
  }

  @Test
  void requestsAreCountedPerHourAndGapsStayGaps() {
    assertThat(report.asked().from()).isEqualTo(Instant.parse("2025-12-31T00:00:00Z"));
    assertThat(report.asked().hours()).hasSize(72);
    assertThat(report.asked().hours().get(0).requests()).isNaN(); // its day is not aggregated
    assertThat(report.asked().hours().get(24).requests()).isZero();
    assertThat(report.asked().hours().get(48 + 5).requests()).isEqualTo(10);
    assertThat(
            report.asked().hours().stream()
                .mapToDouble(NightReport.Hour::requests)
                .filter(Double::isFinite)
                .sum())
        .isEqualTo(16);
    assertThat(report.asked().days()).hasSize(2);
    assertThat(report.asked().unknownRangeShare()).isEqualTo(4 / 16.0);
  }

  @Test
  void aFormerForecastStandsBesideWhatCame() {
    assertThat(report.forecast().nights())
        .containsExactly(
            new NightReport.Night(
                "night-1", Instant.parse("2026-01-02T00:00:00Z"), AT, 10.1, 12, 4));
    assertThat(report.forecast().outcome())
        .containsExactly(
            new NightReport.Outcome("cold", 1, 0.1, 0),
            new NightReport.Outcome("middle", 1, 2, 1),
            new NightReport.Outcome("hot", 1, 8, 9),
            new NightReport.Outcome("not forecast", 0, 0, 2));
  }

  @Test
  void theForecastIsSummedByHeatAndItsHottestSegmentsAreNamed() {
    assertThat(report.forecast().runId()).isEqualTo("night-2");
    assertThat(report.forecast().expected()).isCloseTo(19.6, within(1e-12));
    assertThat(report.forecast().classes())
        .containsExactly(
            new NightReport.Heat("cold", 1, 100, 0.1),
            new NightReport.Heat("low", 1, 50, 0.5), // the last segment of a is shorter
            new NightReport.Heat("middle", 1, 100, 3),
            new NightReport.Heat("hot", 1, 100, 16));
    assertThat(report.forecast().top().get(0))
        .isEqualTo(new NightReport.Segment(1, "a", 0, 0, 100, 16, 8, 32, 0.9));
    assertThat(report.forecast().top().get(2).to()).isEqualTo(250);
  }

  @Test
  void whatIsStoredIsToldByShapeAndPlaceAndMoney() {
    assertThat(report.stored().forms())
        .containsExactly(
            new NightReport.Form("copies", 1, 2, 1, 3, 100, 312),
            new NightReport.Form("striped", 2, 1, 1, 3, 200, 312));
    assertThat(report.stored().storedBytes()).isEqualTo(6 * 104);
    assertThat(report.stored().places().stream().map(NightReport.Place::blocks))
        .containsExactly(2L, 2L, 2L);
    assertThat(report.stored().places().stream().map(NightReport.Place::requests))
        .containsExactly(10.0, 5.0, 0.0);
    assertThat(report.cost().lines().get(0).amount()).isEqualTo(624.0 / (1 << 30) * 1024);
    assertThat(report.cost().lines().get(1).amount()).isCloseTo(0.196, within(1e-12));
  }

  @Test
  void whatIsAtRiskCountsLocationsThatAreGone() {
    NightReport.Risk risk = report.risk();
    assertThat(risk.wanted()).isEqualTo(2);
    assertThat(risk.left()).isZero(); // the stripe had one spare block, at l2
    assertThat(risk.below()).isEqualTo(2);
    assertThat(risk.pending()).isEqualTo(1);
    assertThat(risk.missing()).isEqualTo(1);
    assertThat(risk.draining().stream().map(NightReport.Place::name)).containsExactly("l1");
    assertThat(risk.gone().stream().map(NightReport.Place::name)).containsExactly("l2");
    assertThat(risk.failures().stream().map(f -> f.stage() + " " + f.mended()))
        .containsExactly("reshard false", "plan true");
    assertThat(risk.unfinished()).isEqualTo(1);
    assertThat(risk.check().findings()).isEqualTo(3);
    assertThat(risk.check().percent()).isEqualTo(10);
  }

  @Test
  void scoresAreThoseOfTheModeAskedFor() {
    assertThat(report.worth().scores().stream().map(score -> score.metric() + " " + score.value()))
        .containsExactly("wape 0.5", "wape_persistence 0.75");
  }

  @Test
  void whatTheForecastIsMadeWithIsWhatCountedThatNight() {
    NightReport.Tuning tuning = report.tuning();
    assertThat(tuning.mode()).isEqualTo("auto");
    assertThat(tuning.settings())
        .hasSize(6)
        .contains(
            new NightReport.Setting(
                "class-prior", "50", "tuned", Instant.parse("2026-01-02T00:00:00Z")),
            new NightReport.Setting("recent-half-life", "4d", "default", null));
    // What later runs tried is none of this night.
    assertThat(tuning.tried())
        .singleElement()
        .satisfies(
            tried -> {
              assertThat(tried.runId()).isEqualTo("night-1");
              assertThat(tried.from() + " " + tried.to()).isEqualTo("100 50");
              assertThat(tried.gain()).isEqualTo(0.125);
              assertThat(tried.action()).isEqualTo("applied");
            });
    assertThat(io.metashard.report.Page.of(report))
        .contains("because &lt;i&gt;")
        .doesNotContain("because <i>");
  }

  @Test
  void theMonitorsVerdictIsTheNewestOfTheModeAskedFor() {
    NightReport.Monitor monitor = report.worth().monitor();
    assertThat(monitor.runId()).isEqualTo("night-1");
    assertThat(monitor.verdict()).isEqualTo("degraded");
    assertThat(monitor.reason()).isEqualTo("because <b>");
    assertThat(monitor.classes()).extracting(NightReport.Trust::heat).containsExactly("all", "hot");
    assertThat(monitor.classes().get(1).coverage()).isEqualTo(0.5);
    assertThat(monitor.classes().get(1).logLoss()).isNaN();
    assertThat(monitor.chances()).containsExactly(new NightReport.Chance(0.3, 0.4, 4, 0.35, 0.25));
    assertThat(monitor.nights())
        .extracting(night -> night.runId() + " " + night.verdict() + " " + night.drift())
        .containsExactly("night-0 ok NaN", "night-1 degraded 0.125");
    assertThat(report.advice())
        .extracting(Advice::what)
        .contains(
            "The forecast is degraded (because <b>): look since when, and whether logs or readers changed then.");
  }

  @Test
  void anUnknownRunIsWrongUseAndTheNewestAreNamed() {
    assertThatThrownBy(
            () ->
                new ReportJob(CONTEXT).report(request(Optional.of("nihgt-2"), ReportJob.Mode.REAL)))
        .hasMessage(
            "Cannot report on run nihgt-2: the lake knows no such night; the newest are night-2, night-1")
        .satisfies(
            thrown -> assertThat(Failures.exitCode(thrown)).isEqualTo(MetashardException.USAGE));
    assertThatThrownBy(
            () -> new ReportJob.Request(Optional.empty(), Optional.empty(), ReportJob.Mode.REAL, 0))
        .hasMessage("Cannot report on 0 nights: --nights is 1 to 90");
  }

  @Test
  void thePageIsWrittenWhereItIsAskedFor() {
    ReportJob job = new ReportJob(CONTEXT);
    assertThat(job.write(report, null)).endsWith("/lake/_reports/report-night-2.html");
    String file = job.write(report, FOLDER.resolve("a b/page.html").toString());
    assertThat(file).endsWith("/a b/page.html");
    assertThat(Files.exists(FOLDER.resolve("a b/page.html"))).isTrue();
    assertThat(job.write(report, FOLDER.resolve("a b/").toString()))
        .endsWith("/a b/report-night-2.html");
  }
}
