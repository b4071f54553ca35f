package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * A night that is stopped by Ctrl-C while it encodes, and the retry that finishes it, watched: by a
 * scraper, by a sink that is pushed to, by its log, by its rows of {@code runs}.
 */
class MonitoringIT {
  private static final Path SAMPLE = Commands.HOME.resolve("data/sample");
  private static final String AT = "2026-01-22T00:00:00Z";
  private static final Pattern SERIES =
      Pattern.compile(
          "(?m)^metrics_metashard_driver_metashard_(\\S+?)_(?:Number|Value|Count)\\{[^}]*} (\\S+)$");

  /** Only loopback: the UI would listen on every interface. */
  private static final Map<String, String> LOOPBACK =
      Map.of("SPARK_LOCAL_IP", "127.0.0.1", "METASHARD_JAVA_OPTIONS", Commands.SMALL_JVM);

  private final Path folder = Commands.JOBS.resolve("target/it/monitoring");
  private final Path csv = folder.resolve("csv");
  private final int port;

  MonitoringIT() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
  }

  private LakeUnderTest lake() throws IOException {
    LakeUnderTest lake =
        new LakeUnderTest(
            "monitoring",
            SAMPLE.resolve("objects"),
            SAMPLE.resolve("logs/parquet"),
            "parquet",
            8,
            """
            forecast { backtest-origins = 1, model = seasonal-naive }
            hadoop { "fs.s3a.secret.key" = PLANTED-SECRET }
            metrics.linger = 15s
            spark {
              "spark.ui.enabled" = true
              "spark.ui.port" = %d
              "spark.sql.shuffle.partitions" = 2
              "spark.sql.codegen.wholeStage" = false
              "spark.sql.codegen.factoryMode" = NO_CODEGEN
              "spark.metrics.conf" = "%s"
            }
            """
                .formatted(port, folder.resolve("metrics.properties")));
    Files.createDirectories(csv);
    // As delivered, and with the sink that a period never comes for.
    Files.writeString(
        folder.resolve("metrics.properties"),
        Files.readString(Commands.HOME.resolve("conf/metrics.properties"))
            + """

            driver.sink.csv.class=org.apache.spark.metrics.sink.CsvSink
            driver.sink.csv.directory=%s
            driver.sink.csv.period=10
            driver.sink.csv.unit=hours
            """
                .formatted(csv));
    return lake;
  }

  @Test
  void aNightStoppedByCtrlCIsFinishedByARetryAndBothAreSeen()
      throws IOException, InterruptedException {
    LakeUnderTest lake = lake();
    String config = folder.resolve("metashard.conf").toString();
    Path stoppedResult = folder.resolve("stopped.json");
    try (Running night =
        Running.metashard(
            LOOPBACK,
            "nightly",
            "--config",
            config,
            "--at",
            AT,
            "--result",
            stoppedResult.toString())) {
      night.until("encoding", () -> night.stderr().contains("Encoding "));
      night.signal("INT");
      Commands.Ended ended = night.ended();
      assertThat(ended.exitCode()).as(ended.stderr()).isEqualTo(130);
      assertThat(ended.stderr())
          .contains("metashard nightly: stopping after Ctrl-C (SIGINT)")
          .contains(
              "metashard nightly: stopped by Ctrl-C (SIGINT); the shard map is as it was before; run the same command again")
          .doesNotContain("\tat ")
          .doesNotContain("PLANTED");
    }
    JsonNode stopped = new ObjectMapper().readTree(Files.readString(stoppedResult));
    assertThat(stopped.get("exit_code").asInt()).isEqualTo(130);
    assertThat(stopped.get("error").asText()).startsWith("stopped by Ctrl-C");
    assertThat(lake.served("--set", "read.fallback=false")).isEmpty();

    AtomicReference<Map<String, Double>> scraped = new AtomicReference<>(Map.of());
    try (Running retry =
        Running.metashard(
            LOOPBACK,
            "nightly",
            "--config",
            config,
            "--at",
            AT,
            "--log-format",
            "json",
            "--json")) {
      retry.until(
          "reshard in the metrics",
          () -> {
            scrape().ifPresent(scraped::set);
            return scraped.get().getOrDefault("stage_reshard_state", 0.0) == 2
                && scraped.get().getOrDefault("lake_objects_encoded", 0.0) > 0
                && retry.stderr().contains("for a last scrape");
          });
      // The work is done: this only ends the wait for scrapers.
      retry.signal("TERM");
      Commands.Ended ended = retry.ended();
      Commands.require(ended);
      JsonNode result = new ObjectMapper().readTree(ended.stdout());
      requireSame(scraped.get(), result);
      requireJsonLog(ended.stderr(), result.get("run_id").asText());
      assertThat(result.get("run_id")).isEqualTo(stopped.get("run_id"));
    }
    requireLastReport(scraped.get());
    requireRows(stopped.get("run_id").asText());
    assertThat(lake.served("--set", "read.fallback=false")).isEqualTo(lake.sources());
    try (Stream<Path> staging = Files.walk(lake.root())) {
      assertThat(staging.filter(path -> path.toString().contains("/_staging/")).toList())
          .allMatch(Files::isDirectory);
    }
  }

  private java.util.Optional<Map<String, Double>> scrape() {
    try {
      HttpResponse<String> response =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(
                          URI.create("http://127.0.0.1:%d/metrics/prometheus/".formatted(port)))
                      .timeout(java.time.Duration.ofSeconds(5))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      Map<String, Double> found = new TreeMap<>();
      Matcher series = SERIES.matcher(response.body());
      while (series.find()) {
        found.putIfAbsent(series.group(1), Double.valueOf(series.group(2)));
      }
      return found.isEmpty() ? java.util.Optional.empty() : java.util.Optional.of(found);
    } catch (IOException e) {
      return java.util.Optional.empty(); // not up yet
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return java.util.Optional.empty();
    }
  }

  /** The endpoint said what the command printed. */
  private static void requireSame(Map<String, Double> scraped, JsonNode result) {
    // Taken by the night that was stopped: this one found nothing new.
    assertThat(scraped.get("stage_ingest_state")).isEqualTo(3);
    assertThat(result.at("/ingest/state").asText()).isEqualTo("unchanged");
    for (String figure : List.of("objects_encoded", "blocks", "source_bytes", "written_bytes")) {
      assertThat(scraped.get("stage_reshard_" + figure))
          .as(figure)
          .isEqualTo(result.at("/reshard/" + figure).asDouble())
          .isPositive();
    }
    for (String figure :
        List.of("objects_encoded", "stored_bytes", "stored_per_logical", "logical_bytes")) {
      assertThat(scraped.get("lake_" + figure))
          .as(figure)
          .isEqualTo(result.at("/lake/" + figure).asDouble())
          .isPositive();
    }
    assertThat(scraped.get("lake_objects_pending")).isZero();
    assertThat(scraped.get("stage_reshard_rows_out"))
        .isEqualTo(result.at("/reshard/rows_out").asDouble());
    assertThat(scraped.get("stage_reshard_last_success_timestamp_seconds"))
        .isBetween(1.7e9, System.currentTimeMillis() / 1e3);
    assertThat(scraped.get("stage_reshard_seconds"))
        .isCloseTo(
            result.at("/reshard/seconds").asDouble(), org.assertj.core.data.Offset.offset(0.01));
    assertThat(scraped.get("stage_reshard_duration")).isEqualTo(1);
  }

  private static void requireJsonLog(String stderr, String runId) throws IOException {
    List<String> stages = new ArrayList<>();
    int lines = 0;
    for (String line : stderr.split("\n")) {
      JsonNode json = new ObjectMapper().readTree(line);
      assertThat(json.get("time").asText()).endsWith("Z");
      assertThat(json.get("run_id").asText()).isEqualTo(runId);
      if (json.get("message").asText().endsWith(": begins")) {
        stages.add(json.get("stage").asText());
      }
      lines++;
    }
    assertThat(stages)
        .containsExactly(
            "ingest", "catalogue", "aggregate", "score", "tune", "forecast", "plan", "reshard");
    assertThat(lines).isGreaterThan(12);
    assertThat(stderr).doesNotContain("PLANTED");
  }

  /** A sink whose period never came has the last figures all the same: they are sent at the end. */
  private void requireLastReport(Map<String, Double> scraped) throws IOException {
    for (String name : List.of("stage.reshard.written_bytes", "lake.objects_encoded")) {
      List<String> lines =
          Files.readAllLines(csv.resolve("metashard.driver.metashard." + name + ".csv"));
      assertThat(Double.valueOf(lines.get(lines.size() - 1).split(",")[1]))
          .as(name)
          .isEqualTo(scraped.get(name.replace('.', '_')));
    }
  }

  private void requireRows(String runId) throws IOException, InterruptedException {
    Commands.Ended rows =
        Commands.require(
            Commands.run(
                List.of(
                    PythonEnvironment.LAKE.python().toString(),
                    "-c",
                    """
                    import sys
                    sys.path.insert(0, sys.argv[1])
                    import lake_tables
                    for row in lake_tables.read(sys.argv[2]).to_pylist():
                        assert "PLANTED" not in str(row), "a secret is in the table"
                        print(row["run_id"], row["attempt"], row["stage"], row["state"])
                    """,
                    Commands.JOBS.resolve("src/test/python").toString(),
                    folder.resolve("lake/runs").toString()),
                Map.of()));
    Map<String, TreeSet<String>> byAttempt = new TreeMap<>();
    for (String line : rows.stdout().split("\n")) {
      String[] words = line.split(" ");
      assertThat(words[0]).isEqualTo(runId);
      byAttempt
          .computeIfAbsent(words[1], attempt -> new TreeSet<>())
          .add(words[2] + " " + words[3]);
    }
    assertThat(byAttempt.values())
        .hasSize(2)
        .anySatisfy(
            attempt ->
                assertThat(attempt)
                    .contains(
                        "nightly running", "ingest done", "reshard stopped", "nightly stopped"))
        .anySatisfy(
            attempt ->
                assertThat(attempt)
                    .contains(
                        "nightly running", "ingest unchanged", "reshard done", "nightly done"));
  }
}
