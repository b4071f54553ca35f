package io.metashard.job;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Commands as {@code jobs/metashard} runs them, each with a Spark session of its own, but in the
 * JVM of the test, where Spark is loaded and compiled already.
 */
public final class InThisJvm {
  private InThisJvm() {}

  /** What a command printed, and how it ended. */
  public record Ended(int exitCode, String out, String err) {}

  /** Runs a command; no other may run in this JVM meanwhile, nor a session of Spark be open. */
  public static synchronized Ended metashard(String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream toOut = new ByteArrayOutputStream();
    ByteArrayOutputStream toErr = new ByteArrayOutputStream();
    int exitCode;
    try (PrintStream newOut = new PrintStream(toOut, true, StandardCharsets.UTF_8);
        PrintStream newErr = new PrintStream(toErr, true, StandardCharsets.UTF_8)) {
      System.setOut(newOut);
      System.setErr(newErr);
      exitCode = Metashard.run(arguments);
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    return new Ended(
        exitCode, toOut.toString(StandardCharsets.UTF_8), toErr.toString(StandardCharsets.UTF_8));
  }
}
