package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Nights on real traces, where they are beside the project; they are not part of it. */
class TracesIT {
  private static final Path TRACES = Commands.HOME.resolveSibling("shared").resolve("data");
  private static final Path INPUT = Commands.JOBS.resolve("target/it/nspw-input");
  private static final String AT = "2018-05-09T00:00:00Z";

  @BeforeAll
  static void makeInput() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Files.exists(TRACES.resolve("make_inputs.py")), "no traces beside the project");
    make("nspw", INPUT);
  }

  private static void make(String trace, Path out) throws IOException, InterruptedException {
    LakeUnderTest.deleteAll(out);
    Files.createDirectories(out.getParent());
    Commands.require(
        Commands.run(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                TRACES.resolve("make_inputs.py").toString(),
                TRACES.resolve(trace).toString(),
                out.toString()),
            Map.of()));
  }

  private static LakeUnderTest lake(String name, String log, String format, String more)
      throws IOException {
    return new LakeUnderTest(
            name, INPUT.resolve("objects"), INPUT.resolve("logs").resolve(log), format, 8, more)
        .inUsersJvm();
  }

  @Test
  void anHourOfADisksTraceIsPlannedInMinutes() throws IOException, InterruptedException {
    Path input = Commands.JOBS.resolve("target/it/cloudphysics-input");
    make("cloudphysics_2h", input);
    LakeUnderTest lake =
        new LakeUnderTest(
                "cloudphysics",
                input.resolve("objects"),
                input.resolve("logs/s3"),
                "s3-access",
                8,
                "forecast { bucket = 1m, horizon = 5m }")
            .inUsersJvm();
    String first = Files.readString(TRACES.resolve("cloudphysics_2h/backtest.json"));
    String start = first.replaceAll("(?s).*\"first_bucket\"\\s*:\\s*\"([^\"]+)\".*", "$1");
    String at = java.time.Instant.parse(start).plusSeconds(3600).toString();
    JsonNode night = lake.json("nightly", "--at", at);
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(1);
    assertThat(night.at("/aggregate/range_unknown").asLong()).isZero();
    lake.lose(2, 7);
    assertThat(lake.served("--set", "read.fallback=false")).isEqualTo(lake.sources());
  }

  @Test
  void threeFormatsOfOneLogGiveTheSameDemandAndEveryObjectSurvives()
      throws IOException, InterruptedException {
    LakeUnderTest parquet = lake("nspw-parquet", "parquet", "parquet", "");
    JsonNode night = parquet.json("nightly", "--at", AT);
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(1410);
    assertThat(night.at("/lake/stored_per_logical").asDouble()).isLessThanOrEqualTo(1.5);
    LakeUnderTest s3 = lake("nspw-s3", "s3", "s3-access", "");
    LakeUnderTest combined = lake("nspw-combined", "combined", "combined", "");
    for (LakeUnderTest other : List.of(s3, combined)) {
      for (String stage : List.of("ingest", "catalogue", "aggregate")) {
        other.json(stage, "--at", AT);
      }
    }
    Commands.Ended same =
        Commands.run(
            List.of(
                PythonEnvironment.LAKE.python().toString(),
                Commands.JOBS.resolve("src/test/python/same_demand.py").toString(),
                parquet.root().toString(),
                s3.root().toString(),
                combined.root().toString()),
            Map.of());
    assertThat(same.exitCode()).as(same.stdout() + same.stderr()).isZero();
    Map<String, String> sources = parquet.sources();
    parquet.lose(1, 6);
    assertThat(parquet.served("--set", "read.fallback=false")).isEqualTo(sources);
    assertThat(parquet.servedIndependently(1, 6)).isEqualTo(sources);
  }
}
