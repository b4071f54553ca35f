package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The jar under the real spark-submit, on a standalone cluster: in client mode and in cluster mode.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterIT {
  private static final Path FOLDER = Commands.JOBS.resolve("target/it/cluster");
  private static final String AT = "2026-01-22T00:00:00Z";
  private static final String STARTED = "on Spark 4.1.0, master ";
  private static final ObjectMapper JSON = new ObjectMapper();

  private static StandaloneCluster cluster;
  private static Path log;

  @BeforeAll
  static void startCluster() throws IOException, InterruptedException {
    LakeUnderTest.deleteAll(FOLDER);
    Files.createDirectories(FOLDER);
    log = LakeUnderTest.sampleLog("cluster-log", 3);
    cluster = new StandaloneCluster(FOLDER);
    try {
      cluster.start(2);
    } catch (IOException | InterruptedException e) {
      cluster.close();
      throw e;
    }
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
  }

  private static LakeUnderTest lake(String name) throws IOException {
    return LakeUnderTest.ofSample(
        "cluster-" + name, log, 6, "plan.buckets = 2\nforecast.backtest-origins = 1");
  }

  /** What people are told to use, and what makes a small night on two busy cores short. */
  private static Path properties(String... more) throws IOException {
    List<String> lines =
        new ArrayList<>(Files.readAllLines(Commands.HOME.resolve("conf/spark-defaults.conf")));
    lines.add("spark.driver.memory 1g");
    lines.add("spark.executor.memory 768m");
    lines.add("spark.cores.max 2");
    lines.add("spark.ui.enabled false");
    lines.add("spark.sql.shuffle.partitions 2");
    lines.add("spark.sql.codegen.wholeStage false");
    lines.add("spark.sql.codegen.factoryMode NO_CODEGEN");
    lines.add("spark.databricks.delta.snapshotPartitions 2");
    lines.addAll(List.of(more));
    return Files.write(Files.createTempFile(FOLDER, "spark-", ".conf"), lines);
  }

  @Test
  @Order(1)
  void inClusterModeTheResultFileSaysHowTheNightEnded() throws IOException, InterruptedException {
    LakeUnderTest lake = lake("mode");
    Path result = FOLDER.resolve("results/night.json");
    // The driver finds the configuration among --files, by its name.
    Commands.Ended ended =
        Commands.require(
            Commands.run(
                clusterMode(lake, "nightly", "--at", AT, "--result", result.toUri().toString()),
                StandaloneCluster.environment()));
    assertThat(ended.stderr()).contains("is FINISHED");
    JsonNode night = JSON.readTree(Files.readString(result));
    assertThat(night.get("exit_code").asInt()).isZero();
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(5);
    // The driver logs as jobs/metashard does: from its first line on ours, none of Spark's.
    assertThat(driverLogs()).hasSize(1);
    String told = driverLogs().get(0);
    assertThat(told).contains(STARTED + "spark://");
    assertThat(told.substring(told.indexOf(STARTED)).lines())
        .hasSizeGreaterThan(6)
        .noneMatch(line -> line.matches("\\d+/\\d+/\\d+ .* INFO .*"));
    assertThat(lake.servedIndependently()).isEqualTo(lake.sources());
  }

  @Test
  @Order(2)
  void inClusterModeAFailureFailsTheDriverAndIsWrittenDown()
      throws IOException, InterruptedException {
    LakeUnderTest lake = lake("failing");
    Path result = FOLDER.resolve("results/failed.json");
    Commands.Ended ended =
        Commands.run(
            clusterMode(
                lake,
                "ingest",
                "--at",
                AT,
                "--set",
                "logs=[{ path = \"%s\", format = parquet }]".formatted(FOLDER.resolve("nowhere")),
                "--result",
                result.toUri().toString()),
            StandaloneCluster.environment());
    // Spark's way, of which OPERATIONS.md warns: spark-submit does not hand the failure on.
    assertThat(ended.stderr()).contains("is FAILED");
    assertThat(ended.exitCode()).isZero();
    JsonNode failed = JSON.readTree(Files.readString(result));
    assertThat(failed.get("exit_code").asInt()).isEqualTo(2);
    assertThat(failed.get("error").asText()).startsWith("Cannot ").contains("nowhere");
    try (InputStream master = URI.create(cluster.ui() + "/json/").toURL().openStream()) {
      assertThat(JSON.readTree(master).get("completeddrivers"))
          .extracting(driver -> driver.get("state").asText())
          .contains("FAILED");
    }
  }

  @Test
  @Order(3)
  void inClientModeFailedAttemptsSpeculationALostExecutorAndALostMachineDoubleNothing()
      throws IOException, InterruptedException {
    LakeUnderTest lake = lake("client");
    Path result = FOLDER.resolve("results/client.json");
    Path failures = Files.createDirectories(FOLDER.resolve("failures"));
    Path failing = jarOf(FirstAttemptsFail.class);
    Path properties =
        properties(
            "spark.executor.cores 1",
            "spark.task.maxFailures 8",
            "spark.speculation true",
            "spark.speculation.interval 50ms",
            "spark.speculation.multiplier 1.01",
            "spark.speculation.quantile 0.1",
            "spark.speculation.minTaskRuntime 10ms",
            "spark.driver.extraClassPath " + failing,
            "spark.executor.extraClassPath " + failing,
            "spark.hadoop.fs.file.impl " + FirstAttemptsFail.class.getName(),
            "spark.hadoop.%s %s".formatted(FirstAttemptsFail.FOLDER, failures));
    Map<String, String> environment = new HashMap<>(StandaloneCluster.environment());
    environment.put(
        "METASHARD_SUBMIT_OPTIONS",
        "--master %s --properties-file %s".formatted(cluster.url(), properties));
    // The spark-submit of SPARK_HOME, as people would use it.
    Running night =
        Running.of(
            List.of(
                Commands.JOBS.resolve("metashard").toString(),
                "--submit",
                "nightly",
                "--config",
                lake.config().toString(),
                "--at",
                AT,
                "--result",
                result.toUri().toString()),
            environment);
    try {
      await(night, "aggregate: begins");
      List<ProcessHandle> executors = cluster.executors();
      assertThat(executors).isNotEmpty();
      executors.get(0).destroyForcibly();
      await(night, "reshard: begins");
      cluster.killWorker();
      Commands.Ended ended = Commands.require(night.ended());
      assertThat(ended.stderr()).contains(STARTED + cluster.url()).doesNotContain("DAGScheduler");
      assertThat(ended.stdout()).contains("Night of " + AT);
    } finally {
      night.close();
    }
    assertThat(JSON.readTree(Files.readString(result)).at("/lake/objects_encoded").asInt())
        .isEqualTo(5);
    try (Stream<Path> failed = Files.list(failures)) {
      assertThat(failed.map(ClusterIT::text).collect(Collectors.toSet()))
          .anyMatch(path -> path.contains("/requests/"))
          .anyMatch(path -> path.contains("/demand/"))
          .anyMatch(path -> path.contains("/shard_map/"))
          .anyMatch(path -> path.contains("/_staging/"));
    }
    requireTheSame(lake);
  }

  /** The night in cluster mode, on which nothing was done, is what others are compared with. */
  private static void requireTheSame(LakeUnderTest lake) throws IOException, InterruptedException {
    Commands.Ended same =
        Commands.run(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                Commands.JOBS.resolve("src/test/python/same_lake.py").toString(),
                Commands.JOBS.resolve("target/it/cluster-mode/lake").toString(),
                lake.root().toString()),
            Map.of());
    assertThat(same.exitCode()).as(same.stdout() + same.stderr()).isZero();
  }

  private static List<String> clusterMode(LakeUnderTest lake, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                PythonEnvironment.sparkHome().resolve("bin/spark-submit").toString(),
                "--master",
                cluster.url(),
                "--deploy-mode",
                "cluster",
                "--class",
                "io.metashard.job.Metashard",
                "--properties-file",
                properties().toString(),
                "--load-spark-defaults",
                "--conf",
                "spark.standalone.submit.waitAppCompletion=true",
                "--jars",
                delta(),
                "--files",
                lake.config().toUri().toString(),
                jar().toString()));
    command.add(arguments[0]);
    command.addAll(List.of("--config", lake.config().getFileName().toString()));
    command.addAll(List.of(arguments).subList(1, arguments.length));
    return command;
  }

  static Path jar() throws IOException {
    try (Stream<Path> files = Files.list(Commands.JOBS.resolve("target"))) {
      return files
          .filter(file -> file.getFileName().toString().matches("metashard-[0-9.]+\\.jar"))
          .findFirst()
          .orElseThrow();
    }
  }

  static String delta() throws IOException {
    return Stream.of(
            Files.readString(Commands.JOBS.resolve("target/classpath.txt")).strip().split(":"))
        .filter(file -> file.matches(".*/delta-(spark_|storage).*"))
        .collect(Collectors.joining(","));
  }

  private static Path jarOf(Class<?> type) throws IOException {
    Path jar = FOLDER.resolve("test-classes.jar");
    Path classes = Commands.JOBS.resolve("target/test-classes");
    String prefix = type.getName().replace('.', '/');
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream entries = new JarOutputStream(out);
        Stream<Path> files = Files.list(classes.resolve(prefix).getParent())) {
      for (Path file : files.toList()) {
        String name = classes.relativize(file).toString();
        if (name.equals(prefix + ".class") || name.startsWith(prefix + "$")) {
          entries.putNextEntry(new JarEntry(name));
          Files.copy(file, entries);
          entries.closeEntry();
        }
      }
    }
    return jar;
  }

  /** What drivers on the cluster wrote to stderr, Spark's own first line (the command) left out. */
  private static List<String> driverLogs() throws IOException {
    try (Stream<Path> files = Files.walk(FOLDER.resolve("work"))) {
      return files
          .filter(file -> file.toString().matches(".*/driver-[^/]+/stderr"))
          .map(ClusterIT::text)
          .toList();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void await(Running running, String line) throws InterruptedException {
    running.until(line, () -> running.stderr().contains(line));
  }
}
