package io.metashard.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/** Real traces, where they are beside the project; they are not part of it. */
final class Traces {
  /** When the log of nspw ends. */
  static final String NSPW_AT = "2018-05-09T00:00:00Z";

  private static final Path FOLDER = Commands.HOME.resolveSibling("shared").resolve("data");

  private Traces() {}

  static Path file(String name) {
    return FOLDER.resolve(name);
  }

  /** Makes objects and logs of a trace; passes the test over where there are none. */
  static Path input(String trace) throws IOException, InterruptedException {
    Path maker = file("make_inputs.py");
    Assumptions.assumeTrue(Files.exists(maker), "no traces beside the project");
    Path out = Commands.JOBS.resolve("target/it").resolve(trace + "-input");
    LakeUnderTest.deleteAll(out);
    Files.createDirectories(out.getParent());
    Commands.require(
        Commands.run(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                maker.toString(),
                file(trace).toString(),
                out.toString()),
            Map.of()));
    return out;
  }

  /**
   * A lake of eight locations for what {@link #input} made, in the JVM that users have.
   *
   * @param log folder of the logs
   */
  static LakeUnderTest lake(Path input, String name, String log, String format, String more)
      throws IOException {
    return new LakeUnderTest(
            name, input.resolve("objects"), input.resolve("logs").resolve(log), format, 8, more)
        .inUsersJvm();
  }
}
