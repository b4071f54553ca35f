package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.ForecastMonitor;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import io.metashard.shardmap.ShardMap;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Nights whose forecasts go bad: what is said of them, and what the next forecast makes of it. */
@Tag("slow")
class MonitorSparkTest {
  private static final LocalDate FIRST = LocalDate.parse("2026-03-02");
  private static final int SEGMENTS = 8;

  /** The first night, which is forecast well; the next two are not. */
  private static final int GOOD = 5;

  private static final int DAYS = GOOD + 4;

  private static Lake lake;
  private static final List<StageReport> SCORED = new ArrayList<>();

  @BeforeAll
  static void threeNights() {
    lake =
        new Lake(
            SharedSpark.session(),
            JobContext.qualified(
                SharedSpark.tempFolder("monitor").toString(),
                SharedSpark.session().sessionState().newHadoopConf()));
    Timestamp born = Timestamp.from(at(-1));
    write(
        Objects.TABLE,
        List.of(
            RowFactory.create(
                "o",
                "file:/o",
                "root0",
                SEGMENTS * 100L,
                "v",
                born,
                born,
                SEGMENTS,
                100L,
                Objects.PRESENT,
                null,
                Objects.PENDING)));
    List<Row> demand = new ArrayList<>();
    for (int day = 0; day < DAYS; day++) {
      for (int segment = 0; segment < SEGMENTS - 1; segment++) {
        for (int hour = segment; hour < 24; hour += 3) {
          demand.add(
              RowFactory.create(
                  Date.valueOf(FIRST.plusDays(day)),
                  "o",
                  segment,
                  100L,
                  Timestamp.from(at(day).plus(Duration.ofHours(hour))),
                  came(day, segment) / (double) ((24 - segment + 2) / 3),
                  0.0,
                  10L));
        }
      }
    }
    write(Demand.TABLE, demand);
    List<Row> forecasts = new ArrayList<>();
    List<Row> runs = new ArrayList<>();
    for (int day = GOOD; day < DAYS - 1; day++) {
      for (int segment = 0; segment < SEGMENTS; segment++) {
        // A good forecast is near; a bad one has the order of heat upside down.
        double expected =
            day == GOOD ? came(day, segment) + 0.1 : came(day, SEGMENTS - 1 - segment) + 0.1;
        forecasts.add(forecast(day, segment, 1, expected, true));
        // A horizon that is not over, and one that would make every score worse.
        forecasts.add(forecast(day, segment, 7, 7 * expected, false));
        forecasts.add(forecast(day, segment, 2, 1000, false));
      }
      runs.add(finished("night-" + day, day));
    }
    write(Forecasts.TABLE, forecasts);
    write(RunsTable.TABLE, runs);
    // Each night is scored by the one after it.
    for (int day = GOOD + 1; day < DAYS; day++) {
      SCORED.add(score("night-" + day, day));
    }
  }

  private static Row forecast(
      int day, int segment, int days, double expected, boolean mainHorizon) {
    return RowFactory.create(
        Date.valueOf(FIRST.plusDays(day)),
        "night-" + day,
        "o",
        segment,
        100L,
        Timestamp.from(at(day)),
        Timestamp.from(at(day + days)),
        expected,
        expected / 2,
        expected * 2,
        expected > 1 ? 0.99 : 0.02,
        1.0 / SEGMENTS,
        "glm-correction",
        0.0,
        mainHorizon,
        null);
  }

  /** Nothing for the last segment, and a little more or less from day to day. */
  private static double came(int day, int segment) {
    return segment == SEGMENTS - 1 ? 0 : 20.0 * (SEGMENTS - 1 - segment) + (day + segment) % 3;
  }

  private static Instant at(int day) {
    return FIRST.plusDays(day).atStartOfDay(java.time.ZoneOffset.UTC).toInstant();
  }

  private static void write(TableDefinition table, List<Row> rows) {
    lake.append(
        table,
        SharedSpark.session().createDataFrame(rows, table.schema()).coalesce(1),
        Lake.Commit.PLAIN);
  }

  private static Row finished(String runId, int day) {
    Timestamp at = Timestamp.from(at(day));
    return RowFactory.create(
        runId,
        "reshard",
        StageReport.DONE,
        at,
        1.0,
        0L,
        0L,
        0L,
        0L,
        "{}",
        "",
        "test",
        at,
        ReshardJob.FINISHED,
        "",
        "{}",
        at,
        "a",
        "app",
        "4.1.0");
  }

  private static JobContext context(String runId, int day, String... overrides) {
    List<String> all = new ArrayList<>(Arrays.asList(overrides));
    all.addAll(
        List.of(
            "forecast.backtest-origins=1",
            "simulate.draws=100",
            "monitor.nights=2",
            "monitor.degraded-nights=1",
            "monitor.spans=5"));
    return new JobContext(
        SharedSpark.session(), lake, Settings.parse("test", "", all), at(day), runId);
  }

  private static StageReport score(String runId, int day) {
    return new ScoreJob(context(runId, day), NightlyJob.Mode.REAL, new ShardMap(lake), List.of())
        .run();
  }

  @Test
  void aForecastThatGoesBadIsDegradedAndThenFallsBack() {
    assertThat(SCORED)
        .extracting(report -> report.figures().get(Monitor.VERDICT))
        .containsExactly("ok", "degraded", "fall-back");
    assertThat(SCORED)
        .extracting(report -> report.figures().get(Monitor.VERDICT_CODE))
        .containsExactly(0, 1, 2);
    assertThat((String) SCORED.get(2).figures().get(Monitor.VERDICT_REASON))
        .startsWith(
            "2 successive nights have lost by more than 10 % to the counts of the span before: deviance ");
    List<Row> rows =
        lake.read(ForecastMonitor.TABLE)
            .where(col(ForecastMonitor.METRIC).equalTo(ForecastMonitor.VERDICT))
            .orderBy(ForecastMonitor.HORIZON_START)
            .collectAsList();
    assertThat(rows)
        .extracting(row -> row.<String>getAs(ForecastMonitor.SCORED_RUN_ID))
        .containsExactly("night-5", "night-6", "night-7");
    for (int night = 0; night < rows.size(); night++) {
      assertThat(rows.get(night).<String>getAs(ForecastMonitor.REASON))
          .isEqualTo(SCORED.get(night).figures().get(Monitor.VERDICT_REASON));
    }
    // The demand itself stays what it is from day to day.
    assertThat((Double) SCORED.get(0).figures().get(Monitor.DRIFT_RATIO)).isBetween(0.5, 2.0);
  }

  @Test
  void aRetryScoresOnceAndTellsTheVerdictAgain() {
    long version = lake.version(ForecastMonitor.TABLE).orElseThrow();
    StageReport again = score("night-" + (DAYS - 1), DAYS - 1);
    assertThat(again.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(again.figures()).containsEntry(Monitor.VERDICT, "fall-back");
    assertThat(lake.version(ForecastMonitor.TABLE)).hasValue(version);
  }

  @Test
  void theForecastFallsBackToItsBaseUnlessAModelIsConfigured() {
    StageReport obeys = new ForecastJob(context("obeys", DAYS - 1)).run();
    assertThat(obeys.figures())
        .containsEntry("model", "total-share")
        .containsEntry(ForecastJob.FALLS_BACK, true)
        .containsEntry(ForecastJob.MONITOR_VERDICT, "fall-back");
    assertThat(obeys.reason())
        .startsWith(
            "total-share alone: the monitor says fall-back since the night of 2026-03-09T00:00:00Z (2 successive nights have lost by more than 10 %");
    StageReport configured =
        new ForecastJob(context("configured", DAYS - 1, "forecast.model=seasonal-naive")).run();
    assertThat(configured.figures())
        .containsEntry("model", "seasonal-naive")
        .containsEntry(ForecastJob.FALLS_BACK, false)
        .containsEntry(ForecastJob.MONITOR_VERDICT, "fall-back");
    // A run of the day before knows nothing of it.
    Monitor before = new Monitor(context("before", DAYS - 2), NightScores.REAL);
    assertThat(before.fallsBack()).isFalse();
    assertThat(before.newest().orElseThrow().scoredRunId()).isEqualTo("night-6");
    assertThat(new Monitor(context("trial", DAYS - 1), NightScores.SHADOW).newest()).isEmpty();
  }
}
