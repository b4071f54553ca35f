package io.metashard.job;

import io.metashard.ObjectIds;
import io.metashard.bench.PeerTable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The Python environment of {@code bench forecast --peers}: made on first use, from the pinned
 * requirements in the jar.
 *
 * @param python of the environment
 * @param script that forecasts by others' methods and scores
 */
record BenchPython(Path python, Path script) {
  static final String SCRIPT = "forecast_peers.py";
  static final String REQUIREMENTS = "requirements-peers.txt";

  /** The environment below a folder. */
  static BenchPython in(Path work, String python) throws IOException {
    Path home = work.resolve("venv-peers").toAbsolutePath();
    Path ready = home.resolve("ready");
    String wanted = resource(REQUIREMENTS);
    Path own = home.resolve("bin/python");
    if (!Files.exists(ready) || !Files.readString(ready).equals(wanted)) {
      System.err.println("Installing Prophet, statsforecast and LightGBM from PyPI into " + home);
      require(List.of(python, "-m", "venv", home.toString()), "make a Python environment");
      Path requirements = home.resolve(REQUIREMENTS);
      Files.writeString(requirements, wanted);
      require(
          List.of(own.toString(), "-m", "pip", "install", "-q", "-r", requirements.toString()),
          "install what --peers compares with");
      Files.writeString(ready, wanted);
    }
    Path script = home.resolve(SCRIPT);
    Files.writeString(script, resource(SCRIPT));
    return new BenchPython(own, script);
  }

  /** Runs the script. */
  void run(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(python.toString(), script.toString()));
    command.addAll(List.of(arguments));
    require(command, "compare");
  }

  private static void require(List<String> command, String what) throws IOException {
    int exitCode = BenchJvm.exitCode(command);
    if (exitCode != 0) {
      throw new MetashardException(
          MetashardException.FAILED,
          "Cannot %s: %s ended with exit code %d; its messages are above"
              .formatted(what, ObjectIds.printable(command.get(0)), exitCode));
    }
  }

  /** A file of the jar beside {@link PeerTable}. */
  static String resource(String name) throws IOException {
    try (InputStream in = PeerTable.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("Cannot find " + name + " in the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
