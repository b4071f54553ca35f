package io.metashard.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A master and workers of Spark's standalone cluster, as processes of this machine. */
final class StandaloneCluster implements AutoCloseable {
  private static final Pattern MASTER = Pattern.compile("Starting Spark master at (spark://\\S+)");
  private static final Pattern UI = Pattern.compile("started at (http://\\S+)");
  private static final Pattern REGISTERED =
      Pattern.compile("Successfully registered with master ()");

  private final Path folder;
  private final List<Running> workers = new ArrayList<>();
  private Running master;
  private String url;
  private String ui;

  StandaloneCluster(Path folder) {
    this.folder = folder;
  }

  /** Starts a master and workers of two cores each. */
  StandaloneCluster start(int count) throws IOException, InterruptedException {
    master = daemon("master.Master", "--port", "0", "--webui-port", "0");
    url = await(master, MASTER);
    ui = await(master, UI);
    while (workers.size() < count) {
      workers.add(
          daemon(
              "worker.Worker",
              "--port",
              "0",
              "--webui-port",
              "0",
              "--cores",
              "2",
              "--memory",
              "3g",
              "--work-dir",
              Files.createDirectories(folder.resolve("work")).toString(),
              url));
    }
    for (Running worker : workers) {
      await(worker, REGISTERED);
    }
    return this;
  }

  /** For everything that runs Spark: the test's own, in processes that start quickly. */
  static Map<String, String> environment() throws IOException, InterruptedException {
    return Map.of(
        "SPARK_HOME",
        PythonEnvironment.sparkHome().toString(),
        "SPARK_LOCAL_IP",
        "127.0.0.1",
        "SPARK_DAEMON_MEMORY",
        "384m",
        // Drivers and executors have it from the worker that starts them.
        "JAVA_TOOL_OPTIONS",
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
  }

  private static Running daemon(String name, String... options)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                PythonEnvironment.sparkHome().resolve("bin/spark-class").toString(),
                "org.apache.spark.deploy." + name,
                "--host",
                "127.0.0.1"));
    command.addAll(List.of(options));
    return Running.of(command, environment());
  }

  private static String await(Running daemon, Pattern line) throws InterruptedException {
    daemon.until("\"" + line + "\"", () -> line.matcher(daemon.stderr()).find());
    Matcher matcher = line.matcher(daemon.stderr());
    return matcher.find() ? matcher.group(1) : null;
  }

  String url() {
    return url;
  }

  /** Address of the master's page; {@code /json/} of it lists applications and drivers. */
  String ui() {
    return ui;
  }

  /** The executors that run now, on all workers. */
  List<ProcessHandle> executors() {
    return workers.stream()
        .flatMap(worker -> worker.descendants())
        .filter(ProcessHandle::isAlive)
        .filter(
            process ->
                process
                    .info()
                    .commandLine()
                    .orElse("")
                    .contains("executor.CoarseGrainedExecutorBackend"))
        .toList();
  }

  /** Ends a worker and its executors, as a machine that fails. */
  void killWorker() {
    workers.remove(0).close();
  }

  @Override
  public void close() {
    workers.forEach(Running::close);
    if (master != null) {
      master.close();
    }
  }
}
