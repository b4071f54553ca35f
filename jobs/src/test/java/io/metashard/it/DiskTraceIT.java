package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** A night on the trace of a disk: one large object. */
class DiskTraceIT {
  @Test
  void anHourOfADisksTraceIsPlannedInMinutes() throws IOException, InterruptedException {
    Path input = Traces.input("cloudphysics_2h");
    LakeUnderTest lake =
        Traces.lake(
            input, "cloudphysics", "s3", "s3-access", "forecast { bucket = 1m, horizon = 5m }");
    String first = Files.readString(Traces.file("cloudphysics_2h/backtest.json"));
    String start = first.replaceAll("(?s).*\"first_bucket\"\\s*:\\s*\"([^\"]+)\".*", "$1");
    String at = Instant.parse(start).plusSeconds(3600).toString();
    JsonNode night = lake.json("nightly", "--at", at);
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(1);
    assertThat(night.at("/aggregate/range_unknown").asLong()).isZero();
    lake.lose(2, 7);
    assertThat(lake.served("--set", "read.fallback=false")).isEqualTo(lake.sources());
  }
}
