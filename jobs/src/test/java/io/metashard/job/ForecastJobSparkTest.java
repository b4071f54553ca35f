package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.size;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.ForecastQuality;
import io.metashard.forecast.Forecasts;
import io.metashard.lake.Lake;
import java.nio.file.Path;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ForecastJobSparkTest {
  private static final Instant START = Instant.parse("2026-03-02T00:00:00Z");
  private static final Instant AT = START.plusSeconds(8 * 86_400);
  private static final int SEGMENTS = 12;

  private static Lake lake;
  private static Dataset<Row> demand;

  @BeforeAll
  static void makesALake() {
    SparkSession spark = SharedSpark.session();
    lake =
        new Lake(
            spark,
            JobContext.qualified(
                SharedSpark.tempFolder("forecast").toString(),
                spark.sessionState().newHadoopConf()));
    Timestamp born = Timestamp.from(START.minusSeconds(86_400));
    lake.append(
        Objects.TABLE,
        spark.createDataFrame(
            List.of(
                RowFactory.create(
                    "a b/ü",
                    "file:/a",
                    "root0",
                    1200L,
                    "v",
                    born,
                    born,
                    SEGMENTS,
                    100L,
                    Objects.PRESENT,
                    null,
                    Objects.PENDING)),
            Objects.SCHEMA),
        Lake.Commit.PLAIN);
    List<Row> rows = new ArrayList<>();
    for (int t = 0; t < 8 * 24; t++) {
      for (int s = 0; s < SEGMENTS - 2; s++) {
        if ((t * 7 + s * 5) % (s + 1) == 0) {
          Instant bucket = START.plusSeconds(3600L * t);
          rows.add(
              RowFactory.create(
                  new Date(bucket.toEpochMilli()),
                  "a b/ü",
                  s,
                  100L,
                  Timestamp.from(bucket),
                  1.0 + (t + s) % 3,
                  0.0,
                  10L));
        }
      }
    }
    demand = spark.createDataFrame(rows, Demand.SCHEMA);
    lake.append(Demand.TABLE, demand, Lake.Commit.PLAIN);
  }

  private static StageReport run(String runId, String... overrides) {
    return job(runId, overrides).run();
  }

  private static ForecastJob job(String runId, String... overrides) {
    Settings settings = Settings.parse("test", "forecast.backtest-origins = 2", List.of(overrides));
    return new ForecastJob(new JobContext(SharedSpark.session(), lake, settings, AT, runId));
  }

  @Test
  void aRetryReplacesItsOwnRowsAndLeavesOthersAlone() {
    StageReport first = run("run-1");
    StageReport other = run("run-2");
    StageReport retry = run("run-1");
    assertThat(first.rowsIn()).isEqualTo(demand.count());
    assertThat(first.rowsOut()).isEqualTo(SEGMENTS);
    assertThat(retry.fingerprint()).isEqualTo(first.fingerprint()).isEqualTo(other.fingerprint());
    assertThat(retry.figures().get("model")).isEqualTo(first.figures().get("model"));
    Dataset<Row> forecast = lake.read(Forecasts.TABLE);
    for (String id : List.of("run-1", "run-2")) {
      assertThat(forecast.where(col(Forecasts.RUN_ID).equalTo(id)).count()).isEqualTo(SEGMENTS);
      Dataset<Row> quality =
          lake.read(ForecastQuality.TABLE).where(col(ForecastQuality.RUN_ID).equalTo(id));
      assertThat(quality.count())
          .isPositive()
          .isEqualTo(
              quality
                  .select(ForecastQuality.MODEL, ForecastQuality.CLASS, ForecastQuality.METRIC)
                  .distinct()
                  .count());
      assertThat(
              quality
                  .where(col(ForecastQuality.CHOSEN))
                  .select(ForecastQuality.MODEL)
                  .distinct()
                  .count())
          .isEqualTo(1);
    }
    assertThat(forecast.select(Forecasts.RUN_DATE).distinct().collectAsList())
        .containsExactly(RowFactory.create(Date.valueOf("2026-03-10")));
    assertThat(forecast.select(Forecasts.HORIZON_START).distinct().collectAsList())
        .containsExactly(RowFactory.create(Timestamp.from(AT)));
  }

  @Test
  void furtherHorizonsStandBesideTheMainOneAndChangeNothingOfIt() {
    StageReport alone = run("run-alone", "forecast.backtest-origins=6");
    long version = lake.version(Forecasts.TABLE).orElseThrow();
    StageReport report =
        run(
            "run-more",
            "forecast.backtest-origins=6",
            "forecast.more-horizons=[1h, 7d]",
            "forecast.profile=true");
    // All of them in one commit.
    assertThat(lake.version(Forecasts.TABLE)).hasValue(version + 1);
    assertThat(report.rowsOut()).isEqualTo(3L * SEGMENTS);
    assertThat(report.fingerprint()).isNotEqualTo(alone.fingerprint());
    Dataset<Row> forecast = lake.read(Forecasts.TABLE);
    List<List<Row>> main = new ArrayList<>();
    for (String id : List.of("run-alone", "run-more")) {
      main.add(
          forecast
              .where(col(Forecasts.RUN_ID).equalTo(id).and(Forecasts.ofMainHorizon()))
              .drop(Forecasts.RUN_ID, Forecasts.PROFILE)
              .orderBy(Forecasts.SEGMENT)
              .collectAsList());
    }
    assertThat(main.get(0)).hasSize(SEGMENTS);
    assertThat(main.get(1)).isEqualTo(main.get(0));
    alone
        .figures()
        .forEach(
            (name, value) -> {
              if (!name.equals("model_path")) {
                assertThat(report.figures()).containsEntry(name, value);
              }
            });
    // Of this hour of the day one request is planted; a week has seven days.
    double day = (double) report.figures().get("expected_requests");
    assertThat((double) report.figures().get("horizon_1h_expected_requests")).isBetween(0.5, 2.0);
    assertThat((double) report.figures().get("horizon_7d_expected_requests"))
        .isBetween(5 * day, 9 * day);
    for (String word : List.of("1h", "7d")) {
      long seconds = word.equals("1h") ? 3600 : 7 * 86_400;
      Dataset<Row> rows =
          forecast.where(
              col(Forecasts.RUN_ID)
                  .equalTo("run-more")
                  .and(
                      col(Forecasts.HORIZON_END).equalTo(Timestamp.from(AT.plusSeconds(seconds)))));
      assertThat(rows.count()).isEqualTo(SEGMENTS);
      assertThat(rows.where(Forecasts.ofMainHorizon()).count()).isZero();
      assertThat(rows.where(size(col(Forecasts.PROFILE)).equalTo(seconds / 3600)).count())
          .isEqualTo(SEGMENTS);
      assertThat(rows.select(Forecasts.MODEL).distinct().first().getString(0))
          .isEqualTo(report.figures().get("horizon_" + word + "_model"));
    }
    // A week ahead from eight days: one origin, which nothing could be trained on.
    assertThat(report.figures()).containsEntry("horizon_7d_models_saved", 0);
    String saved = (String) report.figures().get("horizon_1h_model_path");
    assertThat(saved).endsWith("-1h").contains("/_models/run-more/");
    assertThat(PipelineModel.load(saved + "/gbt-correction").stages()).hasSize(2);
    assertThat(
            lake.read(ForecastQuality.TABLE)
                .where(col(ForecastQuality.RUN_ID).equalTo("run-more"))
                .select(ForecastQuality.HORIZON_SECONDS)
                .distinct()
                .as(org.apache.spark.sql.Encoders.LONG())
                .collectAsList())
        .contains(3600L, 86_400L);
  }

  @Test
  void theModelsAreSavedAndCanBeLoaded() {
    StageReport report = run("run-model", "forecast.backtest-origins=6");
    assertThat(report.figures()).containsEntry("models_saved", 2);
    for (String name : List.of("glm-correction", "gbt-correction")) {
      assertThat(PipelineModel.load(report.figures().get("model_path") + "/" + name).stages())
          .hasSize(2);
    }
  }

  @Test
  void refusesARunIdThatIsNotPlain() {
    for (String id :
        List.of("", "a'b", "../x", "a b", ".hidden", "_x", "x\ny", "a/b", "x".repeat(129))) {
      assertThatThrownBy(() -> job(id))
          .isInstanceOf(MetashardException.class)
          .hasMessageStartingWith("Cannot run as ")
          .hasMessageContaining("use another --run-id");
    }
  }

  @Test
  void anEmptyLakeGivesAnEmptyForecast() {
    Lake empty =
        new Lake(
            SharedSpark.session(),
            JobContext.qualified(
                SharedSpark.tempFolder("empty").toString(),
                SharedSpark.session().sessionState().newHadoopConf()));
    StageReport report =
        new ForecastJob(
                new JobContext(SharedSpark.session(), empty, Settings.defaults(), AT, "run-empty"))
            .run();
    assertThat(report.rowsOut()).isZero();
    assertThat(report.reason()).contains("too short for a back-test");
    assertThat(empty.read(Forecasts.TABLE).count()).isZero();
  }

  @Test
  void aBacktestForecastsFromEachOriginWithWhatWasKnownThen() {
    Path folder = SharedSpark.tempFolder("backtest");
    String in = folder.resolve("demand").toUri().toString();
    String out = folder.resolve("out").toUri().toString();
    demand.drop(Demand.WHOLE_REQUESTS, Demand.DATE).write().parquet(in);
    List<Instant> origins = List.of(AT.minusSeconds(86_400), AT.minusSeconds(2 * 86_400));
    for (String profile : List.of("false", "true")) {
      JobContext context =
          new JobContext(
              SharedSpark.session(),
              lake,
              Settings.parse(
                  "test", "forecast.backtest-origins = 1", List.of("forecast.profile=" + profile)),
              AT,
              "backtest");
      StageReport report =
          new BacktestJob(context, new BacktestJob.Request(in, null, origins, out)).run();
      assertThat(report.rowsOut()).isEqualTo(2L * (SEGMENTS - 2));
      assertThat(SharedSpark.session().read().parquet(out).columns())
          .hasSize(profile.equals("true") ? 7 : 6);
    }
    Dataset<Row> told = SharedSpark.session().read().parquet(out);
    assertThat(told.columns())
        .containsExactly(
            "origin",
            "object_id",
            "segment",
            "expected_requests",
            "p_requested",
            "model",
            "profile");
    assertThat(told.where(size(col("profile")).equalTo(24)).count()).isEqualTo(told.count());
    assertThat(told.groupBy("origin").count().orderBy("origin").collectAsList())
        .containsExactly(
            RowFactory.create(Timestamp.from(origins.get(1)), SEGMENTS - 2L),
            RowFactory.create(Timestamp.from(origins.get(0)), SEGMENTS - 2L));
  }

  @Test
  void aBacktestRefusesWhatItCannotUse() {
    JobContext context =
        new JobContext(SharedSpark.session(), lake, Settings.defaults(), AT, "backtest");
    assertThatThrownBy(() -> new BacktestJob.Request("in", null, List.of(), "out"))
        .hasMessageContaining("no origin is given");
    assertThatThrownBy(
            () ->
                new BacktestJob(
                    context,
                    new BacktestJob.Request("in", null, List.of(AT.plusSeconds(60)), "out")))
        .hasMessageContaining("2026-03-10T00:01:00Z: it is no start of a bucket of PT1H");
  }
}
