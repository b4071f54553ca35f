package io.metashard.it;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Python environments of the tests, below {@code target}: made on first use, from pinned
 * requirements, by {@code uv} (which keeps what it fetched, so that the next one is quick).
 */
enum PythonEnvironment {
  /** Reads Delta tables with no code of ours; some 150 MB. */
  LAKE("lake"),
  /** pyspark 4.1.0, the Spark distribution of the tests, and Jupyter; some 1.1 GB. */
  SPARK("spark"),
  /** Airflow 3 with its Spark provider; some 700 MB. */
  AIRFLOW("airflow"),
  /** The schemas of Kubernetes and of the AWS APIs; some 170 MB. */
  CONF("conf");

  private static final String UV = "uv==0.13.8";

  private final String word;

  PythonEnvironment(String word) {
    this.word = word;
  }

  /** The environment's Python. */
  Path python() throws IOException, InterruptedException {
    return program("python");
  }

  /** A program of the environment, such as {@code spark-submit}. */
  Path program(String name) throws IOException, InterruptedException {
    return home().resolve("bin").resolve(name);
  }

  /**
   * What SPARK_HOME is for the tests: its scripts would ask the first python3 on PATH otherwise.
   */
  static Path sparkHome() throws IOException, InterruptedException {
    Path libraries = SPARK.home().resolve("lib");
    try (Stream<Path> pythons = Files.list(libraries)) {
      return pythons
          .map(python -> python.resolve("site-packages/pyspark"))
          .filter(Files::isDirectory)
          .findFirst()
          .orElseThrow(() -> new IOException("Cannot find pyspark below " + libraries));
    }
  }

  /** The environment's folder, with everything installed. */
  Path home() throws IOException, InterruptedException {
    // Tests run in two processes.
    Path lock = Files.createDirectories(Commands.JOBS.resolve("target")).resolve("venvs.lock");
    synchronized (UV) {
      try (FileChannel channel =
          FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.lock(); // until it is closed
        return installed();
      }
    }
  }

  private Path installed() throws IOException, InterruptedException {
    Path requirements =
        Commands.JOBS.resolve("src/test/python/requirements-%s.txt".formatted(word));
    Path home = venv(word);
    Path ready = home.resolve("ready");
    String wanted = Files.readString(requirements);
    if (!Files.exists(ready) || !Files.readString(ready).equals(wanted)) {
      System.out.printf("Installing from PyPI into %s: %s%n", home, requirements.getFileName());
      make(home);
      Commands.require(
          Commands.run(
              List.of(
                  uv().toString(),
                  "pip",
                  "install",
                  "-q",
                  "--python",
                  home.resolve("bin/python").toString(),
                  "-r",
                  requirements.toString()),
              Map.of()));
      Files.writeString(ready, wanted);
    }
    return home;
  }

  private static Path uv() throws IOException, InterruptedException {
    Path home = venv("uv");
    Path uv = home.resolve("bin/uv");
    if (!Files.exists(uv)) {
      make(home);
      Commands.require(
          Commands.run(List.of(home.resolve("bin/pip").toString(), "install", "-q", UV), Map.of()));
    }
    return uv;
  }

  private static Path venv(String name) {
    return Commands.JOBS.resolve("target/venv-" + name);
  }

  private static void make(Path home) throws IOException, InterruptedException {
    Commands.require(Commands.run(List.of("python3", "-m", "venv", home.toString()), Map.of()));
  }
}
