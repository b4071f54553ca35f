package io.metashard.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/** Real traces, where they are beside the project; they are not part of it. */
final class Traces {
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
}
