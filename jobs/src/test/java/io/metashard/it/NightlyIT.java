package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The command as a user runs it, on generated input, read back by two readers. */
class NightlyIT {
  @Test
  void aClassArchiveIsMadeOnceAndOneThatFitsNoJvmIsPassedOver()
      throws IOException, InterruptedException {
    Path archive = Commands.JOBS.resolve("target/metashard.jsa");
    assertThat(archive).exists();
    FileTime made = Files.getLastModifiedTime(archive);
    Path wrong = Commands.JOBS.resolve("target/it/wrong.jsa");
    Files.createDirectories(wrong.getParent());
    Files.writeString(wrong, "no archive");
    String options = "-XX:SharedArchiveFile=" + wrong;
    Commands.Ended ended =
        Commands.require(
            Commands.metashard(Map.of("METASHARD_JAVA_OPTIONS", options), "--version"));
    assertThat(ended.stdout()).startsWith("metashard ");
    assertThat(ended.stderr()).isEmpty();
    Commands.Ended again = Commands.require(Commands.metashard("--archive-classes"));
    assertThat(again.stdout() + again.stderr()).isEmpty();
    assertThat(Files.getLastModifiedTime(archive)).isEqualTo(made);
  }

  @Test
  void aNightOnGeneratedInputSurvivesTheLossOfTwoLocations()
      throws IOException, InterruptedException {
    Path input = Commands.JOBS.resolve("target/it/generated");
    LakeUnderTest.deleteAll(input);
    Files.createDirectories(input.getParent());
    Commands.require(Commands.metashard("generate", "--out", input.toString(), "--seed", "7"));
    LakeUnderTest lake =
        new LakeUnderTest(
            "night", input.resolve("objects"), input.resolve("logs/s3"), "s3-access", 8, "");
    Path result = input.resolve("result.json");
    JsonNode night =
        lake.json("nightly", "--at", "2026-01-22T00:00:00Z", "--result", result.toString());
    assertThat(Files.readString(result).strip()).isEqualTo(night.toString());
    JsonNode ingest = night.get("ingest");
    assertThat(ingest.get("lines").asLong())
        .isEqualTo(ingest.get("requests").asLong() + ingest.get("rejected").asLong());
    // The generator breaks some lines of the S3 logs on purpose.
    assertThat(ingest.get("rejected").asLong()).isPositive();
    Map<String, String> sources = lake.sources();
    assertThat(sources).hasSize(60);
    assertThat(night.at("/lake/objects_encoded").asInt()).isEqualTo(60);
    assertThat(night.at("/lake/stored_per_logical").asDouble()).isBetween(1.0, 1.5);

    lake.lose(1, 6);
    assertThat(lake.served("--set", "read.fallback=false")).isEqualTo(sources);
    assertThat(lake.servedIndependently(1, 6)).isEqualTo(sources);
    Commands.Ended damaged = lake.command("verify");
    assertThat(damaged.exitCode()).isEqualTo(3);
    assertThat(damaged.stdout()).contains("unreadable").contains("what_to_do");
    lake.bringBack();
    assertThat(lake.json("verify").get("findings").asLong()).isZero();
    assertThat(lake.json("ls").get("objects").asInt()).isEqualTo(60);

    lake.lose(0, 3, 5);
    Commands.Ended lost = lake.command("cat", "--all", "--sha256", "--set", "read.fallback=false");
    assertThat(lost.exitCode()).isEqualTo(1);
    assertThat(lost.stderr())
        .contains("Cannot read bytes ")
        .containsPattern("of object \\S+ \\(version ")
        .containsPattern("block \\d+ of \\S+ at location l[035]")
        .contains("are needed")
        .doesNotContain("\tat ");
    // The sources are still there.
    assertThat(lake.served()).isEqualTo(sources);
    lake.bringBack();

    JsonNode again = lake.json("nightly", "--at", "2026-01-22T00:00:00Z");
    for (String stage : new String[] {"ingest", "catalogue", "aggregate", "forecast", "reshard"}) {
      assertThat(again.at("/" + stage + "/state").asText()).as(stage).isEqualTo("unchanged");
    }
  }
}
