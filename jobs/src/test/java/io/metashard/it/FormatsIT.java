package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Nights on the trace of a web site, whose log there is in three formats. */
class FormatsIT {
  @Test
  void threeFormatsOfOneLogGiveTheSameDemandAndEveryObjectSurvives()
      throws IOException, InterruptedException {
    Path input = Traces.input("nspw");
    LakeUnderTest parquet = Traces.lake(input, "nspw-parquet", "parquet", "parquet", "");
    JsonNode night = parquet.json("nightly", "--at", Traces.NSPW_AT);
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(1410);
    assertThat(night.at("/lake/stored_per_logical").asDouble()).isLessThanOrEqualTo(1.5);
    LakeUnderTest s3 = Traces.lake(input, "nspw-s3", "s3", "s3-access", "");
    LakeUnderTest combined = Traces.lake(input, "nspw-combined", "combined", "combined", "");
    for (LakeUnderTest other : List.of(s3, combined)) {
      for (String stage : List.of("ingest", "catalogue", "aggregate")) {
        other.json(stage, "--at", Traces.NSPW_AT);
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
