package io.metashard.job;

import static org.apache.spark.sql.functions.col;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metashard.SharedSpark;
import io.metashard.config.Settings;
import io.metashard.generate.GenerateOptions;
import io.metashard.job.IngestJob.Step;
import io.metashard.lake.Lake;
import io.metashard.logs.IngestedFiles;
import io.metashard.logs.Reasons;
import io.metashard.logs.Requests;
import io.metashard.logs.RequestsRejected;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class IngestJobSparkTest {
  private static final Instant AT = Instant.parse("2026-01-22T00:00:00Z");
  private static final String COMBINED_LINE =
      "192.0.2.7 - - [%s +0000] \"GET /%s HTTP/1.1\" 200 12 \"-\" \"Mozilla/5.0\"\n";

  private Path folder;
  private Path logs;
  private String format = "combined";

  @BeforeEach
  void makeFolders() throws IOException {
    folder = SharedSpark.tempFolder("ingest");
    logs = Files.createDirectories(folder.resolve("logs"));
  }

  @Test
  void takesEachFileOnceAndCountsEveryLine() throws Exception {
    Files.writeString(logs.resolve("a.log"), line("one") + "broken\n" + line("two"));
    Files.write(logs.resolve("b.log.gz"), gzip(line("three")));
    Files.writeString(logs.resolve("empty.log"), "");
    Files.writeString(logs.resolve("_hidden.log"), line("hidden"));
    Files.createDirectories(logs.resolve(".staging"));
    Files.writeString(logs.resolve(".staging").resolve("x.log"), line("hidden"));

    StageReport first = job("night-1").run();
    assertThat(first.state()).isEqualTo(StageReport.DONE);
    assertThat(first.figures())
        .containsEntry("files", 3L)
        .containsEntry("lines", 4L)
        .containsEntry("requests", 3L)
        .containsEntry("rejected", 1L)
        .containsEntry("outside", 0L)
        .containsEntry("rejected_line-malformed", 1L);
    assertThat(ids()).containsExactly("one", "three", "two");
    Row rejected = lake().read(RequestsRejected.TABLE).first();
    assertThat(rejected.<Long>getAs(RequestsRejected.LINE)).isEqualTo(2);
    assertThat(rejected.<String>getAs(RequestsRejected.TEXT)).isEqualTo("broken");
    assertThat(rejected.<String>getAs(RequestsRejected.SOURCE_FILE)).endsWith("/logs/a.log");
    Row empty =
        lake()
            .read(IngestedFiles.TABLE)
            .where(col(IngestedFiles.PATH).endsWith("empty.log"))
            .first();
    assertThat(empty.<Long>getAs(IngestedFiles.LINES)).isZero();

    StageReport second = job("night-2").run();
    assertThat(second.state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(second.reason()).isEqualTo("no new log files");

    // A file with nothing but rejected lines is taken for good, too.
    Files.writeString(logs.resolve("c.log"), "\0\0\n");
    assertThat(job("night-3").run().figures()).containsEntry("rejected_binary", 1L);
    assertThat(job("night-4").run().state()).isEqualTo(StageReport.UNCHANGED);
    assertThat(ids()).containsExactly("one", "three", "two");
    assertThat(column(Requests.CLIENT)).containsOnlyNulls();
  }

  @Test
  void takesEachFileOnceWhereverARunWasKilled() throws Exception {
    int night = 0;
    List<String> expected = new ArrayList<>();
    for (Step step : Step.values()) {
      Files.writeString(logs.resolve(step + ".log"), line("a" + step) + "broken\n");
      expected.add("a" + step);
      assertThatThrownBy(() -> job("killed", killedAfter(step)).run())
          .hasMessage("killed after " + step);
      // New files come in before anyone looks again.
      Files.writeString(logs.resolve(step + "-later.log"), line("b" + step));
      expected.add("b" + step);
      job("night-" + night++).run();
      assertThat(ids()).as("%s", step).containsExactlyInAnyOrderElementsOf(expected);
      assertThat(lake().read(RequestsRejected.TABLE).count()).as("%s", step).isEqualTo(night);
      assertThat(lake().read(IngestedFiles.TABLE).count()).as("%s", step).isEqualTo(2L * night);
    }
    assertThat(night).isEqualTo(4);
    assertThat(job("last").run().state()).isEqualTo(StageReport.UNCHANGED);
  }

  @Test
  void takesEachFileOnceWhenTwoRunsMeet() throws Exception {
    for (Step step : Step.values()) {
      Files.writeString(logs.resolve(step + ".log"), line("a" + step) + "broken\n");
      IngestJob slow =
          job(
              "slow",
              reached -> {
                if (reached == step) {
                  job("fast").run();
                }
              });
      if (step == Step.PARSED) {
        assertThatThrownBy(slow::run)
            .isInstanceOfSatisfying(
                MetashardException.class, e -> assertThat(e.exitCode()).isEqualTo(4))
            .hasMessageContaining("Cannot ingest: another run took log files at the same time");
      } else {
        assertThat(slow.run().state()).isEqualTo(StageReport.DONE);
      }
      assertThat(ids()).as("%s", step).doesNotHaveDuplicates().contains("a" + step);
      assertThat(lake().read(RequestsRejected.TABLE).count()).isEqualTo(step.ordinal() + 1L);
    }
    assertThat(ids()).hasSize(4);
  }

  @Test
  void finishesAKilledRunWithTheSameLimitOfTime() throws Exception {
    Files.writeString(
        logs.resolve("a.log"), COMBINED_LINE.formatted("22/Jan/2026:02:00:00", "late") + line("x"));
    assertThatThrownBy(() -> job("killed", killedAfter(Step.REJECTED_WRITTEN)).run())
        .hasMessageContaining("killed");
    // An hour later the line would not lie in the future any more.
    JobContext later = context("retry");
    new IngestJob(later, AT.plusSeconds(7200), step -> {}, 10).run();
    assertThat(ids()).containsExactly("x");
    assertThat(lake().read(RequestsRejected.TABLE).first().<String>getAs(RequestsRejected.REASON))
        .isEqualTo(Reasons.TIMESTAMP_IN_THE_FUTURE);
  }

  @Test
  void forgetsAnAnnouncedFileThatIsGone() throws Exception {
    Path gone = logs.resolve("gone.log");
    Files.writeString(gone, line("gone"));
    Files.writeString(logs.resolve("kept.log"), line("kept"));
    assertThatThrownBy(() -> job("killed", killedAfter(Step.ANNOUNCED)).run())
        .hasMessageContaining("killed");
    Files.delete(gone);
    assertThat(job("retry").run().figures()).containsEntry("files", 1L);
    assertThat(ids()).containsExactly("kept");

    Files.writeString(gone, line("gone"));
    assertThatThrownBy(() -> job("killed", killedAfter(Step.ANNOUNCED)).run())
        .hasMessageContaining("killed");
    Files.delete(gone);
    assertThat(job("retry").run().state()).isEqualTo(StageReport.UNCHANGED);
    Files.writeString(gone, line("back"));
    job("again").run();
    assertThat(ids()).containsExactly("back", "kept");
  }

  @Test
  void refusesAFileThatChangedAfterItWasTaken() throws Exception {
    Files.writeString(logs.resolve("a.log"), line("one"));
    job("night-1").run();
    Files.writeString(logs.resolve("a.log"), line("one") + line("two"));
    assertThatThrownBy(() -> job("night-2").run())
        .isInstanceOfSatisfying(
            MetashardException.class, e -> assertThat(e.exitCode()).isEqualTo(2))
        .hasMessageContaining("Cannot ingest 1 log files (file:" + logs + "/a.log): they changed")
        .hasMessageContaining("put what is new into new files");
    assertThat(ids()).containsExactly("one");
  }

  @Test
  void refusesAPathWithNothingAtItAndAFileNamedTwice() throws Exception {
    assertThatThrownBy(
            () -> job(settings("logs = [{path = \"" + folder + "/nowhere/*\", format = csv}]")))
        .isInstanceOfSatisfying(
            MetashardException.class, e -> assertThat(e.exitCode()).isEqualTo(2))
        .hasMessage(
            "Cannot ingest logs[0]: there is nothing at file:%s/nowhere/*; correct its path, or take"
                    .formatted(folder)
                + " the item out");
    Files.writeString(logs.resolve("a.log"), line("one"));
    String item = "{path = \"%s\", format = combined}".formatted(logs);
    assertThatThrownBy(() -> job(settings("logs = [%s, %s]".formatted(item, item))))
        .hasMessageContaining("Cannot ingest 1 log files (file:" + logs + "/a.log): more than one");
  }

  @Test
  void keepsWhatABrokenGzipHoldsAndSaysWhereItBroke() throws Exception {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      text.append(line("object-" + i * 7919 % 20_000));
    }
    byte[] whole = gzip(text.toString());
    Files.write(logs.resolve("cut.log"), Arrays.copyOf(whole, whole.length / 2));
    StageReport report = job("night").run();
    assertThat(report.figures()).containsEntry("rejected_gzip-truncated", 1L);
    long requests = (long) report.figures().get("requests");
    assertThat(requests).isBetween(1_000L, 19_000L);
    Row rejected = lake().read(RequestsRejected.TABLE).first();
    assertThat(rejected.<Long>getAs(RequestsRejected.LINE)).isEqualTo(requests + 1);
  }

  @Test
  void stagesAListingThatIsLongerThanAChunk() throws Exception {
    for (int i = 0; i < 25; i++) {
      Files.writeString(logs.resolve("log-" + i), line("object-" + i));
    }
    JobContext context = context("night");
    new IngestJob(context, AT, step -> {}, 10).run();
    assertThat(ids()).hasSize(25).doesNotHaveDuplicates();
    assertThat(Path.of(java.net.URI.create(context.stagingPath("ingest")))).doesNotExist();
  }

  @Test
  void readsTheSameRequestsFromBothLogsOfTheDemo() throws Exception {
    Path demo = folder.resolve("demo");
    GenerateOptions options = new GenerateOptions(demo, "mixed", 1, 2, LocalDate.of(2026, 1, 22));
    var made = new GenerateJob(options).run();
    format = "s3-access";
    logs = demo.resolve("logs/s3");
    StageReport s3 = job("s3").run();
    Dataset<Row> fromS3 = lake().read(Requests.TABLE).drop(Requests.SOURCE_FILE).persist();
    assertThat(s3.figures())
        .containsEntry("requests", ((Integer) made.get("requests")).longValue())
        .containsEntry("rejected", ((Integer) made.get("broken_s3_lines")).longValue());

    folder = SharedSpark.tempFolder("ingest");
    format = "parquet";
    logs = demo.resolve("logs/parquet");
    assertThat(job("parquet").run().figures()).containsEntry("rejected", 0L);
    Dataset<Row> fromParquet = lake().read(Requests.TABLE).drop(Requests.SOURCE_FILE);
    assertThat(fromS3.exceptAll(fromParquet).count()).isZero();
    assertThat(fromParquet.exceptAll(fromS3).count()).isZero();
    assertThat(fromParquet.where(col(Requests.OPERATION).equalTo(Requests.MAINTENANCE)).count())
        .isEqualTo(1);
    fromS3.unpersist();
  }

  private static Consumer<Step> killedAfter(Step step) {
    return reached -> {
      if (reached == step) {
        throw new IllegalStateException("killed after " + step);
      }
    };
  }

  private static String line(String object) {
    return COMBINED_LINE.formatted("21/Jan/2026:10:00:00", object);
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(text.getBytes("UTF-8"));
    }
    return out.toByteArray();
  }

  private IngestJob job(String runId) {
    return job(runId, step -> {});
  }

  private IngestJob job(String runId, Consumer<Step> after) {
    return new IngestJob(context(runId), AT, after, 1000);
  }

  private static void job(JobContext context) {
    new IngestJob(context, AT, step -> {}, 1000).run();
  }

  private JobContext context(String runId) {
    return context(runId, "logs = [{path = \"%s\", format = %s}]".formatted(logs.toUri(), format));
  }

  private JobContext settings(String hocon) {
    return context("night", hocon);
  }

  private JobContext context(String runId, String hocon) {
    Settings settings = Settings.parse("test", hocon, List.of());
    return new JobContext(SharedSpark.session(), lake(), settings, AT, runId);
  }

  private Lake lake() {
    String root = folder.resolve("lake").toString();
    return new Lake(
        SharedSpark.session(),
        JobContext.qualified(root, SharedSpark.session().sessionState().newHadoopConf()));
  }

  private List<String> ids() {
    List<String> ids = new ArrayList<>(column(Requests.OBJECT_ID));
    ids.sort(null);
    return ids;
  }

  private List<String> column(String name) {
    List<String> values = new ArrayList<>();
    for (Row row : lake().read(Requests.TABLE).select(col(name)).collectAsList()) {
      values.add(row.getString(0));
    }
    return values;
  }
}
