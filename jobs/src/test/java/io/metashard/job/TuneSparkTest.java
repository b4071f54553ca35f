package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metashard.SharedSpark;
import io.metashard.aggregate.Demand;
import io.metashard.catalogue.Objects;
import io.metashard.config.Settings;
import io.metashard.forecast.ForecastOptions;
import io.metashard.forecast.Tunable;
import io.metashard.forecast.Tuning;
import io.metashard.lake.Lake;
import io.metashard.lake.TableDefinition;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A demand that went up and down from day to day and then began to grow: how the total was told
 * three weeks ago is no guide, so errors should be forgotten sooner than they usually are.
 */
@Tag("slow")
class TuneSparkTest {
  private static final LocalDate FIRST = LocalDate.parse("2026-03-02");
  private static final int DAYS = 32;
  private static final int GROWS_FROM = DAYS - 8;
  private static final double[] SHARES = {0.4, 0.3, 0.2, 0.1};

  /** Everything is fixed but one. */
  private static final List<String> ONE_IS_FREE =
      List.of(
          "forecast.bucket=6h",
          "forecast.backtest-origins=0",
          "forecast.parameters.recent-half-life=4d",
          "forecast.parameters.same-phase-half-life=3d",
          "forecast.parameters.class-prior=100",
          "forecast.parameters.ridge=0.01",
          "forecast.parameters.window=35d",
          "tuner.origins=3");

  private static Lake lake;
  private static StageReport tuned;

  @BeforeAll
  static void tuneOnce() {
    lake = lake("tune");
    tuned = job(lake, "tune-1", TuneJob.Occasion.BY_HAND).run();
  }

  private static Lake lake(String name) {
    Lake made =
        new Lake(
            SharedSpark.session(),
            JobContext.qualified(
                SharedSpark.tempFolder(name).toString(),
                SharedSpark.session().sessionState().newHadoopConf()));
    Timestamp born = Timestamp.from(at(-1));
    write(
        made,
        Objects.TABLE,
        List.of(
            RowFactory.create(
                "o",
                "file:/o",
                "root0",
                SHARES.length * 100L,
                "v",
                born,
                born,
                SHARES.length,
                100L,
                Objects.PRESENT,
                null,
                Objects.PENDING)));
    List<Row> demand = new ArrayList<>();
    for (int day = 0; day < DAYS; day++) {
      for (int segment = 0; segment < SHARES.length; segment++) {
        for (int hour = 0; hour < 24; hour += 6) {
          demand.add(
              RowFactory.create(
                  Date.valueOf(FIRST.plusDays(day)),
                  "o",
                  segment,
                  100L,
                  Timestamp.from(at(day).plus(Duration.ofHours(hour))),
                  total(day) * SHARES[segment] / 4,
                  0.0,
                  10L));
        }
      }
    }
    write(made, Demand.TABLE, demand);
    return made;
  }

  private static double total(int day) {
    return day < GROWS_FROM ? (day % 2 == 0 ? 400 : 1600) : 800 * Math.pow(1.2, day - GROWS_FROM);
  }

  private static Instant at(int day) {
    return FIRST.plusDays(day).atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  private static void write(Lake lake, TableDefinition table, List<Row> rows) {
    lake.append(
        table,
        SharedSpark.session().createDataFrame(rows, table.schema()).coalesce(1),
        Lake.Commit.PLAIN);
  }

  private static JobContext context(Lake lake, String runId, int day, String... more) {
    List<String> overrides = new ArrayList<>(ONE_IS_FREE);
    overrides.addAll(Arrays.asList(more));
    return new JobContext(
        SharedSpark.session(), lake, Settings.parse("test", "", overrides), at(day), runId);
  }

  private static TuneJob job(Lake lake, String runId, TuneJob.Occasion occasion, String... more) {
    return new TuneJob(
        context(lake, runId, DAYS, more), occasion, NightlyJob.Repeat.SKIP_DONE, Clock.systemUTC());
  }

  private static List<Row> rows(Lake lake, String runId, String action) {
    return lake.read(Tuning.TABLE)
        .where(col(Tuning.RUN_ID).equalTo(runId).and(col(Tuning.ACTION).equalTo(action)))
        .orderBy(Tuning.PARAMETER)
        .collectAsList();
  }

  private static double inForce(Lake lake, String... more) {
    JobContext context = context(lake, "any", DAYS, more);
    return new TuningTable(context)
        .inForce(ForecastOptions.from(context.settings()))
        .parameters()
        .value(Tunable.TOTAL_ERROR_HALF_LIFE);
  }

  @Test
  void aHalfLifeThatIsBetterIsUsedFromNowOnWithItsGainSaid() {
    assertThat(tuned.state()).isEqualTo(StageReport.DONE);
    assertThat(tuned.reason()).isEqualTo("1 applied, 5 fixed-by-conf");
    assertThat(tuned.figures())
        .containsEntry("tuned", "total-error-half-life 4d")
        .containsEntry("forecasts_of_the_past", 6);
    List<Row> applied = rows(lake, "tune-1", "applied");
    assertThat(applied).hasSize(1);
    Row row = applied.get(0);
    double before = row.getAs(Tuning.DEVIANCE_BEFORE);
    double after = row.getAs(Tuning.DEVIANCE_AFTER);
    assertThat(row.<String>getAs(Tuning.PARAMETER)).isEqualTo("total-error-half-life");
    assertThat(row.<String>getAs(Tuning.UNIT)).isEqualTo("hours");
    assertThat(row.<Double>getAs(Tuning.FROM_VALUE)).isEqualTo(168);
    assertThat(row.<Double>getAs(Tuning.TO_VALUE)).isEqualTo(96);
    assertThat(row.<Double>getAs(Tuning.GAIN)).isCloseTo(1 - after / before, within(1e-9));
    assertThat(after).isLessThan(0.95 * before);
    assertThat(row.<Integer>getAs(Tuning.ORIGINS)).isEqualTo(3);
    assertThat(row.<Integer>getAs(Tuning.WINS)).isEqualTo(3);
    assertThat(row.<String>getAs(Tuning.REASON)).contains("better from 3 of 3 origins");
    // And it is a better forecast of the day that follows.
    StageReport with = new ForecastJob(context(lake, "with", DAYS)).run();
    StageReport without =
        new ForecastJob(
                context(lake, "without", DAYS, "forecast.parameters.total-error-half-life=7d"))
            .run();
    assertThat(with.figures()).containsEntry(ForecastJob.TUNED, "total-error-half-life 4d");
    assertThat(without.figures()).doesNotContainKey(ForecastJob.TUNED);
    assertThat(with.fingerprint()).isNotEqualTo(without.fingerprint());
    double came = total(DAYS);
    assertThat(Math.abs(came - (double) with.figures().get("expected_total")))
        .isLessThan(Math.abs(came - (double) without.figures().get("expected_total")));
  }

  @Test
  void aRunTunesOnce() {
    long rows = lake.read(Tuning.TABLE).where(col(Tuning.RUN_ID).equalTo("tune-1")).count();
    assertThat(rows).isEqualTo(6);
    StageReport again = job(lake, "tune-1", TuneJob.Occasion.BY_HAND).run();
    assertThat(again.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(again.reason()).isEqualTo("run tune-1 has tuned before");
    assertThat(again.figures()).containsEntry("tuned", "total-error-half-life 4d");
    assertThat(lake.read(Tuning.TABLE).where(col(Tuning.RUN_ID).equalTo("tune-1")).count())
        .isEqualTo(rows);
  }

  @Test
  void aFixedSettingWins() {
    assertThat(inForce(lake)).isEqualTo(96);
    String fixed = "forecast.parameters.total-error-half-life=7d";
    assertThat(inForce(lake, fixed)).isEqualTo(168);
    StageReport report = job(lake, "all-fixed", TuneJob.Occasion.BY_HAND, fixed).run();
    assertThat(report.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(report.reason()).startsWith("nothing to try: every parameter is fixed");
    List<Row> said = rows(lake, "all-fixed", "fixed-by-conf");
    assertThat(said).hasSize(1);
    assertThat(said.get(0).<String>getAs(Tuning.REASON))
        .isEqualTo("forecast.parameters.total-error-half-life = 7d wins over 4d");
    // It has no say once it is free again.
    assertThat(inForce(lake)).isEqualTo(96);
  }

  @Test
  void aNightTunesOnlyWhenItIsDue() {
    StageReport soon = job(lake, "night-1", TuneJob.Occasion.NIGHT).run();
    assertThat(soon.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(soon.reason())
        .isEqualTo(
            "tuned last for 2026-04-03T00:00:00Z, next from 2026-04-10T00:00:00Z on (tuner.every)");
    StageReport young = job(lake, "night-2", TuneJob.Occasion.NIGHT, "tuner.every=0s").run();
    assertThat(young.reason())
        .isEqualTo("days with a forecast so far: 0; tuning begins after 14 (tuner.after-nights)");
    StageReport off = job(lake, "night-3", TuneJob.Occasion.NIGHT, "tuner.mode=off").run();
    assertThat(off.reason()).isEqualTo("tuner.mode = off");
    assertThat(off.figures()).containsEntry("tuned", "total-error-half-life 4d");
    assertThatThrownBy(() -> job(lake, "hand", TuneJob.Occasion.BY_HAND, "tuner.mode=off").run())
        .hasMessageContaining("Cannot tune: tuner.mode = off; use --set tuner.mode=suggest");
    TuneJob early =
        new TuneJob(
            context(lake, "early", 9),
            TuneJob.Occasion.BY_HAND,
            NightlyJob.Repeat.SKIP_DONE,
            Clock.systemUTC());
    assertThat(early.run().reason())
        .isEqualTo(
            "the history is too short: forecasts of the past can be made from 2 moments with a week of demand before them, it takes 3");
    TuneJob silent =
        new TuneJob(
            context(lake, "silent", DAYS + 3),
            TuneJob.Occasion.BY_HAND,
            NightlyJob.Repeat.SKIP_DONE,
            Clock.systemUTC());
    assertThat(silent.run().reason())
        .isEqualTo(
            "too little was requested: after 0 of 3 moments there was anything at all, it takes 3");
  }

  @Test
  void whatIsSuggestedChangesNothingAndUndoingGivesBackWhatWasBefore() {
    Lake other = lake("tune-undo");
    StageReport suggested =
        job(other, "suggest-1", TuneJob.Occasion.BY_HAND, "tuner.mode=suggest").run();
    assertThat(suggested.reason()).isEqualTo("1 suggested, 5 fixed-by-conf");
    assertThat(suggested.figures()).containsEntry("tuned", "nothing");
    Row row = rows(other, "suggest-1", "suggested").get(0);
    assertThat(row.<Double>getAs(Tuning.GAIN)).isGreaterThan(0.05);
    assertThat(inForce(other)).isEqualTo(168);

    // The same change, as a run that was let to would have written it.
    write(other, Tuning.TABLE, rows(lake, "tune-1", "applied"));
    assertThat(inForce(other)).isEqualTo(96);
    StageReport undone = job(other, "undo-1", TuneJob.Occasion.BY_HAND).undo(null);
    assertThat(undone.state()).isEqualTo(StageReport.DONE);
    assertThat(inForce(other)).isEqualTo(168);
    Row taken = rows(other, "undo-1", "undone").get(0);
    assertThat(taken.<String>getAs(Tuning.UNDONE_RUN_ID)).isEqualTo("tune-1");
    assertThat(taken.<Double>getAs(Tuning.FROM_VALUE)).isEqualTo(96);
    assertThat(taken.<Double>getAs(Tuning.TO_VALUE)).isEqualTo(168);
    assertThat(job(other, "undo-1", TuneJob.Occasion.BY_HAND).undo(null).reason())
        .isEqualTo("run undo-1 has undone a change before; --force undoes another");
    assertThat(job(other, "undo-2", TuneJob.Occasion.BY_HAND).undo("tune-1").reason())
        .isEqualTo("run tune-1 is undone");
    assertThat(job(other, "undo-3", TuneJob.Occasion.BY_HAND).undo(null).reason())
        .isEqualTo("no change is in force");
    assertThatThrownBy(() -> job(other, "undo-4", TuneJob.Occasion.BY_HAND).undo("suggest-1"))
        .hasMessage(
            "Cannot undo run suggest-1: it changed nothing; tune --history lists the changes");
    assertThatThrownBy(() -> job(other, "tune-1", TuneJob.Occasion.BY_HAND).undo(null))
        .hasMessageStartingWith("Cannot undo as run tune-1: it has tuned itself; name the run");
    assertThat(other.read(Tuning.TABLE).where(col(Tuning.ACTION).equalTo("undone")).count())
        .isEqualTo(1);
  }

  @Test
  void whatWasNotJudgedInTimeIsRejected() {
    Lake other = lake("tune-late");
    StageReport late = job(other, "late", TuneJob.Occasion.BY_HAND, "tuner.max-duration=0s").run();
    assertThat(late.figures()).containsEntry("forecasts_of_the_past", 0);
    Row row = rows(other, "late", "rejected").get(0);
    assertThat(row.isNullAt(row.fieldIndex(Tuning.GAIN))).isTrue();
    assertThat(row.<String>getAs(Tuning.REASON))
        .startsWith("not judged: tuner.max-duration was over after 0 forecasts of the past; raise");
    assertThat(inForce(other)).isEqualTo(168);
  }
}
