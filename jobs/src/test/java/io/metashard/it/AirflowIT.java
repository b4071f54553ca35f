package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The Dag in a real Airflow, by the real spark-submit, on the committed sample. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AirflowIT {
  private static final List<String> TO_FORECAST =
      List.of("ingest", "catalogue", "aggregate", "forecast");

  /** Small, as the sample is. */
  private static final String SPARK =
      """
      "spark_conf": {
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.databricks.delta.snapshotPartitions": "2"
      }
      """;

  private static LakeUnderTest lake;
  private static AirflowUnderTest airflow;

  @BeforeAll
  static void install() throws IOException, InterruptedException {
    lake =
        LakeUnderTest.ofSample(
            "airflow-lake",
            4,
            6,
            "plan.buckets = 2\nforecast { backtest-origins = 1, model = total-share }");
    airflow = new AirflowUnderTest("airflow", lake.config());
  }

  @AfterAll
  static void stop() {
    if (airflow != null) {
      airflow.close();
    }
  }

  @Test
  @Order(1)
  void theFileIsImportedWithoutErrorAndItsFactsHold() throws IOException, InterruptedException {
    Commands.Ended ended = Commands.require(airflow.facts());
    assertThat(ended.stderr()).containsPattern("Ran 10 tests in ").endsWith("OK\n");
  }

  @Test
  @Order(2)
  void aBackfillForecastsAndMovesNothing() throws IOException, InterruptedException {
    airflow.backfill(
        "2026-01-21T06:15:00+00:00",
        // Not even where days of any age may move.
        "{ \"move_within_days\": 100000, %s }".formatted(SPARK));
    JsonNode runs =
        airflow.awaitRuns(
            all -> List.of("success", "failed").contains(backfill(all).at("/state").asText()),
            Duration.ofMinutes(15));
    JsonNode run = backfill(runs);
    assertThat(run.at("/state").asText()).isEqualTo("success");
    for (String stage : TO_FORECAST) {
      assertThat(task(run, stage + ".result").at("/state").asText()).as(stage).isEqualTo("success");
    }
    assertThat(task(run, "forecast.result").at("/xcom/state").asText()).isEqualTo("done");
    for (String task : List.of("plan.submit", "reshard.submit", "shard_map", "verify.submit")) {
      assertThat(task(run, task).at("/state").asText()).as(task).isEqualTo("skipped");
    }
    assertThat(airflow.submissions()).isEqualTo(TO_FORECAST);
    assertThat(lake.root().resolve("forecast")).isDirectory();
    assertThat(lake.root().resolve("shard_map")).doesNotExist();
    assertThat(lake.root().resolveSibling("locations")).doesNotExist();
    airflow.stopServices();
  }

  @Test
  @Order(3)
  void aNightWithFailingTasksIsRetriedAndCommitsOnce() throws IOException, InterruptedException {
    int before = airflow.submissions().size();
    airflow.failOnce("refuse", "aggregate");
    airflow.failOnce("lose", "reshard");
    Commands.require(
        airflow.test(
            "2026-01-22T06:15:00+00:00",
            "{ \"move_within_days\": 100000, \"verify_sample_percent\": 60, %s }"
                .formatted(SPARK)));
    JsonNode run = only(airflow.runs(), "2026-01-22");
    assertThat(run.at("/state").asText()).isEqualTo("success");
    assertThat(run.at("/data_interval_start").asText()).startsWith("2026-01-21 06:15:00");
    assertThat(run.at("/data_interval_end").asText()).startsWith("2026-01-22 06:15:00");
    List<String> stages = new ArrayList<>(TO_FORECAST);
    stages.addAll(List.of("plan", "reshard", "verify"));
    for (String stage : stages) {
      JsonNode submit = task(run, stage + ".submit");
      assertThat(submit.at("/state").asText()).as(stage).isEqualTo("success");
      List<String> arguments = new ArrayList<>();
      submit.at("/arguments").forEach(argument -> arguments.add(argument.asText()));
      assertThat(arguments)
          .startsWith(stage, "--config", lake.config().toUri().toString())
          .containsSequence("--date", "2026-01-21", "--run-id", "airflow-20260122T061500Z");
      assertThat(submit.at("/attempts").asInt())
          .as("attempts of %s", stage)
          .isEqualTo(stage.equals("aggregate") || stage.equals("reshard") ? 2 : 1);
      assertThat(task(run, stage + ".result").at("/xcom/exit_code").asInt(-1))
          .as("exit code of %s", stage)
          .isZero();
    }
    for (String left : List.of("shadow.submit", "report.submit")) {
      assertThat(task(run, left).at("/state").asText()).as(left).isEqualTo("skipped");
    }
    assertThat(task(run, "aggregate.submit").at("/pool").asText()).isEqualTo("metashard_lake");
    assertThat(airflow.submissions().subList(before, airflow.submissions().size()))
        .containsExactly(
            "ingest",
            "catalogue",
            "aggregate",
            "aggregate",
            "forecast",
            "plan",
            "reshard",
            "reshard",
            "verify");
    // The attempt that was lost had done it: the next one finds it so, and says which map it is.
    JsonNode reshard = task(run, "reshard.result").at("/xcom");
    assertThat(reshard.at("/state").asText()).isEqualTo("unchanged");
    assertThat(reshard.at("/reason").asText()).contains("airflow-20260122T061500Z is finished");
    assertThat(reshard.at("/map_sequence").asLong()).isEqualTo(1);
    JsonNode event = task(run, "shard_map").at("/asset_extra");
    assertThat(event.at("/map_sequence").asLong()).isEqualTo(1);
    assertThat(event.at("/run_id").asText()).isEqualTo("airflow-20260122T061500Z");
    JsonNode verify = task(run, "verify.result").at("/xcom");
    assertThat(verify.at("/findings").asLong(-1)).isZero();
    assertThat(verify.at("/blocks").asLong()).isPositive();
    assertThat(airflow.alerts()).isEmpty();
    Map<String, String> sources = lake.sources();
    assertThat(sources).hasSize(5);
    assertThat(lake.servedIndependently()).isEqualTo(sources);
  }

  @Test
  @Order(4)
  void aConfigurationThatCannotBeUsedFailsAtOnceWithTheMessageOfTheResult()
      throws IOException, InterruptedException {
    int before = airflow.submissions().size();
    Commands.Ended ended =
        airflow.test(
            "2026-01-23T06:15:00+00:00",
            "{ \"config\": \"%s\", %s }".formatted(airflow.brokenConfig().toUri(), SPARK));
    assertThat(ended.exitCode()).isNotZero();
    JsonNode run = only(airflow.runs(), "2026-01-23");
    assertThat(run.at("/state").asText()).isEqualTo("failed");
    JsonNode submit = task(run, "ingest.submit");
    assertThat(submit.at("/state").asText()).isEqualTo("failed");
    assertThat(submit.at("/attempts").asInt()).isEqualTo(1);
    assertThat(airflow.submissions()).hasSize(before + 1);
    assertThat(task(run, "reshard.submit").at("/state").asText()).isEqualTo("upstream_failed");
    assertThat(airflow.alerts()).hasSize(1);
    assertThat(airflow.alerts().get(0))
        .contains("metashard ingest, run airflow-20260123T061500Z: Cannot use ")
        .contains("lake.rot")
        .contains("lake.root")
        .contains("(exit code 2)");
    String said = ended.stdout() + ended.stderr();
    assertThat(said).contains("lake.rot").doesNotContain("token=hidden");
  }

  private static JsonNode backfill(JsonNode runs) {
    for (JsonNode run : runs) {
      if (run.at("/run_type").asText().equals("backfill")) {
        return run;
      }
    }
    return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
  }

  private static JsonNode only(JsonNode runs, String logicalDay) {
    List<JsonNode> found = new ArrayList<>();
    runs.forEach(
        run -> {
          if (run.at("/logical_date").asText().startsWith(logicalDay)) {
            found.add(run);
          }
        });
    assertThat(found).as("runs of %s in %s", logicalDay, runs).hasSize(1);
    return found.get(0);
  }

  private static JsonNode task(JsonNode run, String task) {
    JsonNode found = run.at("/tasks").path(task);
    assertThat(found.isMissingNode()).as("%s in %s", task, run).isFalse();
    return found;
  }
}
