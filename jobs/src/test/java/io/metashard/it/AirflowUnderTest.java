package io.metashard.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * An Airflow of its own, on SQLite, that runs the Dag of {@code jobs/airflow} by the real
 * spark-submit of pyspark, and a web hook that takes its alerts.
 */
final class AirflowUnderTest implements AutoCloseable {
  static final String DAG = "metashard_nightly";
  private static final Path DAGS = Commands.JOBS.resolve("airflow");

  private final Path home;
  private final Map<String, String> environment = new TreeMap<>();
  private final List<String> alerts = new CopyOnWriteArrayList<>();
  private final List<Process> services = new ArrayList<>();
  private final HttpServer hook;

  /**
   * @param config of the lake
   */
  AirflowUnderTest(String name, Path config) throws IOException, InterruptedException {
    home = Commands.JOBS.resolve("target/it").resolve(name);
    LakeUnderTest.deleteAll(home);
    Files.createDirectories(home.resolve("bin"));
    writeSparkSubmit();
    hook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hook.createContext(
        "/alerts",
        exchange -> {
          alerts.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    hook.start();
    int api = freePort();
    Map<String, String> more = new TreeMap<>();
    more.put("AIRFLOW_HOME", home.toString());
    more.put("AIRFLOW__CORE__DAGS_FOLDER", DAGS.toString());
    more.put("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
    more.put("AIRFLOW__CORE__EXECUTOR", "LocalExecutor");
    more.put("AIRFLOW__CORE__PARALLELISM", "1");
    more.put(
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:%d/execution/".formatted(api));
    more.put("AIRFLOW__API__HOST", "127.0.0.1");
    more.put("AIRFLOW__API__PORT", Integer.toString(api));
    more.put("AIRFLOW__API__WORKERS", "1");
    more.put(
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "a secret of this test, long enough for HMAC with SHA-512: 64 bytes");
    more.put("AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT", Integer.toString(freePort()));
    more.put("AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK", "False");
    more.put("AIRFLOW__USAGE_DATA_COLLECTION__ENABLED", "False");
    more.put("AIRFLOW_CONN_SPARK_DEFAULT", "{\"conn_type\": \"spark\", \"host\": \"local[2]\"}");
    more.put(
        "AIRFLOW_CONN_METASHARD_ALERT",
        "{\"conn_type\": \"http\", \"password\": \"http://127.0.0.1:%d/alerts?token=hidden\"}"
            .formatted(hook.getAddress().getPort()));
    more.put("SPARK_HOME", PythonEnvironment.sparkHome().toString());
    more.put("METASHARD_CONFIG", config.toUri().toString());
    more.put("METASHARD_JAR", jar().toString());
    more.put("METASHARD_JARS", deltaJars());
    more.put("METASHARD_RESULTS", home.resolve("results").toUri().toString());
    // Days that are due: January 21st, and the next one in a year.
    more.put("METASHARD_SCHEDULE", "15 6 21,22 1 *");
    more.put("METASHARD_RETRIES", "1");
    more.put("METASHARD_RETRY_SECONDS", "1");
    more.put("SPARK_LOCAL_IP", "127.0.0.1");
    more.put("NO_PROXY", "127.0.0.1,localhost");
    more.put("no_proxy", "127.0.0.1,localhost");
    more.put(
        "PATH",
        String.join(
            File.pathSeparator,
            home.resolve("bin").toString(),
            PythonEnvironment.AIRFLOW.home().resolve("bin").toString(),
            System.getenv("PATH")));
    environment.putAll(more);
    Commands.require(airflow("db", "migrate"));
    Commands.require(airflow("pools", "import", DAGS.resolve("pools.json").toString()));
  }

  /**
   * The real spark-submit, which is in the way where a file says so: {@code refuse-STAGE} makes the
   * next submission of that stage end before it began, {@code lose-STAGE} loses what the next one
   * said when it was done, as when a worker dies.
   */
  private void writeSparkSubmit() throws IOException {
    Path script = home.resolve("bin/spark-submit");
    Files.writeString(
        script,
        """
        #!/bin/sh
        cd '%s'
        stage=$(printf '%%s\\n' "$@" | sed -n '/\\.jar$/{n;p;}' | tail -n 1)
        echo "$stage" >>submissions
        if rm "refuse-$stage" 2>/dev/null; then
          echo "there is no room in the cluster for $stage" >&2
          exit 1
        fi
        # The first submission keeps the classes it loaded, and all others start from them.
        if [ -f classes.jsa ]; then
          export SPARK_SUBMIT_OPTS="-Xlog:disable -XX:SharedArchiveFile=classes.jsa"
        else
          export SPARK_SUBMIT_OPTS="-Xlog:disable -XX:ArchiveClassesAtExit=classes.jsa"
        fi
        "$SPARK_HOME/bin/spark-submit" "$@"
        code=$?
        if rm "lose-$stage" 2>/dev/null; then
          rm -r results/*/"$stage.json"
          exit 137
        fi
        exit $code
        """
            .formatted(home));
    script.toFile().setExecutable(true);
  }

  private static Path jar() throws IOException {
    try (var files = Files.list(Commands.JOBS.resolve("target"))) {
      return files
          .filter(
              file -> file.getFileName().toString().matches("metashard-[0-9.]+(-SNAPSHOT)?\\.jar"))
          .findFirst()
          .orElseThrow();
    }
  }

  private static String deltaJars() throws IOException {
    return Arrays.stream(
            Files.readString(Commands.JOBS.resolve("target/classpath.txt"))
                .split(File.pathSeparator))
        .map(String::strip)
        .filter(path -> path.contains("/delta-spark_") || path.contains("/delta-storage"))
        .collect(Collectors.joining(","));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** The next submission of a stage fails: {@code refuse} or {@code lose}. */
  void failOnce(String how, String stage) throws IOException {
    Files.createFile(home.resolve(how + "-" + stage));
  }

  /** Stages that were submitted, in order, attempts that failed too. */
  List<String> submissions() throws IOException {
    Path file = home.resolve("submissions");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  /** What the web hook got. */
  List<String> alerts() {
    return List.copyOf(alerts);
  }

  Commands.Ended airflow(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(PythonEnvironment.AIRFLOW.program("airflow").toString());
    command.addAll(List.of(arguments));
    return Commands.run(command, environment);
  }

  Commands.Ended python(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(PythonEnvironment.AIRFLOW.python().toString());
    command.addAll(List.of(arguments));
    return Commands.run(command, environment);
  }

  /** Checks the facts of the Dag that need no Spark, with none of its settings set. */
  Commands.Ended facts() throws IOException, InterruptedException {
    Map<String, String> plain = new TreeMap<>(environment);
    plain.keySet().removeIf(name -> name.startsWith("METASHARD_"));
    return Commands.run(
        List.of(
            PythonEnvironment.AIRFLOW.python().toString(),
            Commands.JOBS.resolve("src/test/python/test_metashard_nightly.py").toString(),
            DAGS.toString()),
        plain);
  }

  /** One run of the Dag, in the process of {@code airflow dags test}. */
  Commands.Ended test(String logicalDate, String conf) throws IOException, InterruptedException {
    return airflow("dags", "test", DAG, logicalDate, "--conf", conf);
  }

  /** All runs of the Dag so far, by run id. */
  JsonNode runs() throws IOException, InterruptedException {
    return new ObjectMapper()
        .readTree(
            Commands.require(
                    python(
                        Commands.JOBS.resolve("src/test/python/airflow_runs.py").toString(),
                        home.resolve("airflow.db").toString(),
                        DAG))
                .stdout());
  }

  /**
   * Asks for a backfill of a day, and starts what runs it: the API that tasks talk to, the
   * scheduler.
   */
  void backfill(String logicalDate, String conf) throws IOException, InterruptedException {
    Commands.require(airflow("dags", "reserialize"));
    Commands.require(
        airflow(
            "backfill",
            "create",
            "--dag-id",
            DAG,
            "--from-date",
            logicalDate,
            "--to-date",
            logicalDate,
            "--dag-run-conf",
            conf));
    // The scheduler finds the only day that is due (METASHARD_SCHEDULE) taken.
    Commands.require(airflow("dags", "unpause", "--yes", DAG));
    for (String service : List.of("api-server", "scheduler")) {
      Path log = home.resolve(service + ".log");
      ProcessBuilder builder =
          new ProcessBuilder(PythonEnvironment.AIRFLOW.program("airflow").toString(), service)
              .directory(home.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile());
      builder.environment().putAll(environment);
      services.add(builder.start());
    }
  }

  /** The runs, once they are as they should be. */
  JsonNode awaitRuns(Predicate<JsonNode> asTheyShouldBe, Duration most)
      throws IOException, InterruptedException {
    Instant end = Instant.now().plus(most);
    while (true) {
      JsonNode runs = runs();
      if (asTheyShouldBe.test(runs)) {
        return runs;
      }
      for (Process service : services) {
        if (!service.isAlive()) {
          throw new AssertionError("a service of Airflow ended, see " + home);
        }
      }
      if (Instant.now().isAfter(end)) {
        throw new AssertionError(
            "not within %s, see the logs in %s: %s".formatted(most, home, runs.toPrettyString()));
      }
      TimeUnit.SECONDS.sleep(3);
    }
  }

  /** A configuration that no stage can use. */
  Path brokenConfig() throws IOException {
    Path file = home.resolve("broken.conf");
    Files.writeString(file, "lake.rot = \"/nowhere\"\n", StandardOpenOption.CREATE);
    return file;
  }

  /** Ends what {@link #backfill} started. */
  void stopServices() {
    for (Process service : services) {
      List<ProcessHandle> below = service.descendants().toList();
      service.destroy();
      below.forEach(ProcessHandle::destroy);
    }
    for (Process service : services) {
      try {
        if (!service.waitFor(20, TimeUnit.SECONDS)) {
          service.descendants().forEach(ProcessHandle::destroyForcibly);
          service.destroyForcibly();
        }
      } catch (InterruptedException e) {
        service.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
    services.clear();
  }

  @Override
  public void close() {
    stopServices();
    hook.stop(0);
  }
}
