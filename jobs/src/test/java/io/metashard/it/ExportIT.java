package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Leaving Metashard, on a bad day. */
class ExportIT {
  private static final double[] KILLED_AT = {0.15, 0.55};

  /** Objects at their places. */
  private static long files(Path below) {
    if (!Files.isDirectory(below)) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(below)) {
      return files.filter(Files::isRegularFile).count();
    } catch (IOException | java.io.UncheckedIOException e) {
      return 0; // one was renamed meanwhile
    }
  }

  @Tag("endurance")
  @Test
  void withTwoLocationsGoneAndTwoKillsEveryObjectOfATraceIsExportedAsItWas()
      throws IOException, InterruptedException {
    Path input = Traces.input("nspw");
    LakeUnderTest lake =
        Traces.lake(input, "nspw-export", "parquet", "parquet", "read.fallback = false");
    lake.json("nightly", "--at", Traces.NSPW_AT);
    Map<String, String> sources = lake.sources();
    lake.lose(2, 5);

    Path to = Commands.JOBS.resolve("target/it/nspw-exported");
    LakeUnderTest.deleteAll(to);
    int kills = 0;
    for (double share : KILLED_AT) {
      try (Running export =
          Running.metashard(
              Map.of(),
              "export",
              "--config",
              lake.config().toString(),
              "--all",
              "--to",
              to.toUri().toString())) {
        long wanted = (long) (share * sources.size());
        export.until(wanted + " objects", () -> files(to) >= wanted);
        export.signal("KILL");
        assertThat(export.ended().exitCode()).isEqualTo(137);
        kills++;
      }
      assertThat(files(to)).as("what is there after kill %d", kills).isLessThan(sources.size());
    }

    JsonNode last = lake.json("export", "--all", "--to", to.toUri().toString());

    System.out.println("export: " + last.get("export"));
    Map<String, String> exported = new TreeMap<>(LakeUnderTest.digestsBelow(to));
    exported.keySet().removeIf(path -> path.startsWith("_metashard/"));
    assertThat(exported).isEqualTo(sources);
    assertThat(kills).isEqualTo(2);
    assertThat(sources.size()).isEqualTo(1410);
  }
}
